"""Binary glTF 2.0 (GLB): unlit, textured with the photo, or with linear vertex colours where there is no texture.

The photo already holds its light, hence KHR_materials_unlit, with a matt, non-metallic fallback. Ours and not trimesh's
for speed, and because trimesh writes sRGB bytes into COLOR_0, which glTF defines as linear (docs/decisions.md).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, Shaped, UInt8
from numpy import ndarray

from recon.geometry.axes import to_gltf
from recon.geometry.colour import linear_16bit
from recon.geometry.reduce import shrink_to_fit
from recon.io.files import write_bytes
from recon.settings import ViewSettings
from recon.types import Mesh

FLOAT, USHORT, UINT = 5126, 5123, 5125
ARRAY_BUFFER, ELEMENT_BUFFER = 34962, 34963
JPEG_QUALITY = 95


class Buffer:
    """Chunks of one binary buffer, each aligned to 4 bytes, and the views and accessors that point into them."""

    def __init__(self) -> None:
        self.chunks: list[bytes | memoryview] = []
        self.length = 0
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, data: bytes | memoryview, target: int | None = None) -> int:
        """Append some bytes; returns the number of their view."""
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        self.views.append({"buffer": 0, "byteOffset": self.length, "byteLength": size})
        if target:
            self.views[-1]["target"] = target
        self.chunks += [data, b"\0" * (-size % 4)]
        self.length += size + -size % 4
        return len(self.views) - 1

    def accessor(self, array: Shaped[ndarray, "*shape"], component: int, kind: str, target: int, **extra: Any) -> int:
        """Append an array of glTF's component type and kind; returns the number of its accessor."""
        array = np.ascontiguousarray(array)
        view = self.view(array.data.cast("B"), target)
        count = array.size if kind == "SCALAR" else len(array)
        self.accessors.append({"bufferView": view, "componentType": component, "count": count, "type": kind} | extra)
        return len(self.accessors) - 1


def write_mesh(mesh: Mesh, path: Path, view: ViewSettings | None = None) -> None:
    """Each sheet one mesh with one material, named as the sheet, in glTF's axes; opaque, since viewers sort what is blended
    by whole meshes. `view`: small instead of exact, for a page that shows it."""
    buffer, sheets = Buffer(), mesh.sheets()
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "Unflat"},
        "extensionsUsed": ["KHR_materials_unlit"],
        "scene": 0,
        "scenes": [{"nodes": list(range(len(sheets)))}],
        "nodes": [{"mesh": number, "name": sheet.name} for number, sheet in enumerate(sheets)],
    }
    if mesh.uv is not None and mesh.texture is not None:
        document["samplers"] = [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}]
    for sheet in sheets:
        _add_sheet(document, buffer, sheet, view)
    document |= {
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": buffer.length}],
    }
    write_bytes(path, *container(document, buffer))


def _add_sheet(document: dict[str, Any], buffer: Buffer, mesh: Mesh, view: ViewSettings | None) -> None:
    """One sheet's mesh, material and texture."""
    first, place = mesh.places()
    positions = to_gltf(mesh.vertices[first])[place]  # copies along a cut have the same bits: a merger closes them
    if view is not None:
        positions = rounded_positions(positions, view.bits)
    bounds = {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()}
    attributes = {"POSITION": buffer.accessor(positions, FLOAT, "VEC3", ARRAY_BUFFER, **bounds)}
    material: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 1.0}
    if mesh.uv is not None and mesh.texture is not None:
        if view is None:
            attributes["TEXCOORD_0"] = buffer.accessor(mesh.uv, FLOAT, "VEC2", ARRAY_BUFFER)
        else:
            uv = np.rint(mesh.uv * 65535).astype(np.uint16)
            attributes["TEXCOORD_0"] = buffer.accessor(uv, USHORT, "VEC2", ARRAY_BUFFER, normalized=True)
        picture = buffer.view(encoded_texture(mesh.texture, view))
        material["baseColorTexture"] = {"index": len(document.setdefault("textures", []))}
        document["textures"].append({"source": len(document.setdefault("images", [])), "sampler": 0})
        document["images"].append({"bufferView": picture, "mimeType": "image/jpeg"})
    elif mesh.colors is not None:
        colors = np.concatenate([linear_16bit(mesh.colors), np.full((len(mesh.colors), 1), 65535, np.uint16)], axis=1)
        attributes["COLOR_0"] = buffer.accessor(colors, USHORT, "VEC4", ARRAY_BUFFER, normalized=True)
    indices = buffer.accessor(mesh.faces.astype(np.uint32).ravel(), UINT, "SCALAR", ELEMENT_BUFFER)
    primitive = {"attributes": attributes, "indices": indices, "material": len(document.setdefault("materials", []))}
    document.setdefault("meshes", []).append({"name": mesh.name, "primitives": [primitive]})
    unlit: dict[str, Any] = {"KHR_materials_unlit": {}}
    document["materials"].append({"pbrMetallicRoughness": material, "doubleSided": True, "extensions": unlit})


def rounded_positions(positions: Float32[ndarray, "n 3"], bits: int) -> Float32[ndarray, "n 3"]:
    """Positions rounded to 2^-bits of their depth (to a power of two): what is cut off is zeros, which gzip takes away."""
    depth = np.maximum(np.abs(positions[:, 2:]), np.float32(1e-30))
    step = np.exp2(np.floor(np.log2(depth)) - np.float32(bits))
    return np.rint(positions / step) * step


def encoded_texture(texture: UInt8[ndarray, "h w 3"], view: ViewSettings | None = None) -> bytes:
    """The texture as a JPEG without chroma subsampling (which would cost 3 dB at coloured edges), or small, for a view."""
    quality, sampling = JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    if view is not None:
        quality, sampling = view.quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
        texture = shrink_to_fit(texture, view.texture_side)
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(texture, cv2.COLOR_RGB2BGR), flags)
    assert ok, "OpenCV encodes every uint8 picture"
    return bytes(data)


def container(document: dict[str, Any], buffer: Buffer) -> list[bytes | memoryview]:
    """The GLB container: header, JSON chunk padded with spaces, binary chunk."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + buffer.length
    head = b"glTF" + (2).to_bytes(4, "little") + total.to_bytes(4, "little")
    json_head = len(text).to_bytes(4, "little") + b"JSON"
    return [head, json_head, text, buffer.length.to_bytes(4, "little") + b"BIN\0", *buffer.chunks]
