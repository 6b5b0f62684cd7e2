"""The variables of a Runtime, each with what it may be."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from recon.errors import BadOption
from recon.io.formats import MESH_FORMATS
from recon.option_fields import Choice
from recon.options import check, device_option, option
from recon.settings import DISTANCES, ELEVATIONS, VIEW_COUNTS

FORMATS = tuple(ending[1:] for ending in MESH_FORMATS)
CHUNKS, PADDINGS, RATIOS, RESOLUTIONS = (1, 2**24), (0, 256), (0.3, 1.0), (16, 1024)


@dataclass(frozen=True)
class Variables:
    """What may be set of a Runtime. Making one raises BadOption: which variable, what came, what is allowed.

    input_path: a photo or a folder of them; output_path: a folder, made if it is missing; pretrained_model: who makes whole
    objects; depth_model: who makes the depth of the cloud and of the Poisson mesh, auto is GLPN where its weights are here;
    chunk_size: points that an object model's field is asked at once; padding: pixels at the photo's border whose depth is
    not believed; foreground_ratio: share of its picture's side that the subject takes; mc_resolution: cells along a side of
    marching cubes, or a few more.
    """

    input_path: str | Path = option("", "", kind="file", what="the path of a photo or of a folder of photos")
    output_path: str | Path = option("output", "", kind="file", what="the path of a folder")
    pretrained_model: Any = option("auto", "", open=True, models="object")
    depth_model: Any = option("auto", "", open=True, models="depth")
    chunk_size: int = option(
        8192,
        "",
        kind="whole",
        what="a number of points of a field that are asked at once",
        low=CHUNKS[0],
        high=CHUNKS[1],
    )
    padding: int = option(16, "", kind="whole", what="pixels of the border", low=PADDINGS[0], high=PADDINGS[1])
    foreground_ratio: float = option(
        0.85, "", kind="number", what="the subject's share of its picture's side", low=RATIOS[0], high=RATIOS[1]
    )
    mc_resolution: int = option(
        256, "", kind="whole", what="cells along a side of marching cubes", low=RESOLUTIONS[0], high=RESOLUTIONS[1]
    )
    model_save_format: str = option("obj", "", choices=tuple(map(Choice, FORMATS)))
    views: int = option(30, "", kind="whole", what="a number of pictures", low=VIEW_COUNTS[0], high=VIEW_COUNTS[1])
    elevation: float = option(0.0, "", kind="number", what="an angle in degrees", low=ELEVATIONS[0], high=ELEVATIONS[1])
    distance: float | None = option(
        None, "", kind="number", what="a distance in radii of the model", low=DISTANCES[0], high=DISTANCES[1]
    )
    device: str = device_option()
    offline: bool = option(False, "", kind="switch")

    def __post_init__(self) -> None:
        if isinstance(self.model_save_format, str):  # ".OBJ" means obj
            object.__setattr__(self, "model_save_format", self.model_save_format.lower().removeprefix("."))
        check(self)
        for name in ("pretrained_model", "depth_model"):
            if getattr(self, name) in ("", None):
                raise BadOption("runtime.no_model", "<{option}> is empty; give auto, or a model's name.", option=name)
        self._check_paths()

    def _check_paths(self) -> None:
        source, target = Path(self.input_path), Path(self.output_path)
        if not str(self.input_path) or not source.exists():
            raise BadOption(
                "runtime.no_input", "<{option}> is {given!r}, which is not there; give a photo or a folder of photos.",
                option="input_path", given=str(self.input_path),
            )  # fmt: skip
        if target.exists() and not target.is_dir():
            raise BadOption(
                "runtime.output_file", "<{option}> is {given!r}, which is a file; give a folder.",
                option="output_path", given=str(self.output_path),
            )  # fmt: skip

    def told(self) -> str:
        """All of them in one line."""
        return ", ".join(f"{each.name}={getattr(self, each.name)!s}" for each in fields(self))
