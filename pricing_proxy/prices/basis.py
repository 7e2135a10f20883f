"""What finding a price rests on: the markets' rules, what is stored, what has changed since, time.

Every use case of `prices` takes the same one, built once for a process. It decides nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pricing_proxy.clock import Clock
from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import Level, Mode, State, classify
from pricing_proxy.prices.invalidations import Invalidations, PageMarks
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.modes import ModePolicy
from pricing_proxy.prices.ports import PriceMemory, PriceStore
from pricing_proxy.prices.query import Context
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item
from pricing_proxy.sleep_watch import SleepWatch


class Knowledge(NamedTuple):
    """What is known at one instant besides the entries; read anew after every wait."""

    now_us: int
    marks: PageMarks | None
    is_verified: bool

    def invalidated(self, entry: Entry | None, item: Item) -> Level | None:
        """Return the strictest invalidation that the read of an item's entry may not have seen."""
        if self.marks is None or entry is None:
            return None
        return self.marks.level(item.item_number, entry.position, entry.loaded_us)

    def state(self, entry: Entry | None, item: Item, max_us: int) -> State:
        """Return the state of an item's entry; `max_us` is the longest that any may live."""
        invalidated = self.invalidated(entry, item)
        return classify(entry, self.now_us, max_us, self.is_verified, invalidated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What finding a price rests on.

    Attributes:
        markets: Every market by its code.
        modes: Every mode's times.
        memory: Prices of this process.
        store: Prices of all processes.
        invalidations: What is known to have changed.
        is_verified: Whether word of every change up to a market's lease has arrived.
        clock: Time.
        watch: Tells of sleep of this machine.
        draw: Returns a random number in [0, 1).
    """

    markets: Mapping[str, Market]
    modes: Mapping[Mode, ModePolicy]
    memory: PriceMemory
    store: PriceStore
    invalidations: Invalidations
    is_verified: Callable[[str], bool]
    clock: Clock
    watch: SleepWatch
    draw: Callable[[], float]

    def known(self, context: Context, customer: Customer | None) -> Knowledge:
        """Return what is known right now about a customer's prices."""
        return Knowledge(
            self.clock.monotonic_us(),
            self.marks(context, customer),
            self.is_verified(context.market),
        )

    def marks(self, context: Context, customer: Customer | None) -> PageMarks | None:
        """Return the invalidations that touch a customer's prices; None without any."""
        price_group = customer.price_group if customer is not None else ""
        return self.invalidations.of_context(context.market, context.account, price_group)
