"""End the process although a thread waits: msal's, for an Entra ID that does not answer."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from pricing_proxy.exit_codes import Exit


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process right away: a thread that waits for Entra ID cannot be ended."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    before = signal.signal(signal.SIGINT, lambda *_: leave(Exit.INTERRUPTED))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def leave(code: int) -> NoReturn:
    """End the process without waiting for its threads; nothing is held that needs closing."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
