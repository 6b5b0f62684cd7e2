"""What tells a refinement how the subject looks from where the photo did not see it, by name.

A new one is a class that meets `protocols.Guidance`, a function in `GUIDANCES`, and a choice of `RefineOptions.guidance`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recon.errors import BadOption
from recon.models.device import Where
from recon.refinement.guidance.solid import SolidGuidance
from recon.refinement.protocols import Guidance, Subject
from recon.refinement.recipes import RefinementRecipe
from recon.refinement.solid_prior import SolidPrior


@dataclass(frozen=True)
class GuidancePlan:
    """What a guidance is built of: what the run is about and how it goes, and where a model of its own may run, whether it
    may fetch weights, and how much memory it may take."""

    subject: Subject
    recipe: RefinementRecipe
    where: Where


Builder = Callable[[GuidancePlan], Guidance]


def _solid(plan: GuidancePlan) -> Guidance:
    if not isinstance(plan.subject.shape, SolidPrior):
        raise BadOption("guidance.no_solid", "<guidance> is builtin and there is no photo's solid; give another one.")
    return SolidGuidance(plan.subject.shape, plan.recipe.solid)


GUIDANCES: dict[str, Builder] = {"builtin": _solid}
"""By the names that are choices of `RefineOptions.guidance`."""


def guidances_of(plan: GuidancePlan) -> list[Guidance]:
    """The opinions that a recipe asks for, in their order. Building loads no weights."""
    return [GUIDANCES[name](plan) for name in plan.recipe.guidance]
