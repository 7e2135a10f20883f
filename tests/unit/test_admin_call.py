"""Commands that reach an admin listener, when something else answers or the key is odd."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from pricing_proxy.__main__ import app

_COMMANDS = [
    ["gate", "open", "prod"],
    ["poison", "show"],
    ["poison", "clear"],
    ["explain", "C-1", "S-1", "--market", "b2b_de"],
]


class _Stranger(HTTPServer):
    """Some other program; keeps the keys that it was shown."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.body = "{}"
        self.status = 200
        self.keys: list[bytes] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answering(BaseHTTPRequestHandler):
    server: _Stranger

    def do_GET(self) -> None:
        self.server.keys.append(self.headers["X-API-Key"].encode("latin-1"))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = self.server.body.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 -- the library's name

    def log_message(self, *_: object) -> None:
        """Tell nobody."""


@pytest.fixture
def stranger() -> Iterator[_Stranger]:
    server = _Stranger()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("command", _COMMANDS)
@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("body", ['{"a": 1}', "[]", "null", '"text"', "1", "<html>"])
def test_a_foreign_answer_is_told_as_one(
    stranger: _Stranger, command: list[str], status: int, body: str
) -> None:
    """An address may lead to anything, also to what speaks JSON; no traceback helps then."""
    stranger.body, stranger.status = body, status

    result = CliRunner().invoke(app, [*command, "--url", stranger.url, "--key", "k"])

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    is_problem = status == 404 and body == '{"a": 1}'
    assert is_problem or "is not this service's admin listener" in result.stderr


@pytest.mark.parametrize("command", _COMMANDS)
def test_a_key_of_any_letters_is_asked_for(stranger: _Stranger, command: list[str]) -> None:
    """Pasted keys have typographic dashes; the service says that it knows no such key."""
    stranger.body = json.dumps({"detail": "This key is not known."})
    stranger.status = 401

    result = CliRunner().invoke(app, [*command, "--url", stranger.url, "--key", "pp\u2013k€y"])

    assert result.exit_code == 1
    assert "This key is not known." in result.stderr
    assert stranger.keys == ["pp\u2013k€y".encode()]
