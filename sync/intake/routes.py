"""`POST /v1/events/magento`: the shop says that something changed.

    202  taken; what it is about is looked up in the shop itself
    400, 415, 422  the body is not what is agreed, with pointers
    401  not signed by the shop, or too old
    409  the event id was used before: somebody repeats a recorded request
    413  longer than 16 KB

Nothing of a request reaches a log.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Protocol

import orjson
from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetPydanticSchema
from pydantic_core.core_schema import literal_schema

from pricing_proxy.listening.connection import accept
from pricing_proxy.listening.refusals import read_whole, require_json
from pricing_proxy.problem_details import ProblemError
from sync.flows import FLOWS
from sync.intake.agreed_bodies import agreed
from sync.intake.hints import Hint, Hints, kind_of
from sync.intake.problems import REPEATED_EVENT
from sync.intake.signature import claim_of

_EVENTS = [event for flow in FLOWS for event in flow.hints]
_LONGEST_ID = 16
_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def _as_number(value: object) -> object:
    # As Magento answers who places an order: "17".
    if not isinstance(value, str) or not (value.isascii() and value.isdecimal()):
        return value
    return int(value) if len(value) <= _LONGEST_ID else value


class ShopEvent(BaseModel):
    """The agreed body; further members are ignored, since shops are updated on their own."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    type: Annotated[str, GetPydanticSchema(lambda *_: literal_schema(_EVENTS))]
    entity_id: Annotated[int, Field(ge=1, lt=2**53), BeforeValidator(_as_number)]
    increment_id: Annotated[str, Field(max_length=32)] | None = None


class EventMemory(Protocol):
    """Remembers event ids for a day."""

    async def is_new(self, event_id: str) -> bool:
        """Note the id; return whether it was not noted before."""
        ...


class IntakeRoutes:
    """The handlers.

    Args:
        secrets: What the shop signs with; more than one while it is being replaced.
        seen: Which events were heard of.
        hints: Where they go.
        utc: The time.
    """

    def __init__(
        self,
        *,
        secrets: Sequence[str],
        seen: EventMemory,
        hints: Hints[Hint],
        utc: Callable[[], datetime],
    ) -> None:
        self._secrets = tuple(secrets)
        self._seen = seen
        self._hints = hints
        self._utc = utc

    def add_to(self, app: web.Application) -> None:
        """Answer under the path."""
        app.router.add_post("/v1/events/magento", self.post)

    async def post(self, request: web.Request) -> web.Response:
        """Take a hint."""
        try:
            return await self._take(request)
        except ProblemError as problem:
            return problem.response()

    async def _take(self, request: web.Request) -> web.Response:
        # A stranger hears nothing but that they are one, whatever else is wrong with what they
        # send; the body is not even read for a head that no shop of ours sent just now.
        claim = claim_of(request.headers, now=self._utc())
        body = await read_whole(request)
        claim.verify(body, secrets=self._secrets)
        accept(request)
        require_json(request)
        event = agreed(ShopEvent, body)
        if not await self._seen.is_new(claim.event_id):
            raise ProblemError(REPEATED_EVENT)
        is_taken = self._hints.take(Hint(kind_of(event.type), event.entity_id))
        answer = {"state": "taken" if is_taken else "left to the next poll"}
        return web.Response(status=202, body=orjson.dumps(answer), headers=_HEADERS)
