"""What is asked of the price service, and what it answers, as plain values.

A key is what a price is stored under within one context: the defaults (unit,
quantity) are filled in before a key is built, so equal lines share one entry. Named
tuples, because every request makes many.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import repeat
from operator import ne
from typing import NamedTuple, overload

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.resilience.call_class import Caller
from pricing_proxy.shared_state.customer_map import Customer


class Context(NamedTuple):
    """Whose prices: everything that a price depends on besides the line itself."""

    market: str
    account: str
    currency: str


class Key(NamedTuple):
    """One line of a context; `sku` as the ERP spells it, `quantity` in its shortest form."""

    sku: str
    unit: str
    quantity: str


class Line(NamedTuple):
    """One line as the caller sent it; `unit` None means the item's sales unit."""

    sku: str
    quantity: str = "1"
    unit: str | None = None


class Columns(Sequence[Line]):
    """The lines of a page by member, so that a page can be worked on without its lines.

    Attributes:
        skus: The SKU of each line.
        quantities: Its quantity, as sent.
        units: Its unit; None where it means the item's sales unit, or for all lines.
        shortest: Its quantity in the form that keys have.
        quantity: The quantity of every line when it is the same text; else None.
    """

    __slots__ = ("quantities", "quantity", "shortest", "skus", "units")

    def __init__(
        self,
        skus: Sequence[str],
        quantities: Sequence[str],
        units: Sequence[str | None] | None = None,
    ) -> None:
        self.skus = skus
        self.quantities = quantities
        self.units = units
        self.shortest = quantities
        self.quantity: str | None = None
        distinct = set(quantities)
        if len(distinct) == 1:
            self.quantity = quantities[0]
        if any(map(ne, distinct, map(canonical_quantity, distinct))):
            self.shortest = list(map(canonical_quantity, quantities))

    @classmethod
    def of_one_each(cls, skus: Sequence[str]) -> "Columns":
        """Return lines of one piece each in its sales unit: nothing of them is to be looked at."""
        columns = cls.__new__(cls)
        columns.skus, columns.units, columns.quantity = skus, None, "1"
        columns.quantities = columns.shortest = ["1"] * len(skus)
        return columns

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "Columns":
        """Return the lines by member."""
        if isinstance(lines, Columns):
            return lines
        units = [line.unit for line in lines]
        return cls(
            [line.sku for line in lines],
            [line.quantity for line in lines],
            units if any(units) else None,
        )

    def __len__(self) -> int:
        return len(self.skus)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        return list(self)[index]

    def __iter__(self) -> Iterator[Line]:
        return map(Line, self.skus, self.quantities, self.units or repeat(None))


class PriceQuery(NamedTuple):
    """One page, cart or checkout to price.

    Attributes:
        market: Code of the market; known.
        customer: The customer; None while it is not known whether the ERP has the `account`.
        account: The ERP account asked for, as the ERP spells it once it is known.
        currency: One of the market's currencies.
        mode: How much the caller can bear.
        lines: 1 to 200; order and duplicates are kept.
        wait_us: How long the caller will wait, None for the mode's own time.
        is_budgeted: What it loads from the ERP is counted against the customer's budget.
        asked_by: The name of the key that asks: keys take turns before the ERP.
        called: The account as the caller spelled it; None where that is `account`.
    """

    market: str
    customer: Customer | None
    account: str
    currency: str
    mode: Mode
    lines: Sequence[Line]
    wait_us: int | None = None
    is_budgeted: bool = False
    asked_by: str = ""
    called: str | None = None

    @property
    def context(self) -> Context:
        """Whose prices are asked for."""
        return Context(self.market, self.account, self.currency)

    @property
    def caller(self) -> Caller:
        """For whom the ERP is asked: customers take turns among those of one key."""
        return Caller(self.asked_by, f"{self.market}|{self.account}")


class QuotedLine(NamedTuple):
    """What is answered for one line.

    Attributes:
        line: The line as asked.
        unit: The unit it was priced in; None for an unknown item without one.
        entry: What the ERP said; None when nothing may be shown.
        state: The entry's state when it was decided on.
        is_served: Whether `entry` answers the line; otherwise it is only the last known one.
        reason: Why there is no price or no answer.
        level: Where the entry came from: "l1", "l2" or "source".
        is_verified: Whether word of all invalidations was within its lease.
    """

    line: Line
    unit: str | None
    entry: Entry | None
    state: State
    is_served: bool
    reason: str | None
    level: str
    is_verified: bool


class Quote(NamedTuple):
    """The answer to a `PriceQuery`.

    Attributes:
        lines: One per line asked, in the same order.
        decided_us: The monotonic instant that ages are counted to.
        retry_after_seconds: When asking again makes sense, if a line could not be served.
        is_from_memory: Every line was served at once from memory, none of them flagged.
        ask_again_ms: When to ask again for lines that are still being loaded; 0 for none.
    """

    lines: Sequence[QuotedLine]
    decided_us: int
    retry_after_seconds: int
    is_from_memory: bool = False
    ask_again_ms: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a load brought nothing; throttles the key, and is never stored as data.

    Attributes:
        reason: "upstream_failed", "erp_throttled", "refused_by_erp", ...
        retry_after_us: When trying again makes sense.
    """

    reason: str
    retry_after_us: int


@lru_cache(maxsize=4096)
def canonical_quantity(text: str) -> str:
    """Return the shortest text of a positive decimal: "10" for "010.00"."""
    return f"{Decimal(text).normalize():f}"
