"""The commands about one order of the shop: `order` and `export`."""

from typing import Annotated

import typer

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.orders import SalesOrders
from sync.bootstrap import Systems, assembled, systems
from sync.console.order_json import order_members
from sync.console.order_story import OrderReader, OrderStory
from sync.console.order_tables import order_tables
from sync.console.plain import as_json
from sync.console.running import (
    FAILED,
    By,
    Config,
    Json,
    carry_out,
    fail,
    operator,
    output,
    settings_of,
)
from sync.orders.source import FLOW
from sync.settings import SyncSettings
from sync.store.records import EventRecord
from sync.stores import Stores, stores

_EXPORTED = "export"

Number = Annotated[str, typer.Argument(help="The number that customers know, as 100000201.")]


def order_command(number: Number, *, config: Config = None, json_output: Json = False) -> None:
    """Tell an order's whole story: in the shop, here, and in the ERP.

    A system that cannot be reached costs its own part only. Exit code 1: nobody knows it.
    """
    story = carry_out(_read(settings_of(config), number))
    if json_output:
        typer.echo(as_json(order_members(story)))
    else:
        console = output()
        for part in order_tables(story):
            console.print(part)
    if story.order is None and not story.events and not any(story.erp.values()):
        fail(f"Nobody who could be asked knows order {number}.", FAILED)


def export_command(number: Number, *, config: Config = None, by: By = None) -> None:
    """Send one order whatever its age, also one from before `orders.start_at`."""
    is_new, event = carry_out(_export(settings_of(config), number, by=operator(by)))
    if event is None:
        fail(
            f"The shop has no order {number} in a store view of any market with orders on; "
            "see sync.markets.*.store_ids",
            FAILED,
        )
    if not is_new:
        fail(
            f"Order {number} was entered before: event {event.id} is {event.state}. "
            f"See it with: d365-sync show {event.id}",
            FAILED,
        )
    output().print(f"Order {number} is in line as event {event.id}.")
    output().print(f"Follow it with: d365-sync order {number}")


async def _read(settings: SyncSettings, number: str) -> OrderStory:
    clock = SystemClock()
    async with stores(settings) as opened, systems(settings, clock=clock) as ways:
        return await _reader(settings, opened, ways).read(number)


def _reader(settings: SyncSettings, opened: Stores, ways: Systems) -> OrderReader:
    own = settings.sync.markets

    async def memos(order: int) -> list[str]:
        return [memo.increment_id for memo in await ways.shop.credit_memos(order)]

    return OrderReader(
        opened,
        order=ways.shop.order_by_increment_id,
        memos=memos,
        erps={
            code: (
                SalesOrders(
                    ways.erps[settings.markets[code].environment].documents,
                    reference_field=market.orders.reference_field,
                ),
                settings.markets[code].legal_entity,
            )
            for code, market in own.items()
        },
        market_of_store={store: code for code, market in own.items() for store in market.store_ids},
    )


async def _export(
    settings: SyncSettings, number: str, *, by: str
) -> tuple[bool, EventRecord | None]:
    """Enter the order; return whether that is new, and its event."""
    clock = SystemClock()
    async with stores(settings) as opened, systems(settings, clock=clock) as ways:
        _, sources = assembled(settings, opened, ways, clock=clock)
        entered = await sources.orders.export(number)
        if entered is None:
            return False, None
        if entered:
            await opened.audit.note(by=by, action=_EXPORTED, subject=f"order {number}", after={})
        events = await opened.overview.by_key(number)
    return entered, next(event for event in events if event.flow == FLOW)
