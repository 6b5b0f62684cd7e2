"""What a pretrained model must offer to be used by a stage. numpy outside; a framework, if any, stays inside: only what
guides a refinement speaks torch, for its gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.types import Camera, Mesh, RawDepth, Relief, Splats


@runtime_checkable
class DepthEstimator(Protocol):
    """One photo in, one raw depth map out."""

    name: str

    def load(self) -> object:
        """Find and read the weights now instead of at the first photo. Raises MissingModel."""
        ...

    def estimate(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None = None) -> RawDepth:
        """Depth at the model's own resolution, same frame and aspect as the photo, never resized bicubically.

        inside: where the photo's one subject is, None for a scene; what the model makes of it is its own affair.
        """
        ...


@runtime_checkable
class ShapeEstimator(Protocol):
    """One photo with its subject's mask in, the subject's front and back out."""

    def relief(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"]) -> Relief:
        """Front and back in a window around the subject."""
        ...


@runtime_checkable
class Segmenter(Protocol):
    """One photo in, the subject's silhouette out."""

    name: str

    def segment(self, rgb: UInt8[ndarray, "h w 3"]) -> Bool[ndarray, "h w"] | None:
        """True on the subject, at the photo's size; None when the photo shows no single subject."""
        ...


@runtime_checkable
class SplatEstimator(Protocol):
    """One photo in, Gaussian splats of what it shows out (SHARP)."""

    name: str

    def load(self) -> object:
        """Find and read the weights now. Raises MissingModel."""
        ...

    def splats(self, rgb: UInt8[ndarray, "h w 3"], camera: Camera) -> Splats:
        """As many as the model makes, in the frame of the camera that took the photo."""
        ...


@runtime_checkable
class Captioner(Protocol):
    """One photo in, a few words on its subject out (BLIP-2)."""

    name: str

    def load(self) -> object:
        """Find and read the weights now. Raises MissingModel."""
        ...

    def caption(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None = None) -> str:
        """One English phrase without a full stop, as a prompt wants it; inside: where the subject is, None: everywhere."""
        ...


@runtime_checkable
class ObjectField(Protocol):
    """An object as density and colour that can be asked for anywhere: a `recon.render.fields.Field` in the cube from −1 to
    1 around the origin, in the frame of `recon.render.cameras` (x right, y down, z away from the photo's camera).

    level: the density's logarithm on the surface.
    """

    level: float

    @property
    def device(self) -> Any:
        """Where its tensors lie."""
        ...

    def density_logit(self, x: Any) -> Any:
        """The density's logarithm at n points, n×3: n numbers, with gradients."""
        ...

    def __call__(self, x: Any, normals: bool = False) -> Any:
        """`density`, per unit of length, `albedo`, n×3 in 0..1, and `normal`, if wanted, of n points."""
        ...


@dataclass(frozen=True)
class SeenObject:
    """A whole object, and how it was seen.

    shape: its field, or a closed mesh with colours in the same frame, faces counter-clockwise seen from outside. left, top,
    side: the square of the photo that was looked at, in pixels; it may reach over the photo's edges. fov: degrees across
    this square; distance: of its camera from the origin, in the cube's unit. The true size and distance are not known.
    """

    shape: ObjectField | Mesh
    left: float
    top: float
    side: float
    fov: float
    distance: float


@runtime_checkable
class ObjectReconstructor(Protocol):
    """One photo of an object in, the whole object out, from all sides (TripoSR)."""

    name: str

    def load(self) -> object:
        """Find and read the weights now. Raises MissingModel."""
        ...

    def reconstruct(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"]) -> SeenObject:
        """The object that the mask cuts out."""
        ...


@runtime_checkable
class Denoiser(Protocol):
    """A latent diffusion model as score distillation asks it: Stable Diffusion, or Zero123, which is told a photo and a
    turn of the camera instead of a prompt.

    pictures: b×3×h×w tensors of sRGB colours in 0..1, h and w multiples of `pixels_per_latent`; latents: b×c×h'×w', scaled
    as the network was trained; timesteps: b whole numbers from 0 (no noise) to `timesteps` - 1 (noise alone). All tensors
    lie on the model's device. condition: what the model itself has made of a prompt, or of a photo and cameras; nobody else
    looks into it.
    """

    name: str
    timesteps: int
    pixels_per_latent: int

    def load(self) -> object:
        """Find and read the weights now. Raises MissingModel."""
        ...

    def signal(self) -> Any:
        """How much of the clean latent's variance is left at each timestep: a tensor of `timesteps` numbers in 0..1 that
        fall (Ho et al. 2020: the cumulative product of the alphas)."""
        ...

    def encode(self, pictures: Any, generator: Any) -> Any:
        """Latents of pictures, with gradients to them; generator: a CPU's, for the encoder's own noise."""
        ...

    def decode(self, latents: Any) -> Any:
        """Pictures of latents, without gradients."""
        ...

    def noise(self, latents: Any, timesteps: Any, condition: Any, guidance_scale: float) -> Any:
        """The noise in noisy latents (of their size), without gradients, by classifier-free guidance: that of no condition
        plus `guidance_scale` times what the condition changes (Ho and Salimans 2022)."""
        ...
