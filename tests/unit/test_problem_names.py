"""Problems have names: a status stands with its code and its words in a registry, nowhere else."""

import ast
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pricing_proxy
import sync

ROOMS = (
    Path(pricing_proxy.__file__).parent / "web",
    Path(pricing_proxy.__file__).parent / "listening",
    Path(sync.__file__).parent / "intake",
)
REGISTRY = "problems.py"
# A process that is not ready is no problem of the caller's; the other is a parameter of aiohttp's.
NO_PROBLEM = {("health.py", 503), ("routes.py", 503), ("connection.py", 500)}


def test_a_status_stands_in_a_registry_alone() -> None:
    """Found in the source: one beside it would be a problem that nobody can look up."""
    statuses = {status.value for status in HTTPStatus if 400 <= status < 600}
    found = {
        (path.name, node.value)
        for path, tree in trees()
        if path.name != REGISTRY
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value in statuses
    }

    assert found == NO_PROBLEM


def test_every_name_is_raised_somewhere() -> None:
    named: set[str] = set()
    used: set[str] = set()
    for path, tree in trees():
        nodes = list(ast.walk(tree))
        if path.name == REGISTRY:
            named |= {each for node in nodes for each in named_by(node)}
        else:
            used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
            used |= {node.id for node in nodes if isinstance(node, ast.Name)}

    assert len(named) > 60
    assert named <= used


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in (path for room in ROOMS for path in room.glob("*.py")):
        yield path, ast.parse(path.read_text())


def named_by(node: ast.AST) -> Iterator[str]:
    """Yield the name that an assignment gives to a problem."""
    match node:
        case ast.Assign(
            targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="Problem" | "_token"))
        ):
            yield name
