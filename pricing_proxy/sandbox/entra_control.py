"""The control port's part for Entra ID: what apps prove themselves by, and its rotation.

POST /systems/entra/certificates   {"app": "demo-pricing", "days": 365, "keep_old": true}
POST /systems/entra/tokens         {"app": "demo-sync", "seconds": 3600, "claims": {"sub": "…"}}

Each answers where the file is; `app_proofs` says what else happens. A life below zero makes one
that has ended.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aiohttp import web

from pricing_proxy.sandbox.app_proofs import AppProofs, MadeFile
from pricing_proxy.sandbox.control_answers import read_members, unprocessable
from pricing_proxy.sandbox.dials import BadMemberError, flag
from pricing_proxy.sandbox.wire import json_answer, told_json

_MOST_DAYS = 3650
_MOST_SECONDS = 86_400


def add_entra_routes(app: web.Application, proofs: AppProofs) -> None:
    """Add the routes under `/systems/entra`."""
    control = _EntraControl(proofs)
    app.router.add_post("/systems/entra/certificates", control.certificate)
    app.router.add_post("/systems/entra/tokens", control.token)


class _EntraControl:
    def __init__(self, proofs: AppProofs) -> None:
        self._proofs = proofs

    async def certificate(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), told_json)
        try:
            _check_names(members, ("app", "days", "keep_old"))
            days = _whole(members, "days", usual=365, most=_MOST_DAYS)
            keep_old = flag("keep_old", members.get("keep_old", False))
            made = self._proofs.make_certificate(
                self._app(members), lives=timedelta(days=days), keep_old=keep_old
            )
        except BadMemberError as error:
            raise unprocessable(error) from error
        return _told(made, "thumbprint")

    async def token(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), told_json)
        try:
            _check_names(members, ("app", "seconds", "claims"))
            seconds = _whole(members, "seconds", usual=3600, most=_MOST_SECONDS)
            lives = timedelta(seconds=seconds)
            made = self._proofs.make_token(self._app(members), lives=lives, claims=_claims(members))
        except BadMemberError as error:
            raise unprocessable(error) from error
        return _told(made, "subject")

    def _app(self, members: Mapping[str, Any]) -> str:
        app = members.get("app")
        if app not in self._proofs.apps:
            raise BadMemberError("app", f"expected one of {', '.join(self._proofs.apps)}")
        return str(app)


def _told(made: MadeFile, named: str) -> web.Response:
    told = {"file": str(made.file), "ends_at": made.ends_at.isoformat(), named: made.named}
    return json_answer(told, status=201)


def _claims(members: Mapping[str, Any]) -> dict[str, Any]:
    claims = members.get("claims", {})
    if not isinstance(claims, dict):
        raise BadMemberError("claims", 'expected an object such as {"sub": "somebody"}')
    return claims


def _check_names(members: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in members:
        if name not in known:
            raise BadMemberError(name, f"unknown member; there are {', '.join(known)}")


def _whole(members: Mapping[str, Any], name: str, *, usual: int, most: int) -> int:
    value = members.get(name, usual)
    if type(value) is not int or value == 0 or abs(value) > most:
        raise BadMemberError(name, f"expected a whole number other than 0, -{most} to {most}")
    return value
