"""A fake Redis that several programs or loops share over TCP, for one test.

from tests.fakes.redis_server import fake_redis_port  # the name is the fixture
"""

import threading
from collections.abc import Iterator

import pytest
from fakeredis import TcpFakeServer


@pytest.fixture
def fake_redis_port() -> Iterator[int]:
    """Return the port of a fake that is empty; it refuses INFO, as managed servers may."""
    running = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield int(running.server_address[1])
    running.shutdown()
    running.server_close()
    thread.join()
