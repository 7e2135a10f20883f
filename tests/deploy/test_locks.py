"""Production runs what was tested: its lock is a part of the one that the tests ran with."""

import tomllib
from typing import Any

from tests.code.distributions import distributions_used, plain, required
from tests.code.sources import ROOT
from tests.deploy.locks import FULL, RUNTIME, locked

OURS = "pricing-proxy"


def test_the_runtime_lock_is_a_part_of_the_full_one() -> None:
    """Same version, same marker, same hashes; a lock resolved on another day would differ."""
    full = locked(FULL)
    assert {
        name: package for name, package in locked(RUNTIME).items() if full.get(name) != package
    } == {}


def test_each_locked_package_names_what_may_be_installed() -> None:
    assert [name for name, package in locked(FULL).items() if not package.hashes] == []


def test_production_has_no_tools_and_no_embedded_postgresql() -> None:
    declared = project()
    tools = required(
        [*declared["dependency-groups"]["dev"], *embedded(declared)],
    )
    assert sorted(tools & locked(RUNTIME).keys()) == []
    assert tools <= locked(FULL).keys()


def test_production_has_what_is_declared_and_what_is_imported() -> None:
    declared = project()
    needed = required(declared["project"]["dependencies"])
    imported = {plain(name) for name in distributions_used()} - required(embedded(declared))
    assert sorted((needed | imported) - locked(RUNTIME).keys() - {OURS}) == []


def project() -> dict[str, Any]:
    """Return what the project declares."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def embedded(declared: dict[str, Any]) -> list[str]:
    """Return what only an embedded PostgreSQL needs."""
    found: list[str] = declared["project"]["optional-dependencies"]["embedded"]
    return found
