"""Films in and out through the ffmpeg that imageio-ffmpeg brings along: every frame once, each with its own time.

Frames are decoded upright, with square pixels, even sides, without interlacing and in ordinary dynamic range, as raw RGB
through a pipe; their times, as whole numbers of the film's own time base, come from the same decoder's `showinfo`. They go
to the encoder as a Matroska stream of raw pictures, the one simple container that carries times, so that films of variable
rate keep it. Nothing holds more than a few frames.
"""

from __future__ import annotations

import queue
import re
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon.errors import BadInput, Unwritable
from recon.io.files import checked_file, named_file
from recon.io.mp4_boxes import write_tagged
from recon.messages import note

FILM = note("thing.film", "the film")
FILM_ENDINGS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mts", ".m2ts", ".ts", ".mpg", ".wmv", ".3gp")
"""By which a film is known from a photo."""
MOST_PIXELS = 8192 * 4608
"""Of a frame: 8K. Its two views side by side are the widest that HEVC and H.264 decoders know of."""
READ = ("-format_whitelist", "mov,matroska,webm,avi,mpegts,mpeg,asf,ogg,flv,nut,h264,hevc,mpegvideo,rawvideo,gif")
"""What is read as a film: no playlists and no lists of files, which would name others."""
LOOK_SECONDS = 30
"""In which a file must have told what it is."""
HDR = ("smpte2084", "arib-std-b67")
TONE_MAPPED = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,"
    "zscale=t=bt709:m=bt709:r=tv,format=yuv444p"
)
"""ffmpeg's filters from a high dynamic range to BT.709; 203 cd/m² is white (ITU-R BT.2408)."""
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Film:
    """What a film's file says. width, height: of its frames as they are seen, even; rate: frames per second, about;
    seconds: None where it does not say; sounds, subtitles: how many tracks; hdr, interlaced: what frames are converted
    from; filters: ffmpeg's, that do so."""

    path: Path
    width: int
    height: int
    rate: float
    seconds: float | None
    sounds: int
    subtitles: int
    hdr: bool
    interlaced: bool
    filters: str

    @property
    def frames(self) -> int | None:
        """About how many frames it has."""
        return None if self.seconds is None else max(1, round(self.seconds * self.rate))


@dataclass(frozen=True)
class Timed:
    """A frame. rgb: sRGB; time: seconds from the film's beginning."""

    rgb: UInt8[ndarray, "h w 3"]
    time: Fraction


def ffmpeg() -> str:
    """The path of the program."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def is_film(path: Path) -> bool:
    """Whether a file's name is a film's."""
    return path.suffix.lower() in FILM_ENDINGS


def open_film(path: Path, multiple: tuple[int, int] = (2, 2)) -> Film:
    """What there is to know of a film before it is read. multiple: what its width and height are cut to a multiple of.
    Raises BadInput for what is no film, or has no picture."""
    named = named_file(FILM, checked_file(path, FILM, 1 << 50))
    said = b""
    with suppress(subprocess.TimeoutExpired):
        said = subprocess.run([ffmpeg(), "-hide_banner", "-nostdin", *READ, "-i", f"file:{path}"], capture_output=True,
                              timeout=LOOK_SECONDS).stderr  # fmt: skip
    text = said.decode("utf-8", "replace")
    if "Input #0" not in text:
        raise BadInput("film.unreadable", "{named} is no film that can be read, or breaks off; give another one.",
                       named=named)  # fmt: skip
    videos = [line for line in re.findall(r"Stream #0.*?: Video: .*", text) if "attached pic" not in line]
    if not videos:
        raise BadInput("film.no_picture", "{named} has no picture in it, only {what}; give a film.", named=named,
                       what="sound" if ": Audio: " in text else "other things")  # fmt: skip
    return _film(path, videos[0], text, multiple)


def _film(path: Path, video: str, text: str, multiple: tuple[int, int]) -> Film:
    found = re.search(r", (\d+)x(\d+)", video)
    if found is None:
        raise BadInput("film.no_size", "{named} does not say how large its picture is, as a film that breaks off does not;"
                       " give another one.", named=named_file(FILM, path))  # fmt: skip
    width, height = int(found[1]), int(found[2])
    filters = []
    interlaced = bool(re.search(r"(top|bottom) first|top coded first|bottom coded first", video))
    if interlaced:
        filters.append("bwdif=mode=send_frame")
    hdr = any(word in video for word in HDR)
    turn = re.search(r"rotation of (-?[\d.]+) degrees", text)
    if turn and round(abs(float(turn[1])) / 90) % 2:
        width, height = height, width
    aspect = re.search(r"\[?SAR (\d+):(\d+)", video)
    if aspect and aspect[1] != aspect[2] and int(aspect[1]) and int(aspect[2]):
        sar = Fraction(int(aspect[1]), int(aspect[2])) if width >= 1 else Fraction(1)
        if turn and round(abs(float(turn[1])) / 90) % 2:
            sar = 1 / sar
        width = max(2, round(width * sar))
        filters.append(f"scale={width}:{height},setsar=1")
    if hdr:
        filters.append(TONE_MAPPED)
    elif "bt709" not in video and "bt601" not in video and "smpte170m" not in video and height >= 720:
        filters.append("scale=in_color_matrix=bt709")  # as every player takes an unlabelled film of this size
    width, height = (side - side % step for side, step in zip((width, height), multiple, strict=True))
    if width < 32 or height < 32 or width * height > MOST_PIXELS:
        raise BadInput(
            "film.size", "{named} is {width}×{height} pixels; give one from 32×32 to 8192×4608.",
            named=named_file(FILM, path), width=width, height=height,
        )  # fmt: skip
    filters.append(f"crop={width}:{height}:0:0")
    rate = re.search(r"([\d.]+k?) (?:fps|tbr)", video)
    return Film(path, width, height, float(rate[1].replace("k", "e3")) if rate else 25.0, _seconds(text),
                len(re.findall(r"Stream #0.*?: Audio: ", text)), len(re.findall(r"Stream #0.*?: Subtitle: ", text)),
                hdr, interlaced, ",".join(filters))  # fmt: skip


def _seconds(text: str) -> float | None:
    found = re.search(r"Duration: (\d+):(\d+):([\d.]+)", text)
    return None if found is None else 3600 * int(found[1]) + 60 * int(found[2]) + float(found[3])


def frames_of(film: Film) -> Iterator[Timed]:
    """Every frame of a film, in order. Raises BadInput where it has none; one that breaks off ends there."""
    command = [ffmpeg(), "-hide_banner", "-nostdin", "-nostats", *READ, "-i", f"file:{film.path}", "-map", "0:v:0", "-vf",
               f"{film.filters},showinfo=checksum=0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24",
               "-"]  # fmt: skip
    size = film.width * film.height * 3
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=1 << 20) as process:
        times = _Times(process)
        try:
            assert process.stdout is not None
            count, last = 0, Fraction(-1)
            while len(data := process.stdout.read(size)) == size:
                time = times.next()
                last = time if time > last else last + Fraction(1, 1000)  # broken files repeat times
                yield Timed(np.frombuffer(data, np.uint8).reshape(film.height, film.width, 3), last)
                count += 1
        finally:
            process.kill()
            times.join()
    if not count:
        raise BadInput("film.no_frames", "{named} has no frame that can be read; give another film.",
                       named=named_file(FILM, film.path))  # fmt: skip


def frame_at(film: Film, seconds: float) -> UInt8[ndarray, "h w 3"] | None:
    """The frame that is shown at a time, or None where there is none."""
    command = [ffmpeg(), "-v", "error", "-nostdin", *READ, "-ss", f"{seconds:.3f}", "-i", f"file:{film.path}", "-map",
               "0:v:0", "-vf", film.filters, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]  # fmt: skip
    size = film.width * film.height * 3
    data = subprocess.run(command, capture_output=True).stdout
    return None if len(data) != size else np.frombuffer(data, np.uint8).reshape(film.height, film.width, 3)


class _Times:
    """The frames' times, read from the decoder's log as it comes: nobody else empties that pipe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._found: queue.Queue[Fraction] = queue.Queue()
        self._thread = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._thread.start()

    def next(self) -> Fraction:
        """The next frame's."""
        return self._found.get(timeout=60)

    def join(self) -> None:
        """Wait for the end of the log."""
        self._thread.join(10)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        base = Fraction(1, 1000)
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(rb"config in time_base: (\d+)/(\d+)", line):
                base = Fraction(int(found[1]), int(found[2]))
            elif found := re.search(rb"showinfo.*\] n: *\d+ pts: *(-?\d+|NOPTS)", line):
                self._found.put(-Fraction(1) if found[1] == b"NOPTS" else int(found[1]) * base)


class FilmWriter:
    """Frames with their times to one H.264 file without sound, in NUT, which keeps times exactly. flags: ffmpeg's, for
    the encoder; colours: whether each pixel keeps a colour of its own."""

    def __init__(self, path: Path, flags: Sequence[str], colours: bool) -> None:
        command = [ffmpeg(), "-hide_banner", "-v", "error", "-y", "-i", "-", "-fps_mode", "passthrough", "-enc_time_base",
                   "1:90000", "-vf", "scale=out_color_matrix=bt709:out_range=tv", "-c:v", "libx264", "-bf", "0", *flags,
                   "-pix_fmt", "yuv444p" if colours else "yuv420p", "-colorspace", "bt709", "-color_primaries", "bt709",
                   "-color_trc", "bt709", "-color_range", "tv", "-f", "nut", str(path)]  # fmt: skip
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self._begun = False

    def add(self, rgb: UInt8[ndarray, "h w 3"], time: Fraction) -> None:
        """The next frame. Raises Unwritable where the encoder has stopped."""
        assert self._process.stdin is not None
        try:
            if not self._begun:
                self._process.stdin.write(_matroska_head(rgb.shape[1], rgb.shape[0]))
                self._begun = True
            self._process.stdin.write(_matroska_frame(rgb, round(time * NANOSECONDS)))
        except BrokenPipeError:
            raise _unwritten(self._end()) from None

    def close(self) -> None:
        """Wait for the end. Raises Unwritable where the encoder failed, as on a full disk."""
        said = self._end()
        if self._process.returncode:
            raise _unwritten(said)

    def stop(self) -> None:
        """End it in the middle."""
        self._process.kill()
        self._end()

    def _end(self) -> bytes:
        """Close all pipes and wait; returns what the encoder said, nothing the second time."""
        assert self._process.stdin is not None and self._process.stderr is not None
        if self._process.stderr.closed:
            return b""
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        with self._process.stderr as stream:
            said = stream.read()
        self._process.wait()
        return said


def _unwritten(said: bytes) -> Unwritable:
    lines = said.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
    full = next((line for line in lines if "No space left" in line), lines[-1])
    return Unwritable(
        "film.unwritten", "the film cannot be written ({reason}); what was made is kept, and <resume> goes on from there.",
        reason=re.sub(r"^\[.*?\] ", "", full)[:120],
    )  # fmt: skip


def _element(name: bytes, data: bytes) -> bytes:
    """An EBML element (RFC 8794), its size in eight bytes."""
    return name + struct.pack(">Q", len(data) | 1 << 56) + data


def _matroska_head(width: int, height: int) -> bytes:
    """The beginning of a live Matroska stream (RFC 9559) with one track of raw RGB pictures, times in nanoseconds."""
    kind = _element(b"\x42\x82", b"matroska") + _element(b"\x42\x87", b"\x04") + _element(b"\x42\x85", b"\x02")
    seen = _element(b"\xb0", struct.pack(">H", width)) + _element(b"\xba", struct.pack(">H", height))
    seen += _element(b"\x2e\xb5\x24", b"RGB\x18")
    track = _element(b"\xd7", b"\x01") + _element(b"\x73\xc5", b"\x01") + _element(b"\x83", b"\x01")
    track += _element(b"\x86", b"V_UNCOMPRESSED") + _element(b"\xe0", seen)
    unending = b"\x18\x53\x80\x67\x01" + 7 * b"\xff"
    info = _element(b"\x15\x49\xa9\x66", _element(b"\x2a\xd7\xb1", b"\x01"))
    return (
        _element(b"\x1a\x45\xdf\xa3", kind) + unending + info + _element(b"\x16\x54\xae\x6b", _element(b"\xae", track))
    )


def _matroska_frame(rgb: UInt8[ndarray, "h w 3"], nanoseconds: int) -> bytes:
    """A cluster of one frame."""
    time = _element(b"\xe7", struct.pack(">Q", nanoseconds))
    return _element(b"\x1f\x43\xb6\x75", time + _element(b"\xa3", b"\x81\0\0\x80" + rgb.tobytes()))


def join_films(
    parts: Sequence[tuple[Path, Fraction, Fraction]], source: Film, out: Path, layout: str, metadata: bool = True
) -> None:
    """The parts of a film (file, first time, time until the next part's first) as one, with the source's sound, subtitles,
    chapters and, if wanted, metadata, written to `out` (.mp4, .mov, .mkv). Sound is copied where the container can hold
    it, else AAC. layout: told in the file where players know a word for it. Raises Unwritable."""
    listing = out.with_suffix(".parts")
    lines = [f"file 'file:{_quoted(path)}'\nduration {float(length):.9f}\n" for path, _, length in parts]
    listing.write_text("".join(lines))
    mp4 = out.suffix.lower() != ".mkv"
    flags = ["-f", "mp4" if out.suffix.lower() == ".mp4" else "mov"] if mp4 else ["-f", "matroska"]
    word = {"sbs": "left_right", "cross": "right_left", "tb": "top_bottom"}.get(layout)
    if word and not mp4:
        flags += ["-metadata:s:v:0", f"stereo_mode={word}"]
    made = out.with_suffix(".joined") if mp4 else out
    try:
        for sound in ("copy", "aac"):
            command = [ffmpeg(), "-hide_banner", "-v", "error", "-nostdin", "-y", "-itsoffset", f"{float(parts[0][1]):.9f}",
                       "-f", "concat", "-safe", "0", "-i", str(listing), *READ, "-i", f"file:{source.path}", "-map", "0:v",
                       "-map", "1:a?", "-map", "1:s?", "-c", "copy", "-c:a", sound, "-c:s", "mov_text" if mp4 else "copy",
                       "-map_metadata", "1" if metadata else "-1", "-map_chapters", "1", "-max_muxing_queue_size", "9999",
                       *flags, f"file:{made}"]  # fmt: skip
            done = subprocess.run(command, capture_output=True)
            if not done.returncode:
                if mp4:
                    write_tagged(made, out, layout)
                return
        raise _unwritten(done.stderr)
    finally:
        listing.unlink(missing_ok=True)
        if mp4:
            made.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("'", "'\\''")
