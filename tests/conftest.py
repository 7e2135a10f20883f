"""What holds for every test.

A run of the suite tries the same examples each time, so that it fails for a change and not
by chance; `make soak` looks for new ones, by `--hypothesis-profile=search`.
"""

import gc
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgres import database_url, empty_database_url, lent_databases, postgres

__all__ = ["database_url", "empty_database_url", "lent_databases", "postgres"]

# How long an example takes says nothing on a machine that does other things as well.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("same")

_TESTS = Path(__file__).parent
# Coverage is judged of the price path alone, by the tests of its own parts; and what is measured
# takes three times as long.
_MEASURED = (
    "agreements",
    "cache",
    "d365",
    "domain",
    "prices",
    "property",
    "resilience",
    "shared_state",
    "unit",
    "web",
)
_IMPORTS_SYNC = re.compile(r"^(from|import) sync\b", re.MULTILINE)


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Measure coverage by the tests of the price path alone."""
    for item in items:
        if not _is_measured(item.path):
            item.add_marker("no_cover")


@cache
def _is_measured(module: Path) -> bool:
    folder = module.relative_to(_TESTS).parts[0]
    return folder in _MEASURED and _IMPORTS_SYNC.search(module.read_text("utf-8")) is None


def pytest_collection_finish() -> None:
    """Set apart what was imported, which no test changes.

    Looking through it for garbage stops everything for a second, and tests that measure an
    answer's time with it.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Collect what tests left, as sockets of redis-py, before plugins load what they report with.

    Collected while Python 3.11 parses a module, it ends the run with a SystemError: what warns
    of it parses as well.
    """
    gc.collect()
