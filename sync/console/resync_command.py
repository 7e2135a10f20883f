"""The command `resync`: read a mirror flow from the ERP now, and write what differs."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, Json, errors, fail
from sync.console.asking import Yes, agreed
from sync.console.noted_reader import NotedReader
from sync.console.plain import show
from sync.console.run_tables import looks_table, next_step, runs_table
from sync.console.run_view import RunLine, read_lines
from sync.console.running import By, carry_out, operator, settings_of
from sync.console.words import counted
from sync.flows import FLOWS
from sync.mirror.ports import Mirror
from sync.serve.building import given_of
from sync.serve.stores import Stores, stores
from sync.serve.systems import systems
from sync.settings import SyncSettings
from sync.store.mirror_look_records import LookRound
from sync.store.mirror_records import ChangeState, MirrorRun, RunState

MIRRORS = tuple(flow.name for flow in FLOWS if flow.mirrors is not None)

Flow = Annotated[str, typer.Argument(help=f"One of: {', '.join(MIRRORS)}.")]
Keys = Annotated[
    list[str] | None,
    typer.Option("--sku", help="Only this SKU; may be given again.", show_default=False),
]
Plan = Annotated[
    bool, typer.Option("--plan", help="Only plan: nothing is written unless the run is approved.")
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Write also what is as it should be, and believe a read that brings few rows.",
    ),
]
Look = Annotated[
    bool,
    typer.Option(
        "--look",
        help="Look through the whole shop for what others changed there, instead of the ERP.",
    ),
]
_LOOK_SECONDS = 0.5
# A chunk takes less; whoever waits longer waits for a program that does not run.
_STILL_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """What is read, and what becomes of it."""

    keys: Sequence[str] | None
    is_forced: bool
    only_looks: bool
    by: str


def resync_command(
    flow: Flow,
    *,
    market: Annotated[
        str | None, typer.Option(help="Only this market; all of them when left out.")
    ] = None,
    sku: Keys = None,
    plan: Plan = False,
    force: Force = False,
    look: Look = False,
    yes: Yes = False,
    config: Config = None,
    json_output: Json = False,
    by: By = None,
) -> None:
    """Read the ERP now and bring what differs into the shop, within the limits.

    With --plan you see what would be written, and nothing is: d365-sync resync products --plan.
    Without it, what is within the limits is written by `d365-sync run`, and the rest waits for
    you. Some SKUs only: --sku LAMP --sku SHADE. Ctrl-C while it is written only ends looking.

    Reads of the ERP do not see what somebody changed in the shop: that is looked for all day long,
    a little at a time; with --look now, and mended or listed as the fields' policies say.
    """
    settings = settings_of(config)
    markets = _markets(settings, flow, market)
    if look:
        if plan or force or sku:
            fail("--look takes all of the shop, and has no plan: leave out --plan, --force, --sku")
        _show_looks(carry_out(look_through(settings, flow, markets)), json_output=json_output)
        return
    how = _How(keys=sku, is_forced=force, only_looks=plan, by=operator(by))
    agreed(_question(how, markets), yes=yes or plan, instead="see first what differs: --plan")
    lines = carry_out(_resync(settings, flow, markets, how))
    now = SystemClock().utc()
    steps = [Text(step) for line in lines if (step := next_step(line.run))]
    show(lines, [runs_table(lines, now=now), *steps], json_output=json_output)
    if any(line.run.state is RunState.FAILED for line in lines):
        raise typer.Exit(1)


def _question(how: _How, markets: Sequence[str]) -> str:
    what = ", ".join(how.keys) if how.keys else "everything"
    written = "all of it, equal or not" if how.is_forced else "what differs in the shop"
    return f"Read {what} for {', '.join(markets)}, and write {written}?"


def _show_looks(rounds: Sequence[LookRound], *, json_output: bool) -> None:
    table = looks_table(rounds, now=SystemClock().utc())
    show(rounds, [table], json_output=json_output)


def _markets(settings: SyncSettings, flow: str, market: str | None) -> Sequence[str]:
    if flow not in MIRRORS:
        fail(f"{flow} is read from no ERP; what is: {', '.join(MIRRORS)}")
    on = [code for code, own in settings.sync.markets.items() if flow in own.flows]
    if market is not None and market not in on:
        fail(f"{flow} is off for {market}: add it to sync.markets.{market}.flows")
    if not on:
        fail(f"{flow} is on for no market: add it to sync.markets.MARKET.flows")
    return on if market is None else [market]


async def _resync(
    settings: SyncSettings,
    flow: str,
    markets: Sequence[str],
    how: _How,
) -> list[RunLine]:
    clock = SystemClock()
    async with stores(settings) as opened, systems(settings, clock=clock) as ways:
        given = given_of(settings, opened, ways, clock=clock)
        [made] = [each.mirrors for each in FLOWS if each.name == flow and each.mirrors is not None]
        runs = []
        for mirror in made(given):
            if mirror.market in markets:
                noted = NotedReader(mirror.reader)
                with _reading(mirror) as told:
                    run = await given.mirroring.reads(replace(mirror, reader=noted)).by_hand(
                        by=how.by,
                        keys=how.keys,
                        is_forced=how.is_forced,
                        only_looks=how.only_looks,
                        told=told,
                    )
                await _tell_unknown(opened, mirror, noted.lacking(how.keys or ()))
                runs.append(await _followed(opened, run))
        return await read_lines(opened.mirrors.views, runs, now=clock.utc())


async def _tell_unknown(opened: Stores, mirror: Mirror, keys: Sequence[str]) -> None:
    """Name the asked keys that the ERP does not have."""
    for key in keys:
        known = await opened.mirrors.views.known(key)
        is_known = any(row.flow == mirror.flow and row.market == mirror.market for row in known)
        what = (
            "it is taken for withdrawn" if is_known else "nor was it ever written: is it misspelt?"
        )
        errors().print(Text(f"{key}: the ERP has none of it for {mirror.market}; {what}"))


async def look_through(
    settings: SyncSettings, flow: str, markets: Sequence[str]
) -> Sequence[LookRound]:
    """Look through the shop for what others changed there; return what is found of each market."""
    clock = SystemClock()
    async with stores(settings) as opened, systems(settings, clock=clock) as ways:
        given = given_of(settings, opened, ways, clock=clock)
        [made] = [each.mirrors for each in FLOWS if each.name == flow and each.mirrors is not None]
        for mirror in made(given):
            if mirror.market in markets:
                await given.mirroring.looks(mirror).whole_round()
        rounds = await opened.mirrors.looks.rounds()
        return [each for each in rounds if each.flow == flow and each.market in markets]


async def _followed(opened: Stores, run: MirrorRun) -> MirrorRun:
    """Show how a run is written until it is, or nothing moves; return it as it is then."""
    still = 0.0
    with _bar(f"Writing {run.flow} of {run.market}") as (progress, task):
        while run.state is RunState.WRITING and still < _STILL_SECONDS:
            rows = await opened.mirrors.views.states(run.id)
            left = rows.get(ChangeState.PLANNED, 0)
            whole = sum(rows.values()) - rows.get(ChangeState.WAITING, 0)
            before = progress.tasks[task].completed
            progress.update(task, total=whole, completed=whole - left)
            still = 0.0 if whole - left > before else still + _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
            run = await opened.mirrors.run(run.id) or run
    if run.state is RunState.WRITING:
        errors().print("Nothing is written: start d365-sync run, or see: d365-sync status")
    return run


@contextmanager
def _reading(mirror: Mirror) -> Iterator[Callable[[MirrorRun], None]]:
    with _bar(f"Reading {mirror.flow} of {mirror.market}") as (progress, task):

        def told(run: MirrorRun) -> None:
            progress.update(task, total=run.rows_expected, completed=run.rows_read)

        yield told
        read = int(progress.tasks[task].completed)
    errors().print(f"Read {counted(read, 'row')} of {mirror.flow} for {mirror.market}.")


@contextmanager
def _bar(what: str) -> Iterator[tuple[Progress, TaskID]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=errors(), transient=True) as progress:
        yield progress, progress.add_task(what, total=None)
