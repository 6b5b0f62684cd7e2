"""Frames to a motion picture that loops for ever: MP4 (H.264), GIF or animated WebP."""

from __future__ import annotations

import errno
import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon.io.files import write_with

if TYPE_CHECKING:
    from PIL import Image

FPS, PICTURE_FPS = 24, 10
"""Frames per second of a video, and of a file of pictures, so that it stays small enough to send."""
CRF = 15
"""H.264's constant rate factor: no loss to be seen."""
CLEAR = 255
"""Which of a GIF's colours is none: not one of the 128."""
QUALITY = 80
"""WebP's: half the bytes of a GIF, and all colours."""


def frame_count(path: Path, seconds: float) -> int:
    """How many frames a film of this name and length has; at least 8."""
    return max(8, round(seconds * (FPS if path.suffix.lower() == ".mp4" else PICTURE_FPS)))


def write_film(path: Path, frames: Iterator[UInt8[ndarray, "h w c"]]) -> None:
    """Write the frames, sides even, in the format that `path` ends with; of four channels where it is no MP4."""
    {".mp4": _write_mp4, ".gif": _write_gif, ".webp": _write_webp}[path.suffix.lower()](path, frames)


def _write_mp4(path: Path, frames: Iterator[UInt8[ndarray, "h w 3"]]) -> None:
    import imageio_ffmpeg

    def encode(temporary: Path) -> None:
        first = next(frames)
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{first.shape[1]}x{first.shape[0]}", "-r", str(FPS)]
        film = ["-an", "-c:v", "libx264", "-crf", str(CRF), "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "quiet", "-y", *raw, "-i", "-", *film, str(temporary)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as ffmpeg:
            assert ffmpeg.stdin is not None
            for frame in itertools.chain([first], frames):
                ffmpeg.stdin.write(frame.tobytes())
        if ffmpeg.returncode:  # imageio_ffmpeg's own writer does not look, and half a film would take its place
            raise OSError(errno.EIO, "ffmpeg stopped, as it does on a full disk")

    write_with(path, encode)


def _write_gif(path: Path, frames: Iterator[UInt8[ndarray, "h w c"]]) -> None:
    def encode(temporary: Path) -> None:
        first, *rest = [_few_colours(frame) for frame in frames]
        clear = "transparency" in first.info
        first.save(temporary, save_all=True, append_images=rest, duration=1000 // PICTURE_FPS, loop=0,
                   disposal=2 if clear else 1)  # fmt: skip

    write_with(path, encode)


def _few_colours(frame: UInt8[ndarray, "h w c"]) -> Image.Image:
    """A picture with a palette of 128 colours; a fourth channel's pixels are clear or not, as GIF knows no more."""
    from PIL import Image

    out = Image.fromarray(np.ascontiguousarray(frame[..., :3])).quantize(128)
    if frame.shape[2] == 4:
        out.paste(CLEAR, mask=Image.fromarray(np.where(frame[..., 3] < 128, np.uint8(255), np.uint8(0))))
        out.info["transparency"] = CLEAR
    return out


def _write_webp(path: Path, frames: Iterator[UInt8[ndarray, "h w c"]]) -> None:
    from PIL import Image

    def encode(temporary: Path) -> None:
        first, *rest = [Image.fromarray(frame) for frame in frames]
        first.save(temporary, save_all=True, append_images=rest, duration=1000 // PICTURE_FPS, loop=0, quality=QUALITY)

    write_with(path, encode)
