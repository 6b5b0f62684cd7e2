"""Imports only go down, heavy ones come late, and the code stays readable in size."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import recon
from tests.scenes import camera_of, photo_of, room
from tests.source_graph import (
    ROOT,
    SHIPPED,
    Function,
    bare_arrays,
    code_lines,
    is_registered,
    module_of,
    only_tests_reach,
    ours,
    public_definitions,
    public_functions,
    tree_of,
    wing_of,
)

FLOORS = [
    ("gen", "app"),
    ("recon.__main__", "web_3d_app.__main__"),
    ("recon.cli", "web_3d_app"),
    ("web_3d_app.http",),
    ("web_3d_app.services",),
    ("web_3d_app.engines", "web_3d_app.work"),
    ("web_3d_app.jobs",),
    (
        "web_3d_app.settings",
        "web_3d_app.logs",
        "web_3d_app.problems",
        "web_3d_app.clock",
        "web_3d_app.files",
        "web_3d_app.kinds",
        "web_3d_app.names",
        "web_3d_app.phrasebook",
        "web_3d_app.polling",
        "web_3d_app.shares",
    ),
    ("recon.runtime",),
    ("recon.pipeline", "recon.notes", "recon.registry", "recon.results", "recon.stereo", "recon"),
    ("recon.refinement",),
    ("recon.models", "recon.stages", "recon.builtin"),
    ("recon.io",),
    ("recon.geometry", "recon.render"),
    ("recon.protocols",),
    (
        "recon.types",
        "recon.settings",
        "recon.errors",
        "recon.messages",
        "recon.options",
        "recon.stereo_options",
        "recon.option_fields",
        "recon.progress",
        "recon.interop",
        "recon.threads",
    ),
]
"""From top to bottom; packages of one floor do not import each other, but for those of the open floors."""
OPEN_FLOORS = (7, 9, 15)
HEAVY = ("torch", "open3d", "diffusers", "transformers", "pyvista", "vtk", "trimesh", "onnxruntime", "scipy.spatial",
         "scipy.sparse", "scipy.interpolate", "skimage", "matplotlib", "pandas", "flask")  # fmt: skip
LONGEST_FILE, LONGEST_FUNCTION = 450, 70
MEDIAN, NINETIETH_PERCENTILE = 10, 30
"""Lines of the shipped functions without their docstrings."""
NAMED_TWICE = {
    "main": "what a program does when it is called",
    "load": "a checkpoint's other half",
    "save": "a checkpoint: of a refinement's state, and of a job's reconstruction",
}
"""Public names that two wings of the house define, and why they may."""
CALLED_BY_OTHERS = {
    "gunicorn.conf": "gunicorn",
    "web_3d_app.jobs.migrations": "Alembic",
    "web_3d_app.engines.local.LocalEngine.pids": "tests that kill a worker",
    "recon.runtime": "people's own programs, and docs/workspace.ipynb",
    "recon.protocols.Captioner": "text and diffusion guidance, to come",
    "recon.protocols.Denoiser": "text and diffusion guidance, to come",
}
"""Public names that nothing of ours calls, and who does."""


def room_of(module: str) -> tuple[int, str]:
    """(floor, package on it) by the longest prefix that is on the plan."""
    known = [(len(name), floor, name) for floor, names in enumerate(FLOORS) for name in names
             if module == name or (module.startswith(name + ".") and name != "recon")]  # fmt: skip
    assert known, f"{module} is on no floor of the plan"
    return max(known)[1:]


def is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def walk_run(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs: all but the bodies of `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if is_for_type_checkers(child):
            for other in child.orelse:
                yield from walk_run(other)
            continue
        yield child
        yield from walk_run(child)


def imports_of(path: Path, walk: Callable[[ast.AST], Iterator[ast.AST]] = walk_run) -> Iterator[tuple[str, int]]:
    """(module, line) of every import statement that runs, wherever it stands; of all of them with `ast.walk`."""
    for node in walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(path.relative_to(ROOT).parts[: -node.level]) if node.level else ""
            base = ".".join(part for part in (package, node.module) if part)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                is_module = (ROOT / (whole.replace(".", "/") + ".py")).exists() or (
                    ROOT / whole.replace(".", "/")
                ).is_dir()
                yield (whole if is_module else base), node.lineno


@pytest.mark.parametrize("path", ours(), ids=module_of)
def test_imports_only_go_down(path: Path) -> None:
    module = module_of(path)
    floor, package = room_of(module)
    for target, line in imports_of(path):
        if target.split(".")[0] not in ("gen", "app", "web_3d_app", "recon"):
            continue
        other_floor, other = room_of(target)
        allowed = other_floor > floor or other == package or (other_floor == floor and floor in OPEN_FLOORS)
        assert allowed, f"{path.name}:{line}: {module} imports {target} from its own floor or above"


def test_the_shipped_code_imports_no_test_no_benchmark_and_no_training() -> None:
    for path in ours():
        assert not {name.split(".")[0] for name, _ in imports_of(path)} & {"tests", "bench", "training", "pytest"}, path


def test_training_knows_of_the_product_only_its_network_and_the_ground() -> None:
    """What the network is made with needs no stage, no model and no page."""
    for path in ours("training"):
        used = {name for name, _ in imports_of(path) if name.split(".")[0] in ("recon", "web_3d_app", "gen", "app")}
        assert all(name.startswith(("recon.builtin", "recon.geometry", "recon.types")) for name in used), (path, used)


def loaded_by(code: str, folder: Path = ROOT) -> set[str]:
    """Which of the heavy modules a fresh interpreter has loaded after `code`."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=True)
    loaded = set(done.stdout.split())
    assert {"recon", "web_3d_app"} & loaded
    return loaded & set(HEAVY)


WEB_PROCESS = {"torch", "open3d", "diffusers", "transformers", "pyvista", "vtk", "onnxruntime"}


def test_the_web_process_loads_no_model_framework(tmp_path: Path) -> None:
    code = """
        from web_3d_app import create_app
        from web_3d_app.settings import Settings
        client = create_app(Settings(data=".", engine="none", min_free_mib=0)).test_client()
        token = client.post("/api/v1/visitors").json["token"]
        made = client.post("/api/v1/jobs", data={"sample": "coffee"}, headers={"Authorization": f"Bearer {token}"})
        assert (made.status_code, client.get("/").status_code) == (202, 200)"""
    assert loaded_by(textwrap.dedent(code), tmp_path) & WEB_PROCESS == set()


def test_importing_the_application_makes_nothing(tmp_path: Path) -> None:
    assert loaded_by("import app", tmp_path) - {"flask"} == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["recon", "gen", "recon.pipeline", "recon.results", "recon.io.write"])
def test_importing_loads_nothing_heavy(what: str) -> None:
    assert loaded_by(f"import {what}") == set()


def test_help_and_wrong_flags_are_told_without_any_library() -> None:
    """What a person reads or mistypes is answered at once; numpy alone takes a tenth of a second."""
    code = (
        "from recon.cli.main import main\nassert main(['--rbg', 'photo.jpg']) == 2\nassert 'numpy' not in sys.modules"
    )
    assert loaded_by(code) == set()


def test_a_whole_run_on_a_given_depth_map_loads_nothing_heavy(tmp_path: Path) -> None:
    camera = camera_of(96, 72, 80.0)
    Image.fromarray(photo_of(camera).rgb).save(tmp_path / "photo.png")
    np.save(tmp_path / "z.npy", room(camera))
    options = ["--rgb", "photo.png", "--depth-in", "z.npy", "--depth-kind", "metric", "--surface", "grid", "--out", "m.ply",
               "--out", "m.glb", "--out", "m.obj", "--depth-out", "d.png", "--mask-out", "s.png", "--points-out", "c.ply",
               "--quiet"]  # fmt: skip
    assert loaded_by(f"from recon.cli.main import main\nassert main({options!r}) == 0", tmp_path) == set()
    assert {"m.ply", "m.glb", "m.obj", "d.png", "s.png", "c.ply"} <= {path.name for path in tmp_path.iterdir()}


def test_every_public_name_is_there_and_documented() -> None:
    for name in recon.__all__:
        assert getattr(recon, name).__doc__.strip(), name
    assert sorted(name for names in recon.DOOR.values() for name in names) == sorted(recon.__all__)
    listed = re.findall(
        r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", (ROOT / "docs/library.md").read_text(), re.MULTILINE))
    )
    assert sorted(listed) == sorted(recon.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = recon.nonsense


DOORS = {"recon", "recon.stereo", "recon.types", "recon.errors", "recon.messages", "recon.option_fields", "recon.options",
         "recon.stereo_options", "recon.progress"}  # fmt: skip


@pytest.mark.parametrize("path", ours("gen.py", "app.py", "recon/cli", "web_3d_app"), ids=module_of)
def test_programs_enter_the_library_by_its_door(path: Path) -> None:
    """The command line and the web use what `recon` exports, its values, errors, messages and options, and nothing else."""
    for target, line in imports_of(path, ast.walk):
        if target.split(".")[0] == "recon":
            assert target in DOORS or target.startswith("recon.cli"), f"{path.name}:{line}: {target} is no door"


@pytest.mark.parametrize("path", ours("gen.py", "app.py", "recon", "web_3d_app", "training"), ids=module_of)
def test_modules_and_public_functions_say_what_they_do(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), f"{path}: no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and node.name != "main":
            assert ast.get_docstring(node), f"{path.name}:{node.lineno}: {node.name} has no docstring"


EVERYTHING = ("gen.py", "app.py", "recon", "web_3d_app", "training", "bench", "tests")


@pytest.mark.parametrize("path", ours(*EVERYTHING), ids=module_of)
def test_files_and_functions_stay_short_and_plain(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.lineno + 1
            assert lines <= LONGEST_FUNCTION, f"{path.name}:{node.lineno}: {node.name} has {lines} lines"
        if isinstance(node, ast.ImportFrom):
            assert all(alias.name != "*" for alias in node.names), f"{path.name}:{node.lineno}: a star import"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{path.name}:{node.lineno}: a bare except"


def test_the_shipped_functions_are_short() -> None:
    lengths = sorted(
        code_lines(node) for path in ours() for node in ast.walk(tree_of(path)) if isinstance(node, Function)
    )
    assert lengths[len(lengths) // 2] <= MEDIAN
    assert lengths[len(lengths) * 9 // 10] <= NINETIETH_PERCENTILE
    assert lengths[-1] <= LONGEST_FUNCTION


@pytest.mark.parametrize("path", ours(), ids=module_of)
def test_public_functions_are_documented_and_their_arrays_say_their_shapes(path: Path) -> None:
    """A bare ndarray or Tensor says neither axes nor type; jaxtyping's annotations do, and the suite enforces them."""
    for name, node in public_functions(path):
        where = f"{path.name}:{node.lineno}: {name}"
        assert ast.get_docstring(node) or node.name in ("__init__", "main"), f"{where} has no docstring"
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        annotations = [*(each.annotation for each in arguments if each.annotation), *filter(None, [node.returns])]
        assert not any(map(bare_arrays, annotations)), f"{where} has an array without a shape"


def test_no_public_name_is_defined_in_two_wings() -> None:
    """Who reads a name need not ask which of two is meant. Routes are named by the addresses that they answer."""
    wings: dict[str, dict[str, str]] = {}
    for path in ours(*SHIPPED, "training", "bench"):
        module = module_of(path)
        for node in public_definitions(path):
            if not is_registered(node):
                wings.setdefault(node.name, {})[wing_of(module)] = module
    twice = {name: sorted(where.values()) for name, where in wings.items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in NAMED_TWICE} == {}
    assert NAMED_TWICE.keys() <= twice.keys(), "an exception is none any more"


def test_nothing_is_there_for_its_tests_alone() -> None:
    """What neither the product, nor a benchmark, nor the training reaches has no business in the product."""
    unreached = only_tests_reach()
    assert [name for name in unreached if not name.startswith(tuple(CALLED_BY_OTHERS))] == []
    for exception in CALLED_BY_OTHERS:
        assert any(name.startswith(exception) for name in unreached), f"{exception} is no exception any more"


def test_the_page_for_the_next_engineer_names_what_is_there() -> None:
    """Folders, files and capitals that docs/architecture.md speaks of; NAME stands for a new one."""
    page = (ROOT / "docs/architecture.md").read_text()
    paths = set(re.findall(r"`((?:recon|web_3d_app|training|bench|tests|docs)(?:/\w+)*(?:\.\w+)?)`", page))
    assert len(paths) > 30
    for path in paths:
        assert "NAME" in path or (ROOT / path).exists(), path
    source = "".join(path.read_text() for path in ours())
    for word in re.findall(r"`([A-Z_]{4,}|[A-Z][a-z]+[A-Za-z]+)`", page):
        assert re.search(rf"\b{word}\b", source), word
