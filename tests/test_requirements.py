"""What is asked for is what is locked."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def test_the_lock_holds_every_requirement_in_a_version_that_it_allows() -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    locked: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if found := re.match(r"([\w.-]+)==([^\s;]+)", line):
            locked.setdefault(found[1].lower(), []).append(found[2])
    asked = [Requirement(line) for line in lines]
    assert len(asked) > 30
    for requirement in asked:
        versions = locked.get(requirement.name.lower(), [])
        assert versions and all(version in requirement.specifier for version in versions), requirement
