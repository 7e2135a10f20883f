"""The fuzz, straight and small; `make wirefuzz` goes through proxies as well."""

import asyncio
from pathlib import Path

from aiohttp import ClientSession

from tests.wire.callers import callers
from tests.wire.fuzzing import fuzz, post_prices
from tests.wire.judging import Verdict
from tests.wire.service import Service, service

ANSWERS = 3000


async def attack(running: Service) -> Verdict:
    control, public = (f"http://127.0.0.1:{port}" for port in (running.control, running.public))
    async with ClientSession() as session:
        await post_prices(session, control=control, public=public)
    return await fuzz(
        running.public, callers(), answers=ANSWERS, connections=12, seed=1, is_direct=True
    )


def test_every_answer_is_its_own_caller_s(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        verdict = asyncio.run(attack(running))
    assert verdict.is_good, verdict.examples
    assert verdict.statuses[200] > ANSWERS // 3
    assert verdict.statuses[401] > ANSWERS // 10
