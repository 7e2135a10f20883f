"""Who may import whom holds for each flow of the list, without being listed once more."""

import ast
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sync.description import Description
from sync.flows import FLOWS
from tests.code.sources import Source, nodes, sources

PACKAGES = {flow.name: flow.build.__module__.rpartition(".")[0] for flow in FLOWS}
# They put flows together, or work on what those have done.
ABOVE = ("sync.check", "sync.console", "sync.flows", "sync.serve", "sync.settings")
# They know no flow by name; `sync.serve` reads the rules of orders for what all flows share.
BELOW = (
    "sync.alerts",
    "sync.description",
    "sync.engine",
    "sync.given",
    "sync.intake",
    "sync.magento",
    "sync.papers",
    "sync.sales",
    "sync.sections",
    "sync.store",
)
# Libraries that have another owner.
OWNED = ("aiohttp", "alembic", "msal", "procrastinate", "psycopg", "redis", "sqlalchemy")


def within(name: str, *packages: str) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in packages)


def imported(source: Source) -> Iterator[str]:
    for node in nodes(source.tree, ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def imports_of(*packages: str) -> set[tuple[str, str]]:
    """Return who imports what, within packages."""
    return {
        (source.name, name)
        for source in sources("sync")
        if within(source.name, *packages)
        for name in imported(source)
    }


@pytest.mark.parametrize("flow", FLOWS, ids=PACKAGES)
def test_a_flow_knows_no_other_nor_who_runs_it(flow: Description[Any]) -> None:
    own = PACKAGES[flow.name]
    others = {package for package in PACKAGES.values() if package != own}

    found = imports_of(own)

    assert found
    assert [each for each in found if within(each[1], *others, *ABOVE, *OWNED)] == []


def test_what_is_below_the_flows_knows_none() -> None:
    """Only what hears the shop reads the list, for the words that it may use."""
    found = imports_of(*BELOW)

    assert found
    assert [each for each in found if within(each[1], *PACKAGES.values())] == []


def test_each_flow_has_the_same_inner_modules() -> None:
    for flow in FLOWS:
        package = PACKAGES[flow.name]
        names = {source.name.removeprefix(f"{package}.") for source in sources("sync")}
        # What carries a mirror is the same for all.
        own = "flow" if flow.mirrors is None else "writer"
        assert {"building", "mapping", "ports", "rules", "source", own} <= names
        assert sys.modules[f"{package}.rules"].FLOW in PACKAGES
