from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from aiohttp.web_runner import BaseRunner
from pytest_aiohttp.plugin import AiohttpClient

from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.app import admin_app, public_app
from pricing_proxy.web.immediate import ImmediateRunner
from tests.fakes.price_world import price_service
from tests.web.documented import Observed
from tests.web.shop import BODY_LIMIT, Shop, shop_routes


class ProgramServer(TestServer):
    """Serves as the program does: some at once, and compressed bodies are not unpacked."""

    async def _make_runner(self, **options: Any) -> BaseRunner:
        return ImmediateRunner(self.app, auto_decompress=False, **options)


@pytest.fixture
async def shop(aiohttp_client: AiohttpClient) -> AsyncIterator[Shop]:
    """Both listeners; the ERP behind them is well and answers at once.

    Whatever a test does with them: a problem that is not in its route's row fails it.
    """
    world = price_service()
    world.erp.latency_seconds = 0.0
    parts = shop_routes(world)
    untraced = Traces(service="tests", exporter=None, sample_ratio=0.0)
    public = public_app(parts.routes, body_limit_bytes=BODY_LIMIT, traces=untraced)
    operators = admin_app(parts.routes, body_limit_bytes=BODY_LIMIT)
    observed = Observed()
    for app in (public, operators):
        observed.watch(app)
    yield Shop(
        world=world,
        metrics=parts.metrics,
        access=parts.access,
        breaker=parts.breaker,
        gate=parts.gate,
        operator_clock=parts.operator_clock,
        token_clock=parts.token_clock,
        obstacles=parts.obstacles,
        public=await aiohttp_client(ProgramServer(public)),
        admin=await aiohttp_client(ProgramServer(operators)),
    )
    await world.loader.flights.aclose()
    assert observed.undocumented == []
