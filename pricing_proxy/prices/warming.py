"""Load prices that nobody waits for: stale ones behind an answer, and a customer's at login.

All of it runs at refresh class, gives way to customers, and is dropped when the ERP
refuses. Warming refreshes in place and invalidates nothing, which would make the customer
cold just when they arrive.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from pricing_proxy.clock import Clock
from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import SECOND_US, State
from pricing_proxy.names import ByName
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.ports import CacheFailedError, PriceCache, WarmMarks
from pricing_proxy.prices.query import Context, Key, PriceQuery
from pricing_proxy.prices.seen import MOST_CUSTOMERS, SeenLines, drop_oldest
from pricing_proxy.resilience.call_class import OURSELVES, CallClass, Caller
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item

# Two ERP calls of a hundred lines; a catalog page shows far fewer.
MOST_WARMED = 200
# Several pages opened at login ask for the same warming.
_DEBOUNCE = timedelta(seconds=30)
_DEBOUNCE_US = 30 * SECOND_US
# Pages kept for `ahead` until it looks, once a second.
_SAMPLED_PAGES = 128
_FLIGHT_US = 10 * SECOND_US
_ANY_TIME_US = -(2**62)


class Warmer:
    """Starts loads at refresh class.

    Args:
        markets: Every market by its code.
        cache: To see what is fresh enough.
        loader: Starts loads.
        marks: What processes tell each other; without Redis each goes by itself.
        is_well: Whether a market's ERP can bear loads that nobody waits for: its breaker is
            closed, its gate open.
        clock: Time.

    Attributes:
        seen: What customers' pages had to load.
        pages: The last queries, for `prices.ahead`.
    """

    def __init__(
        self,
        *,
        markets: Mapping[str, Market],
        cache: PriceCache,
        loader: Loader,
        marks: WarmMarks,
        is_well: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._markets = markets
        self._cache = cache
        self._loader = loader
        self._clock = clock
        self._marks = marks
        self._is_well = is_well
        self.seen = SeenLines(marks)
        self.pages: deque[PriceQuery] = deque(maxlen=_SAMPLED_PAGES)
        self._warmed_us: OrderedDict[Context, int] = OrderedDict()

    def refresh(
        self,
        context: Context,
        customer: Customer,
        items: Mapping[Key, Item],
        *,
        caller: Caller = OURSELVES,
    ) -> None:
        """Load lines again behind an answer, unless they are on their way or lately failed."""
        lease_floor_us = self._clock.monotonic_us() - self._markets[context.market].lease_us

        def accepts(state: State, entry: Entry) -> bool:
            # Redis cannot vouch for what it holds while it is itself in doubt.
            return state is not State.UNVERIFIED or entry.loaded_us >= lease_floor_us

        self._load(context, customer, items, floor_us=_ANY_TIME_US, accepts=accepts, caller=caller)

    def refresh_ahead(
        self, context: Context, customer: Customer, items: Mapping[Key, Item]
    ) -> None:
        """Load fresh lines again before they are stale, or take what another process loaded."""
        # Four fifths of its fresh time are over; what Redis holds helps if it is younger.
        soft_us = self._markets[context.market].lifetimes.soft_us
        floor_us = self._clock.monotonic_us() - soft_us // 2

        def accepts(_: State, entry: Entry) -> bool:
            return entry.loaded_us >= floor_us

        self._load(context, customer, items, floor_us=floor_us, accepts=accepts)

    async def warm(
        self,
        context: Context,
        customer: Customer,
        skus: Iterable[str],
        *,
        caller: Caller = OURSELVES,
    ) -> int:
        """Load what the customer will probably ask for; return how many lines are loaded.

        Nothing is loaded while the ERP is in trouble, or when any process warmed the customer
        within thirty seconds. Waits for Redis at most, never for the ERP.

        Args:
            context: Whose prices.
            customer: The customer behind the context.
            skus: What the shop expects them to see, most important first.
            caller: Who asks for it.
        """
        if not self._is_well(context.market) or not await self._is_first(context):
            return 0
        wanted = self._wanted(context, skus, await self.seen.of(context))
        now_us = self._clock.monotonic_us()
        # Half of `soft` is left to a price that need not be loaded now.
        floor_us = now_us - self._markets[context.market].lifetimes.soft_us // 2
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

        return self._load(context, customer, old, floor_us=floor_us, accepts=accepts, caller=caller)

    async def _is_first(self, context: Context) -> bool:
        """Return whether nobody warmed the customer lately, and note that we do."""
        now_us = self._clock.monotonic_us()
        last_us = self._warmed_us.get(context)
        if last_us is not None and now_us - last_us < _DEBOUNCE_US:
            return False
        self._warmed_us[context] = now_us
        self._warmed_us.move_to_end(context)
        drop_oldest(self._warmed_us, MOST_CUSTOMERS)
        try:
            return await self._marks.claim_login(context, _DEBOUNCE)
        except CacheFailedError:
            return True  # each process for itself

    def _wanted(
        self, context: Context, skus: Iterable[str], seen: Iterable[Key]
    ) -> dict[Key, Item]:
        items = self._markets[context.market].master.items() or ByName({})
        named = (item for sku in skus if (item := items.find(sku)) is not None)
        wanted: dict[Key, Item] = {}
        for key in (*(Key(item.sku, item.sales_unit, "1") for item in named), *seen):
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
        caller: Caller = OURSELVES,
    ) -> int:
        idle = {
            key: item
            for key, item in items.items()
            if self._loader.failures.standing(context, key) is None
            and self._loader.join(
                context,
                customer,
                key,
                item,
                floor_us=floor_us,
                klass=CallClass.BACKGROUND,
                caller=caller,
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
                caller=caller,
            )
        return len(idle)
