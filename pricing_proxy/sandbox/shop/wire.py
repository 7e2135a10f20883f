"""Bodies as Magento writes them: PHP's numbers, its error envelope, and a cookie with each."""

import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

import orjson
from aiohttp import web

JSON_TYPE = "application/json; charset=utf-8"
_CRASH = "An error has happened during application run. See exception log for details.\n"


class RefusedError(Exception):
    """A request is refused with a message; the placeholders are the client's to fill.

    Attributes:
        status: The HTTP status.
        body: The envelope.
    """

    def __init__(
        self,
        status: int,
        message: str,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        errors: Sequence[Any] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message}
        if errors:
            self.body["errors"] = list(errors)
        if parameters:
            self.body["parameters"] = parameters


class CrashedError(Exception):
    """PHP itself fails: 500 in plain text, without an envelope."""


def required(field: str) -> RefusedError:
    """Return the refusal of a request that lacks a field."""
    message = '"%fieldName" is required. Enter and try again.'
    return RefusedError(400, message, {"fieldName": field})


def wrong_type(value: Any, kind: str, *, during: str | None = None) -> RefusedError:
    """Return the refusal of a value that is no `kind`; in a path it is not said `during` what."""
    text = f'The "{value}" value\'s type is invalid. The "{kind}" type was expected. '
    place = "" if during is None else f'Error occurred during "{during}" processing. '
    return RefusedError(400, f"{place}{text}Verify and try again.")


def internal_error() -> RefusedError:
    """Return the refusal that only the shop's own log explains."""
    report = f"webapi-{secrets.token_hex(7)[:13]}"
    text = f"Internal Error. Details are available in Magento log file. Report ID: {report}"
    return RefusedError(500, text)


def missing_entity() -> RefusedError:
    """Return the refusal of an id that no order or document has."""
    text = "The entity that was requested doesn't exist. Verify the entity and try again."
    return RefusedError(404, text)


def not_authorized(resource: str) -> RefusedError:
    """Return the refusal of somebody who may not use a resource, or of nobody known."""
    text = "The consumer isn't authorized to access %resources."
    return RefusedError(401, text, {"resources": resource})


def to_json(body: Any) -> bytes:
    """Return a body as JSON; numbers as PHP prints them, 10 and not 10.00."""
    return orjson.dumps(body, default=_number, option=orjson.OPT_NON_STR_KEYS)


def answer(body: Any, *, status: int = 200) -> web.Response:
    """Return a JSON response with the session cookie that Magento sets each time."""
    return _with_session(web.Response(body=to_json(body), status=status), JSON_TYPE)


def crash() -> web.Response:
    """Return what PHP answers when it fails before it can explain."""
    return _with_session(web.Response(body=_CRASH.encode(), status=500), "text/plain;charset=UTF-8")


def page(title: str, *, status: int, body: str = "") -> web.Response:
    """Return an HTML page of the shop; the body is markup already."""
    head = f"<head>\n    <title>{escape(title)}</title>\n</head>\n"
    html = f"<!doctype html>\n<html>\n{head}{body and f'<body>{body}</body>'}</html>\n"
    return _with_session(
        web.Response(body=html.encode(), status=status), "text/html; charset=UTF-8"
    )


def _with_session(response: web.Response, content_type: str) -> web.Response:
    response.headers["Content-Type"] = content_type
    session = secrets.token_hex(13)
    response.headers["Set-Cookie"] = f"PHPSESSID={session}; path=/; HttpOnly; SameSite=Lax"
    response.headers["Cache-Control"] = "no-store"
    return response


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal):
        text = f"{value:f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return orjson.Fragment(b"0" if text in ("", "-0") else text.encode())
    raise TypeError(f"no JSON form of {type(value).__name__}")
