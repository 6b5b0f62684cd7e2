"""Splats written and read back: by readers of our own, which compare covariances, since a quaternion may come back turned
about an own axis by half a turn.

@playcanvas/splat-transform 2.7.1 (npm, Node 20) read back what these writers wrote of a scene (342,476 splats, 2026-11):
`splat-transform scene.X out.ply`, compared with our `scene.ply` in the same order. PLY: bit for bit. `.splat`: positions
and scales bit for bit, normals within 1.66° (0.64° on average). SPZ: positions within half a step (0.12 mm), normals
within 1.71° (0.54°), log scales within 1/19, colours within 1/255, opacity within 0.0004. Its own GLB of our PLY has our
SCALE, OPACITY and SH_DEGREE_0_COEF_0, bit for bit; it turns the axes otherwise (half a turn about z).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recon.errors import BadInput, BadOption
from recon.io.write import write_splats
from recon.types import Splats
from tests.scenes import frozen
from tests.splats import angles, covariances, read_glb, read_ply, read_splat, read_spz, thinnest_axes


def splats_of(count: int = 500, size: float = 0.01, seed: int = 0) -> Splats:
    """Flat ones in all directions; no two have one size."""
    random = np.random.default_rng(seed)
    q = random.normal(size=(count, 4))
    radius = size * np.exp(random.uniform(-1, 1, count))
    scales = np.stack([radius * random.uniform(1, 4, count), radius, radius * 0.1], axis=1)
    return Splats(
        frozen(random.normal(size=(count, 3)).astype(np.float32) + np.float32([0, 0, 3])),
        frozen(scales.astype(np.float32)),
        frozen((q / np.linalg.norm(q, axis=1, keepdims=True)).astype(np.float32)),
        frozen(random.uniform(0.02, 0.98, count).astype(np.float32)),
        frozen(random.integers(0, 256, (count, 3)).astype(np.uint8)),
    )


def matched(found: Splats, given: Splats) -> np.ndarray:
    """Which of the given ones each found one is: the nearest, each once."""
    apart = np.linalg.norm(found.centres[:, None] - given.centres[None], axis=2)
    nearest = apart.argmin(axis=1)
    assert sorted(nearest) == list(range(len(given.centres)))
    return nearest


def reader(ending: str, path: Path) -> Splats:
    if ending == ".ply":
        return read_ply(path)
    if ending == ".splat":
        return read_splat(path)
    return read_spz(path)[0] if ending == ".spz" else read_glb(path)[0]


BOUNDS = {
    ".ply": (0, 1e-5, 0.05, 0),
    ".glb": (0, 1e-5, 0.05, 0),
    ".splat": (0, 0.04, 1.8, 0),
    ".spz": (0.004, 0.12, 2.6, 1),
}
"""Position, covariance (relative to its largest entry), degrees of the normal, steps of colour."""


@pytest.mark.parametrize("ending", BOUNDS)
def test_every_format_gives_the_splats_back_within_its_quantisation(ending: str, tmp_path: Path) -> None:
    given = splats_of()
    path = tmp_path / f"a{ending}"
    assert write_splats(given, path) == [path]
    found, (place, shape, degrees, shade) = reader(ending, path), BOUNDS[ending]
    order = matched(found, given)
    np.testing.assert_allclose(found.centres, given.centres[order], atol=place)
    expected = covariances(given)[order]
    error = np.abs(covariances(found) - expected).max(axis=(1, 2)) / expected.max(axis=(1, 2))
    assert error.max() <= shape
    assert angles(thinnest_axes(found), thinnest_axes(given)[order]).max() <= degrees
    assert np.abs(found.opacity - given.opacity[order]).max() <= 0.002
    assert np.abs(found.colors.astype(int) - given.colors[order]).max() <= shade


@pytest.mark.parametrize("ending", BOUNDS)
def test_every_format_has_the_same_bytes_each_time_and_changes_nothing(ending: str, tmp_path: Path) -> None:
    given = splats_of()
    files = [write_splats(given, tmp_path / f"{name}{ending}")[0].read_bytes() for name in "ab"]
    assert files[0] == files[1]


def test_a_ply_has_the_inventors_header_and_nothing_else(tmp_path: Path) -> None:
    data = write_splats(splats_of(7), tmp_path / "a.ply")[0].read_bytes()
    header, rest = data.split(b"end_header\n")
    assert [line.split()[-1] for line in header.decode().splitlines()[3:]] == [
        *("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"),
        *("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
    ]
    assert len(rest) == 7 * 68


def test_the_largest_opaque_ones_come_first_in_a_splat_file(tmp_path: Path) -> None:
    found = read_splat(write_splats(splats_of(), tmp_path / "a.splat")[0])
    weight = found.scales[:, 0] * found.scales[:, 1] * found.opacity
    assert (weight[1:] <= weight[:-1] * 1.2).all()  # opacity has 8 bits
    assert (tmp_path / "a.splat").stat().st_size == 500 * 32


def test_spz_and_glb_have_gltfs_axes(tmp_path: Path) -> None:
    """A disc that faces down in the camera's frame, where y points down, to the right of and below the axis."""
    half = np.float32(0.5) ** np.float32(0.5)
    one = Splats(np.float32([[1, 2, 3]]), np.float32([[0.3, 0.2, 0.01]]), np.float32([[half, half, 0, 0]]),
                 np.float32([0.9]), np.uint8([[10, 200, 30]]))  # fmt: skip
    np.testing.assert_allclose(np.abs(thinnest_axes(one)), [[0, 1, 0]], atol=1e-6)
    _, columns, document = read_glb(write_splats(one, tmp_path / "a.glb")[0])
    np.testing.assert_array_equal(columns["POSITION"], [[1, -2, -3]])
    primitive = document["meshes"][0]["primitives"][0]  # type: ignore[index]
    assert primitive["mode"] == 0 and primitive["extensions"] == {
        "KHR_gaussian_splatting": {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}
    }
    assert document["extensionsUsed"] == ["KHR_gaussian_splatting"] and "extensionsRequired" not in document
    linear = ((200 / 255 + 0.055) / 1.055) ** 2.4
    np.testing.assert_allclose(columns["COLOR_0"][0, [1, 3]] / 65535, [linear, 0.9], atol=1e-4)
    spz, _ = read_spz(write_splats(one, tmp_path / "a.spz")[0])
    np.testing.assert_allclose(spz.centres, one.centres, atol=0.05)
    np.testing.assert_allclose(covariances(spz), covariances(one), atol=0.1 * 0.09)


@pytest.mark.parametrize(("size", "far"), [(1e-4, 1), (0.01, 3), (1.0, 1000), (1.0, 1e6)])
def test_spz_raises_its_fractional_bits_for_small_units_as_far_as_the_farthest_fits(
    size: float, far: float, tmp_path: Path
) -> None:
    given = splats_of(50, size)
    centres = np.array(given.centres)
    centres[0] = (0, 0, far)
    found, bits = read_spz(write_splats(Splats(centres, *list(vars(given).values())[1:]), tmp_path / "a.spz")[0])
    assert np.isclose(found.centres[:, 2].max(), centres[:, 2].max(), rtol=1e-3)
    room = far * 2.0**bits < 2**23 <= far * 2.0 ** (bits + 1)
    fine = 2.0**-bits <= float(np.median(given.scales[:, 1])) / 1.5 < 2 * 2.0**-bits
    assert fine or room
    near = np.arange(50)[np.abs(found.centres).max(axis=1) < 20]
    assert len(near) == 49 + (far < 20)


def test_what_spz_cannot_hold_is_told(tmp_path: Path) -> None:
    given = splats_of(3)
    far = Splats(given.centres * np.float32(1e8), *list(vars(given).values())[1:])
    with pytest.raises(BadInput, match="SPZ cannot hold; write another format"):
        write_splats(far, tmp_path / "a.spz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["centres", "scales", "quaternions", "opacity"])
@pytest.mark.parametrize("ending", BOUNDS)
def test_numbers_that_are_not_finite_are_refused(name: str, ending: str, tmp_path: Path) -> None:
    parts = dict(vars(splats_of(5)))
    parts[name] = np.array(parts[name])
    parts[name][2] = np.nan
    with pytest.raises(BadInput, match="no place, size or direction"):
        write_splats(Splats(**parts), tmp_path / f"a{ending}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", BOUNDS)
def test_extremes_stay_finite(ending: str, tmp_path: Path) -> None:
    """No scale of 0, which readers take for something else, and no logit of 0 or 1."""
    given = splats_of(2)
    wild = Splats(given.centres, np.float32([[0, 1, 300], [1e-12, 1e-12, 1e-12]]), 5 * given.quaternions,
                  np.float32([0, 1]), np.uint8([[0, 0, 0], [255, 255, 255]]))  # fmt: skip
    found = reader(ending, write_splats(wild, tmp_path / f"a{ending}")[0])
    assert all(np.isfinite(values).all() for values in vars(found).values())
    assert found.scales.min() >= 0.9e-7
    assert sorted(found.colors[:, 0]) in ([0, 255], [1, 254])
    assert 0 <= found.opacity.min() < 0.002 and 0.998 < found.opacity.max() <= 1


def test_another_ending_is_told_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"the splats .* give a name that ends with .ply, .splat, .spz, .glb"):
        write_splats(splats_of(2), tmp_path / "a.stl")
