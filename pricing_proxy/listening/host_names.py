"""Refuse requests under a name that is not ours, where pages ask for no login.

A page in an operator's browser can make its own name lead to 127.0.0.1, and would then read
what only this machine may reach. Its requests carry that name in `Host`; so only `localhost`,
IP addresses, and configured names are answered. Health is: load balancers use any name.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Annotated

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import Field

from pricing_proxy.listening.problems import UNKNOWN_HOST
from pricing_proxy.problem_details import ProblemError

HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")]
"""A name as a browser's address bar shows it, without a port."""

_HEALTH = {"/health/live", "/health/ready"}
_OURS = "localhost"
_HOST = re.compile(r"(\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]*))(:[0-9]*)?")


def refusing_other_names(names: Iterable[str] = ()) -> Middleware:
    """Return a middleware that answers 421 to requests under any other name.

    Args:
        names: Names that are ours, beside `localhost`.
    """
    ours = {_OURS, *(_plain(name) for name in names)}

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in _HEALTH or _is_ours(request.headers.get("Host"), ours):
            return await handler(request)
        return ProblemError(UNKNOWN_HOST).response()

    return refuse


def _is_ours(host: str | None, ours: set[str]) -> bool:
    if host is None:
        return True  # HTTP/1.0; browsers always send one
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found["address"] or found["name"]
    return _plain(name) in ours or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")
