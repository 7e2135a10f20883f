"""Turn what a source said into entries, stamped with the instant the read began."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pricing_proxy.clock import Clock
from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.domain.lifetime import soft_and_hard_us
from pricing_proxy.domain.price import NoPrice, Price, no_price_fragment, price_fragment
from pricing_proxy.money import NumberText, divide
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Context
from pricing_proxy.shared_state.item_map import Item


@dataclass(frozen=True, slots=True)
class ReadStamp:
    """When a read from the ERP began, on every clock that matters.

    Attributes:
        began_us: Monotonic.
        began_at: Wall clock (UTC), for people and for the ERP's date.
        position: Position of the market's ledger known then.
    """

    began_us: int
    began_at: datetime
    position: int

    def across_sleep(self, clock: Clock) -> "ReadStamp":
        """Return the stamp of a read that ends now, and during which the machine may have slept."""
        by_wall_us = (clock.utc() - self.began_at) // timedelta(microseconds=1)
        # The monotonic clock may have stood still meanwhile.
        slept_us = by_wall_us - (clock.monotonic_us() - self.began_us)
        return self if slept_us < SECOND_US else replace(self, began_us=self.began_us - slept_us)


def entry_of(
    answer: Price | NoPrice,
    wanted: Wanted,
    context: Context,
    stamp: ReadStamp,
    *,
    market: Market,
    changed_us: int,
    draw: Callable[[], float],
) -> Entry:
    """Return the entry of one answered line.

    Args:
        answer: What the source said.
        wanted: What was asked.
        context: For whom.
        stamp: When the read began.
        market: Its market's rules.
        changed_us: When the line was last said to have changed (monotonic).
        draw: Returns a random number in [0, 1), for the jitter.
    """
    lifetimes = market.lifetimes
    soft_us = hard_us = lifetimes.no_price_us
    if isinstance(answer, Price):
        soft_us, hard_us = soft_and_hard_us(
            lifetimes,
            began_at=stamp.began_at,
            erp_zone=market.erp_zone,
            is_settling=stamp.began_us - changed_us < lifetimes.settle_us,
            jitter=draw(),
        )
    return Entry(
        kind=Kind.PRICE if isinstance(answer, Price) else Kind.NO_PRICE,
        fragment=_fragment(answer, wanted, context, market, rfc3339(stamp.began_at)),
        loaded_us=stamp.began_us,
        position=stamp.position,
        soft_us=soft_us,
        hard_us=hard_us,
    )


def _fragment(
    answer: Price | NoPrice, wanted: Wanted, context: Context, market: Market, loaded_at: str
) -> str:
    key, source = wanted.key, market.source.name
    if isinstance(answer, NoPrice):
        return no_price_fragment(
            answer.reason, sku=key.sku, unit=key.unit, source=source, loaded_at=loaded_at
        )
    # Base prices are in the company's currency, of one sales unit: others would need a rate.
    is_comparable = (
        context.currency == market.company_currency and key.unit == wanted.item.sales_unit
    )
    return price_fragment(
        answer,
        sku=key.sku,
        unit=key.unit,
        quantity=NumberText(key.quantity),
        list_price=_list_price(wanted.item, market.decimals) if is_comparable else None,
        decimals=market.decimals,
        source=source,
        loaded_at=loaded_at,
    )


def _list_price(item: Item, decimals: int) -> str | None:
    """Return the base price of one unit; divided here, as maps outlive a change of decimals."""
    if item.list_price is None or item.list_price_unit == "1":
        return item.list_price
    return divide(Decimal(item.list_price), Decimal(item.list_price_unit), scale=decimals)


def rfc3339(at: datetime) -> str:
    """Return an instant as answers show it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
