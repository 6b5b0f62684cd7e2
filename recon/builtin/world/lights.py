"""Skies, suns and lamps, drawn from a random source. World frame: y down, metres; colours linear RGB."""

from __future__ import annotations

import math
from random import Random

from . import materials as m
from .scene import Light, Sky, Vec


def sky(r: Random) -> Sky:
    """Blue, grey, white or evening; haze more or less."""
    kind = r.random()
    if kind < 0.5:
        zenith, horizon = m.colour(r, 0.6, 0.04, (0.2, 0.8), (0.4, 0.95)), m.colour(r, 0.58, 0.04, (0, 0.3), (0.75, 1))
    elif kind < 0.85:
        zenith = m.colour(r, 0.6, 0.1, (0, 0.1), (0.5, 1))
        horizon = m.shade(zenith, r.uniform(0.9, 1.3))
    else:
        zenith, horizon = m.colour(r, 0.65, 0.1, (0.1, 0.6), (0.1, 0.6)), m.colour(r, 0.06, 0.06, (0.1, 0.7), (0.5, 1))
    fog = 10 ** r.uniform(-4, -2) if r.random() < 0.7 else 10 ** r.uniform(-2, -1.2)
    return Sky(zenith, horizon, r.random(), m.shade(horizon, r.uniform(0.8, 1)), fog)


def sun(r: Random) -> Light:
    """The sun at any height, hard or behind clouds."""
    azimuth, height = r.uniform(0, 2 * math.pi), math.radians(r.uniform(10, 80))
    far = 1000.0
    where: Vec = (
        far * math.cos(height) * math.sin(azimuth),
        -far * math.sin(height),
        far * math.cos(height) * math.cos(azimuth),
    )
    soft = r.random() < 0.4
    return Light(
        where,
        far * (r.uniform(0.3, 1.2) if soft else 0.01),
        r.uniform(0.3, 0.8) if soft else r.uniform(0.8, 2.5),
        m.colour(r, 0.1, 0.03, (0, 0.35), (0.95, 1)),
        r.uniform(0.25, 0.7),
        m.colour(r, 0.6, 0.05, (0, 0.3), (0.9, 1)),
    )


def lamp(r: Random, where: Vec) -> Light:
    """Indoor light: a lamp or a window as an area light, and much that comes from the walls."""
    return Light(
        where,
        r.uniform(0.05, 0.4),
        r.uniform(0.3, 1.6),
        m.colour(r, 0.09, 0.03, (0, 0.4), (0.95, 1)),
        r.uniform(0.25, 0.8),
        m.colour(r, r.choice((0.09, 0.6)), 0.05, (0, 0.25), (0.9, 1)),
    )


NO_SKY = Sky((0.6, 0.7, 0.9), (0.8, 0.85, 0.9), 0.3, (0.5, 0.5, 0.5), 1e-4)
