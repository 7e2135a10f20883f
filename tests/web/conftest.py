from collections.abc import AsyncIterator

import pytest
from pytest_aiohttp.plugin import AiohttpClient

from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.app import admin_app, public_app
from tests.fakes.price_world import price_service
from tests.web.shop import BODY_LIMIT, Shop, shop_routes


@pytest.fixture
async def shop(aiohttp_client: AiohttpClient) -> AsyncIterator[Shop]:
    """Both listeners; the ERP behind them is well and answers at once."""
    world = price_service()
    world.erp.latency_seconds = 0.0
    parts = shop_routes(world)
    untraced = Traces(service="tests", exporter=None, sample_ratio=0.0)
    public = public_app(parts.routes, body_limit_bytes=BODY_LIMIT, traces=untraced)
    yield Shop(
        world=world,
        metrics=parts.metrics,
        access=parts.access,
        breaker=parts.breaker,
        operator_clock=parts.operator_clock,
        token_clock=parts.token_clock,
        obstacles=parts.obstacles,
        # As the program serves: compressed bodies are not unpacked.
        public=await aiohttp_client(public, server_kwargs={"auto_decompress": False}),
        admin=await aiohttp_client(admin_app(parts.routes, body_limit_bytes=BODY_LIMIT)),
    )
    await world.loader.flights.aclose()
