"""One line of a page that memory could not answer, and what its load has brought so far."""

from dataclasses import dataclass

from pricing_proxy.domain.entry import Entry
from pricing_proxy.prices.flights import Arrival, Flight
from pricing_proxy.prices.query import Failure, Key, Line
from pricing_proxy.shared_state.item_map import Item


@dataclass(slots=True, eq=False)
class OpenLine:
    """A line that memory could not answer.

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

    def take_news(self) -> bool:
        """Note what the flight knows; return whether it is over for this line."""
        if self.flight is None:
            return False
        older = self.flight.older.get(self.key)
        if older is not None and (self.entry is None or older.loaded_us > self.entry.loaded_us):
            self.entry, self.level = older, "l2"
        landed = self.flight.landed.get(self.key)
        if isinstance(landed, Arrival):
            self.entry, self.level = landed.entry, landed.level
        else:
            self.failure = landed
        return landed is not None
