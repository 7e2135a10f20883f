"""Speak to the control port of a sandbox that runs, from the command line.

Every failure ends the command: exit code 2, one line on stderr that says what to do.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console

from pricing_proxy.sandbox.listener import LOOPBACK

_MISUSE = 2
# A control port answers from memory; longer means that it is not one.
_TIMEOUT_SECONDS = 10


def control_address(port: int, path: str) -> str:
    """Return the address of something of a system's, such as "fo/dials"."""
    return f"http://{LOOPBACK}:{port}/systems/{path}"


def ask(method: str, address: str, members: Mapping[str, Any] | None) -> Any:
    """Return the JSON of an answer; ends the command with what is wrong."""
    body = None if members is None else json.dumps(members).encode()
    request = urllib.request.Request(address, data=body, method=method)  # noqa: S310 - our own http address
    # No proxy of the environment may come between us and loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            raise failure(_detail(error.read())) from error
    except OSError as error:
        raise failure(
            f"no sandbox answers at {address}; start it, or give --control-port"
        ) from error
    return json.loads(text) if text else None


def failure(message: str) -> typer.Exit:
    """Print what went wrong, and return what ends the command."""
    Console(stderr=True).print(f"Error: {message}", highlight=False, soft_wrap=True, markup=False)
    return typer.Exit(_MISUSE)


def _detail(problem: bytes) -> str:
    try:
        return str(json.loads(problem)["detail"])
    except (ValueError, KeyError, TypeError):
        return "the control port refused, without saying why"
