"""Run the drill: phases of faults under load, records, the judge, a table and a picture."""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from rich.console import Console
from rich.table import Table

from pricing_proxy.children import tied
from tests.bench.programs import BenchError
from tests.drill.judge import DEADLINE_SECONDS, ERP_DEAD
from tests.drill.load import Load
from tests.drill.picture import draw
from tests.drill.programs import DrillError, Running, programs
from tests.drill.records import Calls, Phase, write
from tests.drill.watching import PACE, Watch, table, unexpected

# A few more than a thousand answers of each mode.
_PHASE_SECONDS = 26.0
_SAMPLE_SECONDS = 0.25
_WELL: dict[str, Any] = {"latency_ms": 20, "latency_spread_ms": 0, "error_rate": 0, "dead": False}
_BROWN: dict[str, Any] = {"latency_ms": 900, "latency_spread_ms": 600, "error_rate": 0.2}


def main() -> None:
    """Run, judge, print."""
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--seconds", type=float, default=_PHASE_SECONDS, help="of each phase")
    parser.add_argument("--output", type=Path, default=Path("build/drill"), help="for records")
    parser.add_argument(
        "--prometheus",
        action="store_true",
        help="have a real Prometheus watch both programs, and judge which alerts fired",
    )
    parser.add_argument(
        "--pace",
        type=int,
        default=PACE,
        help="by which the durations of its rules are shortened; alerts are judged at %(default)s",
    )
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        try:
            pace = options.pace if options.prometheus else None
            with programs(Path(folder), pace=pace) as running:
                drill = _Drill(running, options.output, console)
                asyncio.run(drill.run(options.seconds))
                is_as_expected = running.watch is None or drill.judge_alerts(running.watch)
        except (BenchError, DrillError) as error:
            console.print(f"make drill: {error}", style="red", markup=False)
            sys.exit(2)
    judged = subprocess.run(
        [sys.executable, "-m", "tests.drill.judge", str(options.output)], check=False, **tied()
    )
    verdict = json.loads((options.output / "verdict.json").read_text(encoding="utf-8"))
    show(verdict, console)
    console.print(f"Records, verdict and picture are in {options.output}.")
    sys.exit(judged.returncode or not is_as_expected)


def show(verdict: dict[str, Any], console: Console) -> None:
    """Print the table and what was broken."""
    table = Table(title="Drill", title_justify="left")
    for column in ("phase", "mode", "answers", "p50 ms", "p99 ms", "deadline ms", "states"):
        is_text = column in ("phase", "mode", "states")
        table.add_column(column, justify="left" if is_text else "right")
    for row in verdict["rows"]:
        states = ", ".join(f"{state} {count}" for state, count in sorted(row["states"].items()))
        table.add_row(
            row["phase"],
            row["mode"],
            str(row["answers"]),
            f"{row['p50_ms']:.1f}",
            f"{row['p99_ms']:.1f}",
            f"{DEADLINE_SECONDS[row['mode']] * 1000:.0f}",
            states,
        )
    console.print(table)
    console.print(f"Own prices while the ERP was dead: {verdict['own_share']:.2%}")
    for broken in verdict["broken"][:20]:
        console.print(f"Broken: {broken}", style="red", markup=False)
    console.print(f"{len(verdict['broken'])} promises broken")


class _Drill:
    def __init__(self, running: Running, output: Path, console: Console) -> None:
        self._running = running
        self._output = output
        self._console = console
        self._phases: list[Phase] = []
        self._calls: list[Calls] = []

    async def run(self, seconds: float) -> None:
        """Walk through the phases and write everything down."""
        plan = self._running.plan
        async with ClientSession(
            timeout=ClientTimeout(total=20), connector=TCPConnector(limit=0)
        ) as session:
            load = Load(
                session, public=plan.public_url, admin=plan.admin_url, control=plan.control_url
            )
            self._session = session
            await self._turn(_WELL)
            await load.begin()
            behind = [asyncio.create_task(work()) for work in (load.change_prices, self._sample)]
            for name, fault in self._faults().items():
                self._console.print(f"{name} ...")
                await fault()
                began = time.monotonic()
                await load.run(name, seconds=seconds)
                self._phases.append(Phase(name=name, began=began, ended=time.monotonic()))
            for task in behind:
                task.cancel()
            await asyncio.gather(*behind, return_exceptions=True)
        write(self._output / "answers.jsonl", load.answers)
        write(self._output / "changes.jsonl", load.changes)
        write(self._output / "calls.jsonl", self._calls)
        write(self._output / "phases.jsonl", self._phases)
        picture = draw(load.answers, self._phases)
        (self._output / "drill.svg").write_text(picture, encoding="utf-8")

    def judge_alerts(self, watch: Watch) -> bool:
        """Show and write down which alerts fired; return whether they are those expected."""
        fired = watch.fired(self._phases)
        self._console.print(table(fired, self._phases))
        written = {name: asdict(one) for name, one in fired.items()}
        (self._output / "alerts.json").write_text(json.dumps(written, indent=1), encoding="utf-8")
        wrong = [f"{name} was not evaluated" for name in watch.failed_rules()]
        if watch.pace == PACE:
            wrong += unexpected(fired)
        for each in wrong:
            self._console.print(each, style="red", markup=False)
        return not wrong

    def _faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        return {
            "healthy": lambda: self._turn(_WELL),
            "brown-out": lambda: self._turn(_BROWN),
            ERP_DEAD: lambda: self._turn({"dead": True}),
            "Redis dead": self._lose_redis,
            "recovery": self._restore_redis,
        }

    async def _lose_redis(self) -> None:
        await self._turn(_WELL)
        await asyncio.to_thread(self._running.redis.kill)

    async def _restore_redis(self) -> None:
        await asyncio.to_thread(self._running.redis.start)

    async def _turn(self, dials: dict[str, Any]) -> None:
        address = f"{self._running.plan.control_url}/systems/fo/dials"
        async with self._session.patch(address, json=dials) as answer:
            answer.raise_for_status()

    async def _sample(self) -> None:
        """Note how often the ERP was called, for ever."""
        address = f"{self._running.plan.control_url}/systems/fo/calls"
        while True:
            async with self._session.get(address) as answer:
                counts = (await answer.json())["operations"]
            self._calls.append(Calls(at=time.monotonic(), count=counts.get("price_batch", 0)))
            await asyncio.sleep(_SAMPLE_SECONDS)


if __name__ == "__main__":
    main()
