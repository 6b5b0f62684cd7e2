"""Recipes: which stages a refinement goes through, what guides it, and where its numbers come from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from recon.option_fields import check_value
from recon.options import RefineOptions, option_of
from recon.refinement.settings import (
    MeshSettings,
    PointCloudSettings,
    RadianceFieldSettings,
    SolidGuidanceSettings,
    StageSettings,
    TextureSettings,
)


@dataclass(frozen=True)
class RefinementRecipe:
    """One way to refine. name: as it is asked for; source: where its stages and numbers come from; stages: in their order;
    guidance: names of what guides, none or several; solid: what the solid's opinion weighs; texture: of the result; photo:
    pixels of the reference's side; turns: in degrees, of the looks at a subject whose back is not known; samples: of the
    solid's front; plate: how thick it is at least along the optical axis, in radii; save_every: seconds
    between checkpoints."""

    name: str
    source: str
    stages: tuple[StageSettings, ...]
    guidance: tuple[str, ...] = ("builtin",)
    solid: SolidGuidanceSettings = field(default_factory=SolidGuidanceSettings)
    texture: TextureSettings = field(default_factory=TextureSettings)
    photo: int = 512
    turns: tuple[float, ...] = (0.0,)
    samples: int = 12_000
    plate: float = 0.02
    save_every: float = 20.0

    def with_steps(self, most: int) -> RefinementRecipe:
        """The same with at most so many steps of each stage."""
        return replace(self, stages=tuple(replace(stage, steps=min(most, stage.steps)) for stage in self.stages))


LARGE_STEPS = (
    "the solid's surface as a mesh whose vertices move through a rasteriser: Large Steps in Inverse Rendering"
    " (Nicolet et al. 2021); sizes and weights by bench.refinement, see docs/decisions.md"
)
MAKE_IT_3D = (
    "a radiance field on a hash grid, then points of the photo and of views around with a deferred renderer: Make-It-3D"
    " (Tang et al. 2023), section 3.3; sizes and weights by bench.refinement, see docs/decisions.md"
)
FULL_FIELD = RadianceFieldSettings(steps=1500, rays=4096, side=256, guide_side=128, volume=96)
OWN_COLOURS = TextureSettings(field=True)

RECIPES: dict[str, dict[str, RefinementRecipe]] = {
    "quick": {
        "mesh": RefinementRecipe("quick", LARGE_STEPS, (MeshSettings(),)),
        "points": RefinementRecipe(
            "quick", MAKE_IT_3D, (RadianceFieldSettings(), PointCloudSettings()), texture=OWN_COLOURS,
            plate=0.057,
        ),
    },
    "full": {
        "mesh": RefinementRecipe(
            "full", LARGE_STEPS, (MeshSettings(steps=120, guide_side=256),), photo=1024, samples=30_000,
            texture=TextureSettings(faces=200_000, side=2048),
        ),
        "points": RefinementRecipe(
            "full", MAKE_IT_3D,
            (FULL_FIELD,
             PointCloudSettings(
                steps=1000, side=512, guide_side=256, novel=512, erosion=15, features=16, widths=(16, 32, 64, 128),
                radius=2.0, rate=2e-3, cell=0.006,
             )),
            photo=1024, plate=0.039, texture=TextureSettings(faces=150_000, side=2048, field=True),
        ),
    },
}  # fmt: skip
"""By their names and by what they lead to: a mesh, or a cloud with its renderer."""


def recipe(
    name: str, steps: int | None = None, faces: int | None = None, guidance: str = "builtin", refine_to: str = "mesh"
) -> RefinementRecipe:
    """A recipe by name and by what it leads to; each of its stages has at most `steps` steps, the mesh at most `faces`
    faces; guidance: names with commas, or none. Raises BadOption for an unknown guidance."""
    chosen = replace(RECIPES[name][refine_to], guidance=guidance_names(guidance))
    if faces is not None:
        chosen = replace(chosen, texture=replace(chosen.texture, faces=faces))
    return chosen if steps is None else chosen.with_steps(steps)


def guidance_names(given: str) -> tuple[str, ...]:
    """The names in a list with commas, each once; none of them for `none`. Raises BadOption for what is no choice of
    `RefineOptions.guidance`."""
    check_value(option_of(RefineOptions, "guidance"), given)
    names = tuple(dict.fromkeys(name.strip() for name in given.split(",")))
    return () if names == ("none",) else names
