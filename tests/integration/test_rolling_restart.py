"""All replicas are replaced, one after the other, under load: not one request fails."""

import asyncio
from pathlib import Path

from tests.integration.redis_process import redis_process
from tests.integration.replicas import replicas

SHOPPERS = 12


async def test_a_rolling_restart_under_load_costs_no_request(tmp_path: Path) -> None:
    async with redis_process(tmp_path) as redis, replicas(tmp_path, redis.url, count=3) as shop:
        await shop.until_ready(3)
        shoppers = [
            asyncio.create_task(shop.send_for_ever(pause_seconds=0.03)) for _ in range(SHOPPERS)
        ]
        for replica in shop.replicas:
            before = shop.outcomes.total()
            assert await replica.terminate() == 0
            assert shop.outcomes.total() > before
            await replica.start()
            # First not ready, then ready again: three once more.
            await shop.until_ready(3)
        for shopper in shoppers:
            shopper.cancel()
        await asyncio.gather(*shoppers, return_exceptions=True)
    assert shop.outcomes.keys() == {"200"}
    assert shop.outcomes["200"] > 500
