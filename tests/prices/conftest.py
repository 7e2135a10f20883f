"""Every async test of this folder runs in virtual time, and loses no error."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from tests.virtual_time import VirtualLoop, no_error_is_lost


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Name the loop that pytest-asyncio creates for each test here."""
    return {"virtual": VirtualLoop}


@pytest.fixture(autouse=True)
async def _nothing_is_lost() -> AsyncIterator[None]:
    """Fail a test that left an error of a task unretrieved."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualLoop):
        with no_error_is_lost(loop):
            yield
    else:
        yield  # tests that are not async get pytest-asyncio's own
