"""The web application as people feel it: the real server (`python app.py`) with its warm workers, on a free port.

    python -m bench.web [--seconds N] [--people N …] [--photo FILE] [--megapixels N]

Requests per second of several clients at once; the time of single requests while jobs run; the time from the end of an
upload of a phone's photo (12 megapixels, 4 to 5 MB; `--megapixels N` for another) to the first 3D view (the instant mesh,
as the event stream tells it), to the mesh and to the end; memory.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.photo import PIXELS, phone_photo
from bench.server import ROOT, Client, Server, form

CLIENTS = 8
PAUSE = 0.05
"""Between the single requests, in seconds."""
REPEATS = 5
"""Of the uploads by one person."""
KINDS = {"first view": ("instant_view", "grid_view"), "mesh": ("mesh_view",), "done": ("report",)}
"""What is waited for: whichever of these artefacts comes first."""


def main() -> None:
    """Print the four tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=5.0, help="for each rate")
    options.add_argument("--people", type=int, nargs="*", default=[1, 5, 20], help="who upload at once")
    options.add_argument("--photo", type=Path, default=ROOT / "samples" / "coffee.jpg")
    options.add_argument("--megapixels", type=float, default=PIXELS / 1e6, help="of the photo")
    args = options.parse_args()
    photo = phone_photo(args.photo, pixels=1e6 * args.megapixels)
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        server = Server(Path(folder) / "data", UNFLAT_MAX_QUEUED_EACH="1000", UNFLAT_MAX_QUEUED="1000")
        try:
            listens = time.perf_counter() - begin
            server.wait_until_ready()
            print(
                f"{os.cpu_count()} cores; {args.photo.name} at {args.megapixels:g} megapixels, {len(photo) / 1e6:.1f} MB"
            )
            print(f"listens after {listens:.1f} s, workers warm after {time.perf_counter() - begin:.1f} s\n")
            _print_rates(server, photo, args.seconds)
            _print_times(server, photo, args.seconds)
            _print_views(server, photo, args.people)
            _print_memory(server)
        finally:
            server.stop()


def _print_rates(server: Server, photo: bytes, seconds: float) -> None:
    client = server.client()
    job = client.upload(photo, surface="grid").json
    wait_for(client, job, "done")
    print(f"{CLIENTS} clients at once{'':12} requests/s     p50 ms     p95 ms")
    for name, path in addresses(job).items():
        times = _at_once(server, client.token, path, seconds)
        print(f"{name:28} {len(times) / seconds:10.0f} {_milliseconds(times)}")


def _print_times(server: Server, photo: bytes, seconds: float) -> None:
    client = server.client()
    print(f"\none request at a time{'':18}        p50 ms     p95 ms   (wanted: p95 below 50 ms)")
    job = client.upload(photo, surface="poisson").json
    wait_for(client, job, "done")
    for state, busy in (("idle", False), ("while a job runs", True)):
        with _jobs_running(server, photo) if busy else nullcontext():
            for name, path in addresses(job).items():
                times: list[float] = []
                _ask_for(client, path, seconds, PAUSE, times)
                print(f"{name + ', ' + state:39} {_milliseconds(times)}")


def _print_views(server: Server, photo: bytes, people: list[int]) -> None:
    print("\nseconds from the upload's end to … (wanted for one: first view 1.5)")
    print(f"{'people':>8} {'':12} {'first':>7} {'median':>7} {'last':>7}")
    for count in people:
        rounds = [views(server, photo, count) for _ in range(REPEATS if count == 1 else 1)]
        found = [one for each in rounds for one in each]
        for name in KINDS:
            times = sorted(one[name] for one in found)
            label = f"{count}" if name == "first view" else ""
            print(f"{label:>8} {name:12} {times[0]:7.2f} {median(times):7.2f} {times[-1]:7.2f}", flush=True)


def _print_memory(server: Server) -> None:
    print(f"\n{'process':12} {'MB now':>8} {'MB peak':>8}")
    web = [
        int(pid) for pid in Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    ]
    crews = server.workers()
    names = {server.process.pid: "gunicorn", **dict.fromkeys(set(web) - set(crews.values()), "web")}
    for pid, name in {**names, **{pid: f"{crew} worker" for crew, pid in crews.items()}}.items():
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
        )
        now, peak = (int(status[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
        print(f"{name:12} {now:8.0f} {peak:8.0f}")


def views(server: Server, photo: bytes, count: int) -> list[dict[str, float]]:
    """Seconds to each of KINDS for people who upload at the same moment, the photo a little different for each."""
    people = [server.client() for _ in range(count)]
    seconds: list[dict[str, float]] = [{} for _ in people]
    ready = threading.Barrier(count)

    def upload(i: int) -> None:
        client = people[i]
        content_type, body = form(photo + bytes([i]))
        headers = {"Authorization": f"Bearer {client.token}", "Content-Type": content_type}
        ready.wait()
        client.connection.request("POST", "/api/v1/jobs", body, headers)
        begin = time.perf_counter()
        answer = client.connection.getresponse()
        job = json.loads(answer.read())
        assert answer.status == 202, job
        for name in KINDS:
            wait_for(client, job, name)
            seconds[i][name] = time.perf_counter() - begin

    together(count, upload)
    return seconds


def wait_for(client: Client, job: dict[str, Any], name: str) -> None:
    """Until an event tells that a job has one of the artefacts of KINDS. Raises RuntimeError for a job that failed."""
    while True:
        for now in client.events(job["links"]["events"]):
            if {file["kind"] for file in now["artefacts"]} & set(KINDS[name]):
                client.close()  # the rest of the stream
                return
            if now["state"] in ("failed", "cancelled"):
                raise RuntimeError(f"the job is {now['state']}: {now['error']}")


def addresses(job: dict[str, Any]) -> dict[str, str]:
    """What is asked for: the pages and the poll."""
    links = job["links"]
    return {"start page": "/", "job page": links["page"], "poll": links["self"], "script bundle": _bundle()}


def _bundle() -> str:
    return "/" + next((ROOT / "static" / "vendor").glob("three-*.js")).relative_to(ROOT).as_posix()


def _at_once(server: Server, token: str, path: str, seconds: float) -> list[float]:
    """Seconds of each request of CLIENTS clients that do nothing else."""
    times: list[float] = []
    together(CLIENTS, lambda i: _ask_for(server.client(token), path, seconds, 0, times))
    return times


def _ask_for(client: Client, path: str, seconds: float, pause: float, times: list[float]) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        answer = client.get(path, Accept_Encoding="gzip")
        times.append(time.perf_counter() - begin)
        assert answer.status == 200, (path, answer.status)
        time.sleep(pause)


@contextmanager
def _jobs_running(server: Server, photo: bytes) -> Iterator[None]:
    """Somebody uploads one photo after another."""
    ended = threading.Event()

    def work() -> None:
        client = server.client()
        while not ended.is_set():
            wait_for(client, client.upload(photo).json, "done")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def together(count: int, what: Callable[[int], None]) -> None:
    """Call `what` from several threads; raises what one of them raised."""
    errors: list[BaseException] = []

    def call(i: int) -> None:
        try:
            what(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _milliseconds(times: list[float]) -> str:
    return f"{1000 * median(times):10.1f} {1000 * quantiles(times, n=20)[-1]:10.1f}"


if __name__ == "__main__":
    main()
