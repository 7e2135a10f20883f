"""Hear the sync's alerts on a loopback port, as a chat or a pager would."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_LONGEST = 100_000


@contextmanager
def hearing_alerts(port: int, tell: Callable[[str], None]) -> Iterator[int]:
    """Listen for apprise's JSON messages; yields the port.

    Args:
        port: 0 for any free one.
        tell: Given each message's title and text, from a thread of the listener.
    """

    class Hearing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = _text(self.rfile.read(min(_LONGEST, _length(self.headers["Content-Length"]))))
            if text is not None:
                tell(text)
            self.send_response(HTTPStatus.BAD_REQUEST if text is None else HTTPStatus.OK)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing of requests: the screen belongs to the table."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Hearing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _length(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def _text(body: bytes) -> str | None:
    """Return an alert as it is shown, None when the body is none."""
    try:
        alert = json.loads(body)
    except ValueError:
        return None
    if not isinstance(alert, dict) or not isinstance(alert.get("message"), str):
        return None
    return f"{alert.get('title', '')}\n{alert['message']}"
