"""Maps of an ERP that lists too little, over sockets."""

from pathlib import Path

from redis.asyncio import Redis

from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from tests.integration.redis_process import redis_process
from tests.integration.running import MARKET, Running, serving, settings_over, until


async def refused(running: Running) -> str | None:
    views = (await running.status())["markets"][MARKET]["maps"]
    return views.get("items", {}).get("refused")  # type: ignore[no-any-return]


async def test_a_catalog_that_ends_too_early_is_not_taken_for_all(tmp_path: Path) -> None:
    """The link to the next page was missing: 60 of 168 rows were the catalog."""
    sizes = SandboxSettings(state_dir=tmp_path, latency_ms=0, entra_latency_ms=0)
    async with redis_process(tmp_path) as server, Sandbox(sizes) as sandbox:
        settings = settings_over(sandbox, server.url)
        sandbox.systems["fo"].dials.patch({"short_sets": {"ReleasedProductsV2": 60}})
        async with serving(sandbox, settings, is_ready=False) as running:

            async def is_missed() -> bool:
                return await refused(running) == "ReleasedProductsV2: 60 of 168 rows came"

            await until(is_missed)
            assert (await running.get("/health/ready", key=None)).status == 503
            await running.turn("fo", short_sets={})

            async def is_ready() -> bool:
                return (await running.get("/health/ready", key=None)).status == 200

            await until(is_ready)

        # Whoever restarts finds the map kept, and believes no ERP that hides half of it.
        async with Redis.from_url(server.url) as redis:
            await redis.delete(*[key async for key in redis.scan_iter("maps_turn:*")])
        sandbox.systems["fo"].dials.patch({"hidden_sets": {"ReleasedProductsV2": 60}})
        async with serving(sandbox, settings) as running:

            async def is_said() -> bool:
                return await refused(running) is not None

            await until(is_said)
            answer = await running.warm()
            assert answer.content["complete"]
