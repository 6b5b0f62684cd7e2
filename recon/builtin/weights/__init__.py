"""Where the shipped weights lie."""

from __future__ import annotations

from pathlib import Path

GEOMETRY = Path(__file__).with_name("geometry.onnx")
# The network of objects: the same net with other heads, trained on cut-out things alone, in square windows.
SHAPES = Path(__file__).with_name("shapes.onnx")
