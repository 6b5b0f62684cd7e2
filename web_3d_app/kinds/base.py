"""What a kind of job is, as the table, the API and the engines need to know it; its work is in a module of its own.

A job goes through the lanes of its kind, one after another: it is queued for each and runs in each, so that nobody's first
view waits for somebody's files. Each lane is served by one crew; a crew has one worker process per server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recon.messages import Message
from web_3d_app.settings import Settings

QUICK, HEAVY, SLOW = "quick", "heavy", "slow"
CREWS = (QUICK, HEAVY, SLOW)
"""quick: what a person waits for; heavy: what takes seconds, beside others' first views; slow: minutes and hours."""
PLY, GLB, STL, PNG, JPEG = "model/ply", "model/gltf-binary", "model/stl", "image/png", "image/jpeg"
GIF, MPO, JPS = "image/gif", "image/x-mpo", "image/x-jps"
ZIP, JSON, BYTES, MP4 = "application/zip", "application/json", "application/octet-stream", "video/mp4"
OFF = "off"
"""The choice of an option that asks for a kind that follows: it is not wanted."""
Facts = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Lane:
    """One turn of a job in one worker. stages: in their order, each with the share of the whole time at which it begins;
    urgency: among the lanes of its crew, the smaller the sooner; touch: whether it is a finishing touch, all that matters
    being there already."""

    name: str
    crew: str
    stages: Mapping[str, float]
    urgency: int = 0
    touch: bool = False


@dataclass(frozen=True, eq=False)
class Bounds:
    """What of the settings bounds a kind; kinds that share an object of this share their queue. seconds: for one try of one
    lane; waiting: jobs of everybody that wait; each: waiting and running ones of one visitor. retry_after: seconds, for who
    has too many."""

    seconds: Callable[[Settings], float]
    waiting: Callable[[Settings], int]
    each: Callable[[Settings], int]
    retry_after: int


USUAL = Bounds(
    seconds=lambda settings: settings.job_seconds,
    waiting=lambda settings: settings.max_queued,
    each=lambda settings: settings.max_queued_each,
    retry_after=10,
)


def slow_bounds(seconds: Callable[[Settings], float]) -> Bounds:
    """Those of a kind that takes minutes: a queue of its own, as long as every such kind's."""
    return Bounds(
        seconds=seconds,
        waiting=lambda settings: settings.max_refinements,
        each=lambda settings: settings.max_refinements_each,
        retry_after=60,
    )


@dataclass(frozen=True)
class Sentences:
    """What people are told, unless a phrasebook says it otherwise (see `Kind.message`). queue_full: too many wait; quota:
    they have {mine} of them; poisoned: its workers died; too_long. Of a kind that follows also stopped: it was cancelled;
    under_way: it was asked for already; not_finished: what it follows is still {state}."""

    queue_full: str
    quota: str
    poisoned: str
    too_long: str
    stopped: str = ""
    under_way: str = ""
    not_finished: str = ""


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of job.

    run: the function that does one lane's work, `run(context)`, and warm_up: one that loads what is worth to be loaded
    before the first job, `warm_up(crew, context)`; by name, because only workers load them. artefacts: every file that it
    may make: name -> (kind, media type). options: a class of `recon.options`; those of its fields that have a page may be
    chosen. photo: whether it begins with one; film: whether that is a film instead. form: the template by which it is
    asked for on the first page; page: the one that shows a job of it. alike: options by which two jobs of it take about as
    long.

    follows: the kind that must be done before, as a part of the same job; whatever becomes of this one, that job then is
    done and keeps its files. option: of the job, by which it is asked for with the upload or later; "": it is asked for
    later only, and what it is asked for with is in what it tells. tells: what it tells on its way, with what
    counts until then, and messages: which of these are lists of stored messages (see `phrasebook`); it lies in the job's
    facts under the kind's name. refusal: (word, sentence) for a job whose facts say
    that it cannot be followed.
    """

    name: str
    run: str
    lanes: tuple[Lane, ...]
    artefacts: Mapping[str, tuple[str, str]]
    sentences: Sentences
    options: type
    bounds: Bounds = USUAL
    warm_up: str = ""
    photo: bool = True
    film: bool = False
    form: str = ""
    page: str = "job.html"
    alike: tuple[str, ...] = ()
    follows: str | None = None
    option: str = ""
    tells: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[str, ...] = ()
    refusal: Callable[[Facts], tuple[str, str] | None] = lambda facts: None

    @property
    def first(self) -> str:
        """The lane that it begins in."""
        return self.lanes[0].name

    @cached_property
    def begins(self) -> dict[str, float]:
        """Each stage of it, with the share of the whole at which it begins."""
        return {stage: share for lane in self.lanes for stage, share in lane.stages.items()}

    def message(self, what: str, **values: Any) -> Message:
        """One of its sentences, under the code `kind.name.what`."""
        return Message(f"kind.{self.name}.{what}", getattr(self.sentences, what), values)

    def wanted(self, params: Mapping[str, Any]) -> bool:
        """Whether a job's options ask for it to follow."""
        return bool(self.option) and params.get(self.option, OFF) != OFF

    def begun(self, params: Mapping[str, Any], facts: Facts | None) -> bool:
        """Whether it was asked to follow."""
        return self.wanted(params) or bool(self.told(facts))

    def told(self, facts: Facts | None) -> Facts:
        """What a job's facts say of it; empty before it has begun."""
        found: Facts = (facts or {}).get(self.name, {}) if self.follows else facts or {}
        return found
