"""What the files around the server say about it is so."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def longest_stop() -> float:
    """Seconds until a server with the default settings has ended after SIGTERM, whatever its workers and clients do."""
    return float(runpy.run_path(str(ROOT / "gunicorn.conf.py"))["graceful_timeout"])


def test_whoever_stops_the_server_waits_longer_than_it_takes() -> None:
    docs, dockerfile = (ROOT / "docs" / "server.md").read_text(), (ROOT / "Dockerfile").read_text()
    told = {
        "systemd": re.findall(r"^TimeoutStopSec=(\d+)$", docs, re.MULTILINE),
        "docker run": re.findall(r"--stop-timeout (\d+)", dockerfile),
        "docker in the docs": re.findall(r"--stop-timeout (\d+)", docs),
        "compose": re.findall(r"stop_grace_period: (\d+)s", docs),
    }
    for who, found in told.items():
        assert found and all(float(seconds) >= longest_stop() + 5 for seconds in found), who


def test_the_server_waits_longer_than_its_workers_may_take() -> None:
    from web_3d_app.engines.local import GIVE_BACK_SECONDS
    from web_3d_app.settings import Settings

    assert longest_stop() > Settings().grace_seconds + GIVE_BACK_SECONDS + 5


def test_an_image_has_what_a_server_needs_and_nothing_that_git_ignores() -> None:
    copied = {"app.py", "gen.py", "gunicorn.conf.py", "pyproject.toml", "requirements.lock", "recon", "web_3d_app",
              "templates", "static", "samples", "LICENSE"}  # fmt: skip
    assert not copied & {line.strip("/") for line in IGNORED}
    for name in (".git", ".venv", "out", "runs", "tests", "shared", "data"):
        assert name in IGNORED
    ignored_by_git = {line.strip("/") for line in (ROOT / ".gitignore").read_text().split()}
    assert ignored_by_git <= {line.removeprefix("**/") for line in IGNORED}


def test_who_asks_the_server_for_help_gets_it_and_who_mistypes_starts_nothing() -> None:
    for argument, code, told in (
        ("--help", 0, "docs/server.md"),
        ("--port=80", 2, "unrecognized arguments: --port=80"),
    ):
        run = subprocess.run([sys.executable, ROOT / "app.py", argument], capture_output=True, text=True, timeout=30)
        assert run.returncode == code and told in run.stdout + run.stderr
