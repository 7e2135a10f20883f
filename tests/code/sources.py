"""The project's own source files, parsed once."""

import ast
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = ("pricing_proxy", "sync")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """One module.

    Attributes:
        path: From the project's root.
        name: As it is imported.
    """

    path: str
    name: str
    text: str
    tree: ast.Module


def sources(*folders: str) -> tuple[Source, ...]:
    """Return all modules of some folders."""
    return tuple(source for folder in folders for source in _sources(folder))


@cache
def _sources(folder: str) -> tuple[Source, ...]:
    # What other tests left, as sockets, warns while it is collected, and whoever warns parses:
    # within a parser of Python 3.11 that is a SystemError.
    gc.collect()
    # Millions of nodes that stay would be looked through again and again for garbage.
    gc.disable()
    try:
        return tuple(_read(path) for path in sorted((ROOT / folder).rglob("*.py")))
    finally:
        gc.freeze()
        gc.enable()


@cache
def nodes(tree: ast.AST, *kinds: type[ast.AST]) -> tuple[ast.AST, ...]:
    """Return a piece of a tree and all that is in it, or what of it is of some kinds.

    Kept: the rules look through the same pieces again and again, and walking takes longest.
    """
    if kinds:
        return tuple(node for node in nodes(tree) if isinstance(node, kinds))
    return tuple(ast.walk(tree))


def functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Yield every function with its name, classes and functions around it in front."""
    yield from _functions(tree, "")


def _functions(within: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for node in ast.iter_child_nodes(within):
        inner = prefix
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{prefix}.{node.name}".lstrip(".")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield inner, node
        yield from _functions(node, inner)


def _read(path: Path) -> Source:
    relative = path.relative_to(ROOT)
    parts = relative.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text()
    return Source(path=relative.as_posix(), name=name, text=text, tree=ast.parse(text))
