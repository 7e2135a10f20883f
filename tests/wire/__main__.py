"""Fuzz the service's connections over every way to it, and say whose answers were whose."""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from aiohttp import ClientSession
from rich.console import Console
from rich.table import Table

from tests.wire.callers import callers
from tests.wire.fuzzing import fuzz, post_prices
from tests.wire.judging import Verdict
from tests.wire.service import Service, service
from tests.wire.ways import Way, WayError, check, haproxy, nginx

_CONNECTIONS = 24


def main() -> None:
    """Run all ways; exit 1 when one answer was another's, or missing."""
    parser = argparse.ArgumentParser(prog="make wirefuzz", description=__doc__)
    parser.add_argument("--answers", type=int, default=112_000, help="of all ways together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--direct", action="store_true", help="without proxies")
    options = parser.parse_args()
    console = Console(width=120)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wirefuzz-")))
        try:
            if not options.direct:
                check()
            running = stack.enter_context(service(folder))
            ways = [Way("direct", running.public, is_direct=True)]
            if not options.direct:
                ways += [
                    stack.enter_context(haproxy(folder, running.public, "safe")),
                    stack.enter_context(haproxy(folder, running.public, "always")),
                    stack.enter_context(nginx(folder, running.public)),
                ]
        except WayError as error:
            console.print(f"[red]{error}")
            sys.exit(2)
        share = options.answers // len(ways)
        verdicts = asyncio.run(_all(console, running, ways, answers=share, seed=options.seed))
    _print(console, verdicts)
    sys.exit(0 if all(verdict.is_good for _, verdict in verdicts) else 1)


async def _all(
    console: Console, running: Service, ways: list[Way], *, answers: int, seed: int
) -> list[tuple[Way, Verdict]]:
    async with ClientSession() as session:
        await post_prices(
            session,
            control=f"http://127.0.0.1:{running.control}",
            public=f"http://127.0.0.1:{running.public}",
        )
    verdicts = []
    for way in ways:
        began = time.monotonic()
        verdict = await fuzz(
            way.port,
            callers(),
            answers=answers,
            connections=_CONNECTIONS,
            seed=seed,
            is_direct=way.is_direct,
        )
        took = time.monotonic() - began
        console.print(f"{way.name}: {verdict.answers:,} answers in {took:.0f} s")
        verdicts.append((way, verdict))
    return verdicts


def _print(console: Console, verdicts: list[tuple[Way, Verdict]]) -> None:
    columns = ("way", "talks", "honest", "answers", "priced", "refused")
    table = Table(*columns, "proxy's", "another's", "missing", "reset")
    for way, verdict in verdicts:
        proxied = sum(verdict.proxied.values())
        priced = verdict.statuses[200] - verdict.proxied[200] - verdict.foreign
        numbers = (
            verdict.connections,
            verdict.honest,
            verdict.answers,
            priced,
            verdict.answers - priced - proxied,
            proxied,
            verdict.foreign,
            verdict.missing,
            verdict.resets,
        )
        table.add_row(way.name, *(f"{number:,}" for number in numbers))
    console.print(table)
    for way, verdict in verdicts:
        console.print(f"{way.name}: {dict(sorted(verdict.statuses.items()))}")
        for example in verdict.examples:
            console.print(f"  {example}", markup=False)


if __name__ == "__main__":
    main()
