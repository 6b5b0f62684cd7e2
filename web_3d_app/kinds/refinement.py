"""A better mesh of a finished photo's subject, in minutes.

What people are told on the way (`REFINEMENT.tells`; in the job's facts, under "refinement"):

    preset, key      what was asked for, and under which idempotency key
    stage            one of the lane's
    step, steps      of this stage
    losses           stage -> [[step, loss], …]
    seconds          so far, of all tries; seconds_left: an estimate, None at first
    vertices, faces  of the new mesh, at the end
    notes            what is to be known of it, at the end
    print_mm         width, depth and height of its STL, at the end
    kept_first       at the end, where the new mesh was no better than the first: why; it has no files then
"""

from __future__ import annotations

from recon.options import RefineOptions
from web_3d_app.kinds.base import GLB, JPEG, PLY, SLOW, STL, ZIP, Facts, Kind, Lane, Sentences, slow_bounds
from web_3d_app.phrasebook import sentence_of

REFINE = Lane("refine", SLOW, {"looks": 0.0, "target": 0.02, "fine": 0.34, "texture": 0.57})
"""Shares of the seconds that the quick one takes on two cores."""


def refusal(facts: Facts) -> tuple[str, str] | None:
    """A scene has nothing to refine."""
    return ("no_subject", sentence_of("refine.no_subject")) if facts.get("subject") == "none" else None


REFINEMENT = Kind(
    name="refinement",
    run="web_3d_app.work.refinement.run",
    lanes=(REFINE,),
    artefacts={
        "sketch.jpg": ("sketch", JPEG),
        "refined_view.glb": ("refined_view", GLB),
        "refined.glb": ("refined", GLB),
        "refined.ply": ("refined_ply", PLY),
        "refined.stl": ("refined_stl", STL),
        "refined_obj.zip": ("refined_obj", ZIP),
    },
    sentences=Sentences(
        queue_full="Too many models wait to be made better; try again later.",
        quota="You have {mine} models being made better; wait for one or stop it.",
        poisoned="The server broke down each time it tried this.",
        too_long="This took too long on this server; try it quickly.",
        stopped="It was stopped.",
        under_way="This model is being made better already.",
        not_finished="Only a finished model can be made better; this one is {state}.",
    ),
    options=RefineOptions,
    bounds=slow_bounds(lambda settings: settings.refine_seconds),
    follows="photo",
    option="refine",
    tells={"stage": None, "step": 0, "steps": 0, "losses": {}, "seconds": 0.0, "seconds_left": None, "vertices": None,
           "faces": None, "print_mm": None, "notes": [], "kept_first": None},
    messages=("notes", "kept_first"),
    refusal=refusal,
)  # fmt: skip
