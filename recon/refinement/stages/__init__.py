"""The stages that a refinement may go through, by the type of their settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from recon.refinement.protocols import Stage, StageContext, State
from recon.refinement.settings import MeshSettings, PointCloudSettings, RadianceFieldSettings
from recon.refinement.stages.mesh import MeshStage
from recon.refinement.stages.point_cloud import PointCloudStage
from recon.refinement.stages.radiance_field import RadianceFieldStage

Builder = Callable[[Any, StageContext, Sequence[Stage], State | None], Stage]
"""Of its settings, what the run is about, the stages before it, and a saved state if there is one."""

STAGES: dict[type, Builder] = {
    RadianceFieldSettings: RadianceFieldStage.begin,
    MeshSettings: MeshStage.begin,
    PointCloudSettings: PointCloudStage.begin,
}
