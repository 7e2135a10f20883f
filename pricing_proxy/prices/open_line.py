"""One line of a page that memory cannot answer, and what its load has brought so far."""

from dataclasses import dataclass

from pricing_proxy.domain.entry import Entry
from pricing_proxy.prices.flights import Arrival, Flight
from pricing_proxy.prices.query import Failure, Key, Line, QuotedLine, canonical_quantity
from pricing_proxy.shared_state.item_map import Item


@dataclass(slots=True, eq=False)
class OpenLine:
    """A line that memory cannot answer.

    Attributes:
        index: Its place in the answer.
        line: The line as asked.
        key: What it is stored under.
        item: Its item.
        entry: The newest entry known so far.
        level: Where that came from.
        wait_until_us: When it settles for less.
        flight: The load it waits for; None before it has one.
        failure: Why waiting is pointless.
    """

    index: int
    line: Line
    key: Key
    item: Item
    entry: Entry | None
    level: str
    wait_until_us: int
    flight: Flight | None = None
    failure: Failure | None = None

    def take_news(self, slept_us: int) -> bool:
        """Note what the flight knows; return whether it is over for this line.

        Args:
            slept_us: For how long the machine has slept by now, all in all.
        """
        if self.flight is None:
            return False
        landed = self.flight.landed.get(self.key)
        if isinstance(landed, Arrival):
            self.entry, self.level = landed.entry_after(slept_us), landed.level
            return True
        self.failure = landed
        older = self.flight.older.get(self.key)
        if older is not None:
            entry = older.entry_after(slept_us)
            if self.entry is None or entry.loaded_us > self.entry.loaded_us:
                self.entry, self.level = entry, older.level
        return landed is not None


def open_again(index: int, quoted: QuotedLine, item: Item) -> OpenLine:
    """Return a line that memory had answered, by an answer that may be out of date."""
    line, unit = quoted.line, quoted.unit or item.sales_unit
    key = Key(item.sku, unit, canonical_quantity(line.quantity))
    return OpenLine(index, line, key, item, quoted.entry, quoted.level, wait_until_us=0)
