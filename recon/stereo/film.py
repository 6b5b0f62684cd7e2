"""A film to a stereo film: each frame's depth aligned to the shot, both views, one frame of them with the frame's own time.

The work is kept in closed parts of some seconds in a folder beside the result, each with all that is known at its end, so
that a run that was stopped or killed goes on behind its last whole part and gives the same frames.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from recon.errors import BadInput, BadOption, Unwritable
from recon.geometry.upsample import guided_upsample
from recon.io.files import replaced_whole, write_bytes
from recon.io.video import Film, FilmWriter, Timed, frames_of, join_films, open_film
from recon.messages import PYTHON, Message, Phrasebook, note
from recon.options import changed, plain
from recon.protocols import DepthEstimator
from recon.registry import Where, depth_estimator
from recon.stereo.comfort import Comfort, comfort_of, drawn_back, limited_disparity
from recon.stereo.convert import STRENGTH, calm_plane
from recon.stereo.disparity import disparity_of, grown
from recon.stereo.layouts import depth_beside, layout_of_name, packed
from recon.stereo.pair import Source, pair_from
from recon.stereo.temporal import ShotDepth
from recon.stereo_options import StereoOptions
from recon.types import RawDepth

ENDINGS = (".mp4", ".mov", ".mkv")
"""What films are written as."""
LAYOUTS = ("sbs", "half-sbs", "tb", "half-tb", "cross", "rows", "rgbd", "separate")
PART_SECONDS = 10
"""Of a part: what a run that is killed loses at most."""
ENDS_BYTES = 1 << 20
EYES = ("_left", "_right")
"""What the names of an eye's own files end with."""
QUALITY = ("-preset", "veryfast", "-crf", "17")
"""x264's: two views share the bits, so that both need more of them."""
PACKING = {"half-sbs": "3", "half-tb": "4"}
"""Frame packing as H.264 tells televisions of it (SEI 45): of the layouts that they show. Full ones are told to headsets'
players in the container; ffmpeg 9 refuses to decode a film that is told both ways."""
Tell = Callable[[int, int | None], None]
"""Told the frames that are done, and about how many there are."""


@dataclass(frozen=True)
class StereoFilm:
    """A stereo film that was written. files: two of them with the layout `separate`; frames, cuts; comfort: the worst of
    all frames; notes; facts: for a report."""

    files: tuple[Path, ...]
    frames: int
    cuts: int
    comfort: Comfort
    notes: tuple[Message, ...]
    facts: dict[str, Any]

    def told(self) -> tuple[Message, ...]:
        """All notes: on how it was made, and on how it will be seen."""
        return (*self.notes, *self.comfort.notes())

    def report(self, book: Phrasebook = PYTHON) -> dict[str, Any]:
        """What was done, ready for JSON; notes in the words of `book`."""
        numbers = {"frames": self.frames, "cuts": self.cuts, "comfort": self.comfort.to_json()}
        return {**self.facts, **numbers, "warnings": [told.text(book) for told in self.told()]}


@dataclass
class _Run:
    """One film on its way. eyes: what the names of its files end with; done: frames in whole parts; parts: (file, first
    time, length); range: of disparity so far, in parts of the width."""

    film: Film
    asked: StereoOptions
    layout: str
    estimator: DepthEstimator
    folder: Path
    shot: ShotDepth = field(default_factory=ShotDepth)
    eyes: tuple[str, ...] = ("",)
    done: int = 0
    parts: list[tuple[Path, Fraction, Fraction]] = field(default_factory=list)
    range: tuple[float, float] = (0.0, 0.0)


def film_layout(path: Path, layout: str) -> str:
    """The layout in which a film of this name is written. Raises BadOption for one that films cannot have."""
    if path.suffix.lower() not in ENDINGS:
        raise BadOption("stereo.film_ending", "the film {path!r} ends with {ending!r}; give a name that ends with"
                        " {allowed}.", path=str(path), ending=path.suffix, allowed=", ".join(ENDINGS))  # fmt: skip
    named = layout_of_name(path)
    chosen = layout if layout != "auto" else (named if named in LAYOUTS or named == "anaglyph" else None) or "sbs"
    if chosen not in LAYOUTS and not chosen.startswith("anaglyph"):
        raise BadOption("stereo.film_layout", "<layout> {layout} is for pictures; give {allowed} or an anaglyph for a"
                        " film.", layout=chosen, allowed=", ".join(LAYOUTS))  # fmt: skip
    return chosen


def film_files(out: Path, layout: str) -> tuple[Path, ...]:
    """The files that a film of this name and layout consists of."""
    if film_layout(out, layout) != "separate":
        return (out,)
    return tuple(out.with_name(f"{out.stem}{eye}{out.suffix}") for eye in EYES)


def parts_folder(out: Path) -> Path:
    """Where a film's parts are kept while it is made."""
    return out.with_name(f"{out.name}.parts")


def stereo_film(
    path: str | Path,
    out: str | Path,
    options: StereoOptions = StereoOptions(),
    *,
    resume: bool = False,
    metadata: bool = True,
    tell: Tell = lambda done, all: None,
    **changes: Any,
) -> StereoFilm:
    """A film as both eyes see it, written to `out` (.mp4, .mov, .mkv) with all its sound and subtitles.

    options, or `changes` of single ones by their names: see StereoOptions; resume: go on from the parts that an earlier run
    with the same options has left beside `out`; metadata: whether what the film says of itself (where, when, by what it was
    taken) is kept; tell: is called after every frame, and may raise to stop. Raises BadInput,
    MissingModel, or Unwritable; whole parts are kept then.
    """
    asked, out = changed(StereoOptions, options, changes), Path(out)
    layout = film_layout(out, asked.layout)
    _check(asked)
    film = open_film(Path(path), (4 if layout == "half-sbs" else 2, 4 if layout == "half-tb" else 2))
    estimator = _estimator(asked)
    run = _Run(film, asked, layout, estimator, parts_folder(out), eyes=EYES if layout == "separate" else ("",))
    _open_folder(run, resume)
    try:
        _make_parts(run, tell)
        files = _joined(run, out, metadata)
    except Unwritable as error:
        if error.code == "film.unwritten" and not any(run.folder.glob("*.npz")):
            raise Unwritable("film.nothing_written", "the film cannot be written ({reason}), and nothing was kept yet; make"
                             " room, or give another place for <out>.", **error.values) from None  # fmt: skip
        raise
    finally:
        if not any(run.folder.glob("*.npz")):
            shutil.rmtree(run.folder, ignore_errors=True)
    shutil.rmtree(run.folder, ignore_errors=True)
    facts = {"input": "film", "depth_model": estimator.name, "layout": layout, "width": film.width, "height": film.height,
             "options": plain(asked)}  # fmt: skip
    comfort = Comfort(run.range[1], run.range[0], 0.0)
    return StereoFilm(files, run.done, run.shot.cuts, comfort, _notes(film, estimator), facts)


def _joined(run: _Run, out: Path, metadata: bool) -> tuple[Path, ...]:
    """The parts as whole files, all of them or none."""
    files = film_files(out, run.layout)
    with ExitStack() as all_or_none:
        for file, eye in zip(files, run.eyes, strict=True):
            parts = [(_of_eye(path, eye), first, length) for path, first, length in run.parts]
            join_films(parts, run.film, all_or_none.enter_context(replaced_whole(file)), run.layout, metadata)
    return files


def _of_eye(part: Path, eye: str) -> Path:
    return part.with_name(f"{part.stem}{eye}{part.suffix}")


def _estimator(asked: StereoOptions) -> DepthEstimator:
    """The depth model, loaded: a missing one is told before anything slow begins."""
    model = asked.depth_model
    if isinstance(model, str):
        model = depth_estimator(model, Where(asked.device, asked.offline), asked.depth_kind)
    model.load()
    return model


def _check(asked: StereoOptions) -> None:
    """Raise BadOption for what only pictures can have."""
    given = {"depth_in": asked.depth_in is not None, "baseline": asked.baseline is not None, "crop": asked.crop,
             "screen": asked.screen == "subject", "input": asked.input not in ("auto", "photo")}  # fmt: skip
    for name in (name for name, there in given.items() if there):
        raise BadOption("stereo.no_film_option", "<{option}> {value} is for pictures and not for films; leave it out.",
                        option=name, value=str(getattr(asked, name)))  # fmt: skip


def _notes(film: Film, estimator: DepthEstimator) -> tuple[Message, ...]:
    notes = []
    if estimator.name == "builtin":
        notes.append(
            note("depth.builtin", "depth by the small built-in network; larger ones can be named as <depth_model>")
        )
    if film.hdr:
        notes.append(
            note("film.tone_mapped", "the film has a high dynamic range; it was mapped to an ordinary one (BT.709)")
        )
    if film.interlaced:
        notes.append(note("film.deinterlaced", "the film is interlaced; its fields were made into whole frames"))
    return tuple(notes)


def _open_folder(run: _Run, resume: bool) -> None:
    """Begin the folder of parts, or go on from it. Raises BadInput where other options or another film began it."""
    about = json.dumps({"film": _identity(run.film.path), "layout": run.layout, "model": run.estimator.name,
                        "options": plain(run.asked)}, sort_keys=True)  # fmt: skip
    kept = run.folder / "film.json"
    if resume and kept.is_file():
        if kept.read_text() != about:
            raise BadInput(
                "stereo.other_film", "the parts in {folder!r} are of another film or were made with other options; leave"
                " <resume> out to begin anew.", folder=str(run.folder),
            )  # fmt: skip
        _restore(run)
        return
    shutil.rmtree(run.folder, ignore_errors=True)
    write_bytes(kept, about.encode())


def _identity(path: Path) -> list[Any]:
    """What tells a film from another one, wherever it lies: its size, and what it begins and ends with."""
    size = path.stat().st_size
    with path.open("rb") as file:
        ends = file.read(ENDS_BYTES)
        file.seek(max(0, size - ENDS_BYTES))
        ends += file.read()
    return [size, hashlib.sha256(ends).hexdigest()]


def _restore(run: _Run) -> None:
    """What the last whole part knew at its end."""
    for number in range(1, 1_000_000):
        state = run.folder / f"{number:06d}.npz"
        if not state.is_file():
            return
        with np.load(state) as found:
            known = {name: found[name] for name in found.files}
        first, length = (Fraction(*map(int, pair)) for pair in known.pop("times"))
        run.parts.append((state.with_suffix(".nut"), first, length))
        run.done, run.range = int(known.pop("done")), tuple(known.pop("range").tolist())
        run.shot = ShotDepth.of_state(known)


def _make_parts(run: _Run, tell: Tell) -> None:
    """All parts that are not there yet."""
    writers: list[FilmWriter] = []
    first = last = Fraction(0)
    try:
        for number, frame in enumerate(_skipping(frames_of(run.film), run.done), run.done):
            if writers and frame.time - first >= PART_SECONDS:
                _close_part(run, writers, number, first, frame.time - first)
                writers = []
            if not writers:
                writers, first = [_next_writer(run, eye) for eye in run.eyes], frame.time
            for writer, picture in zip(writers, _frame(run, frame.rgb), strict=True):
                writer.add(picture, frame.time)
            last = frame.time
            tell(number + 1, run.film.frames)
        if writers:
            shown = Fraction(1) / Fraction(run.film.rate).limit_denominator(1001)
            _close_part(run, writers, number + 1, first, last - first + shown)
            writers = []
    finally:
        for writer in writers:
            writer.stop()


def _skipping(frames: Iterator[Timed], count: int) -> Iterator[Timed]:
    """The frames behind the first `count`, which are decoded all the same: seeking is not exact in every film."""
    for number, frame in enumerate(frames):
        if number >= count:
            yield frame


def _next_writer(run: _Run, eye: str) -> FilmWriter:
    flags = list(QUALITY)
    if run.layout in PACKING:
        flags += ["-x264-params", f"frame-packing={PACKING[run.layout]}"]
    colours = run.layout.startswith("anaglyph") or run.layout == "rows"
    return FilmWriter(run.folder / f"{len(run.parts) + 1:06d}{eye}.nut", flags, colours)


def _close_part(run: _Run, writers: list[FilmWriter], done: int, first: Fraction, length: Fraction) -> None:
    """A part is whole when what it knew at its end lies beside it."""
    for writer in writers:
        writer.close()
    state, file = run.folder / f"{len(run.parts) + 1:06d}.npz", io.BytesIO()
    times = np.array([[each.numerator, each.denominator] for each in (first, length)], np.int64)
    np.savez(file, times=times, done=done, range=np.array(run.range), **run.shot.state())  # type: ignore[arg-type]
    write_bytes(state, file.getvalue())
    run.parts.append((state.with_suffix(".nut"), first, length))
    run.done = done


def _frame(run: _Run, rgb: UInt8[ndarray, "h w 3"]) -> tuple[UInt8[ndarray, "a b 3"], ...]:
    """Both eyes' views of one frame, in the layout, for each file."""
    small = run.shot.follow(inverse_of(run.estimator.estimate(rgb)), rgb)
    nearness = grown(guided_upsample(small, rgb))
    width, asked = rgb.shape[1], run.asked
    strength = (STRENGTH if asked.strength is None else asked.strength) / 100
    disparity = disparity_of(nearness, strength * width, calm_plane(run.shot.plane, asked, strength))
    if asked.limit == "on":
        disparity = drawn_back(limited_disparity(disparity))
    found = comfort_of(disparity)
    run.range = min(run.range[0], found.behind), max(run.range[1], found.front)
    if run.layout == "rgbd":
        return (depth_beside(rgb, nearness),)
    left, right = pair_from(Source(rgb, disparity, nearness), asked.eyes, False)
    return (left, right) if run.layout == "separate" else (packed(left, right, run.layout),)


def inverse_of(raw: RawDepth) -> Float32[ndarray, "a b"]:
    """A model's inverse depth, up to scale and shift, finite: where it sees no surface it is far. Raises BadInput where it
    sees none at all."""
    inverse = raw.values if raw.kind == "disparity" else (1 / raw.values).astype(np.float32)
    holes = ~np.isfinite(inverse)
    if holes.all():
        return np.zeros_like(inverse)
    return np.where(holes, inverse[~holes].min(), inverse) if holes.any() else inverse
