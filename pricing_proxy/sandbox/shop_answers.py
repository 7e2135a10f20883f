"""Answer the control port's requests about the shop; a refusal of the shop keeps its words."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from pricing_proxy.sandbox.control_answers import unprocessable
from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.shop.wire import RefusedError, to_json


def done(act: Callable[[], Any], *, status: int = 200) -> web.Response:
    """Answer with what an action returns, or with why it was refused."""
    try:
        return answered(act(), status=status)
    except BadMemberError as error:
        raise unprocessable(error) from error
    except RefusedError as refused:
        return answered({"detail": str(refused), **refused.body}, status=refused.status)


def answered(body: Any, *, status: int = 200) -> web.Response:
    """Return a body as JSON, with the shop's numbers."""
    return web.Response(body=to_json(body), status=status, content_type="application/json")
