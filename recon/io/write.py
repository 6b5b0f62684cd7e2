"""Write results: the format follows from the file's ending."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from recon.geometry.axes import to_gltf
from recon.io import (
    write_gltf,
    write_obj,
    write_ply,
    write_splats_gltf,
    write_splats_ply,
    write_splats_splat,
    write_splats_spz,
    write_stl,
)
from recon.io.files import write_bytes
from recon.io.formats import (
    CLOUD,
    CLOUD_FORMATS,
    DEPTH,
    DEPTH_FORMATS,
    MASK,
    MASK_FORMATS,
    MESH_FORMATS,
    MODEL,
    SPLAT_FORMATS,
    SPLATS,
    checked_format,
)
from recon.io.values import as_path
from recon.settings import PrintSettings, ViewSettings
from recon.types import DepthMap, Mask, Mesh, PointCloud, Splats

if TYPE_CHECKING:
    import pyvista

PNG_TOP = 65535
SPLAT_WRITERS: dict[str, Callable[[Splats, Path], None]] = {
    ".ply": write_splats_ply.write_splats,
    ".splat": write_splats_splat.write_splats,
    ".spz": write_splats_spz.write_splats,
    ".glb": write_splats_gltf.write_splats,
}


def write_mesh(
    mesh: Mesh, path: str | Path, printed: PrintSettings = PrintSettings(), view: ViewSettings | None = None
) -> list[Path]:
    """Write a mesh as PLY, OBJ (+ MTL + texture), GLB or VTK, in glTF's axes, or as STL, in a printer's axes and
    millimetres (`printed` says how large); returns the files written. The triangles are the same in all of them, but an
    STL has none of the sheets behind the first.

    view: a GLB for a page, small instead of exact.
    """
    path = as_path(path, MODEL)
    ending = checked_format(path, MESH_FORMATS, MODEL)
    if ending == ".obj":
        return write_obj.write_mesh(mesh, path)
    if ending == ".ply":
        write_ply.write_mesh(mesh, path)
    elif ending == ".glb":
        write_gltf.write_mesh(mesh, path, view)
    elif ending == ".stl":
        write_stl.write_printable(write_stl.printable(mesh, printed), path)
    else:
        plain = mesh.joined().welded()
        write_bytes(path, _vtk_bytes(plain.with_(vertices=to_gltf(plain.vertices)).to_pyvista()))
    return [path]


def write_cloud(cloud: PointCloud, path: str | Path) -> list[Path]:
    """Write a point cloud as PLY or VTK, in glTF's axes."""
    path = as_path(path, CLOUD)
    if checked_format(path, CLOUD_FORMATS, CLOUD) == ".ply":
        write_ply.write_cloud(cloud, path)
        return [path]
    import pyvista

    points = pyvista.PolyData(to_gltf(cloud.positions))
    points.point_data["rgb"] = cloud.colors
    write_bytes(path, _vtk_bytes(points))
    return [path]


def write_splats(splats: Splats, path: str | Path) -> list[Path]:
    """Write Gaussian splats as PLY (the layout of their inventors) or .splat, in the camera's axes, or as SPZ or GLB
    (KHR_gaussian_splatting), in glTF's, as readers of each expect. Raises BadInput where a number is not finite."""
    path = as_path(path, SPLATS)
    SPLAT_WRITERS[checked_format(path, SPLAT_FORMATS, SPLATS)](splats, path)
    return [path]


def write_depth(depth: DepthMap, path: str | Path) -> float:
    """Write a depth map of the photo's size: float32 .npy (NaN = no surface) or 16-bit PNG (0 = no surface).

    Returns the PNG's units per unit of depth (1 for .npy): 1000 (millimetres, if metric), or less where depth would not
    fit 16 bits.
    """
    path = as_path(path, DEPTH)
    if checked_format(path, DEPTH_FORMATS, DEPTH) == ".npy":
        with_header = _npy_bytes(depth.z)
        write_bytes(path, *with_header)
        return 1.0
    top = float(np.nanmax(depth.z))
    scale = 1000.0 if top * 1000 <= PNG_TOP else 256.0 if top * 256 <= PNG_TOP else PNG_TOP / top
    near_stays = np.maximum(np.rint(depth.z * np.float32(scale)), 1)  # 0 would say "no surface"
    values = np.nan_to_num(near_stays, nan=0).astype(np.uint16)
    write_bytes(path, cv2.imencode(".png", values)[1].tobytes())
    return scale


def write_mask(mask: Mask, size: tuple[int, int], path: str | Path) -> None:
    """Write a mask as 8-bit grey PNG, 255 where the photo is kept and 0 elsewhere: what the option `mask` takes back.

    size: the upright photo's (height, width), as it was read. All of it is kept where there is no single subject.
    """
    path = as_path(path, MASK)
    checked_format(path, MASK_FORMATS, MASK)
    inside = np.ones(size, bool) if mask.inside is None else mask.inside
    write_bytes(path, cv2.imencode(".png", inside.astype(np.uint8) * 255)[1].tobytes())


def write_report(report: dict[str, Any], path: str | Path) -> None:
    """Write the run's report as JSON."""
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    write_bytes(Path(path), text.encode(errors="backslashreplace"))  # names that are no UTF-8 become JSON's own \udcXX


def write_rows(rows: Sequence[Mapping[str, object]], path: str | Path) -> None:
    """Write rows that have the same keys as a CSV table (RFC 4180) in UTF-8, with the keys in its first line."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]) if rows else [])
    table.writeheader()
    table.writerows(rows)
    write_bytes(Path(path), text.getvalue().encode(errors="backslashreplace"))


def _vtk_bytes(data: pyvista.PolyData) -> bytes:
    """VTK's legacy format. Into memory: VTK's own writing to a full disk leaves half a file and raises nothing."""
    from vtkmodules.vtkIOLegacy import vtkPolyDataWriter

    writer: Any = vtkPolyDataWriter()
    writer.SetInputData(data)
    writer.SetFileTypeToBinary()
    writer.WriteToOutputStringOn()
    writer.Write()
    return bytes(writer.GetOutputStdString())


def _npy_bytes(array: np.ndarray) -> tuple[bytes, memoryview]:
    import io

    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    return header.getvalue(), np.ascontiguousarray(array).data.cast("B")
