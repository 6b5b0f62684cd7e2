"""What tests of Gaussian splats measure: covariances, how much light a sheet of discs lets through, and readers of our own
for every format, each giving the camera's frame."""

from __future__ import annotations

import gzip
import json
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np

from recon.types import Splats

SH0 = 0.28209479177387814


def rotations(quaternions: np.ndarray) -> np.ndarray:
    """Rotation matrices of unit quaternions, w x y z, double precision."""
    w, x, y, z = quaternions.astype(np.float64).T
    rows = [[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]]  # fmt: skip
    return np.moveaxis(np.array(rows), 2, 0)


def covariances(splats: Splats) -> np.ndarray:
    """R·diag(s²)·Rᵀ of each."""
    turned = rotations(splats.quaternions)
    return np.einsum("nij,nj,nkj->nik", turned, splats.scales.astype(np.float64) ** 2, turned)


def thinnest_axes(splats: Splats) -> np.ndarray:
    """The direction in which each covariance is smallest."""
    return np.linalg.eigh(covariances(splats))[1][:, :, 0]


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees between lines."""
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.degrees(np.arccos(np.clip(np.abs((a * b).sum(axis=1)) / length, 0, 1)))


def leaks(splats: Splats, places: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """The share of light from behind that reaches the eye at places of a flat sheet, seen along its normal; the sheet is
    spanned by two unit vectors."""
    basis = np.stack([across, down])
    flat = np.linalg.inv(np.einsum("ai,nij,bj->nab", basis, covariances(splats), basis))
    out = np.ones(len(places))
    for number, place in enumerate((places @ basis.T)[:, None] - splats.centres @ basis.T):
        power = np.einsum("na,nab,nb->n", place, flat, place)
        out[number] = np.prod(1 - splats.opacity * np.exp(-power / 2))
    return out


def read_ply(path: Path) -> Splats:
    """The inventors' layout, by names."""
    header, data = path.read_bytes().split(b"end_header\n", 1)
    lines = header.decode().splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    assert [line for line in lines if line.startswith("element")] == [lines[2]]
    names = [line.removeprefix("property float ") for line in lines[3:]]
    table = np.frombuffer(data, "<f4").reshape(int(lines[2].split()[2]), len(names))
    column = dict(zip(names, table.T, strict=True))
    shades = [column[f"f_dc_{i}"] * SH0 + 0.5 for i in range(3)]
    return Splats(
        np.stack([column[name] for name in "xyz"], axis=1),
        np.exp(np.stack([column[f"scale_{i}"] for i in range(3)], axis=1)),
        np.stack([column[f"rot_{i}"] for i in range(4)], axis=1),
        1 / (1 + np.exp(-column["opacity"])),
        np.rint(np.stack(shades, axis=1) * 255).astype(np.uint8),
    )


def read_splat(path: Path) -> Splats:
    """32 bytes each."""
    data = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 32)
    floats = data[:, :24].copy().view("<f4")
    quaternions = (data[:, 28:].astype(np.float32) - 128) / 128
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    return Splats(floats[:, :3], floats[:, 3:], quaternions, data[:, 27].astype(np.float32) / 255, data[:, 24:27])


def read_spz(path: Path) -> tuple[Splats, int]:
    """Version 3; the fractional bits too."""
    data = gzip.decompress(path.read_bytes())
    magic, version, count, degree, bits, flags, reserved = struct.unpack_from("<4sIIBBBB", data)
    assert (magic, version, degree, flags, reserved) == (b"NGSP", 3, 0, 0, 0)
    assert len(data) == 16 + 20 * count
    ends = np.cumsum([16, 9 * count, count, 3 * count, 3 * count, 4 * count])
    place, alpha, shade, size, turn = (np.frombuffer(data, np.uint8, b - a, a) for a, b in pairwise(ends))
    parts = place.reshape(count, 3, 3).astype(np.int32)
    fixed = parts[..., 0] | parts[..., 1] << 8 | parts[..., 2].astype(np.int8).astype(np.int32) << 16
    colors = ((shade.reshape(count, 3) / 255 - 0.5) / 0.15) * SH0 + 0.5
    in_camera = np.array([1, -1, -1], np.float32)
    quaternions = _largest_restored(turn.view("<u4"))
    quaternions[:, 1:] *= in_camera
    return Splats(
        (fixed / 2.0**bits).astype(np.float32) * in_camera,
        np.exp(size.reshape(count, 3) / 16 - 10).astype(np.float32),
        quaternions,
        (alpha / 255).astype(np.float32),
        np.clip(np.rint(colors * 255), 0, 255).astype(np.uint8),
    ), bits


def _largest_restored(packed: np.ndarray) -> np.ndarray:
    """w x y z of 32 bits each: two say which of x y z w is left out, then the others from the first to the last."""
    out = np.zeros((len(packed), 4))
    for row, word in zip(out, packed.astype(np.int64), strict=True):
        left_out, shift = int(word >> 30), 20
        for part in range(4):
            if part != left_out:
                ten = int(word >> shift) & 1023
                row[part] = (ten & 511) / 511 / 2**0.5 * (-1 if ten >> 9 else 1)
                shift -= 10
        row[left_out] = max(1 - (row**2).sum(), 0) ** 0.5
    return np.roll(out, 1, axis=1).astype(np.float32)


def read_glb(path: Path) -> tuple[Splats, dict[str, np.ndarray], dict[str, object]]:
    """KHR_gaussian_splatting; all attributes of the primitive, and the document, too."""
    data = path.read_bytes()
    assert data[:4] == b"glTF" and struct.unpack_from("<II", data, 4) == (2, len(data))
    length = struct.unpack_from("<I", data, 12)[0]
    document, binary = json.loads(data[20 : 20 + length]), data[28 + length :]
    types = {5126: "<f4", 5123: "<u2"}
    columns = {}
    for name, number in document["meshes"][0]["primitives"][0]["attributes"].items():
        about = document["accessors"][number]
        start = document["bufferViews"][about["bufferView"]]["byteOffset"]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[about["type"]]
        flat = np.frombuffer(binary, types[about["componentType"]], about["count"] * width, start)
        columns[name] = flat.reshape(about["count"], width)
    own = {name.removeprefix("KHR_gaussian_splatting:"): values for name, values in columns.items()}
    x, y, z, w = own["ROTATION"].T
    return (
        Splats(
            own["POSITION"] * np.array([1, -1, -1], np.float32),
            own["SCALE"],
            np.stack([w, x, -y, -z], axis=1),
            own["OPACITY"][:, 0],
            np.rint((own["SH_DEGREE_0_COEF_0"] * SH0 + 0.5) * 255).astype(np.uint8),
        ),
        columns,
        document,
    )
