"""A film: a preview of some frames, and both eyes' views of every one, in parts that outlast a worker."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

from recon.errors import BadInput
from recon.stereo import frame_at, open_film, parts_folder, stereo_film, stereo_preview
from recon.types import Photo
from web_3d_app.kinds.film import CONVERSION, FILM_NAMES, FRAMES
from web_3d_app.work.context import Context, Next
from web_3d_app.work.pictures import write_thumb
from web_3d_app.work.stereo import as_stored, stereo_options

TELL_SECONDS = 1.5
HONEST_SECONDS = 8.0
"""Of a run, from which the rest of it is estimated."""


class _GivesWay(Exception):
    """Something more urgent waits: the film goes on later."""


def look_at_frames(context: Context) -> None:
    """The preview: some frames, small, each with its nearness. Raises UnflatError, or what the context raises."""
    assert context.photo_file is not None, "a film begins with one"
    film, shown, begins = open_film(context.photo_file), 0, None
    with context.watch.stage("frames"):
        for place in FRAMES if film.seconds else (0.0,):
            context.check_stop()
            rgb = frame_at(film, place * (film.seconds or 0.0))
            if rgb is None and not shown:
                rgb = frame_at(film, 0.0)
            if rgb is None:
                continue
            shown += 1
            found = stereo_preview(Photo(rgb), context.models.get("auto"))
            names = f"frame{shown}_view.jpg", f"near{shown}_view.png"
            found.save(*(context.folder / name for name in names))
            if shown == 1:
                write_thumb(context.folder / "photo_thumb.jpg", rgb)
                context.add("photo_thumb.jpg")
                begins = found.facts()
            context.add(*names)
    if not shown:
        raise BadInput("film.no_frames", "{named} has no frame that can be read; give another film.", named="the film")
    context.tell({"stereo": begins, "width": film.width, "height": film.height, "film_seconds": film.seconds,
                  "rate": round(film.rate, 3), "frames": film.frames, "sounds": film.sounds, "hdr": film.hdr,
                  "interlaced": film.interlaced, "seconds": context.watch.rounded()})  # fmt: skip


def convert_film(context: Context) -> Next | None:
    """The conversion; later, if somebody waits for something else. Raises UnflatError, or what the context raises."""
    assert context.photo_file is not None, "a film begins with one"
    run = _Conversion(context)
    try:
        run.make()
    except _GivesWay:
        return context.lane, None
    return None


class _Conversion:
    """One try. It goes on behind the last part that an earlier one has kept."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.told: dict[str, Any] = {**CONVERSION.tells, **context.told}
        self.out = context.folder / FILM_NAMES[self.told["layout"]]
        self.parts = parts_folder(self.out)
        self.began, self._before, self._told_at, self._first = time.monotonic(), self.told["seconds"], 0.0, -1
        context.fetch_parts(self.parts)
        self._kept = self._whole()

    def make(self) -> None:
        """Do it. Raises UnflatError, _GivesWay, or what the context raises."""
        options = stereo_options(self.told)
        options = dataclasses.replace(options, layout=self.told["layout"], depth_model=self.context.models.get("auto"))
        self.context.stage("film", 0.0)
        film = self._once(options, bool(self._kept))
        self.told |= {"notes": as_stored(film.told()), "seconds_left": 0.0, "frames": film.frames,
                      "all": film.frames, "seconds": self._seconds()}  # fmt: skip
        self.context.tell(self.told)
        self.context.add(self.out.name)

    def _once(self, options: Any, resume: bool) -> Any:
        """Anew where the parts that were kept cannot be used, as after other options or a change of the program."""
        film: Path = self.context.photo_file  # type: ignore[assignment]  # asserted in `convert_film`
        try:
            return stereo_film(film, self.out, options, resume=resume, metadata=False, tell=self._tell)
        except BadInput as error:
            if error.code != "stereo.other_film":
                raise
            self._kept = set()
            return stereo_film(film, self.out, options, metadata=False, tell=self._tell)

    def _whole(self) -> set[str]:
        """The parts that are whole, by their numbers."""
        return {file.stem for file in self.parts.glob("*.npz")}

    def _tell(self, done: int, all: int | None) -> None:
        """So many frames of about so many are done. What is whole is kept, and only then another job is let past."""
        self._first = done if self._first < 0 else self._first
        new = self._whole() - self._kept
        if new:
            self._keep(new)
        self.context.check_stop()
        if new and self.context.hurry():
            self._say(done, all)
            raise _GivesWay
        if time.monotonic() - self._told_at >= TELL_SECONDS:
            self._say(done, all)

    def _keep(self, new: set[str]) -> None:
        files = [self.parts / f"{number}.{ending}" for number in sorted(new) for ending in ("nut", "npz")]
        self.context.add_parts(self.parts / "film.json", *files)
        self._kept |= new

    def _seconds(self) -> float:
        return round(self._before + time.monotonic() - self.began, 1)

    def _say(self, done: int, all: int | None) -> None:
        self._told_at = time.monotonic()
        spent, made = self._told_at - self.began, done - self._first
        left = None
        if all is not None and spent >= HONEST_SECONDS and made:
            left = round(spent / made * max(all - done, 0))
        self.told |= {"frames": done, "all": all, "seconds": self._seconds(), "seconds_left": left}
        share = min(1.0, done / all) if all else 0.0
        self.context.progress("film", share, self.told)
