"""What holds for every test.

A run of the suite tries the same examples each time, so that it fails for a change and not
by chance; `make soak` looks for new ones, by `--hypothesis-profile=search`.
"""

import gc

import pytest
from hypothesis import settings

# How long an example takes says nothing on a machine that does other things as well.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("same")


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
