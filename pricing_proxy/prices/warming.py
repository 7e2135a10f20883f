"""Load prices that nobody waits for: stale ones behind an answer, and a customer's at login.

All of it runs at refresh class, gives way to customers, and is dropped when the ERP
refuses. Warming refreshes in place and invalidates nothing, which would make the customer
cold just when they arrive.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import SECOND_US, State
from pricing_proxy.names import ByName
from pricing_proxy.prices.basis import Basis
from pricing_proxy.prices.invalidations import is_current
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.ports import CacheFailedError, WarmMarks
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
        basis: What finding a price rests on.
        loader: Starts loads.
        marks: What processes tell each other; without Redis each goes by itself.
        is_well: Whether a market's ERP can bear loads that nobody waits for: its breaker is
            closed, its gate open.

    Attributes:
        marks: As given.
        is_well: As given.
        seen: What customers' pages had to load.
        pages: The last queries, for `prices.ahead`.
    """

    def __init__(
        self,
        basis: Basis,
        *,
        loader: Loader,
        marks: WarmMarks,
        is_well: Callable[[str], bool],
    ) -> None:
        self._basis = basis
        self._loader = loader
        self.marks = marks
        self.is_well = is_well
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
        lease_us = self._basis.markets[context.market].lease_us
        lease_floor_us = self._basis.clock.monotonic_us() - lease_us
        self._load(
            context,
            customer,
            items,
            floor_us=_ANY_TIME_US,
            # Redis cannot vouch for what it holds while it is itself in doubt.
            accepts=lambda state, entry: (
                state is not State.UNVERIFIED or entry.loaded_us >= lease_floor_us
            ),
            caller=caller,
        )

    def refresh_ahead(
        self, context: Context, customer: Customer, items: Mapping[Key, Item]
    ) -> None:
        """Load fresh lines again before they are stale, or take what another process loaded."""
        # Four fifths of its fresh time are over; what Redis holds helps if it is younger.
        self._load_older(context, customer, items, self._half_fresh_us(context))

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
        if not self.is_well(context.market) or not await self._is_first(context):
            return 0
        wanted = self._wanted(context, skus, await self.seen.of(context))
        # Half of `soft` is left to a price that need not be loaded now.
        floor_us = self._half_fresh_us(context)
        marks = self._basis.marks(context, customer)
        shelf = self._basis.memory.shelf(context)
        old = {
            key: item
            for key, item in wanted.items()
            if (entry := shelf.get(key)) is None
            or entry.loaded_us < floor_us
            or not is_current(marks, item.item_number, entry.position, entry.loaded_us)
        }

        return self._load_older(context, customer, old, floor_us, caller)

    def _half_fresh_us(self, context: Context) -> int:
        """Return since when a price was read that has half of its fresh time left."""
        soft_us = self._basis.markets[context.market].lifetimes.soft_us
        return self._basis.clock.monotonic_us() - soft_us // 2

    async def _is_first(self, context: Context) -> bool:
        """Return whether nobody warmed the customer lately, and note that we do."""
        now_us = self._basis.clock.monotonic_us()
        last_us = self._warmed_us.get(context)
        if last_us is not None and now_us - last_us < _DEBOUNCE_US:
            return False
        self._warmed_us[context] = now_us
        self._warmed_us.move_to_end(context)
        drop_oldest(self._warmed_us, MOST_CUSTOMERS)
        try:
            return await self.marks.claim_login(context, _DEBOUNCE)
        except CacheFailedError:
            return True  # each process for itself

    def _wanted(
        self, context: Context, skus: Iterable[str], seen: Iterable[Key]
    ) -> dict[Key, Item]:
        items = self._basis.markets[context.market].master.items() or ByName({})
        named = (item for sku in skus if (item := items.find(sku)) is not None)
        wanted: dict[Key, Item] = {}
        for key in (*(Key(item.sku, item.sales_unit, "1") for item in named), *seen):
            item = items.get(key.sku)
            if item is not None and item.is_sold and len(wanted) < MOST_WARMED:
                wanted[key] = item
        return wanted

    def _load_older(
        self,
        context: Context,
        customer: Customer,
        items: Mapping[Key, Item],
        floor_us: int,
        caller: Caller = OURSELVES,
    ) -> int:
        """Load lines of which nobody has what was read since then; return how many."""
        return self._load(
            context,
            customer,
            items,
            floor_us=floor_us,
            accepts=lambda _, entry: entry.loaded_us >= floor_us,
            caller=caller,
        )

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
                deadline_us=self._basis.clock.monotonic_us() + _FLIGHT_US,
                klass=CallClass.REFRESH,
                caller=caller,
            )
        return len(idle)
