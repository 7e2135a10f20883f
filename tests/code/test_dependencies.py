"""Whatever is installed with the programs is used by them."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from tests.code.sources import PROGRAMS, ROOT, nodes, sources

# Used without being imported by us.
UNNAMED = {"tzdata": "zoneinfo reads it where the system has no time zones"}


def test_each_dependency_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {plain(re.split(r"[\[<>=]", text)[0]) for text in project["dependencies"]}
    used = {plain(name) for name in distributions_used()}
    assert sorted(declared - used - UNNAMED.keys()) == []
    assert sorted(UNNAMED.keys() - declared) == []


def distributions_used() -> Iterator[str]:
    """Yield what must be installed for the programs' imports."""
    provided = packages_distributions()
    for module in modules_imported():
        parts = module.split(".")
        if parts[0] == "opentelemetry":
            # Many distributions share this package.
            yield from (OPEN_TELEMETRY[key] for key in OPEN_TELEMETRY if module.startswith(key))
        else:
            yield from provided.get(parts[0], ())


OPEN_TELEMETRY = {
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry.exporter.otlp.proto.http": "opentelemetry-exporter-otlp-proto-http",
}


def modules_imported() -> Iterator[str]:
    """Yield every module that the programs import."""
    for source in sources(*PROGRAMS):
        for node in nodes(source.tree, ast.Import, ast.ImportFrom):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module


def plain(name: str) -> str:
    """Return a distribution's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
