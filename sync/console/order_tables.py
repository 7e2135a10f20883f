"""Draw an order's story on one screen: both systems first, then what happened when. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from sync.console.event_story import EventStory
from sync.console.event_tables import answer_text, took
from sync.console.order_story import ErpOrder, OrderStory
from sync.console.tables import state_text, table_of
from sync.console.words import NONE, instant
from sync.description import CameBack
from sync.magento.order_models import Order
from sync.store.records import EventRecord
from sync.store.states import ENDED

_Moment = tuple[datetime, str, Text]


def order_tables(story: OrderStory) -> Iterator[Table | Text]:
    """Yield the shop's side, the ERP's, what came back from there, and the timeline."""
    yield _shop(story)
    if story.came_back:
        yield _came_back(story.came_back)
    for market, orders in story.erp.items():
        if not orders:
            yield Text(f"The ERP of {market} has no order with this reference.", style="yellow")
        for order in orders:
            yield _erp(market, order)
    for side, reason in story.silent.items():
        yield Text(f"Not known, since {side} could not be asked: {reason}", style="red")
    yield _events(story)
    yield _timeline(story.events)


def _shop(story: OrderStory) -> Table | Text:
    order = story.order
    if order is None:
        known = "the shop" in story.silent
        return Text("" if known else f"The shop has no order {story.number}.", style="yellow")
    table = table_of(f"Order {story.number} (#{order.entity_id}) in the shop")
    table.show_header = False
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, text in _shop_facts(order, story.market):
        table.add_row(name, Text(text))
    return table


def _shop_facts(order: Order, market: str) -> Iterator[tuple[str, str]]:
    yield "store view", str(order.store_id)
    yield "market", market or f"none: no market names store view {order.store_id}"
    yield "status", f"{order.status} (state {order.state})"
    yield "ERP number", order.ext_order_id or "not written back"
    yield "placed", instant(order.created_at)
    yield "last changed", instant(order.updated_at)
    total = f"{order.grand_total:f} {order.order_currency_code}"
    yield "total", f"{total}, of it tax {order.tax_amount:f}"
    yield "payment, delivery", f"{order.payment.method}, {order.shipping.method or NONE}"
    lines = (f"{line.qty_ordered.normalize():f} x {line.sku}" for line in order.items)
    yield "lines", ", ".join(lines)


def _came_back(found: Sequence[CameBack]) -> Table:
    table = table_of("Came back from the ERP, as the shop has it", "what", "name", "since")
    table.add_column("content", overflow="fold")
    for each in found:
        since = NONE if each.at is None else instant(each.at)
        table.add_row(each.what, Text(each.name or NONE), since, Text(each.text))
    return table


def _erp(market: str, order: ErpOrder) -> Table:
    header = order.header
    place = f"{header.SalesOrderNumber} in {header.dataAreaId} (ERP of {market})"
    table = table_of(f"Sales order {place}", "line", "item", "quantity", "price", "net amount")
    table.add_column("status")
    for line in order.lines:
        table.add_row(
            Text(line.OrderLineReference),
            Text(line.ItemNumber),
            f"{line.OrderedSalesQuantity} {line.SalesUnitSymbol}",
            line.SalesPrice,
            line.LineAmount,
            line.SalesOrderLineStatus,
        )
    stop = "STOPPED" if header.IsSalesProcessingStopped else "released"
    facts = [stop, header.SalesOrderStatus, f"customer {header.OrderingCustomerAccountNumber}"]
    if order.totals is not None:
        total = order.totals.OrderTotalAmount
        tax = order.totals.OrderTotalTaxAmount
        facts.append(f"total {total} {header.CurrencyCode}, of it tax {tax}")
    if order.is_anothers:
        facts.append("ANOTHER'S: it has this reference, and no line of this order")
    table.caption = " · ".join(facts)
    is_fine = not header.IsSalesProcessingStopped and not order.is_anothers
    table.caption_style = "green" if is_fine else "yellow"
    return table


def _events(story: OrderStory) -> Table:
    table = table_of("Events", "event", "flow", "document", "state", "field", "what", "what to do")
    for each in story.events:
        event, trouble = each.event, each.event.trouble
        said = ("", event.note, "")
        if trouble is not None:
            said = (trouble.field, _said(event), trouble.advice)
        head = (str(event.id), event.flow, event.name)
        table.add_row(*head, state_text(event.state), *map(Text, said))
    if not story.events:
        table.caption = f"None. If it is too old to go by itself: d365-sync export {story.number}"
    return table


def _timeline(stories: Sequence[EventStory]) -> Table:
    table = table_of("What happened", "when", "event", "what")
    moments = [moment for story in stories for moment in _moments(story)]
    for at, event, what in sorted(moments, key=lambda moment: moment[0]):
        table.add_row(f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3], event, what)
    return table


def _moments(story: EventStory) -> Iterator[_Moment]:
    event, name = story.event, str(story.event.id)
    task = event.payload.get("task")
    yield event.created_at, name, Text(f"entered{f' ({task})' if task else ''}")
    for call in story.calls:
        what = Text(f"attempt {call.attempt}: {call.system} {call.operation} → ")
        yield call.sent_at, name, what.append_text(answer_text(call)).append(f", {took(call)}")
    for entry in story.audit:
        yield entry.created_at, name, Text(f"{entry.action} by {entry.who}")
    yield _where_it_stands(event)


def _where_it_stands(event: EventRecord) -> _Moment:
    said, what = _said(event), state_text(event.state)
    return event.ended_at or event.changed_at, str(event.id), what.append(f": {said}" * bool(said))


def _said(event: EventRecord) -> str:
    """Return what came of an event that is over, else what is wrong."""
    if event.trouble is None or (event.state in ENDED and event.note):
        return event.note
    return event.trouble.text
