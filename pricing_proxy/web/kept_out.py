"""`POST /v1/kept-out/clear`: ask the ERP again for what it refused, after it was mended there.

For this process alone, as what was refused is remembered in each by itself.
"""

import logging
from collections.abc import Mapping

import orjson
from aiohttp import web

from pricing_proxy.prices.failures import FailureMemory
from pricing_proxy.prices.market import Market
from pricing_proxy.web.handling import JSON_HEADERS, Asked
from pricing_proxy.web.markets import find_market
from pricing_proxy.web.schemas import ClearingBody

_log = logging.getLogger(__name__)


class KeptOutRoutes:
    """The handler.

    Args:
        failures: What is kept out.
        markets: Every market by its code.
    """

    def __init__(self, *, failures: FailureMemory, markets: Mapping[str, Market]) -> None:
        self._failures = failures
        self._markets = markets

    async def clear(self, asked: Asked[ClearingBody]) -> web.Response:
        """Answer 200 with how many SKUs were kept out or asked for alone until now."""
        code = asked.body.get("market")
        if code is not None:
            find_market(self._markets, code)
        cleared = self._failures.clear(market=code, sku=asked.body.get("sku"))
        _log.info("the key %s cleared %d SKUs that were kept out", asked.by.name, cleared)
        return web.Response(body=orjson.dumps({"cleared": cleared}), headers=JSON_HEADERS)
