"""How much of the ERP one customer's browsers may use: so many cold lines in a minute.

A browser is a stranger with a token: whoever pages through the catalog with one makes the
ERP price it. What is cached, in memory or in Redis, costs the ERP nothing and is never
counted; refreshes behind an answer are bounded by their own pauses.

A minute begins with a customer's first cold line and holds `per_minute` of them; the next
minute begins with the first one after it.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol

from pricing_proxy.clock import Clock
from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.prices.flights import Flight
from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Context, Failure, Key

BUDGET_REASON = "cold_budget_spent"
WINDOW_US = 60 * SECOND_US
# 300 bytes each; the least recently begun are forgotten, in the customer's favour.
_MOST_CUSTOMERS = 10_000


class Grant(NamedTuple):
    """What may be loaded now.

    Attributes:
        lines: How many lines, at most as many as asked for.
        renews_us: The monotonic instant from which there is more.
    """

    lines: int
    renews_us: int


class ColdBudget(Protocol):
    """How many lines a customer's browsers may have loaded from the ERP."""

    async def grant(self, context: Context, lines: int) -> Grant:
        """Count up to `lines` as spent and return how many they were; never fails."""
        ...


async def within_budget(
    budget: ColdBudget,
    flight: Flight,
    left: list[Wanted],
    *,
    land: Callable[[Flight, Key, Failure], None],
) -> list[Wanted]:
    """Return which lines of a budgeted flight may be loaded; land the others."""
    grant = await budget.grant(flight.context, len(left))
    # Somebody may have joined meanwhile who needs no budget.
    if not flight.is_budgeted:
        return left
    for wanted in left[grant.lines :]:
        # Says nothing about the key, so others may try it at once.
        land(flight, wanted.key, Failure(BUDGET_REASON, grant.renews_us))
    flight.announce()
    return left[: grant.lines]


class _Unbounded:
    async def grant(self, _: Context, lines: int) -> Grant:
        return Grant(lines, 0)


UNBOUNDED: ColdBudget = _Unbounded()


class OwnColdBudget:
    """The budgets as this process alone knows them.

    Args:
        per_minute: Lines of one customer in one minute.
        clock: Time.
    """

    def __init__(self, per_minute: int, *, clock: Clock) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._spent: OrderedDict[tuple[str, str], Grant] = OrderedDict()

    def take(self, context: Context, lines: int) -> Grant:
        """Count up to `lines` as spent and return how many they were."""
        owner = (context.market, context.account)
        now_us = self._clock.monotonic_us()
        spent, renews_us = self._spent.get(owner, Grant(0, now_us))
        if renews_us <= now_us:
            self._spent.pop(owner, None)
            spent, renews_us = 0, now_us + WINDOW_US
        granted = min(lines, self.per_minute - spent)
        self._spent[owner] = Grant(spent + granted, renews_us)
        if len(self._spent) > _MOST_CUSTOMERS:
            self._spent.popitem(last=False)
        return Grant(granted, renews_us)

    async def grant(self, context: Context, lines: int) -> Grant:
        """As `take`: a `ColdBudget` for a process that is alone."""
        return self.take(context, lines)
