"""What is on hand in each warehouse, and the order lines that want some of it.

A line is demand from the moment it is created, whether or not its order is stopped, until it is
shipped, closed or deleted. Reserving keeps what is there for a line; picking takes it out of
the warehouse's stock; a packing slip ships what was picked, then what was reserved, then what
is free. All quantities are in the inventory unit. Each step can be taken back with the
transaction that it belongs to.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from pricing_proxy.sandbox.book import ZERO, fold
from pricing_proxy.sandbox.stock.places import HELD_IN, Balance, Place, opening

Remember = Callable[[Callable[[], None]], None]
"""Takes note of how to take a step back."""


class StockRefusedError(Exception):
    """There is not enough, or the line does not allow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLine:
    """An order line as stock sees it.

    Attributes:
        quantity: As ordered.
        reserved: Of what is there, kept for it.
        reserved_ordered: Of what is on its way, kept for it.
        picked: Taken out of stock, not shipped yet.
        closed: Never to be delivered.
    """

    lot: str
    place: Place
    quantity: Decimal
    reserved: Decimal = ZERO
    reserved_ordered: Decimal = ZERO
    picked: Decimal = ZERO
    shipped: Decimal = ZERO
    closed: Decimal = ZERO

    @property
    def open(self) -> Decimal:
        """What is still to be shipped."""
        return self.quantity - self.shipped - self.closed

    @property
    def on_order(self) -> Decimal:
        """What is wanted, and kept nowhere."""
        return self.open - self.picked - self.reserved - self.reserved_ordered


class _Wanted(NamedTuple):
    """What all lines of a place want."""

    reserved: Decimal
    reserved_ordered: Decimal
    on_order: Decimal


_NOTHING = _Wanted(ZERO, ZERO, ZERO)


class StockLedger:
    """The stock of the environment.

    Attributes:
        lines: By lot.
        others: Places beyond where every item is held, and those that hold it no more.
        version: Rises with each change of a place.
        structure: Rises when a place gets a row, or loses it.
        on_change: Told which place has changed.
    """

    def __init__(self) -> None:
        self.lines: dict[str, StockLine] = {}
        self.others: dict[str, dict[str, bool]] = {}
        self.version = 0
        self.structure = 0
        self.remember: Remember = lambda _: None
        self.on_change: Callable[[Place], None] = lambda _: None
        self._physical: dict[Place, Decimal] = {}
        self._ordered: dict[Place, Decimal] = {}
        self._versions: dict[Place, int] = {}
        self._by_place: dict[Place, dict[str, StockLine]] = {}
        self._wanted: dict[Place, _Wanted] = {}

    def balance(self, place: Place) -> Balance:
        """Return what is held at a place, and wanted from there."""
        wanted = self._wanted.get(place, _NOTHING)
        return Balance(
            on_hand=self._held(place),
            reserved=wanted.reserved,
            ordered=self._ordered.get(place, ZERO),
            reserved_ordered=wanted.reserved_ordered,
            on_order=wanted.on_order,
        )

    def version_of(self, place: Place) -> int:
        """Return a number that no earlier state of a place had."""
        return self._versions.get(place, 0)

    def lines_at(self, place: Place) -> list[StockLine]:
        """Return the lines that want something from a place, or got it."""
        return list(self._by_place.get(place, {}).values())

    def put(self, place: Place, on_hand: Decimal) -> None:
        """Set what is on hand, as a count does."""
        self._note(self._physical, place, on_hand)

    def expect(self, place: Place, ordered: Decimal) -> None:
        """Set what is on its way to a place."""
        self._note(self._ordered, place, ordered)

    def drop(self, place: Place) -> None:
        """Have no row of a place any more."""
        self._show(place, is_shown=False)

    def enter(self, lot: str, place: Place, quantity: Decimal) -> None:
        """Take a new line."""
        self._set(lot, StockLine(lot=lot, place=place, quantity=quantity))

    def change(self, lot: str, place: Place, quantity: Decimal) -> None:
        """Change a line, which loses what was kept for it where it moves, or wants less."""
        old = self.lines[lot]
        if old.place != place:
            if old.picked or old.shipped:
                raise StockRefusedError("The line is being delivered from another warehouse.")
            old = replace(old, place=place, reserved=ZERO, reserved_ordered=ZERO)
        line = replace(old, quantity=quantity)
        if line.open < line.picked:
            raise StockRefusedError("More is picked or delivered already.")
        kept = min(line.reserved, line.open - line.picked)
        on_its_way = min(line.reserved_ordered, line.open - line.picked - kept)
        self._set(lot, replace(line, reserved=kept, reserved_ordered=on_its_way))

    def remove(self, lot: str) -> None:
        """Forget a line; raises `StockRefusedError` once anything of it is picked or shipped."""
        line = self.lines[lot]
        if line.picked or line.shipped:
            raise StockRefusedError("The line is being delivered.")
        self._set(lot, None)

    def reserve(self, lot: str, most: Decimal | None = None) -> Decimal:
        """Keep what is free for a line, as far as it goes; return how much that is."""
        line = self.lines[lot]
        free = max(ZERO, self.balance(line.place).available)
        more = min(free, line.on_order if most is None else min(most, line.on_order))
        self._set(lot, replace(line, reserved=line.reserved + more))
        return more

    def reserve_ordered(self, lot: str, most: Decimal | None = None) -> Decimal:
        """Keep some of what is on its way for a line; return how much that is."""
        line = self.lines[lot]
        free = max(ZERO, self.balance(line.place).available_ordered)
        more = min(free, line.on_order if most is None else min(most, line.on_order))
        self._set(lot, replace(line, reserved_ordered=line.reserved_ordered + more))
        return more

    def unreserve(self, lot: str) -> None:
        """Keep nothing for a line any more."""
        self._set(lot, replace(self.lines[lot], reserved=ZERO, reserved_ordered=ZERO))

    def pick(self, lot: str, quantity: Decimal) -> None:
        """Take a quantity out of stock for a line, what is reserved for it first."""
        line = self._taken(lot, quantity)
        self._set(lot, replace(line, picked=line.picked + quantity))

    def ship(self, lot: str, quantity: Decimal) -> None:
        """Ship a quantity of a line: what is picked, then what is reserved, then what is free."""
        line = self.lines[lot]
        if quantity > line.open:
            raise StockRefusedError("More than is left to deliver.")
        picked = min(quantity, line.picked)
        self._set(lot, replace(line, picked=line.picked - picked, shipped=line.shipped + picked))
        if rest := quantity - picked:
            line = self._taken(lot, rest)
            self._set(lot, replace(line, shipped=line.shipped + rest))

    def unship(self, lot: str, quantity: Decimal) -> None:
        """Take a quantity of a line back that was never shipped after all."""
        line = self.lines[lot]
        if quantity > line.shipped:
            raise StockRefusedError("So much was never delivered.")
        self.put(line.place, self._held(line.place) + quantity)
        self._set(lot, replace(line, shipped=line.shipped - quantity))

    def allow(self, lot: str, more: Decimal) -> None:
        """Let more of a line be delivered than was ordered."""
        line = self.lines[lot]
        self._set(lot, replace(line, closed=line.closed - more))

    def close(self, lot: str) -> None:
        """Never deliver what is left of a line; what is picked goes back."""
        line = self.lines[lot]
        if line.picked:
            self.put(line.place, self._held(line.place) + line.picked)
        self._set(
            lot,
            replace(
                line,
                picked=ZERO,
                reserved=ZERO,
                reserved_ordered=ZERO,
                closed=line.closed + line.open,
            ),
        )

    def _taken(self, lot: str, quantity: Decimal) -> StockLine:
        """Return a line after a quantity for it has left the stock."""
        line = self.lines[lot]
        if quantity > line.open - line.picked:
            raise StockRefusedError("More than is left to deliver.")
        own = min(quantity, line.reserved)
        free = self.balance(line.place).available
        if quantity - own > free:
            raise StockRefusedError(f"Only {own + max(ZERO, free):f} can be taken.")
        on_its_way = min(line.reserved_ordered, line.open - line.picked - quantity)
        self.put(line.place, self._held(line.place) - quantity)
        return replace(line, reserved=line.reserved - own, reserved_ordered=on_its_way)

    def _held(self, place: Place) -> Decimal:
        held = self._physical.get(place)
        return (opening(*place) or ZERO) if held is None else held

    def _note(self, table: dict[Place, Decimal], place: Place, value: Decimal) -> None:
        before = table.get(place)
        table[place] = value
        self._show(place, is_shown=True)
        self._changed(place)

        def take_back() -> None:
            if before is None:
                table.pop(place, None)
            else:
                table[place] = before
            self._changed(place)

        self.remember(take_back)

    def _set(self, lot: str, line: StockLine | None) -> None:
        before = self.lines.get(lot)
        self._index(lot, before, line)
        self.remember(lambda: self._index(lot, line, before))

    def _index(self, lot: str, before: StockLine | None, after: StockLine | None) -> None:
        self.lines.pop(lot, None)
        if before is not None:
            self._by_place[before.place].pop(lot, None)
            self._count(before, -1)
            self._changed(before.place)
        if after is not None:
            self.lines[lot] = after
            self._by_place.setdefault(after.place, {})[lot] = after
            self._count(after, 1)
            self._show(after.place, is_shown=True)
            self._changed(after.place)

    def _count(self, line: StockLine, sign: int) -> None:
        """Keep the sums of a place, of which there may be thousands of lines."""
        before = self._wanted.get(line.place, _NOTHING)
        self._wanted[line.place] = _Wanted(
            before.reserved + sign * line.reserved,
            before.reserved_ordered + sign * line.reserved_ordered,
            before.on_order + sign * line.on_order,
        )

    def _show(self, place: Place, *, is_shown: bool) -> None:
        """Have a row of a place, or none, whatever the opening says."""
        sku, warehouse = place
        has_it = self.others.get(sku, {}).get(warehouse, opening(*place) is not None)
        if has_it != is_shown:
            self.others.setdefault(sku, {})[warehouse] = is_shown
            self.structure += 1

    def _changed(self, place: Place) -> None:
        self.version += 1
        self._versions[place] = self.version
        self.on_change(place)


def place_of(sku: str, warehouse: str) -> Place:
    """Return a place by what people call it."""
    return fold(sku), warehouse


def warehouses_of(sku: str, others: dict[str, bool]) -> tuple[str, ...]:
    """Return where a folded SKU has rows, in order."""
    usual = HELD_IN if opening(sku, HELD_IN[0]) is not None else ()
    if not others:
        return usual
    return tuple(
        sorted({*usual, *others} - {one for one, is_shown in others.items() if not is_shown})
    )
