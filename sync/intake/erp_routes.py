"""`POST /v1/events/d365`: the ERP says by a business event that something changed.

    202  heard: taken, or known already, or of no concern, as `state` and `reason` say
    400, 422  the body is no envelope of a business event, with pointers
    401  without the secret, which stands in the path (`/v1/events/d365/{secret}`) or a header
    413  longer than 16 KB

F&O signs nothing that is documented, tries three times within seconds, and sends in any order.
So an event that comes again is answered like the first: what else would end in F&O's error log,
for a person to send by hand what was heard long ago. Nothing of a request reaches a log but the
name of a company that is no market's.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Annotated, NamedTuple

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from pricing_proxy.listening.connection import accept
from pricing_proxy.listening.refusals import read_whole
from pricing_proxy.problem_details import ProblemError
from sync.erp_events import ErpEvent
from sync.intake.agreed_bodies import agreed
from sync.intake.hints import Hints
from sync.intake.interests import Interests
from sync.intake.problems import WRONG_SECRET

_log = logging.getLogger(__name__)

_PATH = "/v1/events/d365"
_GUID = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
# A company's name has four letters, so a sender of many is no ERP of ours.
_MOST_STRANGERS = 20
_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


class Reception(StrEnum):
    """What becomes of an event."""

    TAKEN = "taken"
    LEFT = "left to the next run"
    KNOWN = "known"
    IGNORED = "ignored"


class BusinessEvent(BaseModel):
    """The envelope, of which each event has further members by its contract.

    Attributes:
        name: Which event of the catalog.
        event_id: Of this one; the same when it is sent again.
        company: Where it happened; none for an event that has no company.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    name: Annotated[str, Field(alias="BusinessEventId", min_length=1, max_length=200)]
    event_id: Annotated[str, Field(alias="EventId", pattern=_GUID)]
    company: Annotated[str, Field(alias="LegalEntity", max_length=4)] = ""

    @property
    def texts(self) -> dict[str, str]:
        """What else it says in texts."""
        more = self.model_extra or {}
        return {name: value for name, value in more.items() if isinstance(value, str)}


class ErpHint(NamedTuple):
    """An event on its way to one flow."""

    flow: str
    event: ErpEvent


class ErpRoutes:
    """The handler.

    Args:
        secrets: What F&O's endpoints were given; more than one while it is being replaced.
        header: Where the secret stands, if not in the path.
        is_new: Notes an event's id for a day; whether it was not noted before.
        interests: Who wants to hear of what.
        hints: Where events go.
        heard: Counts them by what becomes of them.
    """

    def __init__(
        self,
        *,
        secrets: Sequence[str],
        header: str,
        is_new: Callable[[str], Awaitable[bool]],
        interests: Interests,
        hints: Hints[ErpHint],
        heard: Callable[[str], None],
    ) -> None:
        self._secrets = tuple(secrets)
        self._header = header
        self._is_new = is_new
        self._interests = interests
        self._hints = hints
        self._heard = heard
        self._strangers: set[str] = set()

    def add_to(self, app: web.Application) -> None:
        """Answer under the two paths."""
        app.router.add_post(_PATH, self.post)
        app.router.add_post(f"{_PATH}/{{secret}}", self.post)

    async def post(self, request: web.Request) -> web.Response:
        """Take an event."""
        try:
            # Of a stranger's request not even the body is read.
            self._let_in(request)
            accept(request)
            event = agreed(BusinessEvent, await read_whole(request))
        except ProblemError as problem:
            return problem.response()
        state, reason = await self._take(event)
        self._heard(state)
        answer = {"state": state, **({"reason": reason} if reason else {})}
        return web.Response(status=202, body=orjson.dumps(answer), headers=_HEADERS)

    def _let_in(self, request: web.Request) -> None:
        in_path = request.match_info.get("secret", "")
        given = (in_path or request.headers.get(self._header, "")).encode(errors="surrogatepass")
        right = [hmac.compare_digest(given, secret.encode()) for secret in self._secrets]
        if not any(right):
            raise ProblemError(WRONG_SECRET)

    async def _take(self, event: BusinessEvent) -> tuple[Reception, str]:
        if not self._interests.knows(event.company):
            self._note(event.company)
            return Reception.IGNORED, "No market is of the company that LegalEntity names."
        concerned = self._interests.of(event.name, event.company)
        if not concerned:
            return (
                Reception.IGNORED,
                "No flow that is on asks for the event that BusinessEventId names.",
            )
        # Letters of a GUID mean the same in both cases; a slash is in no id of the shop's.
        if not await self._is_new(f"d365/{event.event_id.lower()}"):
            return Reception.KNOWN, ""
        # Whether or not one finds no room, each is offered.
        taken = [
            self._hints.take(
                ErpHint(flow, ErpEvent(name=event.name, markets=markets, members=event.texts))
            )
            for flow, markets in concerned.items()
        ]
        return (Reception.TAKEN if all(taken) else Reception.LEFT), ""

    def _note(self, company: str) -> None:
        folded = company.casefold()
        if folded not in self._strangers and len(self._strangers) < _MOST_STRANGERS:
            self._strangers.add(folded)
            _log.warning("business events of company %r are ignored: it is no market's", company)
