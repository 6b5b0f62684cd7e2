"""What our source says of itself, read as syntax trees: files, modules, definitions, and who reaches whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("gen.py", "app.py", "recon", "web_3d_app")
SHAPED = ("Float", "Float32", "Float64", "Int", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "Bool", "Shaped")
"""jaxtyping's annotations that carry a shape."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def ours(*folders: str) -> list[Path]:
    """Every Python file of ours under the given folders (of the shipped code, if none is given)."""
    roots = [ROOT / name for name in folders or SHIPPED]
    return sorted(p for root in roots if root.exists() for p in ([root] if root.is_file() else root.rglob("*.py")))


def module_of(path: Path) -> str:
    """The dotted name by which a file of ours is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    """A file's syntax tree, read once."""
    return ast.parse(path.read_text())


def public_definitions(path: Path) -> Iterator[Definition]:
    """The functions and classes of a module whose names do not begin with an underscore."""
    return (n for n in tree_of(path).body if isinstance(n, Definition) and not n.name.startswith("_"))


def public_functions(path: Path) -> Iterator[tuple[str, Function]]:
    """(name, or Class.name) of a module's public functions and of its public classes' public methods and `__init__`s."""
    for node in public_definitions(path):
        if not isinstance(node, ast.ClassDef):
            yield node.name, node
            continue
        for child in node.body:
            if isinstance(child, Function) and (child.name == "__init__" or not child.name.startswith("_")):
                yield f"{node.name}.{child.name}", child


def source_of(node: ast.ImportFrom, path: Path) -> str:
    """The absolute dotted name of the module that a `from … import` names."""
    package = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
    return ".".join([*package, *([node.module] if node.module else [])])


@cache
def imported(path: Path) -> dict[str, str]:
    """Local name → dotted name of everything that a file imports, wherever the statement stands."""
    found = {}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                found[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{source_of(node, path)}.{alias.name}" for alias in node.names}
    return found


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an attribute chain that begins with a name; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([*([node.id] if isinstance(node, ast.Name) else []), *reversed(parts)])


@dataclass
class Reach:
    """What a piece of code names: dotted names of ours, attributes by their last word, and words in its strings."""

    names: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)


def reach_of(node: ast.AST, path: Path) -> Reach:
    """What `node` names, its names being resolved by the module's imports, or as the module's own."""
    found, module, imports = Reach(), module_of(path), imported(path)
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            found.names.add(imports.get(child.id, f"{module}.{child.id}"))
        elif isinstance(child, ast.Attribute):
            found.attributes.add(child.attr)
            first, _, rest = dotted(child).partition(".")
            if first in imports:
                found.names.add(f"{imports[first]}.{rest}")
        elif isinstance(child, ast.ImportFrom):
            found.names |= {f"{source_of(child, path)}.{alias.name}" for alias in child.names}
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            found.words |= set(child.value.replace(":", ".").split())
    return found


def is_registered(node: Definition) -> bool:
    """Whether a decorator hands the function to someone who calls it: a route, a hook, a command."""
    calls = [dotted(each.func).split(".")[-1] for each in node.decorator_list if isinstance(each, ast.Call)]
    return isinstance(node, Function) and not {*calls} <= {"no_grad", "lru_cache", "wraps"}


def code_lines(node: Function) -> int:
    """Lines of a function from `def` to its end, its docstring left out."""
    documented = ast.get_docstring(node, clean=False) is not None
    docstring = node.body[0].end_lineno - node.body[0].lineno + 1 if documented else 0
    return node.end_lineno - node.lineno + 1 - docstring


def bare_arrays(annotation: ast.AST) -> bool:
    """Whether `ndarray` or `Tensor` stands in an annotation outside of a jaxtyping shape."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return bare_arrays(ast.parse(annotation.value, mode="eval").body)
        except SyntaxError:  # a Literal's word
            return False
    if isinstance(annotation, ast.Subscript) and dotted(annotation.value).split(".")[-1] in SHAPED:
        return False
    if dotted(annotation).split(".")[-1] in ("ndarray", "Tensor", "NDArray"):
        return True
    return any(bare_arrays(child) for child in ast.iter_child_nodes(annotation))


def wing_of(module: str) -> str:
    """The part of the house in which a module stands: a folder of the library, of the server or of the training."""
    path = ROOT / module.replace(".", "/")
    parts = module.split(".")
    inside = parts if path.is_dir() else parts[:-1] or parts
    return ".".join(inside[:2])


def own_methods(path: Path) -> Iterator[str]:
    """Class.name of the public methods that only code of ours can call: no override of a foreign class's, nothing that a
    decorator hands to someone."""
    for node in public_definitions(path):
        if not isinstance(node, ast.ClassDef):
            continue
        bases = [imported(path).get(dotted(base).split(".")[0], "") for base in node.bases]
        if any(base.split(".")[0] not in ("", "recon", "web_3d_app", "typing") for base in bases):
            continue
        for child in node.body:
            plain = isinstance(child, Function) and not child.name.startswith("_") and not is_registered(child)
            if plain and not {dotted(each).split(".")[-1] for each in child.decorator_list} & {"pre_load", "post_load"}:
                yield f"{node.name}.{child.name}"


def only_tests_reach() -> set[str]:
    """Functions, classes and public methods of the shipped code that neither it, nor a benchmark, nor the training names.

    One walk from everything that runs at import, from the benchmarks and from the training; a name that is reached brings
    in what its body names. Methods are told by their last word alone, so one is missed only where another has its name.
    """
    bodies: dict[str, Reach] = {}
    waiting: list[Reach] = []
    named: set[str] = set()
    methods: set[str] = set()
    for path in ours(*SHIPPED, "gunicorn.conf.py", "bench", "training"):
        module = module_of(path)
        shipped = module.split(".")[0] not in ("bench", "training")
        methods |= {f"{module}.{name}" for name in own_methods(path)} if shipped else set()
        for node in tree_of(path).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                continue
            reach = reach_of(node, path)
            if not isinstance(node, Definition) or not shipped or is_registered(node):
                waiting.append(reach)
                continue
            bodies[f"{module}.{node.name}"] = reach
            if not node.name.startswith("__"):
                named.add(f"{module}.{node.name}")
    reached: set[str] = set()
    attributes: set[str] = set()
    while waiting:
        reach = waiting.pop()
        attributes |= reach.attributes
        for name in (reach.names | reach.words) - reached:
            reached.add(name)
            if name in bodies:
                waiting.append(bodies[name])
    return (named - reached) | {name for name in methods if name.rsplit(".", 1)[1] not in attributes}
