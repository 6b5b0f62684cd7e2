"""What can be said of the page's files without a browser."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
BUNDLE = next((STATIC / "vendor").glob("three-*.js"))
OURS = [*sorted(STATIC.rglob("*.css")), *(path for path in sorted(STATIC.rglob("*.js")) if path != BUNDLE)]
TEMPLATES = sorted((ROOT / "templates").glob("*.html"))


def test_the_whole_page_weighs_under_250_kb_compressed() -> None:
    files = [BUNDLE, *OURS, *TEMPLATES, *STATIC.rglob("*.svg")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 250_000


def test_the_bundle_is_named_by_what_it_holds() -> None:
    assert BUNDLE.stem == f"three-{hashlib.sha256(BUNDLE.read_bytes()).hexdigest()[:10]}"
    assert BUNDLE.name in (STATIC / "js" / "three.js").read_text()
    assert "MIT License" in (STATIC / "vendor" / "three-LICENSE.txt").read_text().replace("The MIT", "MIT")


def test_the_lockfile_fixes_what_is_bundled() -> None:
    locked = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    for name in ("three", "esbuild"):
        assert re.fullmatch(r"[\d.]+", locked[f"node_modules/{name}"]["version"])
        assert locked[f"node_modules/{name}"]["integrity"].startswith("sha512-")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_keep_to_the_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|data:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(src|href)=\"(https?:)?//", text)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_our_files_are_small_and_ask_nobody_else(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400
    assert not re.search(r"https?://|\beval\(|new Function|innerHTML", text)


def relative_luminance(colour: str) -> float:
    """Of #rrggbb, after WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((relative_luminance(one), relative_luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_aa_in_both_schemes(scheme: int) -> None:
    block = re.findall(r":root \{(.*?)\}", (STATIC / "css" / "base.css").read_text(), re.DOTALL)[scheme]
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for ink in ("ink", "muted", "accent", "danger"):
        for ground in ("paper", "card"):
            assert contrast(colour[ink], colour[ground]) >= 4.5, (ink, ground)
    for ink, ground in (
        ("ink", "sunk"),
        ("muted", "sunk"),
        ("accent-ink", "accent"),
        ("accent", "accent-soft"),
        ("paper", "ink"),
    ):
        assert contrast(colour[ink], colour[ground]) >= 4.5, (ink, ground)
    for ground in ("paper", "card"):
        assert contrast(colour["edge"], colour[ground]) >= 3, ground
