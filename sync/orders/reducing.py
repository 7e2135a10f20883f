"""See to lines of an order that were cancelled in the shop after it was sent.

The ERP's line must have what is not cancelled. Where the market says so, it is given that
quantity, together with its price, which the ERP might else look up anew for another quantity;
a line of which nothing is left is deleted. What was changed is read back. In all other cases a
person sees to it: nothing is reduced below what somebody else has left of it, nor what the ERP
has delivered.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from http import HTTPStatus

from pricing_proxy.d365.fo.bodies import FieldValue, wire_members
from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.names import same_name_key
from pricing_proxy.resilience.errors import UpstreamRejectedError
from sync.engine.flow import Work
from sync.engine.outcomes import Difference, HeldError
from sync.engine.refusals import named
from sync.engine.writes import Doubts, written
from sync.magento.order_models import Order
from sync.orders.ports import ErpOrders
from sync.orders.rules import OrderRules
from sync.orders.writer import SYSTEM
from sync.sales.quantities import uncancelled
from sync.sales.value_lines import ValueLine, line_reference, value_lines
from sync.store.order_writes import CANCEL_LINK, LINE_LINK

REDUCE = "order line reduce"
DROP = "order line delete"
OPEN = "Backorder"
"""The `SalesStatus` of orders and lines of which nothing is delivered yet."""
_QUANTITY = "OrderedSalesQuantity"
# With another quantity the ERP may look for another price, unless it is told this one again.
_PRICED = ("SalesPrice", "SalesPriceQuantity", "LineDiscountPercentage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surplus:
    """A line of which the ERP has another quantity than is left of it in the shop.

    Attributes:
        value: The shop's.
        reference: Its name in the ERP.
        left: What is not cancelled.
        line: The ERP's; None where it has none any more.
    """

    value: ValueLine
    reference: str
    left: Decimal
    line: SalesOrderLineRow | None

    @property
    def found(self) -> Decimal:
        """The quantity in the ERP."""
        return Decimal(0) if self.line is None else self.line.OrderedSalesQuantity.value

    @property
    def difference(self) -> Difference:
        """It, as records show it."""
        return f"line {self.reference} {_QUANTITY}", _plain(self.left), _plain(self.found)

    def told(self, number: str) -> str:
        """Return what happened, in words."""
        row = self.value.row
        return (
            f"{_plain(row.qty_canceled)} of {_plain(row.qty_ordered)} {self.value.sku} were "
            f"cancelled after the order was sent; {number} has {_plain(self.found)}"
        )


class Reducer:
    """Sees to the cancelled lines of one market's orders.

    Args:
        erp: The ERP's sales orders.
        company: The market's.
        rules: Its rules.
    """

    def __init__(self, erp: ErpOrders, *, company: str, rules: OrderRules) -> None:
        self._erp = erp
        self._company = company
        self._rules = rules

    async def reduce(self, work: Work, order: Order, header: SalesOrderHeaderRow) -> str:
        """Return what was taken off the ERP's order, empty where nothing had to be.

        Raises:
            HeldError: A person must do it.
            UpstreamError: A call failed.
        """
        if not order.cancelled:
            return ""
        if await work.links.erp_key(CANCEL_LINK, str(order.entity_id)) is not None:
            # It comes from there.
            return "was cancelled as the ERP had cancelled it"
        doubts, number = await Doubts.of(work), header.SalesOrderNumber
        surplus = await self._surplus(work, order, number)
        if not surplus:
            return ""
        if self._rules.part_cancelled == "hold" or not all(map(_may_be_reduced, surplus)):
            raise self._held(surplus, number)
        for each in surplus:
            with named(f"reduce line {each.reference}", {_QUANTITY: each.left}):
                await self._change(work, each, doubts)
        await self._check(surplus, number)
        return f"taken off {number}: {', '.join(map(_taken, surplus))}"

    async def _surplus(self, work: Work, order: Order, number: str) -> Sequence[Surplus]:
        """Return where the ERP has another quantity, but for what it has reduced itself."""
        return [
            each
            for each in _surplus(order, await self._lines(number), self._rules)
            if await work.links.erp_key(LINE_LINK, each.reference) != _plain(each.left)
        ]

    async def _lines(self, number: str) -> Sequence[SalesOrderLineRow]:
        with named("read the order's lines", {"SalesOrderNumber": number}):
            return await self._erp.lines(self._company, number)

    async def _check(self, surplus: Sequence[Surplus], number: str) -> None:
        """Return when the ERP has what it was given; raises `HeldError`."""
        found = {line.InventoryLotId: line for line in await self._lines(number)}
        if differences := [one for each in surplus for one in _unlike(each, found)]:
            raise HeldError(
                field=differences[0][0],
                text=f"{number} was reduced by what was cancelled in the shop, and is not what it "
                "should be now",
                advice="correct the lines in the ERP and replay, or skip to leave them",
                diff=tuple(differences),
            )

    async def _change(self, work: Work, surplus: Surplus, doubts: Doubts) -> None:
        line = surplus.line
        if line is None:
            return
        about = {"InventoryLotId": line.InventoryLotId}
        doubts.wait_out(REDUCE, about)
        if surplus.left:
            changes = _changes(line, surplus.left)
            change = partial(self._erp.change_line, self._company, line.InventoryLotId, changes)
            await written(work, SYSTEM, REDUCE, {**about, **wire_members(changes)}, change)
            return
        delete = partial(self._erp.delete_line, self._company, line.InventoryLotId)
        try:
            await written(work, SYSTEM, DROP, about, delete)
        except UpstreamRejectedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def _held(self, surplus: Sequence[Surplus], number: str) -> HeldError:
        advice = "reduce the lines in the ERP and replay, or skip to leave them"
        if self._rules.part_cancelled == "hold":
            advice += '; orders.part_cancelled = "reduce" has it done from here'
        return HeldError(
            field=f"items[{surplus[0].value.index}].qty_canceled",
            text="; ".join(each.told(number) for each in surplus),
            advice=advice,
            diff=tuple(each.difference for each in surplus),
        )


def _surplus(
    order: Order, lines: Sequence[SalesOrderLineRow], rules: OrderRules
) -> Iterator[Surplus]:
    found = {same_name_key(line.OrderLineReference): line for line in lines}
    for value in value_lines(order.items, rules.splitting):
        if not value.row.qty_canceled:
            continue
        reference = line_reference(order.increment_id, value.key)
        each = Surplus(
            value=value,
            reference=reference,
            left=uncancelled(value),
            line=found.get(same_name_key(reference)),
        )
        if each.left != each.found:
            yield each


def _may_be_reduced(surplus: Surplus) -> bool:
    line = surplus.line
    return line is not None and line.SalesOrderLineStatus == OPEN and surplus.left < surplus.found


def _changes(line: SalesOrderLineRow, left: Decimal) -> Mapping[str, FieldValue]:
    return {_QUANTITY: left, **{name: getattr(line, name).value for name in _PRICED}}


def _unlike(surplus: Surplus, found: Mapping[str, SalesOrderLineRow]) -> Iterator[Difference]:
    before = surplus.line
    line = None if before is None else found.get(before.InventoryLotId)
    now = Decimal(0) if line is None else line.OrderedSalesQuantity.value
    name = f"line {surplus.reference}"
    if now != surplus.left:
        yield f"{name} {_QUANTITY}", _plain(surplus.left), _plain(now)
    if line is None or before is None:
        return
    for member in _PRICED:
        wanted, has = getattr(before, member).value, getattr(line, member).value
        if wanted != has:
            yield f"{name} {member}", str(wanted), str(has)


def _taken(surplus: Surplus) -> str:
    return f"{_plain(surplus.found - surplus.left)} of {_plain(surplus.found)} {surplus.value.sku}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
