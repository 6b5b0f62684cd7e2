"""docs/workspace.ipynb runs from a clean kernel, as it stands, on a small photo."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
RUN = """
import sys, nbformat
from nbclient import NotebookClient
book = nbformat.read(sys.argv[1], 4)
NotebookClient(book, timeout=120, kernel_name="python3", resources={"metadata": {"path": sys.argv[2]}}).execute()
nbformat.write(book, sys.argv[1])
"""
"""In a process of its own: the client's event loop is none of the suite's."""


def test_the_notebook_runs_and_its_model_can_be_turned(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:96, :96]
    alpha = (np.hypot(rows - 48, columns - 48) < 30).astype(np.uint8) * 255
    Image.fromarray(np.dstack([rows * 2, columns * 2, 200 - rows, alpha]).astype(np.uint8)).save(tmp_path / "ball.png")
    book = nbformat.read(ROOT / "docs/workspace.ipynb", 4)
    (where,) = (cell for cell in book.cells if cell.source.startswith("PHOTO"))
    where.source = f"PHOTO = {str(tmp_path / 'ball.png')!r}\nOUTPUT = Path({str(tmp_path / 'out')!r})\nVIEWS = 2"
    for cell in book.cells:
        cell.pop("outputs", None) if cell.cell_type == "markdown" else cell.update(outputs=[], execution_count=None)
    nbformat.write(book, tmp_path / "run.ipynb")
    command = [sys.executable, "-c", RUN, str(tmp_path / "run.ipynb"), str(ROOT / "docs")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = [output for cell in nbformat.read(tmp_path / "run.ipynb", 4).cells for output in cell.get("outputs", [])]
    text = "".join(output.text for output in outputs if output.output_type == "stream")
    for step in ("initialize", "img_process", "modelRun", "render", "export_mesh"):
        assert re.search(rf"{step} took \d", text)
    assert "mc_resolution is 5" in text and "the next step is img_process()" in text
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert any("<iframe" in output.get("data", {}).get("text/html", "") for output in outputs), "a viewer, to be turned"
    assert len(list((tmp_path / "out").rglob("*.*"))) >= 10
