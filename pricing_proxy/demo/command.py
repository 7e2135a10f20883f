"""The command `pricing-proxy demo`."""

import fcntl
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.live import Live

from pricing_proxy.command_line import fail
from pricing_proxy.demo.alerts import hearing_alerts
from pricing_proxy.demo.life import HttpControl, OrderLife
from pricing_proxy.demo.plan import DemoError, Plan, Ports, free_ports
from pricing_proxy.demo.processes import Child, running
from pricing_proxy.demo.screen import Screen
from pricing_proxy.demo.sync_plan import clear_databases, database_folder
from pricing_proxy.exit_codes import Exit
from pricing_proxy.terminal import PlainConsole

_TABLE_SECONDS = 1.0
_LINE_SECONDS = 5.0
# Often enough that what takes half a second is not told as two.
_LIFE_SECONDS = 0.25

_AnyPort = Annotated[
    bool, typer.Option("--any-port", help="Take free ports instead of those that are taken.")
]
_Folder = Annotated[Path, typer.Option(help="Where configuration, certificates and logs go.")]


def demo_command(
    *,
    seconds: Annotated[
        float | None, typer.Option(min=1, help="End by itself after so many seconds.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the price service.")] = 8080,
    admin_port: Annotated[int, typer.Option(help="Port of its admin listener.")] = 8081,
    control_port: Annotated[int, typer.Option(help="Port of the sandbox's dials.")] = 8100,
    fo_port: Annotated[int, typer.Option(help="Port of the simulated F&O.")] = 8101,
    magento_port: Annotated[int, typer.Option(help="Port of the simulated Magento.")] = 8103,
    entra_port: Annotated[int, typer.Option(help="Port of the simulated Entra ID.")] = 8104,
    intake_port: Annotated[int, typer.Option(help="Port where the sync hears the shop.")] = 8090,
    operators_port: Annotated[int, typer.Option(help="Port of the sync's operators.")] = 8091,
    any_port: _AnyPort = False,
    folder: _Folder = Path(".demo"),
) -> None:
    """Start the simulated systems and the real service, and show them working.

    Prints commands to try in another terminal. Ctrl-C ends everything.
    """
    redis, alerts = free_ports(2)
    ports = Ports(
        public=port,
        admin=admin_port,
        control=control_port,
        fo=fo_port,
        entra=entra_port,
        magento=magento_port,
        intake=intake_port,
        operators=operators_port,
        redis=redis,
        alerts=alerts,
    )
    console = PlainConsole()
    try:
        _begin(ports.moved() if any_port else ports, folder, console, seconds)
    except KeyboardInterrupt:
        console.print("Stopped.")
    except DemoError as error:
        fail(str(error), Exit.MISTAKEN)


def _begin(ports: Ports, folder: Path, console: PlainConsole, seconds: float | None) -> None:
    _end_on_signals()
    ports.check()
    folder.mkdir(parents=True, exist_ok=True)
    with alone_in(folder):
        clear_databases(folder)
        database = database_folder(folder)
        try:
            _run(Plan(ports=ports, folder=folder, database=database), console, seconds)
        finally:
            shutil.rmtree(database, ignore_errors=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other demos out of a folder; raises `DemoError` when one is there."""
    with (folder / "demo.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"Another demo runs in {folder}: choose another folder by --folder. "
                "With make: make demo DEMO_ARGS='--any-port --folder .demo-2'"
            ) from None
        yield


def _run(plan: Plan, console: PlainConsole, seconds: float | None) -> None:
    plan.write_configuration()
    with (
        hearing_alerts(plan.ports.alerts, lambda text: _show_alert(console, text)),
        console.status("Starting ...") as status,
    ):
        say = status.update if console.is_terminal else console.print
        with running(plan, lambda what: say(f"Starting {what} ...")) as children:
            status.stop()
            _show(plan, children, console, seconds)
            console.print("Stopping ...")


def _show(
    plan: Plan, children: Sequence[Child], console: PlainConsole, seconds: float | None
) -> None:
    life = OrderLife(
        HttpControl(plan.control_url),
        lambda text: _show_life(console, text),
        seconds=time.monotonic,
    )
    screen = Screen(plan, life, has_redis_server=shutil.which("redis-server") is not None)
    console.print("\nEverything runs. Try in another terminal, in this folder:\n", style="green")
    screen.advise(console)
    console.print("\nCtrl-C ends everything.\n")
    until = None if seconds is None else time.monotonic() + seconds
    if console.is_terminal:
        with Live(screen.table(), console=console, refresh_per_second=4) as live:
            while _wait(children, until, _TABLE_SECONDS, life):
                live.update(screen.table())
    else:
        console.print(screen.line(), soft_wrap=True)
        while _wait(children, until, _LINE_SECONDS, life):
            console.print(screen.line(), soft_wrap=True)


def _show_alert(console: PlainConsole, text: str) -> None:
    console.print(f"\nAlert: {text}\n", style="yellow", markup=False, soft_wrap=True)


def _show_life(console: PlainConsole, text: str) -> None:
    console.print(text, style="cyan", markup=False, soft_wrap=True)


def _wait(children: Sequence[Child], until: float | None, seconds: float, life: OrderLife) -> bool:
    """Wait for the next drawing; return False when the demo's time is over."""
    drawn_at = time.monotonic() + seconds
    end = drawn_at if until is None else min(drawn_at, until)
    while (left := end - time.monotonic()) > 0:
        life.look()
        time.sleep(min(left, _LIFE_SECONDS))
        for child in children:
            if child.name != "redis":  # to end Redis is one of the things to try
                child.require_alive()
    return until is None or end < until


def _end_on_signals() -> None:
    """End in order also when told by SIGTERM, or when the terminal closes."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(each, _interrupt)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
