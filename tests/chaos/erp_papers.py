"""What people post in the ERP of some orders of the shop, in parts and in any order.

All of it goes through the control port, and what the ERP answers is kept: which lot of which order
it delivered, billed or credited on which paper. What it refuses, such as more than is left, did
not happen.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import requests

from tests.chaos.configuration import COMPANY
from tests.chaos.stage import Stage

_WAREHOUSE = "13"
WAREHOUSES: Mapping[str, str] = {_WAREHOUSE: "berlin", "24": "hamburg"}
# Parts of a bundle that is shipped together: the shop lets them lie in one source.
_PARTS = frozenset({"LAMP-02", "LAMP-04", "LAMP-05"})
# People write what they like on slips: far fewer numbers than slips.
_SLIP_NUMBERS = 25
_CONFLICT = 409

Rows = dict[int, Decimal]
"""By the shop's ids of rows."""


@dataclass(slots=True, kw_only=True)
class LoudOrder:
    """An order of which things happen, and what the ERP says of it.

    Attributes:
        order: The shop's id of it.
        number: The ERP's.
        reference: The shop's number.
        bundle: The shop's row of the bundle that it is for; 0 where it is for none.
        places: The warehouses that it may leave.
        ordered: By the ERP's line: the shop's row and the quantity, of goods alone.
        delivered: By the shop's row.
        billed: Likewise.
        credited: Likewise.
        slips: Those that have goods on them, as marks of the shop begin.
        parcels: Numbers.
        invoices: The marks of invoices.
        credits: Likewise of credit notes.
        total_credited: Money, in the order's currency.
        days: On which it was promised.
    """

    order: int
    number: str
    reference: str
    bundle: int
    places: Sequence[str]
    ordered: dict[str, tuple[int, Decimal]]
    delivered: Rows = field(default_factory=dict)
    billed: Rows = field(default_factory=dict)
    credited: Rows = field(default_factory=dict)
    slips: dict[str, str] = field(default_factory=dict)
    parcels: list[str] = field(default_factory=list)
    invoices: list[str] = field(default_factory=list)
    credits: list[str] = field(default_factory=list)
    total_credited: Decimal = Decimal(0)
    days: list[str] = field(default_factory=list)

    def left_to(self, done: Rows) -> dict[str, Decimal]:
        """Return what is left of each line."""
        left = {line: all_ - done.get(row, 0) for line, (row, all_) in self.ordered.items()}
        return {line: each for line, each in left.items() if each > 0}


@dataclass(slots=True)
class Unit:
    """Orders of one customer that share some papers.

    Attributes:
        orders: They.
        total_billed: Money, over all of them.
    """

    orders: Sequence[LoudOrder]
    total_billed: Decimal = Decimal(0)


class ErpPapers:
    """Posts, and keeps what was posted.

    Args:
        on: Where.
        units: Whose.
        random: Chooses.

    Attributes:
        units: Whose.
        posted: How many papers there are.
        fresh: Marks of papers that were just posted; whoever waits for these takes them.
    """

    def __init__(self, on: Stage, units: Sequence[Unit], random: Random) -> None:
        self.units = units
        self.posted = 0
        self.fresh: list[str] = []
        self._on = on
        self._random = random
        self._deeds: Sequence[Callable[[Unit, LoudOrder], None]] = (
            *([self.ship] * 8),
            *([self.invoice] * 5),
            *([self.track] * 3),
            *([self.promise] * 2),
            *([self.credit] * 2),
            self.credit_amount,
        )

    @property
    def orders(self) -> Iterable[LoudOrder]:
        """All orders."""
        return (order for unit in self.units for order in unit.orders)

    def something(self) -> LoudOrder:
        """Have anything happen to any order; return to which."""
        unit = self._random.choice(self.units)
        order = self._random.choice(unit.orders)
        self._random.choice(self._deeds)(unit, order)
        return order

    def rest(self) -> None:
        """Deliver and bill all that is left."""
        for unit in self.units:
            for order in unit.orders:
                self.ship(unit, order, is_rest=True)
                self.invoice(unit, order, is_rest=True)

    def ship(self, unit: Unit, order: LoudOrder, *, is_rest: bool = False) -> None:
        """Post a slip: of a part, or one over all orders of the unit."""
        name = self._slip_for(unit.orders)
        is_summary = not is_rest and len(unit.orders) > 1 and self._random.random() < 0.2
        body: dict[str, Any] = {"slip": name, "carrier": "DHL"}
        if is_summary:
            order = unit.orders[0]
            body |= {"also": [each.number for each in unit.orders[1:]], "summary": True}
        elif not is_rest:
            lines = self._part(order, order.left_to(order.delivered))
            if not lines:
                return
            body["lines"] = lines
        if not is_summary:
            body["warehouse"] = self._random.choice(order.places)
        for slip in self._told(order, "ship", body) or ():
            self._delivered(slip)

    def track(self, unit: Unit, order: LoudOrder) -> None:
        """Tell a parcel of a slip."""
        if not order.slips or order.bundle:
            # Of a bundle a slip with some parts is no shipment, and its parcel waits.
            return
        slip = self._random.choice([*order.slips.values()])
        parcel = f"JD{self.posted:06}"
        if self._told(order, "track", {"slip": slip, "parcel": parcel}):
            # Of a slip over several orders it is all of them's.
            for each in unit.orders:
                if slip in each.slips.values():
                    each.parcels.append(parcel)

    def invoice(self, unit: Unit, order: LoudOrder, *, is_rest: bool = False) -> None:
        """Post an invoice: of what was delivered, of more, or one over all orders of the unit."""
        body: dict[str, Any] = {}
        if not is_rest and len(unit.orders) > 1 and self._random.random() < 0.2:
            order = unit.orders[0]
            body["also"] = [each.number for each in unit.orders[1:]]
        elif not is_rest and self._random.random() < 0.5:
            delivered = {
                line: order.delivered.get(row, Decimal(0)) - order.billed.get(row, Decimal(0))
                for line, (row, _) in order.ordered.items()
            }
            lines = self._part(order, {line: each for line, each in delivered.items() if each > 0})
            if not lines:
                return
            body["lines"] = lines
        if told := self._told(order, "invoice", body):
            unit.total_billed += told["total"]
            self._billed(told)

    def credit(self, _: Unit, order: LoudOrder) -> None:
        """Take a part of what was billed back."""
        left = {
            line: order.billed.get(row, Decimal(0)) - order.credited.get(row, Decimal(0))
            for line, (row, _) in order.ordered.items()
        }
        lines = self._part(order, {line: each for line, each in left.items() if each > 0})
        if lines and (told := self._told(order, "credit", {"lines": lines})):
            self._credited(order, told)

    def credit_amount(self, _: Unit, order: LoudOrder) -> None:
        """Give a little money back, without goods."""
        if order.billed and not order.total_credited:
            body = {"amount": 1, "tax_group": "NONE"}
            if told := self._told(order, "credit", body):
                self._credited(order, told)

    def promise(self, _: Unit, order: LoudOrder) -> None:
        """Confirm another day of shipping."""
        day = f"{datetime.now(UTC).date() + timedelta(days=10 + len(order.days))}"
        if self._told(order, "promise", {"ships": day}):
            order.days.append(day)

    def _slip_for(self, orders: Sequence[LoudOrder]) -> str:
        """Return a number that others have as well, but none of these orders."""
        used = {name for order in orders for name in order.slips.values()}
        names = [f"PS-{number}" for number in range(_SLIP_NUMBERS)]
        free = [name for name in names if name not in used]
        return self._random.choice(free or [f"PS-X{self.posted}"])

    def _part(self, order: LoudOrder, left: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """Return some of what is left of lines; of a bundle the same share of each part."""
        if order.bundle:
            share = {line: order.ordered[line][1] / 2 for line in order.ordered}
            is_left = all(left.get(line, 0) >= each for line, each in share.items())
            return share if is_left else {}
        some = {line: self._random.randint(0, int(each)) for line, each in left.items()}
        return {line: Decimal(each) for line, each in some.items() if each}

    def _delivered(self, slip: Mapping[str, Any]) -> None:
        order, has_goods = self._by_number()[slip["order"]], False
        for line in slip["lines"].values():
            if row := _row_of(line["reference"]):
                has_goods = True
                order.delivered[row] = order.delivered.get(row, Decimal(0)) + line["quantity"]
        if not has_goods:
            return
        mark = f"{COMPANY}/{order.number}/{slip['slip']}/{slip['day']}"
        order.slips[mark] = slip["slip"]
        if not order.bundle:
            self.fresh.append(mark)

    def _billed(self, told: Mapping[str, Any]) -> None:
        orders = self._by_number()
        for line in told["lines"]:
            order = orders[line["order"]]
            if row := _row_of(line["reference"]):
                order.billed[row] = order.billed.get(row, Decimal(0)) + line["quantity"]
                mark = f"{COMPANY}/{told['invoice']}/{told['day']}/{order.number}"
                if mark not in order.invoices:
                    order.invoices.append(mark)
                    self.fresh.append(mark)

    def _credited(self, order: LoudOrder, told: Mapping[str, Any]) -> None:
        order.total_credited -= told["total"]
        mark = f"{COMPANY}/{told['invoice']}/{told['day']}/{order.number}"
        order.credits.append(mark)
        self.fresh.append(mark)
        for line in told["lines"]:
            if row := _row_of(line["reference"]):
                order.credited[row] = order.credited.get(row, Decimal(0)) - line["quantity"]

    def _by_number(self) -> Mapping[str, LoudOrder]:
        return {order.number: order for order in self.orders}

    def _told(self, order: LoudOrder, action: str, body: Mapping[str, Any]) -> Any:
        try:
            told = self._on.ask("POST", f"fo/orders/{order.number}/{action}", _plain(body))
        except requests.HTTPError as error:
            if error.response.status_code != _CONFLICT:
                raise
            return None
        self.posted += 1
        return told


def _row_of(reference: str) -> int:
    """Return the shop's row that a line names; 0 for freight, and what the ERP added."""
    row = (reference or "").rpartition("-")[2]
    return int(row) if row.isdecimal() else 0


def loud_orders(on: Stage, ids: Iterable[int]) -> list[LoudOrder]:
    """Return orders that are in the ERP, as both systems have them."""
    wanted = set(ids)
    sold = {each["number"]: each for each in on.ask("GET", "fo/orders", None)}
    found = []
    for order in on.orders():
        if order["entity_id"] not in wanted or order["ext_order_id"] not in sold:
            continue
        lines = {
            f"{line['LineNumber']}": (row, Decimal(line["OrderedSalesQuantity"]))
            for line in sold[order["ext_order_id"]]["lines"]
            if (row := _row_of(line["OrderLineReference"]))
        }
        items = {line["ItemNumber"] for line in sold[order["ext_order_id"]]["lines"]}
        # A bundle's own row is none of these, and stands before its parts.
        rows = {row for row, _ in lines.values()}
        first = order["item_ids"][0]
        is_bundle = len(order["item_ids"]) > len(rows) and first not in rows
        found.append(
            LoudOrder(
                order=order["entity_id"],
                number=order["ext_order_id"],
                reference=order["increment_id"],
                bundle=first if is_bundle else 0,
                places=[_WAREHOUSE] if items & _PARTS else [*WAREHOUSES],
                ordered=lines,
            )
        )
    return found


def _plain(value: Any) -> Any:
    """Return a body as JSON can hold it."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral() else float(value)
    return value
