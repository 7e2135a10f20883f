"""How the control port refuses: problem+json that names the member."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import web

from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.wire import to_json


def read_members(body: bytes, parse: Callable[[bytes], Any]) -> dict[str, Any]:
    """Return the members of a JSON object; raises `web.HTTPBadRequest` when it is none."""
    try:
        members = parse(body)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise web.HTTPBadRequest(**problem("bad_json", 400, "The body is not a JSON object.", []))
    return members


def whole(name: str, text: str) -> int:
    """Return a whole number of a query; raises `BadMemberError`."""
    if not (text.isascii() and text.isdecimal()):
        raise BadMemberError(name, "expected a whole number")
    return int(text)


def checked(members: Mapping[str, Any], *known: str) -> None:
    """Raise `BadMemberError` for a member that is not known."""
    for name in members:
        if name not in known:
            raise BadMemberError(name, f"unknown; there are {', '.join(known)}")


def number_of(name: str, value: Any) -> Decimal:
    """Return a finite number; raises `BadMemberError`."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadMemberError(name, "expected a number, such as 12.5") from None
    if not number.is_finite():
        raise BadMemberError(name, "expected a number, such as 12.5")
    return number


def unprocessable(error: BadMemberError) -> web.HTTPUnprocessableEntity:
    """Return the refusal that names the member."""
    pointer = "/" + error.member.replace("~", "~0").replace("/", "~1")
    named = {"pointer": pointer, "code": "bad_member", "detail": error.detail}
    return web.HTTPUnprocessableEntity(**problem("bad_member", 422, str(error), [named]))


def problem(code: str, status: int, detail: str, errors: list[dict[str, str]]) -> dict[str, Any]:
    """Return the keywords of an aiohttp refusal with a problem+json body."""
    body = {
        "type": f"/problems/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "errors": errors,
    }
    return {"text": to_json(body).decode(), "content_type": "application/problem+json"}
