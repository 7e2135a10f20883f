"""An ERP that prices: every customer and SKU has a price of its own, with faults on dials.

It reads its prices when a call arrives and answers after its latency, so a price that is
changed during a call is answered as it was: the worst that a real ERP does.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.domain.price import NoPrice, Price, Unusable
from pricing_proxy.money import NumberText
from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
)
from pricing_proxy.shared_state.customer_map import Customer


@dataclass(frozen=True, slots=True)
class Batch:
    """One call that reached the ERP."""

    account: str
    keys: tuple[Key, ...]
    began_us: int
    klass: CallClass
    deadline_us: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """One call that was refused."""

    account: str
    skus: frozenset[str]
    is_single: bool
    status: int


@dataclass(kw_only=True)
class FakeErp:
    """A `prices.ports.PriceSource` over a table of prices.

    Attributes:
        latency_seconds: How long a call takes, also one that fails.
        slow: SKUs that make a call take longer, and how long.
        outage: Makes the error that every call ends in; None while the ERP is well.
        trouble: Makes the error that the next call ends in, or None for a call that goes well.
        poison: SKUs that make the ERP refuse their whole batch.
        poison_lines: Accounts with SKUs for whose sake it refuses that account's batch.
        refusal_status: With what it refuses.
        missing: SKUs left out of answers.
        odd: SKUs that it answers with a code and no price, by that code.
        without_price: SKUs that the ERP has no price for, and why.
        prices: Unit prices that were set; others follow from `distinct_price`.
        batches: Every call that arrived, in order.
        refusals: Every call that was refused, in order.
    """

    clock: Clock
    name: str = "fo_service"
    max_lines: int = 100
    is_binding: bool = True
    absence_is_no_price: bool = False
    latency_seconds: float = 0.06
    slow: dict[str, float] = field(default_factory=dict)
    outage: Callable[[], Exception] | None = None
    trouble: Callable[[], Exception | None] | None = None
    poison: set[str] = field(default_factory=set)
    poison_lines: set[tuple[str, str]] = field(default_factory=set)
    refusal_status: int = 400
    missing: set[str] = field(default_factory=set)
    odd: dict[str, str] = field(default_factory=dict)
    without_price: dict[str, NoPrice] = field(default_factory=dict)
    prices: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def set_price(
        self, account: str, sku: str, text: str, *, unit: str = "PCS", quantity: str = "1"
    ) -> None:
        """Make the ERP ask this unit price from now on."""
        self.prices[account, sku, unit, quantity] = text

    async def load(
        self,
        customer: Customer,
        context: Context,
        wanted: Sequence[Wanted],
        *,
        ticket: Ticket,
        deadline: Deadline,
    ) -> Mapping[Key, Price | NoPrice | Unusable]:
        """Answer as the ERP would: wholly, partly, late, or not at all."""
        assert context.account == customer.account
        assert 0 < len(wanted) <= self.max_lines
        keys = tuple(line.key for line in wanted)
        refusal = self.refusal(context.market, ticket, deadline)
        if refusal is not None:
            raise refusal
        began_us = self.clock.monotonic_us()
        self.batches.append(Batch(customer.account, keys, began_us, ticket.klass, deadline.at_us))
        outcome = self._outcome(customer.account, keys)
        await self._take_time(keys, deadline)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def refusal(self, _market: str, _ticket: Ticket, _deadline: Deadline) -> UpstreamError | None:
        """Return what a call ends in that would not be sent, as before an open breaker."""
        outage = self.outage() if self.outage is not None else None
        return outage if isinstance(outage, CallRefusedError) else None

    def _outcome(
        self, account: str, keys: Sequence[Key]
    ) -> Mapping[Key, Price | NoPrice | Unusable] | Exception:
        outage = self.outage() if self.outage is not None else None
        if outage is None and self.trouble is not None:
            outage = self.trouble()
        if outage is None and any(self._is_poison(account, key.sku) for key in keys):
            outage = UpstreamRejectedError("refused", system="fo", status=self.refusal_status)
        if isinstance(outage, UpstreamRejectedError):
            skus = frozenset(key.sku for key in keys)
            self.refusals.append(Refusal(account, skus, len(keys) == 1, outage.status))
        if outage is not None:
            return outage
        return {key: self._said(account, key) for key in keys if key.sku not in self.missing}

    def _is_poison(self, account: str, sku: str) -> bool:
        return sku in self.poison or (account, sku) in self.poison_lines

    def _said(self, account: str, key: Key) -> Price | NoPrice | Unusable:
        if key.sku in self.odd:
            return Unusable(self.odd[key.sku], is_stated=True)
        no_price = self.without_price.get(key.sku)
        if no_price is not None:
            return no_price
        text = self.prices.get((account, key.sku, key.unit, key.quantity))
        return price_of(text or distinct_price(account, key.sku), key.quantity)

    async def _take_time(self, keys: Sequence[Key], deadline: Deadline) -> None:
        needed_seconds = max([self.latency_seconds, *(self.slow.get(key.sku, 0) for key in keys)])
        left_seconds = deadline.remaining_us(self.clock.monotonic_us()) / MICROSECONDS_PER_SECOND
        await asyncio.sleep(min(needed_seconds, left_seconds))
        if left_seconds < needed_seconds:
            raise UpstreamTimeoutError("no answer in time", system="fo")

    @property
    def lines(self) -> int:
        """How many lines were asked for in all calls."""
        return sum(len(batch.keys) for batch in self.batches)

    def has_refused(self, account: str, sku: str) -> bool:
        """Return whether a call for the account that held the SKU was ever refused."""
        return any(each.account == account and sku in each.skus for each in self.refusals)

    def asked(self, sku: str) -> int:
        """How many calls held the SKU."""
        return sum(any(key.sku == sku for key in batch.keys) for batch in self.batches)


def price_of(unit_price: str, quantity: str = "1") -> Price:
    """Return a price without discounts, as the ERP would answer it."""
    total = format(Decimal(unit_price) * Decimal(quantity), "f")
    return Price(
        price=NumberText(unit_price),
        price_unit=NumberText("1"),
        discount_percent=NumberText("0"),
        discount_amount=NumberText("0"),
        charges=NumberText("0"),
        line_total=NumberText(total),
    )


def distinct_price(account: str, sku: str) -> str:
    """Return a price whose digits tell whose it is: customer before the point, SKU behind."""
    return f"{_number_in(account)}.{_number_in(sku):04}"


def outage_of(error: type[UpstreamError], **arguments: Any) -> Callable[[], UpstreamError]:
    """Return a maker of the error, so that no two calls share one instance."""
    return lambda: error("the ERP is away", system="fo", **arguments)


def _number_in(code: str) -> int:
    return int("".join(character for character in code if character.isdigit()))
