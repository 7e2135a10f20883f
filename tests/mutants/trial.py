"""Run tests over one seeded mistake, in a child of a process that has the libraries imported.

Importing them takes five times as long as what is tried; ours are imported in each child, the
file with the mistake in place of its module's own.
"""

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

from pricing_proxy.children import tie
from tests.patience import PATIENCE_SECONDS

# What the tests import of others, and takes longest. What is missing here only takes longer.
_LIBRARIES = (
    "aiohttp.web",
    "aiohttp_jinja2",
    "alembic.command",
    "cachetools",
    "fakeredis.aioredis",
    "hypothesis.strategies",
    "jwt",
    "msal",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk.metrics",
    "orjson",
    "procrastinate",
    "psycopg_pool",
    "pydantic",
    "pytest_asyncio.plugin",
    "pytest_timeout",
    "redis.asyncio.sentinel",
    "sqlalchemy.ext.asyncio",
    "tenacity",
)
# All plugins would take longer than the tests do.
_PLUGINS = ("pytest_asyncio.plugin", "pytest_timeout")


def tried(tests: Sequence[str], told: Path, *, instead: tuple[str, Path] | None) -> int | None:
    """Run tests in a process of their own, and return what pytest ended with.

    Args:
        tests: As pytest is told of them, from the project's folder.
        told: A file that gets what pytest says.
        instead: A module's name and the file that is imported as it.

    Returns:
        The exit code; negative for a signal, None if they hang.
    """
    forking = get_context("forkserver")
    forking.set_forkserver_preload(list(_LIBRARIES))
    child = forking.Process(target=_run, args=(list(tests), told, instead))
    child.start()
    child.join(PATIENCE_SECONDS)
    if child.exitcode is None:
        child.kill()
        return None
    return child.exitcode


class _Instead(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, file: Path) -> None:
        self._module = module
        self._file = file

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if name != self._module:
            return None
        return importlib.util.spec_from_file_location(name, self._file)


class _Settings:
    """What pytest is told by what is not loaded here, and how examples are looked for."""

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "no_cover: pytest-cov's")
        # The first example that fails is enough: finding a smaller one takes ten times as long.
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile(
            "first", deadline=None, derandomize=True, database=None, phases=phases
        )
        hypothesis.settings.load_profile("first")


def _run(tests: list[str], told: Path, instead: tuple[str, Path] | None) -> None:
    gc.freeze()
    output = os.open(told, os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    tie(os.getppid(), signal.SIGKILL)
    if instead is not None:
        assert instead[0] not in sys.modules, "imported before its tests"
        sys.meta_path.insert(0, _Instead(*instead))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = ["-q", "-x", "-p", "no:cacheprovider", "--timeout", "0", *tests]
    plugins = [*map(import_module, _PLUGINS), _Settings()]
    sys.exit(int(pytest.main(arguments, plugins=plugins)))
