"""Which pretrained models there are: kind, licence, size, and where their weights come from.

Ids and licences as published in 2026; sizes are those of the files fetched, in MB, rounded. Every id can be overridden
(see `weights`), because hubs lose repositories. `opt_in` marks a licence that not everybody may use (research only,
non-commercial): such a model runs only when it is asked for by name, never by `auto`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from recon.models import sharp
from recon.models.layout import LAYOUTS
from recon.models.weights import TRANSFORMERS_FOLDER, WeightsSpec
from recon.settings import DepthKind

APACHE = "Apache-2.0"
NON_COMMERCIAL = "CC-BY-NC-4.0 (no commercial use)"
AMLR = "Apple AMLR (research only)"


Task = Literal["depth", "subject", "object", "splats"]


@dataclass(frozen=True)
class ModelCard:
    """One line of the catalogue.

    kind: what its depth means, None for what gives none; adapter: which builder of the registry makes it; package: what pip
    must install besides torch; file: of weights that ship with Unflat; weightless: it needs none, and is not listed;
    published: accuracy as a paper prints it, and which; empty where none was read.
    """

    name: str
    tasks: tuple[Task, ...]
    kind: DepthKind | None
    repo: str
    licence: str
    megabytes: int
    about: str
    adapter: str
    opt_in: bool = False
    package: str = "transformers"
    files: tuple[str, ...] = field(default=TRANSFORMERS_FOLDER)
    url: str = ""
    also: tuple[str, ...] = ()
    file: Path | None = None
    weightless: bool = False
    published: str = ""

    @property
    def gives(self) -> str:
        """What it makes of a photo, in a word or two."""
        words = {"subject": "mask", "object": "object", "splats": "splats"}
        return ", ".join([*([self.kind] if self.kind else []), *(words[task] for task in self.tasks if task in words)])

    def weights(self) -> WeightsSpec:
        """What to look for."""
        return WeightsSpec(self.name, self.repo, self.files, self.url, also=self.also)


BUILTIN_CARD = ModelCard(
    "builtin",
    ("depth", "subject"),
    "disparity",
    "",
    APACHE,
    0,
    "the small network that ships with Unflat: depth, a subject's mask and back, field of view",
    "builtin",
    package="onnxruntime",
)
"""The registry, which may look into `recon.builtin`, adds its file."""

GRABCUT_CARD = ModelCard(
    "grabcut",
    ("subject",),
    None,
    "",
    APACHE,
    0,
    "OpenCV's GrabCut, for one thing before a plain ground",
    "grabcut",
    package="cv2",
    weightless=True,
)


def _depth(
    name: str, kind: DepthKind, repo: str, licence: str, megabytes: int, about: str, opt_in: bool = False
) -> ModelCard:
    return ModelCard(name, ("depth",), kind, repo, licence, megabytes, about, "depth_hf", opt_in)


def _moge(size: str, megabytes: int, about: str, published: str = "") -> ModelCard:
    return ModelCard(
        f"moge-2-vit{size}",
        ("depth",),
        "metric",
        f"Ruicheng/moge-2-vit{size}-normal-onnx",
        "MIT (the authors' repository)",
        megabytes,
        about,
        "moge",
        package="onnxruntime",
        files=LAYOUTS["moge"],
        published=published,
    )


def _da3(
    name: str, repo: str, kind: DepthKind, megabytes: int, about: str, published: str = "", licence: str = APACHE
) -> ModelCard:
    return ModelCard(
        name,
        ("depth",),
        kind,
        f"depth-anything/{repo}",
        licence,
        megabytes,
        about,
        "depth_anything3",
        opt_in=licence == NON_COMMERCIAL,
        package="torch",
        files=LAYOUTS["depth_anything3"],
        published=published,
    )


def _sam(size: str, checkpoint: str, megabytes: int) -> ModelCard:
    return ModelCard(
        f"sam-{size}",
        ("subject",),
        None,
        "",
        APACHE,
        megabytes,
        f"Segment Anything, {size.replace('-', ' ')}, original checkpoint",
        "sam",
        package="segment-anything",
        files=(checkpoint,),
        url=f"https://dl.fbaipublicfiles.com/segment_anything/{checkpoint}",
    )


def _sam_hf(size: str, megabytes: int) -> ModelCard:
    about = f"Segment Anything, ViT-{size}, in transformers' format"
    return ModelCard(
        f"sam-hf-{size}", ("subject",), None, f"facebook/sam-vit-{size}", APACHE, megabytes, about, "sam_hf"
    )


def _by_name(*cards: ModelCard) -> dict[str, ModelCard]:
    return {card.name: card for card in cards}


_DA2 = "depth-anything/Depth-Anything-V2-"
_DA2_METRIC_LICENCE = "Apache-2.0 (the authors' repository; the weights' own page names none)"

DEPTH: dict[str, ModelCard] = _by_name(
    _depth("dpt-large", "disparity", "Intel/dpt-large", APACHE, 1370, "MiDaS v3, ViT-L at 384 px"),
    _depth("dpt-hybrid", "disparity", "Intel/dpt-hybrid-midas", APACHE, 490, "MiDaS v3, ResNet + ViT-B at 384 px"),
    _depth("dpt-beit-large-512", "disparity", "Intel/dpt-beit-large-512", "MIT", 1380, "MiDaS v3.1's best, 512 px"),
    _depth("dpt-swin2-tiny-256", "disparity", "Intel/dpt-swinv2-tiny-256", "MIT", 164, "MiDaS v3.1's fastest, 256 px"),
    _depth("glpn-nyu", "metric", "vinvino02/glpn-nyu", APACHE, 245, "metres, rooms up to 10 m"),
    _depth("zoedepth", "metric", "Intel/zoedepth-nyu-kitti", "MIT", 1380, "metres, rooms and streets"),
    _depth("depth-anything-v2-small", "disparity", _DA2 + "Small-hf", APACHE, 99, "small, sharp, 518 px"),
    _depth("depth-anything-v2-base", "disparity", _DA2 + "Base-hf", NON_COMMERCIAL, 390, "518 px", opt_in=True),
    _depth("depth-anything-v2-large", "disparity", _DA2 + "Large-hf", NON_COMMERCIAL, 1340, "518 px", opt_in=True),
    _depth(
        "depth-anything-v2-metric-indoor-small",
        "metric",
        _DA2 + "Metric-Indoor-Small-hf",
        _DA2_METRIC_LICENCE,
        99,
        "metres, rooms up to 20 m",
    ),
    _depth(
        "depth-anything-v2-metric-outdoor-small",
        "metric",
        _DA2 + "Metric-Outdoor-Small-hf",
        _DA2_METRIC_LICENCE,
        99,
        "metres, streets up to 80 m",
    ),
    _depth(
        "depth-pro",
        "metric",
        "apple/DepthPro-hf",
        AMLR,
        1900,
        "metres and field of view, 1536 px",
        opt_in=True,
    ),
    _moge("s", 141, "metres, field of view and sky; 35 million parameters, through onnxruntime"),
    _moge("b", 419, "metres, field of view and sky; 104 million parameters, through onnxruntime"),
    _moge(
        "l",
        1320,
        "metres, field of view and sky; 331 million parameters, through onnxruntime",
        "without normals delta1 0.768 in metres, 0.922 scale fitted, means of 7 and 10 sets (arXiv:2507.02546, tables 1/2)",
    ),
    _da3("da3-small", "DA3-SMALL", "scale", 137, "Depth Anything 3, depth and field of view, 504 px"),
    _da3("da3-base", "DA3-BASE", "scale", 541, "Depth Anything 3, depth and field of view, 504 px"),
    _da3(
        "da3-large",
        "DA3-LARGE-1.1",
        "scale",
        1644,
        "Depth Anything 3, depth and field of view, 504 px",
        licence=NON_COMMERCIAL,
    ),
    _da3(
        "da3-mono-large",
        "DA3MONO-LARGE",
        "scale",
        1337,
        "Depth Anything 3 for single photos, depth and sky, 504 px",
        "delta1 0.980 NYU, 0.971 KITTI, 0.988 ETH3D, 0.965 DIODE, scale and shift fitted (arXiv:2511.10647, table 10)",
    ),
    _da3(
        "da3-metric-large",
        "DA3METRIC-LARGE",
        "metric",
        1337,
        "Depth Anything 3, metres where the focal length is known, and sky, 504 px",
        "delta1 0.963 NYUv2, 0.953 KITTI, 0.917 ETH3D, 0.838 DIODE, in metres (arXiv:2511.10647, table 11)",
    ),
)

SUBJECT: dict[str, ModelCard] = _by_name(
    _sam("vit-b", "sam_vit_b_01ec64.pth", 375),
    _sam("vit-l", "sam_vit_l_0b3195.pth", 1250),
    _sam("vit-h", "sam_vit_h_4b8939.pth", 2560),
    _sam_hf("base", 375),
    _sam_hf("large", 1250),
    _sam_hf("huge", 2560),
    ModelCard(
        "rembg-u2net",
        ("subject",),
        None,
        "",
        "MIT (rembg), Apache-2.0 (U2-Net)",
        176,
        "salient object, through the package rembg",
        "rembg",
        package="rembg",
        files=("u2net.onnx",),
        url="https://github.com/danielgatis/rembg/releases/download/v0.0.0/u2net.onnx",
        also=("$U2NET_HOME", "~/.rembg/models/u2net", "~/.u2net"),
    ),
)

OBJECT: dict[str, ModelCard] = _by_name(
    ModelCard(
        "triposr",
        ("object",),
        None,
        "stabilityai/TripoSR",
        "MIT",
        1678,
        "a whole object from all sides; 419 million parameters, in about 4 GB of memory",
        "triposr",
        package="torch",
        files=LAYOUTS["triposr"],
    ),
)
"""Best first: `auto` takes the first that is here."""

SPLATS: dict[str, ModelCard] = _by_name(
    ModelCard(
        "sharp",
        ("splats",),
        None,
        "",
        AMLR,
        2810,
        "SHARP: splats of a photo by themselves, 702 million parameters, 1536 px",
        "sharp",
        opt_in=True,
        package="timm",
        files=(sharp.FILE,),
        url=f"https://ml-site.cdn-apple.com/models/sharp/{sharp.FILE}",
        also=("$TORCH_HOME/hub/checkpoints", "~/.cache/torch/hub/checkpoints"),
    ),
)

PRETRAINED: dict[str, ModelCard] = {**DEPTH, **SUBJECT, **OBJECT, **SPLATS}

BEST_FOR: dict[str, tuple[str, ...]] = {
    "cuda": (
        "moge-2-vitl",
        "moge-2-vitb",
        "moge-2-vits",
        "da3-mono-large",
        "da3-base",
        "da3-small",
        "depth-anything-v2-small",
        "dpt-large",
        "dpt-beit-large-512",
        "dpt-hybrid",
        "dpt-swin2-tiny-256",
    ),
    "cpu": (
        "moge-2-vitb",
        "moge-2-vits",
        "moge-2-vitl",
        "da3-base",
        "da3-small",
        "da3-mono-large",
        "depth-anything-v2-small",
        "dpt-hybrid",
        "dpt-swin2-tiny-256",
        "dpt-large",
        "dpt-beit-large-512",
    ),
}
"""What `auto` looks for, by device, best first: large on a GPU, within a few seconds on a CPU; only licences that allow
everybody everything. MoGe-2 comes first because it alone gives metres, field of view and sky."""
