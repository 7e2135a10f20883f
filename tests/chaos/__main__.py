"""Run scenarios one after the other, print a table of each; exit 1 when a bar was missed."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.table import Table

from tests.bench.programs import BenchError
from tests.chaos.catalog import catalog
from tests.chaos.drift import drift
from tests.chaos.engine_scenarios import chain, noop
from tests.chaos.figures import Figure, Options
from tests.chaos.governing import governor
from tests.chaos.latency import poll, push
from tests.chaos.load import pause, throughput
from tests.chaos.order_status import status
from tests.chaos.outages import lost, stopped
from tests.chaos.papers import papers
from tests.chaos.poison import poison
from tests.chaos.processes import ChaosError
from tests.chaos.sizes import fullread, stocktake
from tests.chaos.stock_latency import stock
from tests.chaos.storm import chaos
from tests.chaos.unkind import unkind

SCENARIOS: Mapping[str, Callable[[Options], list[Figure]]] = {
    "chaos": chaos,
    "unkind": unkind,
    "lost": lost,
    "stopped": stopped,
    "push": push,
    "poll": poll,
    "throughput": throughput,
    "noop": noop,
    "chain": chain,
    "pause": pause,
    "catalog": catalog,
    "poison": poison,
    "governor": governor,
    "stock": stock,
    "status": status,
    "papers": papers,
    "fullread": fullread,
    "stocktake": stocktake,
    "drift": drift,
}
_MISSED, _CANNOT = 1, 2
_EPILOG = "\n".join(f"  {name:11}{run.__doc__}" for name, run in SCENARIOS.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios and return the exit code."""
    chosen, options = _parsed(arguments)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _interrupt)
    console = Console()
    is_met = True
    try:
        for name in chosen:
            console.rule(name)
            began = time.monotonic()
            figures = SCENARIOS[name](options)
            show(name, figures, time.monotonic() - began, console)
            is_met = is_met and all(figure.is_met is not False for figure in figures)
    except (BenchError, ChaosError) as error:
        console.print(f"make chaos: {error}", style="red", markup=False)
        return _CANNOT
    except KeyboardInterrupt:
        console.print("make chaos: interrupted; every process was ended", style="red")
        return _CANNOT
    return 0 if is_met else _MISSED


def show(name: str, figures: Sequence[Figure], seconds: float, console: Console) -> None:
    """Print the table of a scenario."""
    table = Table(title=f"{name}, {seconds:.0f} s", title_justify="left")
    table.add_column("what")
    table.add_column("measured", overflow="fold")
    table.add_column("bar")
    colours = {None: "", True: "green", False: "red"}
    for figure in figures:
        style = colours[figure.is_met]
        table.add_row(figure.name, figure.value, figure.bar, style=style)
    console.print(table)


def _parsed(arguments: Sequence[str] | None) -> tuple[list[str], Options]:
    parser = argparse.ArgumentParser(
        prog="make chaos",
        description=__doc__,
        epilog=f"scenarios:\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="default: all of them")
    add = parser.add_argument
    add("--orders", type=int, default=300, help="orders of each scenario; the full bar is 3000")
    add("--workers", type=int, default=4, help="worker processes of chaos")
    add("--phase-seconds", type=float, default=90, help="how long chaos lasts at least")
    add("--kill-every-seconds", type=float, default=1.5, help="between two kills of a worker")
    add("--wire-kills", type=int, default=30, help="kills that must hit a request on the wire")
    add("--postgres-kills", type=int, default=3, help="kills of PostgreSQL")
    add(
        "--erp-max-request-seconds",
        type=int,
        default=10,
        help="how long a write may be under way in the ERP; 60 in production, but the simulated"
        " one ends each within a second",
    )
    add("--latency-ms", type=int, default=20, help="of the simulated ERP")
    add("--drain-seconds", type=float, default=300, help="until all must be well afterwards")
    sizes = "of what the ERP writes into the shop; the bars are 100000, of stocktake 250000"
    add("--skus", type=int, default=400, help=sizes)
    add("--events", type=int, default=3000, help="events of the scenario noop")
    values = vars(parser.parse_args(arguments))
    chosen = values.pop("scenarios") or list(SCENARIOS)
    for name in chosen:
        if name not in SCENARIOS:
            parser.error(f"there is no scenario {name}; there are {', '.join(SCENARIOS)}")
    return chosen, Options(**values)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
