"""What is comfortable to look at: limits of disparity, and what a pair means on a screen.

Disparities are parts of one eye's width W here, positive in front of the screen. A separation P on the screen is seen at
Z' = V·e/(e + P) from the viewing distance V with eyes e apart; beyond P = −e the eyes would have to turn outwards.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from recon.messages import Message, note

BEHIND, FRONT = 0.015, 0.010
"""Parts of the width behind and in front of the screen within which every usual screen is comfortable (broadcasters' guides
allow 2 % behind and 1 % in front)."""
KNEE = 0.8
"""Part of a limit up to which nothing is changed; beyond, disparities bend towards it and never reach it."""
EYES = 0.065
"""Metres between a viewer's eyes."""
VERGENCE_DEG = 1.0
"""Degrees by which eyes may converge elsewhere than on the screen without strain; the usual rule."""
WINDOW = 0.04
"""Part of the width next to the left and the right border over which what stands in front of the screen is drawn back."""
CUT = 1e-3
"""Part of the width by which something must stand in front of the screen to be seen cut by its border."""


@dataclass(frozen=True)
class Screen:
    """A screen and its viewer. name; width and distance in metres."""

    name: str
    width: float
    distance: float


SCREENS = (Screen("27-inch", 0.598, 0.70), Screen("55-inch", 1.218, 2.50))


def limited_disparity(disparity: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
    """Disparity in pixels within the limits; strictly monotone, and the same up to 0.8 of a limit."""
    out, width = disparity.copy(), disparity.shape[1]
    for sign, limit in ((1, FRONT * width), (-1, BEHIND * width)):
        knee = KNEE * limit
        beyond = sign * out > knee
        over = (sign * out[beyond] - knee) / (limit - knee)
        out[beyond] = sign * (knee + (limit - knee) * np.tanh(over))
    return out


def drawn_back(disparity: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
    """Disparity that goes to 0 or less towards the left and the right border, so that nothing in front of the screen is cut
    by its frame."""
    width = disparity.shape[1]
    place = (np.arange(width, dtype=np.float32) + 0.5) / width
    inside = np.clip(np.minimum(place, 1 - place) / WINDOW, 0, 1).astype(np.float32)
    fade = inside * inside * (3 - 2 * inside)
    return np.where(disparity > 0, disparity * fade, disparity)


def cut_share(disparity: Float32[ndarray, "h w"]) -> float:
    """The part of the height along which something in front of the screen is cut by the left or right border."""
    least = CUT * disparity.shape[1]
    edges = np.maximum(disparity[:, 0], disparity[:, -1])
    return float(np.mean(edges > least))


@dataclass(frozen=True)
class OnScreen:
    """What a pair is on one screen. nearest, farthest: metres from the viewer, None where eyes would have to turn outwards;
    degrees: the most by which eyes converge elsewhere than on the screen; comfortable: within the usual degree."""

    screen: str
    nearest: float
    farthest: float | None
    degrees: float
    comfortable: bool


@dataclass(frozen=True)
class Comfort:
    """How a pair will be seen. front, behind: the range of disparity in parts of the width, behind ≤ front; cut: the part
    of the height along which things in front of the screen are cut by its border; limits: what was limited, to be told."""

    front: float
    behind: float
    cut: float
    limits: tuple[Message, ...] = ()

    def on(self, screen: Screen) -> OnScreen:
        """The same on one screen."""
        near, far = self.front * screen.width, self.behind * screen.width
        degrees = math.degrees(max(abs(near), abs(far)) / screen.distance)
        diverges = far <= -EYES
        farthest = None if diverges else screen.distance * EYES / (EYES + far)
        nearest = screen.distance * EYES / (EYES + max(near, -0.999 * EYES))
        return OnScreen(screen.name, nearest, farthest, degrees, not diverges and degrees <= VERGENCE_DEG)

    def notes(self) -> tuple[Message, ...]:
        """All of it in words."""
        return (self._range(), *map(_said_on, map(self.on, SCREENS)), *self._window(), *self.limits)

    def to_json(self) -> dict[str, Any]:
        """The numbers, for a report; disparities in percent of the width."""
        return {
            "front_percent": round(100 * self.front, 3),
            "behind_percent": round(100 * self.behind, 3),
            "cut_by_border_percent": round(100 * self.cut, 1),
            "screens": [asdict(self.on(screen)) for screen in SCREENS],
        }

    def _range(self) -> Message:
        if self.front == self.behind == 0:
            return note("stereo.flat", "both eyes see the same: the picture is flat")
        return note(
            "stereo.range", "disparity reaches from {behind:+.2f} % (behind the screen) to {front:+.2f} % of the width"
            " (in front of it)", behind=100 * self.behind, front=100 * self.front,
        )  # fmt: skip

    def _window(self) -> tuple[Message, ...]:
        if not self.cut:
            return ()
        return (
            note(
                "stereo.window",
                "what stands in front of the screen is cut by its left or right border along {share:.0f} % of the height,"
                " which looks wrong; give <screen> near, or <limit> on",
                share=100 * self.cut,
            ),
        )


def comfort_of(disparity: Float32[ndarray, "h w"], limits: tuple[Message, ...] = ()) -> Comfort:
    """The comfort of a pair whose disparity is given in pixels of one eye's picture."""
    width = disparity.shape[1]
    return Comfort(float(disparity.max()) / width, float(disparity.min()) / width, cut_share(disparity), limits)


def _said_on(found: OnScreen) -> Message:
    if found.farthest is None:
        return note(
            "stereo.diverges",
            "on a {screen} screen eyes would have to turn outwards: it is too strong; give a smaller <strength>",
            screen=found.screen,
        )
    if not found.comfortable:
        return note(
            "stereo.strains", "on a {screen} screen it reaches from {nearest:.2f} to {farthest:.2f} m, {degrees:.1f}° from"
            " the screen, where 1° is comfortable; give a smaller <strength>",
            screen=found.screen, nearest=found.nearest, farthest=found.farthest, degrees=found.degrees,
        )  # fmt: skip
    return note(
        "stereo.comfortable", "on a {screen} screen it reaches from {nearest:.2f} to {farthest:.2f} m: comfortable",
        screen=found.screen, nearest=found.nearest, farthest=found.farthest,
    )  # fmt: skip
