"""Restart replicas one after the other behind HAProxy and nginx, while shoppers ask for pages."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientSession

from tests.chaos.figures import Figure
from tests.rolling.examples import check, haproxy, nginx
from tests.rolling.options import Options
from tests.rolling.replicas import Shop, shop
from tests.rolling.shoppers import Heard, shop_for_ever
from tests.wire.fuzzing import post_prices

# Shoppers are at it before the first restart, and after the last one.
_AROUND_SECONDS = 2.0


def restart(options: Options) -> list[Figure]:
    """Replace each replica of `serve --workers` behind the proxies of deploy/proxies."""
    check()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rolling-")))
        # nginx may run its workers as somebody else.
        folder.chmod(0o755)
        behind = stack.enter_context(shop(folder, workers=options.workers))
        ports = [replica.port for replica in behind.replicas]
        ways = [
            stack.enter_context(haproxy(folder, ports)),
            stack.enter_context(nginx(folder, ports)),
        ]
        heard = [Heard(way) for way in ways]
        began = time.monotonic()
        restarts = asyncio.run(_roll(behind, heard, options))
        seconds = time.monotonic() - began
        logs = "".join(replica.log.read_text("utf-8") for replica in behind.replicas)
        return [*_figures(heard, restarts, seconds, options), _noise(logs)]


@dataclass(frozen=True, slots=True)
class _Restart:
    """One replica was replaced.

    Attributes:
        code: How it ended.
        pages: How many were answered through each way meanwhile.
    """

    code: int
    pages: tuple[int, ...]


async def _roll(behind: Shop, heard: Sequence[Heard], options: Options) -> list[_Restart]:
    """Restart all in turn, so many times."""
    async with ClientSession() as session:
        await post_prices(
            session,
            control=f"http://127.0.0.1:{behind.control}",
            public=behind.replicas[0].url,
        )
    restarts = []
    shoppers = [
        asyncio.create_task(shop_for_ever(each, number))
        for each in heard
        for number in range(options.shoppers)
    ]
    await asyncio.sleep(_AROUND_SECONDS)
    for _ in range(options.rounds):
        for replica in behind.replicas:
            answered = [each.answers for each in heard]
            code = await asyncio.to_thread(replica.terminate)
            replica.start()
            await asyncio.to_thread(replica.until_ready)
            more = (each.answers - past for each, past in zip(heard, answered, strict=True))
            restarts.append(_Restart(code, tuple(more)))
    await asyncio.sleep(_AROUND_SECONDS)
    for shopper in shoppers:
        shopper.cancel()
    await asyncio.gather(*shoppers)
    return restarts


def _figures(
    heard: Sequence[Heard], restarts: Sequence[_Restart], seconds: float, options: Options
) -> list[Figure]:
    pages, codes = [each.pages for each in restarts], {each.code for each in restarts}
    found = [
        Figure(
            name=f"pages through {each.way.name}",
            value=f"{each.pages}, {each.pages / seconds:.0f} a second; {fewest} during a restart",
            bar="> 0 during each",
            is_met=fewest > 0,
        )
        for each, fewest in zip(heard, map(min, zip(*pages, strict=True)), strict=True)
    ]
    found += [
        Figure(
            name=f"failed through {each.way.name}",
            value=f"{each.faults.total()} {dict(each.faults) or ''} {each.examples or ''}",
            bar="0",
            is_met=not each.faults,
        )
        for each in heard
    ]
    return [
        *found,
        Figure(
            name=f"restarts of a replica of {options.workers} workers, each ended with 0",
            value=f"{len(restarts)}, ended with {sorted(codes)}",
            bar="[0]",
            is_met=codes == {0},
        ),
    ]


def _noise(logs: str) -> Figure:
    errors = [line for line in logs.splitlines() if " ERROR " in line or "Traceback" in line]
    shown = f"{len(errors)} {errors[:2] or ''}"
    return Figure(name="errors in the replicas' logs", value=shown, bar="0", is_met=not errors)
