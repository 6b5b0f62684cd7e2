"""Skies, suns and lamps, drawn from a random source. World frame: y down, metres; colours linear RGB."""

from __future__ import annotations

import math
from random import Random

from . import materials as m
from .scene import Light, Number, Sky, Vec


def sky(r: Random) -> Sky:
    """Blue, white-hot, grey, or evening; haze more or less."""
    kind = r.random()
    if kind < 0.45:
        zenith, horizon = (
            m.colour(r, 0.6, 0.03, (0.25, 0.8), (0.35, 0.95)),
            m.colour(r, 0.57, 0.04, (0, 0.3), (0.75, 1)),
        )
    elif kind < 0.85:
        zenith = m.colour(r, 0.6, 0.06, (0, 0.12), (0.5, 1))
        horizon = m.toned(zenith, r.uniform(0.9, 1.4))
    else:
        zenith, horizon = m.colour(r, 0.65, 0.1, (0.1, 0.5), (0.1, 0.6)), m.colour(r, 0.06, 0.05, (0.1, 0.6), (0.5, 1))
    if r.random() < 0.3:
        # A sky that the film cannot hold: brighter than all that it lights.
        glare = r.uniform(1.3, 3)
        zenith = (zenith[0] * glare, zenith[1] * glare, zenith[2] * glare)
        horizon = (horizon[0] * glare, horizon[1] * glare, horizon[2] * glare)
    fog = 10 ** r.uniform(-4, -2.6) if r.random() < 0.88 else 10 ** r.uniform(-2.6, -1.4)
    return Sky(zenith, horizon, r.random(), m.toned(horizon, r.uniform(0.6, 0.95)), fog)


def sun(r: Random) -> Light:
    """The sun at any height, hard or behind clouds; low before the camera it leaves all in shadow."""
    azimuth, height = r.uniform(0, 2 * math.pi), math.radians(r.uniform(12, 75))
    far = 1000.0
    where: Vec = (
        far * math.cos(height) * math.sin(azimuth),
        -far * math.sin(height),
        far * math.cos(height) * math.cos(azimuth),
    )
    soft = r.random() < 0.35
    return Light(
        where,
        far * (r.uniform(0.3, 1.2) if soft else 0.01),
        r.uniform(0.2, 0.7) if soft else r.uniform(1.0, 3.0),
        m.colour(r, 0.1, 0.03, (0, 0.35), (0.95, 1)),
        r.uniform(0.3, 0.7) if soft else r.uniform(0.15, 0.5),
        m.colour(r, 0.6, 0.05, (0, 0.35), (0.9, 1)),
    )


def lamp(r: Random, where: Vec) -> Light:
    """Indoor light: a lamp or a window as an area light, and what comes from the walls; sometimes only the lamp."""
    lone = r.random() < 0.3
    return Light(
        where,
        r.uniform(0.05, 0.4),
        r.uniform(0.8, 2.5) if lone else r.uniform(0.3, 1.6),
        m.colour(r, 0.09, 0.03, (0, 0.45), (0.95, 1)),
        r.uniform(0.05, 0.25) if lone else r.uniform(0.25, 0.8),
        m.colour(r, r.choice((0.09, 0.6)), 0.05, (0, 0.3), (0.9, 1)),
    )


def daylight(r: Random, azimuth: Number) -> Light:
    """The sun that falls through a window from `azimuth` (degrees from +z to +x) into a dim or bright room."""
    a, height, far = math.radians(azimuth), math.radians(r.uniform(20, 55)), 1000.0
    where = (far * math.cos(height) * math.sin(a), -far * math.sin(height), far * math.cos(height) * math.cos(a))
    tint = m.colour(r, 0.1, 0.03, (0, 0.3), (0.95, 1))
    return Light(
        where, far * 0.008, r.uniform(1, 4), tint, r.uniform(0.2, 0.8), m.colour(r, 0.09, 0.3, (0, 0.15), (0.9, 1))
    )


NO_SKY = Sky((0.6, 0.7, 0.9), (0.8, 0.85, 0.9), 0.3, (0.5, 0.5, 0.5), 1e-4)
