"""Replace what runs, one process after the other, under load; exit 1 when a bar was missed."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import NoReturn

from rich.console import Console

from tests.bench.programs import BenchError
from tests.chaos.__main__ import show
from tests.chaos.figures import Figure
from tests.chaos.processes import ChaosError
from tests.rolling.options import Options
from tests.rolling.restart import restart
from tests.rolling.upgrade import upgrade
from tests.wire.ways import WayError

SCENARIOS: Mapping[str, Callable[[Options], list[Figure]]] = {
    "restart": restart,
    "upgrade": upgrade,
}
_MISSED, _CANNOT = 1, 2
_EPILOG = "\n".join(f"  {name:11}{run.__doc__}" for name, run in SCENARIOS.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios and return the exit code."""
    chosen, options = _parsed(arguments)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, _interrupt)
    console = Console(width=160) if not sys.stdout.isatty() else Console()
    is_met = True
    try:
        for name in chosen:
            began = time.monotonic()
            figures = SCENARIOS[name](options)
            show(name, figures, time.monotonic() - began, console)
            is_met = is_met and all(figure.is_met is not False for figure in figures)
    except (BenchError, ChaosError, WayError) as error:
        console.print(f"make rolling: {error}", style="red", markup=False)
        return _CANNOT
    except KeyboardInterrupt:
        console.print("make rolling: interrupted; every process was ended", style="red")
        return _CANNOT
    return 0 if is_met else _MISSED


def _parsed(arguments: Sequence[str] | None) -> tuple[list[str], Options]:
    parser = argparse.ArgumentParser(
        prog="make rolling",
        description=__doc__,
        epilog=f"scenarios:\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("scenarios", nargs="*", metavar="SCENARIO", help="default: all")
    add("--workers", type=int, default=2, help="of each replica of serve")
    add("--rounds", type=int, default=2, help="how often each of them is replaced")
    add("--shoppers", type=int, default=8, help="at once through each proxy")
    add(
        "--orders",
        type=int,
        default=200,
        help="placed at least while workers of the sync are replaced",
    )
    add("--carriers", type=int, default=2, help="workers of the sync")
    add("--step-seconds", type=float, default=5, help="that each step of the upgrade is looked at")
    add("--since", help="a commit to upgrade from; else from here to a version made of it")
    add("--wait-seconds", type=float, default=180, help="until every order must be in the ERP")
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
