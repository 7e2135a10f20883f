"""`POST /v1/invalidations`: what changed in the ERP must not be shown as current any more.

Answered 202 once Redis applied it, with its position in the market's ledger: every process
obeys it within the lease, as a rule within milliseconds. This process obeys at once, and also
while Redis is away; but then the answer is 503, for the others do not know. A name that the ERP
does not have is a 404 (`known_names`), for a slip must not pass for a change.
"""

import logging
from collections.abc import Mapping
from typing import Any, cast

import orjson
from aiohttp import web

from pricing_proxy.clock import Clock
from pricing_proxy.domain.freshness import SECOND_US, Level
from pricing_proxy.prices.invalidations import Invalidations, Ledger
from pricing_proxy.prices.market import Market
from pricing_proxy.problem_details import ProblemError
from pricing_proxy.shared_state.ledger import Scope, ScopeKind
from pricing_proxy.shared_state.maps import SharedStateError
from pricing_proxy.telemetry.metrics import Metrics
from pricing_proxy.web.access import Access
from pricing_proxy.web.handling import JSON_HEADERS, Asked
from pricing_proxy.web.known_names import KnownNames
from pricing_proxy.web.markets import find_market
from pricing_proxy.web.problems import LEDGER_UNAVAILABLE, TOO_OFTEN
from pricing_proxy.web.schemas import InvalidationBody

_log = logging.getLogger(__name__)

# Forgetting everything makes every customer cold at once: a slip must not repeat it.
_ALL_HARD_EVERY_US = 60 * SECOND_US


class InvalidationRoutes:
    """The handler.

    Args:
        invalidations: What this process obeys.
        ledger: What all processes obey.
        markets: Every market by its code.
        access: Who may invalidate everything.
        metrics: Where they are counted.
        clock: Time.
    """

    def __init__(
        self,
        *,
        invalidations: Invalidations,
        ledger: Ledger,
        markets: Mapping[str, Market],
        access: Access,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._invalidations = invalidations
        self._ledger = ledger
        self._markets = markets
        self._access = access
        self._metrics = metrics
        self._clock = clock
        self._names = KnownNames(clock)
        self._all_hard_us: dict[str, int] = {}

    async def post(self, asked: Asked[InvalidationBody]) -> web.Response:
        """Answer 202 with the position from which the change is known."""
        body = asked.body
        market = find_market(self._markets, body["market"])
        scope = await self._names.scope(market, cast("Mapping[str, Any]", body["scope"]))
        level = Level(body["level"])
        if scope.kind is ScopeKind.ALL and level is Level.HARD:
            self._access.require(asked.request, "invalidate_all_hard")
            self._require_pause(market.code)
        self._invalidations.tell(market.code, scope, level)
        position = await self._append(market.code, scope, level, reason=body["reason"])
        if scope.kind is ScopeKind.ALL and level is Level.HARD:
            self._all_hard_us[market.code] = self._clock.monotonic_us()
        self._metrics.invalidations.add((scope.kind, level))
        # The reason is the caller's text and the code may be a customer's: neither is logged.
        _log.info("invalidated %s of market %s (%s)", scope.kind, market.code, level)
        answer = orjson.dumps({"market": market.code, "position": str(position)})
        return web.Response(status=202, body=answer, headers=JSON_HEADERS)

    async def _append(self, market: str, scope: Scope, level: Level, *, reason: str) -> int:
        try:
            return await self._ledger.append(
                market, scope, is_hard=level is Level.HARD, reason=reason
            )
        except SharedStateError:
            raise ProblemError(LEDGER_UNAVAILABLE) from None

    def _require_pause(self, market: str) -> None:
        now_us = self._clock.monotonic_us()
        last_us = self._all_hard_us.get(market)
        if last_us is not None and now_us - last_us < _ALL_HARD_EVERY_US:
            left = -(-(last_us + _ALL_HARD_EVERY_US - now_us) // SECOND_US)
            raise ProblemError(TOO_OFTEN, headers={"Retry-After": str(left)})
