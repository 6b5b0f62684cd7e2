"""A kind of job in one file: a staircase of so many steps, without a photo, in two lanes of two crews."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recon.io.write import write_mesh
from recon.option_fields import Page
from recon.options import check, option
from recon.types import Mesh
from web_3d_app.kinds.base import GLB, HEAVY, JSON, QUICK, Kind, Lane, Sentences
from web_3d_app.work.context import Context, Next


@dataclass(frozen=True)
class StairOptions:
    """What may be chosen."""

    steps: int = option(4, "how many steps", kind="whole", low=1, high=99, page=Page("Steps", "How high it goes"))
    closed: bool = option(False, "with a back", kind="switch", page=Page("Closed", "Whether it has a back"))

    def __post_init__(self) -> None:
        check(self)


STAIRS = Kind(
    name="stairs",
    run=f"{__name__}.run",
    lanes=(Lane("plan", QUICK, {"plan": 0.1}), Lane("build", HEAVY, {"tread": 0.4, "riser": 0.8})),
    artefacts={"plan.json": ("plan", JSON), "stairs.glb": ("mesh", GLB)},
    sentences=Sentences("Too many stairs wait.", "You have {mine} stairs.", "They broke down.", "They took too long."),
    options=StairOptions,
    photo=False,
    form="_stairs_form.html",
    page="stairs.html",
)


def run(context: Context) -> Next | None:
    """One lane's work."""
    if context.lane == "plan":
        with context.watch.stage("plan"):
            (context.folder / "plan.json").write_text(f'{{"steps": {context.params["steps"]}}}')
            context.add("plan.json")
        context.tell({"seconds": context.watch.rounded()})
        (context.folder / "heights").write_text("\n".join(str(i) for i in range(context.params["steps"])))
        return "build", context.folder / "heights"
    assert context.checkpoint is not None
    heights = np.array([float(line) for line in context.checkpoint.read_text().splitlines()])
    with context.watch.stage("tread"):
        count, corner = len(heights), np.stack([np.zeros_like(heights), heights, heights], axis=1)
        vertices = np.concatenate([corner, corner + np.eye(3)[0], corner + np.eye(3)[2]])
        faces = np.arange(3 * count).reshape(3, count).T
    with context.watch.stage("riser"):
        write_mesh(Mesh(vertices.astype(np.float32), faces.astype(np.int32)), context.folder / "stairs.glb")
        context.add("stairs.glb")
    context.tell({"faces": count, "seconds": context.watch.rounded()})
    return None
