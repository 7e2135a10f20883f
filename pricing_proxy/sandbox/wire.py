"""Bodies as Dynamics 365 writes them: exact numbers, and the envelope of its errors."""

import json
from decimal import Decimal
from typing import Any

import orjson
from aiohttp import web


def to_json(body: Any) -> bytes:
    """Return a body as JSON; a Decimal keeps its own text, so 19.00 stays 19.00."""
    return orjson.dumps(body, default=_number)


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(f"{value:f}".encode())
    raise TypeError(f"no JSON form of {type(value).__name__}")


def from_json(body: bytes) -> Any:
    """Return parsed JSON with its fractions as exact decimals.

    Raises:
        ValueError: The bytes are not JSON, or a text in it has half of a surrogate pair.
    """
    return whole_texts(json.loads(body, parse_float=Decimal))


def told_json(body: bytes) -> Any:
    """Return the same with fractions as they are usually read; raises `ValueError` alike."""
    return whole_texts(json.loads(body))


def whole_texts(parsed: Any) -> Any:
    """Return parsed JSON; raises `ValueError` where a text in it has half of a surrogate pair.

    Neither system takes that for a text, and no answer could repeat it.
    """
    json.dumps(parsed, ensure_ascii=False, default=str).encode()
    return parsed


def json_answer(body: Any, *, status: int = 200) -> web.Response:
    """Return a JSON response as the services of F&O send it."""
    return web.Response(body=to_json(body), status=status, content_type="application/json")


def error_body(message: str, *, kind: str) -> dict[str, Any]:
    """Return the envelope of an error that the application itself reports."""
    inner = {"message": message, "type": kind, "stacktrace": "   at Microsoft.Dynamics.Ax.Xpp"}
    return {"error": {"code": "", "message": "An error has occurred.", "innererror": inner}}


def application_error(message: str, *, kind: str, status: int = 500) -> web.Response:
    """Return an error that the application itself reports: it read the request and says why not."""
    return json_answer(error_body(message, kind=kind), status=status)


def invalid_operation(message: str) -> web.Response:
    """Return what an exception inside a service or an action looks like."""
    return application_error(message, kind="System.InvalidOperationException")
