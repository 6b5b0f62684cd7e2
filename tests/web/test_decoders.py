"""Photos are decoded beside the server: fairly, within a time, and whatever becomes of the process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from web.pictures import pixels_in_few_bytes, small_photo

from bench.server import until
from recon.settings import Limits
from web_3d_app.files import TOP
from web_3d_app.jobs.decoders import CannotDecode, Decoders
from web_3d_app.problems import Problem


@pytest.fixture
def make() -> object:
    made: list[Decoders] = []

    def build(count: int = 1, seconds: float = 60, patience: float = 20) -> Decoders:
        made.append(Decoders(count, seconds, patience))
        return made[-1]

    yield build
    for one in made:
        one.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "sent"
    path.write_bytes(small_photo(0))
    return path


Make = Callable[..., Decoders]
ONE, OTHER = ("one", "here"), ("other", "here")


def size_of(decoders: Decoders, photo: Path, limits: Limits = Limits()) -> tuple[int, int]:
    kept = decoders.decode(("me", "here"), photo, photo.with_name("kept"), limits)
    return kept.width, kept.height


def test_a_photo_and_its_refusals(make: Make, photo: Path) -> None:
    decoders = make()
    assert size_of(decoders, photo) == (96, 72)
    with pytest.raises(CannotDecode, match="at most 0.001 megapixels") as too_large:
        size_of(decoders, photo, limits=Limits(max_pixels=1000))
    assert not too_large.value.unknown
    photo.write_bytes(b"no photo")
    with pytest.raises(CannotDecode) as no_photo:
        size_of(decoders, photo)
    assert no_photo.value.unknown
    with pytest.raises(FileNotFoundError):
        size_of(decoders, photo.with_name("missing"))


def test_a_process_that_was_killed_is_replaced(make: Make, photo: Path) -> None:
    decoders = make()
    decoders.start()
    (process,) = decoders._idle
    process.kill()
    process.wait()
    assert size_of(decoders, photo) == (96, 72)


def test_a_photo_that_takes_too_long_is_given_up(make: Make, photo: Path) -> None:
    photo.write_bytes(pixels_in_few_bytes(8160, 6120))
    decoders = make(seconds=0.2)
    begin = time.monotonic()
    with pytest.raises(Problem, match="cannot be decoded within 0 s; make it smaller"):
        size_of(decoders, photo)
    assert time.monotonic() - begin < 3
    decoders._seconds = 60
    photo.write_bytes(small_photo(1))
    assert size_of(decoders, photo) == (96, 72)


def test_memory_is_given_back_by_a_fresh_process(make: Make, photo: Path) -> None:
    decoders = make()
    decoders.start()
    (before,) = decoders._idle
    assert size_of(decoders, photo) == (96, 72) and decoders._idle == [before]  # a small one is used again
    photo.write_bytes(pixels_in_few_bytes(9600, 7200))
    width, height = size_of(decoders, photo)
    assert width / height == 9600 / 7200
    (after,) = decoders._idle
    assert after.pid != before.pid and before.returncode == 0


PEAK = """
import json, sys
from pathlib import Path
from recon.settings import Limits
from web_3d_app.jobs.decoder import decode_here, peak
kept = decode_here(Path(sys.argv[1]), Path(sys.argv[1] + ".kept"), Limits())
print(json.dumps([kept.width, kept.height, kept.facts["full_size"], peak() // 1024]))
"""
LARGE = {  # MB at most; 170 to 240, 310 to 460 (progressive), 790 and 870 were measured
    "50 MP JPEG": ((8160, 6144), "JPEG", "RGB", 360),
    "108 MP JPEG": ((12000, 9000), "JPEG", "RGB", 560),
    "120 MP PNG": ((12600, 9500), "PNG", "RGB", 1000),
    "120 MP PNG with transparency": ((12600, 9500), "PNG", "RGBA", 1000),
}


@pytest.mark.parametrize("name", ["50 MP JPEG", *(pytest.param(name, marks=pytest.mark.slow) for name in [*LARGE][1:])])
def test_a_large_upload_is_kept_smaller_in_bounded_memory(tmp_path: Path, name: str) -> None:
    (width, height), kind, mode, allowed = LARGE[name]
    picture = Image.linear_gradient("L").resize((width, height), Image.Resampling.NEAREST).convert(mode)
    if mode == "RGBA":
        picture.putalpha(picture.getchannel("R"))
    picture.save(tmp_path / "sent", kind, **({"progressive": True} if kind == "JPEG" else {"compress_level": 1}))
    done = subprocess.run([sys.executable, "-c", PEAK, str(tmp_path / "sent")], cwd=TOP, capture_output=True, text=True,
                          check=True)  # fmt: skip
    *size, full, peak = json.loads(done.stdout)
    assert (size, full) == ([width // 2, height // 2], [height, width])
    assert peak < allowed


def test_who_asks_for_one_photo_goes_before_who_asks_for_many(make: Make) -> None:
    """Two places: a visitor has one of them at most, and of those who wait the one who had no turn yet is next."""
    decoders, order, gate = make(count=2), [], threading.Event()

    def work(who: str) -> None:
        with decoders._turn((who, "here")):
            order.append(who)
            gate.wait(20)

    def begin(*people: str) -> list[threading.Thread]:
        threads = [threading.Thread(target=work, args=(who,)) for who in people]
        for thread in threads:
            thread.start()
        return threads

    threads = begin(*["many"] * 6)
    until(lambda: len(decoders._waiting) == 5)
    assert order == ["many"]
    threads += begin("one")
    until(lambda: order == ["many", "one"])
    threads += begin("late")
    until(lambda: len(decoders._waiting) == 6)
    gate.set()
    for thread in threads:
        thread.join()
    assert order.index("late") <= 3 and sorted(order) == ["late", *["many"] * 6, "one"]


def test_who_waits_too_long_is_told_when_to_come_again(make: Make) -> None:
    decoders = make(patience=0.1)
    with decoders._turn(ONE), pytest.raises(Problem) as told, decoders._turn(OTHER):
        pass
    assert (told.value.status, told.value.retry_after) == (503, 5)
    with decoders._turn(OTHER):
        pass


def test_an_address_with_many_tokens_leaves_a_place_to_another(make: Make) -> None:
    """All places are held by visitors of one address, and ten more of them wait."""
    decoders, order, gate = make(count=2), [], threading.Event()

    def work(visitor: str, address: str) -> None:
        with decoders._turn((visitor, address)):
            order.append(visitor)
            gate.wait(20)

    def begin(visitor: str, address: str) -> threading.Thread:
        threads.append(threading.Thread(target=work, args=(visitor, address)))
        threads[-1].start()
        return threads[-1]

    threads: list[threading.Thread] = []
    for i in range(12):
        begin(f"token {i}", "there")
    until(lambda: len(order) == 2 and len(decoders._waiting) == 10)
    begin("guest", "here")
    until(lambda: order[2:] == ["guest"])
    begin("next guest", "elsewhere")
    until(lambda: len(decoders._waiting) == 11)
    assert len(order) == 3  # one more place, not one for each address
    gate.set()
    for thread in threads:
        thread.join()
    assert order.index("next guest") <= 4 and len(order) == 14
