"""Load prices that nobody waits for: stale ones behind an answer, and a customer's at login.

All of it runs at refresh class, gives way to customers, and is dropped when the ERP
refuses. Warming refreshes in place and invalidates nothing, which would make the customer
cold just when they arrive.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import SECOND_US, State
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.ports import PriceCache
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.resilience.call_class import CallClass
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item

K = TypeVar("K")
V = TypeVar("V")

# Two ERP calls of a hundred lines; a catalog page shows far fewer.
MOST_WARMED = 200
# Several pages opened at login ask for the same warming.
_DEBOUNCE_US = 30 * SECOND_US
# Customers whose SKUs are remembered; at 200 short texts each this is some tens of megabytes.
_MOST_CUSTOMERS = 5000
_FLIGHT_US = 10 * SECOND_US
_ANY_TIME_US = -(2**62)


class Warmer:
    """Starts loads at refresh class.

    Args:
        markets: Every market by its code.
        cache: To see what is fresh enough.
        loader: Starts loads.
        clock: Time.
    """

    def __init__(
        self,
        *,
        markets: Mapping[str, Market],
        cache: PriceCache,
        loader: Loader,
        clock: Clock,
    ) -> None:
        self._markets = markets
        self._cache = cache
        self._loader = loader
        self._clock = clock
        self._seen: OrderedDict[Context, OrderedDict[Key, None]] = OrderedDict()
        self._warmed_us: OrderedDict[Context, int] = OrderedDict()

    def note_seen(self, context: Context, keys: Iterable[Key]) -> None:
        """Remember the last 200 lines that a customer's pages had to load."""
        seen = self._seen.setdefault(context, OrderedDict())
        self._seen.move_to_end(context)
        for key in keys:
            seen[key] = None
            seen.move_to_end(key)
        _drop_oldest(seen, MOST_WARMED)
        _drop_oldest(self._seen, _MOST_CUSTOMERS)

    def refresh(self, context: Context, customer: Customer, items: Mapping[Key, Item]) -> None:
        """Load lines again behind an answer, unless they are on their way or lately failed."""
        lease_floor_us = self._clock.monotonic_us() - self._markets[context.market].lease_us

        def accepts(state: State, entry: Entry) -> bool:
            # Redis cannot vouch for what it holds while it is itself in doubt.
            return state is not State.UNVERIFIED or entry.loaded_us >= lease_floor_us

        self._load(context, customer, items, floor_us=_ANY_TIME_US, accepts=accepts)

    def warm(self, context: Context, customer: Customer, skus: Iterable[str]) -> int:
        """Load what the customer will probably ask for; return how many lines are loaded.

        Args:
            context: Whose prices.
            customer: The customer behind the context.
            skus: What the shop expects them to see, most important first.
        """
        now_us = self._clock.monotonic_us()
        last_us = self._warmed_us.get(context)
        if last_us is not None and now_us - last_us < _DEBOUNCE_US:
            return 0
        self._warmed_us[context] = now_us
        self._warmed_us.move_to_end(context)
        _drop_oldest(self._warmed_us, _MOST_CUSTOMERS)
        # Half of `soft` is left to a price that need not be loaded now.
        floor_us = now_us - self._markets[context.market].lifetimes.soft_us // 2
        wanted = self._wanted(context, skus)
        shelf = self._cache.shelf(context)
        old = {
            key: item
            for key, item in wanted.items()
            if (entry := shelf.get(key)) is None
            or entry.loaded_us < floor_us
            or self._loader.is_outdated(context, customer, entry, item.item_number)
        }

        def accepts(_: State, entry: Entry) -> bool:
            return entry.loaded_us >= floor_us

        return self._load(context, customer, old, floor_us=floor_us, accepts=accepts)

    def _wanted(self, context: Context, skus: Iterable[str]) -> dict[Key, Item]:
        items = self._markets[context.market].master.items() or {}
        named = (Key(sku, items[sku].sales_unit, "1") for sku in skus if sku in items)
        seen = reversed(self._seen.get(context, {}))
        wanted: dict[Key, Item] = {}
        for key in (*named, *seen):
            item = items.get(key.sku)
            if item is not None and item.is_sold and len(wanted) < MOST_WARMED:
                wanted[key] = item
        return wanted

    def _load(
        self,
        context: Context,
        customer: Customer,
        items: Mapping[Key, Item],
        *,
        floor_us: int,
        accepts: Callable[[State, Entry], bool],
    ) -> int:
        idle = {
            key: item
            for key, item in items.items()
            if self._loader.failures.standing(context, key) is None
            and self._loader.join(
                context, customer, key, item, floor_us=floor_us, klass=CallClass.BACKGROUND
            )
            is None
        }
        if idle:
            self._loader.start(
                context,
                customer,
                idle,
                accepts=accepts,
                deadline_us=self._clock.monotonic_us() + _FLIGHT_US,
                klass=CallClass.REFRESH,
            )
        return len(idle)


def _drop_oldest(remembered: OrderedDict[K, V], most: int) -> None:
    while len(remembered) > most:
        remembered.popitem(last=False)
