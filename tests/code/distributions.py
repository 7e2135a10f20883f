"""What must be installed for the programs: as declared, and as imported."""

import ast
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions

from tests.code.sources import PROGRAMS, nodes, sources

OPEN_TELEMETRY = {
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry.exporter.otlp.proto.http": "opentelemetry-exporter-otlp-proto-http",
}


def required(requirements: Iterable[str]) -> set[str]:
    """Return the names in requirements such as "redis[hiredis]>=7.4"."""
    return {plain(re.split(r"[\[<>=]", text)[0]) for text in requirements}


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


def modules_imported() -> Iterator[str]:
    """Yield every module that the programs import."""
    for source in sources(*PROGRAMS):
        for node in nodes(source.tree, ast.Import, ast.ImportFrom):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module


def plain(name: str) -> str:
    """Return a distribution's name as pip compares it, and as locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()
