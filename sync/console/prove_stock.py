"""What `d365-sync check --prove-stock ORDER` shows: how stock moves with one test order."""

import asyncio
from collections.abc import Sequence

import typer
from rich.table import Table
from rich.text import Text

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import fail, output
from sync.console.running import carry_out
from sync.serve.building import given_of
from sync.serve.stores import stores
from sync.serve.systems import systems
from sync.settings import SyncSettings
from sync.stock.building import layout_of
from sync.stock.proving import NotProvableError, ProvenSku, prove
from sync.stock.watched_order import watched_order

_LOOK_SECONDS = 5


def prove_stock(settings: SyncSettings, number: str) -> None:
    """Watch one test order, and end with code 1 where stock would be counted wrong."""
    try:
        proven = carry_out(_proven(settings, number))
    except NotProvableError as error:
        fail(f"order {number} proves nothing: {error}")
    output().print(_table(proven))
    if not all(each.is_right for each in proven):
        output().print(
            "Try it with an item that nobody else sells. If it stays so, choose another "
            "sync.markets.*.stock.measure."
        )
        raise typer.Exit(1)


async def _proven(settings: SyncSettings, number: str) -> Sequence[ProvenSku]:
    clock = SystemClock()
    async with stores(settings) as opened, systems(settings, clock=clock) as ways:
        given = given_of(settings, opened, ways, clock=clock)
        order = await watched_order(given, layout_of(given), number)

        async def pause() -> None:
            await asyncio.sleep(_LOOK_SECONDS)

        return await prove(
            order.ordered,
            free=order.free,
            stage=order.stage,
            pause=pause,
            tell=output().print,
        )


def _table(proven: Sequence[ProvenSku]) -> Table:
    table = Table("SKU", "ordered", "before", "entered", "delivered", "")
    for each in proven:
        numbers = (each.ordered, each.before, each.entered, each.delivered)
        shown = (f"{number.normalize():f}" for number in numbers)
        table.add_row(Text(each.sku), *shown, each.fault or "right")
    return table
