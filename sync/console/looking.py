"""Commands that look: `status`, `failed`, `show`."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Annotated

import typer
from rich.table import Table

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, Json, fail, output
from pricing_proxy.resilience.errors import UpstreamError
from sync.alerts.conditions import CAUTIONED_FOR
from sync.console.event_story import read_event
from sync.console.event_tables import event_tables
from sync.console.gates import read_gates
from sync.console.left_out import LeftOut, count_left_out
from sync.console.odd_rows import odd_table
from sync.console.plain import as_json, show
from sync.console.run_tables import mirrors_table
from sync.console.running import carry_out, settings_of, with_stores
from sync.console.state import SyncState, read_state
from sync.console.tables import (
    NAMED,
    cautions_table,
    failed_table,
    gates_table,
    left_out_table,
    state_tables,
)
from sync.serve.stores import Stores, stores
from sync.serve.systems import systems
from sync.settings import SyncSettings
from sync.store.odd_row_record import OddRecord
from sync.store.records import Alike, EventRecord

# What people still scroll through, and more than any database holds.
_ON_A_SCREEN, _ALL = 200, 2**31
_Left = dict[str, LeftOut | str]
_Gates = Mapping[str, timedelta] | str


def status_command(*, config: Config = None, json_output: Json = False) -> None:
    """Show how every flow stands: events by state, lag, pauses, schedules, open alerts.

    Lag is the age of the oldest event that is neither done nor skipped. Orders from before
    `orders.start_at` are counted in the shop; without it, the rest is shown all the same.
    """
    state, left_out, gates = carry_out(_status(settings_of(config)))
    odd = odd_table(state.odd_rows, set_aside=state.odd_rows_set_aside)
    tables = (
        *state_tables(state),
        *([] if state.mirrors is None else [mirrors_table(state.mirrors, now=state.at)]),
        *([odd] if odd.row_count or state.odd_rows_set_aside else []),
        left_out_table(left_out),
        gates_table(gates),
    )
    members = {
        "state": state,
        "left_out": {code: _count(found) for code, found in left_out.items()},
        "undecided": {
            code: found.undecided for code, found in left_out.items() if isinstance(found, LeftOut)
        },
        "gates": gates,
    }
    show(members, tables, json_output=json_output)


def failed_command(
    *,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"Show so many; {_ON_A_SCREEN} without, and all as JSON."),
    ] = None,
    cautions: Annotated[
        bool,
        typer.Option(
            "--cautions",
            help="Instead, what was sent within a day though it differs in the other system.",
        ),
    ] = False,
    config: Config = None,
    json_output: Json = False,
) -> None:
    """List what waits for a person: the field at fault, what is wrong, and what to do.

    Below them stand rows that cannot be read; as JSON those are in `status --json`.

    `held` events need a decision and come first; `blocked` ones wait behind a held one and go
    on by themselves when it is done. Those with which the same is wrong are one line, and go on
    together: d365-sync replay EVENT --alike
    """
    most = limit or (_ALL if json_output else _ON_A_SCREEN)
    if cautions:
        sent = with_stores(config, partial(_cautions, most=most))
        show(sent, [cautions_table(sent)], json_output=json_output)
        return
    if json_output:
        events = with_stores(config, lambda opened: opened.overview.stuck(most=most))
        typer.echo(as_json(events))
        return
    crowds, odd = with_stores(config, _stuck)
    if crowds:
        _print_some(failed_table(crowds[:most]), min(most, len(crowds)), of=len(crowds))
    else:
        output().print("Nothing is held.", style="green")
    if odd:
        _print_some(odd_table(odd[:most]), min(most, len(odd)), of=len(odd))


def _print_some(table: Table, shown: int, *, of: int) -> None:
    output().print(table)
    if of > shown:
        output().print(f"{shown} of {of:,}; --limit {of} shows all.")


def show_command(
    event: Annotated[int, typer.Argument(help="Its number, as in `failed`.")],
    *,
    config: Config = None,
    json_output: Json = False,
) -> None:
    """Show one event: its state, payload, every write to other systems, and who waits for it."""
    story = with_stores(config, lambda opened: read_event(opened, event))
    if story is None:
        fail(f"There is no event {event}; the numbers are in: d365-sync failed")
    show(story, event_tables(story), json_output=json_output)


def _count(found: LeftOut | str) -> int | str:
    return found.count if isinstance(found, LeftOut) else found


async def _cautions(opened: Stores, *, most: int) -> list[EventRecord]:
    return await opened.overview.cautions(CAUTIONED_FOR, most=most)


async def _stuck(opened: Stores) -> tuple[list[Alike], list[OddRecord]]:
    crowds = await opened.overview.stuck_alike(named=NAMED)
    lines = [line for crowd in crowds for line in _lines(crowd)]
    return lines, await opened.odd_rows.waiting()


def _lines(crowd: Alike) -> list[Alike]:
    """Return the lines of a table in which a crowd is shown: a few have one each."""
    return [crowd] if crowd.count > NAMED else [Alike([event], 1) for event in crowd.first]


async def _status(settings: SyncSettings) -> tuple[SyncState, _Left, _Gates]:
    clock = SystemClock()
    async with stores(settings) as opened:
        state = await read_state(opened, settings.sync, clock=clock)
    left_out: _Left = {}
    async with systems(settings, clock=clock) as ways:
        for code, market in settings.sync.markets.items():
            try:
                left_out[code] = await count_left_out(ways.shop.orders, code, market)
            except UpstreamError as error:
                left_out[code] = f"unknown: {error}"
    return state, left_out, await read_gates(settings)
