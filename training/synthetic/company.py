"""People and animals that are there as furniture is: in rooms, streets and squares, and never what the photo is of."""

from __future__ import annotations

from random import Random

from .bodies import person, quadruped
from .kit import Kit, placed
from .scene import LocalFrame, rotation

# Metres from the camera at which somebody belongs to the place. Nearer, the photo is of them, as people say.
NEAREST_INSIDE, NEAREST_OUTSIDE = 2.2, 4.0
ANIMALS = 0.3


def company(r: Random, f: LocalFrame) -> None:
    """A person with jointed limbs in any pose, or an animal from a cat's to a horse's size, at a frame. A scene has room
    for one sculpture: the last one stays."""
    kit = Kit()
    if r.random() < ANIMALS:
        quadruped(r, kit)
        size = r.choice((r.uniform(0.3, 0.7), r.uniform(0.6, 1.6)))
    else:
        person(r, kit)
        size = r.uniform(0.85, 1.1)
    placed(kit, f, rotation(r.uniform(0, 360)), size)
