"""Private names of other libraries are known, explained, still there, and tested."""

import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from typing import Any

import procrastinate.schema
import pytest

from tests.code.private_names import QUEUE_SCHEMA, REACHED, Reached
from tests.code.sources import PROGRAMS, ROOT, Source, nodes, sources

LIBRARIES = ("aiohttp", "redis", "procrastinate")
# Said by their documentation to be used, in spite of their names.
DOCUMENTED = {"_replace", "_fields", "_mapping", "_exit"}
LISTED = {name for each in REACHED for name in each.names}


@pytest.mark.parametrize("reached", REACHED, ids=lambda reached: reached.names[0])
def test_the_library_still_has_the_name(reached: Reached) -> None:
    gone = [each for each in reached.names if not has(reached.owner, each)]
    assert not gone, (
        f"{reached.owner} of {installed(reached)} has no {', '.join(gone)} any more, needed so "
        f"that {reached.why}: find what took its place, then run {reached.held_by}"
    )


def test_the_queue_still_has_the_names_that_our_statements_use() -> None:
    schema = procrastinate.schema.SchemaManager.get_schema()
    assert [name for name in QUEUE_SCHEMA if name not in schema] == []


def test_each_use_is_listed_and_each_listed_name_is_used() -> None:
    found = set(used_names())
    assert sorted(found - LISTED) == [], "say why in tests/code/private_names.py, or do without"
    text = "".join(source.text for source in sources(*PROGRAMS))
    assert sorted(name for name in LISTED - found if name not in text) == []


@pytest.mark.parametrize("reached", REACHED, ids=lambda reached: reached.names[0])
def test_the_tests_that_hold_it_are_there(reached: Reached) -> None:
    assert (ROOT / reached.held_by).exists()


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_library_is_pinned_to_its_minor_version(library: str) -> None:
    major, minor, *_ = version(library).split(".")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bounds = [text for text in project["dependencies"] if re.match(rf"{library}[^-\w]", text)]
    assert len(bounds) == 1
    assert bounds[0].endswith(f">={major}.{minor},<{major}.{int(minor) + 1}")


def used_names() -> Iterator[str]:
    """Yield every private or overridden name of the libraries that the programs use."""
    for source in sources(*PROGRAMS):
        for node in nodes(source.tree, ast.Attribute, ast.ClassDef):
            if isinstance(node, ast.Attribute) and is_foreign(node):
                yield node.attr
            if isinstance(node, ast.ClassDef) and node in source.tree.body:
                yield from names_of_ours(source, node)


def is_foreign(node: ast.Attribute) -> bool:
    """Return whether it is a private name of something that is not the object itself."""
    is_own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}
    is_private = node.attr.startswith("_") and not node.attr.startswith("__")
    return is_private and not is_own and node.attr not in DOCUMENTED


def names_of_ours(source: Source, definition: ast.ClassDef) -> Iterator[str]:
    """Yield what a class of ours overrides of its libraries' classes, or uses of their insides."""
    theirs = theirs_of(source, definition)
    for node in nodes(definition) if theirs else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = node.name
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self":
            name = node.attr if node.attr.startswith("_") else ""
        else:
            continue
        if name and not name.startswith("__") and any(has(base, name) for base in theirs):
            yield name


def theirs_of(source: Source, definition: ast.ClassDef) -> list[type]:
    """Return the classes of the libraries that a class is made of."""
    if not definition.bases:
        return []
    ours = getattr(importlib.import_module(source.name), definition.name)
    return [base for base in inspect.getmro(ours) if base.__module__.split(".")[0] in LIBRARIES]


def has(owner: Any, name: str) -> bool:
    """Return whether a class or module has a name, be it in its instances only."""
    return hasattr(owner, name) or f"self.{name}" in source_of(owner)


@cache
def source_of(owner: Any) -> str:
    """Return the text of a class or module; empty for what is compiled."""
    try:
        return inspect.getsource(owner)
    except (OSError, TypeError):
        return ""


def installed(reached: Reached) -> str:
    """Return library and version, for people."""
    module = inspect.getmodule(reached.owner)
    library = module.__name__.split(".")[0] if module else ""
    return f"{library} {version(library)}"
