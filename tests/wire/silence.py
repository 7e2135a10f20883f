"""Strangers that connect and say nothing, and a program that may open only a few files."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

STRANGERS = 120
FILES = 128


@contextmanager
def strangers(port: int, count: int = STRANGERS) -> Iterator[None]:
    """Hold so many connections that say nothing."""
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
        yield


@contextmanager
def files_at_most(count: int | None) -> Iterator[None]:
    """Let programs that are started inside open so many files, and us as many as before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count or soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
