"""The commands about one order of the shop: `order` and `export`.

People name an order by its number, which one order of each store view may have. `order`
tells of all of them, `export` sends none before it is said which; a store view or the
shop's own id says so.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, Json, fail, output
from sync.console.order_json import order_members
from sync.console.order_story import OrderReader, OrderStory, SalesBook
from sync.console.order_tables import order_tables
from sync.console.plain import show
from sync.console.running import By, carry_out, operator, settings_of
from sync.given import ConfiguredMarket, Given
from sync.orders.building import order_source
from sync.orders.rules import FLOW
from sync.sales.references import Numbered, named
from sync.serve.building import given_of
from sync.serve.stores import Stores, stores
from sync.serve.systems import Systems, systems
from sync.settings import SyncSettings
from sync.store.records import EventRecord
from sync.store.states import EventState

_EXPORTED = "export"

Number = Annotated[str, typer.Argument(help="The number that customers know, as 100000201.")]
Store = Annotated[
    int | None, typer.Option("--store", help="The store view, where several have the number.")
]
EntityId = Annotated[
    int | None, typer.Option("--entity-id", help="The shop's internal id of the order.")
]


class _AmbiguousError(Exception):
    """Several orders have the number; the text names them."""


def order_command(
    number: Number,
    *,
    store: Store = None,
    entity_id: EntityId = None,
    config: Config = None,
    json_output: Json = False,
) -> None:
    """Tell an order's whole story: in the shop, here, and in the ERP.

    Where several store views have an order of this number, all are told, one after the other.
    A system that cannot be reached costs its own part only. Exit code 1: nobody knows it.
    """
    stories = carry_out(_read(settings_of(config), number, store=store, entity_id=entity_id))
    show(order_members(number, stories), _printed(number, stories), json_output=json_output)
    if not any(story.order or story.events or any(story.erp.values()) for story in stories):
        fail(f"Nobody who could be asked knows order {number}.")


def export_command(
    number: Number,
    *,
    store: Store = None,
    entity_id: EntityId = None,
    config: Config = None,
    by: By = None,
) -> None:
    """Send one order whatever its age: from before `orders.start_at`, or skipped before."""
    settings = settings_of(config)
    try:
        is_new, event = carry_out(
            _export(settings, number, store=store, entity_id=entity_id, by=operator(by))
        )
    except _AmbiguousError as error:
        fail(str(error))
    if event is None:
        fail(
            f"The shop has no order {number} in a store view of any market with orders on; "
            "see sync.markets.*.store_ids",
        )
    if not is_new:
        fail(
            f"Order {event.name} was entered before: event {event.id} is {event.state}. "
            f"See it with: d365-sync show {event.id}",
        )
    output().print(f"Order {event.name} is in line as event {event.id}.")
    output().print(f"Follow it with: d365-sync order {number} --entity-id {event.document_id}")


def _printed(number: str, stories: Sequence[OrderStory]) -> Iterator[Table | Text]:
    if len(stories) > 1:
        ids = ", ".join(f"#{story.entity_id}" for story in stories)
        note = (
            f"{len(stories)} orders have the number {number}: {ids}. For one of them: --entity-id"
        )
        yield Text(note, style="yellow")
    for story in stories:
        yield from order_tables(story)


async def _read(
    settings: SyncSettings, number: str, *, store: int | None, entity_id: int | None
) -> list[OrderStory]:
    clock = SystemClock()
    async with stores(settings) as opened, systems(settings, clock=clock) as ways:
        reader = await _reader(settings, opened, ways)
        return await reader.read(number, store=store, entity_id=entity_id)


async def _reader(settings: SyncSettings, opened: Stores, ways: Systems) -> OrderReader:
    given = given_of(settings, opened, ways, clock=SystemClock())
    return OrderReader(
        opened,
        ways.shop,
        books={code: await _book(given, market) for code, market in given.markets.items()},
    )


async def _book(given: Given, market: ConfiguredMarket) -> SalesBook:
    return SalesBook(
        erp=given.sales_orders(market),
        company=market.company,
        prefixes={
            store: {prefix, *await given.forms.of(market.code, store)}
            for store, prefix in market.own_prefixes.items()
        },
        flows=market.own.flows,
    )


async def _export(
    settings: SyncSettings, number: str, *, store: int | None, entity_id: int | None, by: str
) -> tuple[bool, EventRecord | None]:
    """Enter the order; return whether that is new, and its event."""
    clock = SystemClock()
    async with stores(settings) as opened, systems(settings, clock=clock) as ways:
        source = order_source(given_of(settings, opened, ways, clock=clock))
        order = _chosen(
            settings,
            [
                order
                for order in await ways.shop.orders.orders_numbered([number])
                if order.increment_id == number
                and store in (None, order.store_id)
                and entity_id in (None, order.entity_id)
            ],
        )
        if order is None:
            return False, None
        before = await opened.overview.by_document(FLOW, str(order.entity_id))
        # One that was left out, or skipped by hand, may be meant after all.
        is_left = bool(before) and all(event.state is EventState.SKIPPED for event in before)
        again = f"after/{max(event.id for event in before)}" if is_left else ""
        entered = await source.export(order.entity_id, what=again)
        if entered is None:
            return False, None
        if entered:
            subject = f"order {number} (#{order.entity_id})"
            await opened.audit.note(by=by, action=_EXPORTED, subject=subject, after={})
        events = await opened.overview.by_document(FLOW, str(order.entity_id))
    return entered, max(events, key=lambda event: event.id)


def _chosen(settings: SyncSettings, orders: Sequence[Numbered]) -> Numbered | None:
    known = {store for market in settings.sync.markets.values() for store in market.store_ids}
    meant = [order for order in orders if order.store_id in known]
    if len(meant) > 1:
        names = ", ".join(map(named, meant))
        raise _AmbiguousError(
            f"Several orders have this number: {names}. Say which with --store or --entity-id."
        )
    return meant[0] if meant else None
