"""The dials that only the shop has, beside those of every system (`sandbox.dials`).

Numbers of documents and taxes of lines are `placing`'s, lists and their limits `reading`'s, what
a write costs and how it fails `writes`', the consumer of the bulks `bulk.consumer`'s, pages
`storefront`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pricing_proxy.sandbox.dials import (
    BadMemberError,
    Check,
    Dials,
    flag,
    milliseconds,
    share,
)

# A year and a store at most; longer ones no ERP's reference has room for.
_MAX_PREFIX = 10
_MAX_ROWS = 1_000_000
_DAY = 86_400
# A bench may want a hundred times the measured speed, a test ten thousand times.
_MAX_FACTOR = 1_000_000


@dataclass(slots=True, kw_only=True)
class ShopDials(Dials):
    """The dials of the shop.

    Attributes:
        number_prefix: What numbers of the shop's documents begin with in every store view and for
            every kind, "" included, so that they number alike; None = each store's own.
        account_attribute: Whether somebody made the attribute of the ERP's account for the shop's
            customers; a stock shop has none, and drops it without a word.
        bare_taxes: The share of new orders whose lines name no taxes, 0 to 1, as when a cart is
            made an order in one go; the order itself names them.
        row_latency_ms: How long each row of a list takes, whatever is asked of it; a real shop at
            rest is like `latency_ms` 100 with 10 of this.
        search_down: Whether the search engine is away, and indexes follow at once: products and
            shipments are refused with 400, and tier prices too, which are written all the same.
        commit_then_refuse: The share of writes of products, prices and stock that are written and
            then answered 400, 0 to 1, as by whatever goes on behind the commit.
        input_limit: `webapi/validation/input_limit_enabled`: pages and lists of rows are limited.
        array_limit: `complex_array_limit`: the most objects in a list of a request; None = any.
        max_page_size: `maximum_page_size`; None = 300, once limits are on.
        default_page_size: The page where none is asked for, once limits are on; None = all rows.
        write_cost: How long writes of products, prices and stock take, as a multiple of what was
            measured on two cores, of which two run at once; 0 = no time of their own.
        consumer_speed: How fast the one consumer of the bulks is, as a multiple of what was
            measured.
        consumer_dead: Whether it is gone: operations stay open. Some operations kill it, and only
            this dial starts it again.
        page_latency_ms: How long a page of the storefront takes by itself.
        page_ms_per_write: How much longer for each write that is in progress.
        index_seconds: How long after a price's change pages go on showing the old one, as an index
            that is updated by schedule does.
        stock_index_seconds: How long after a source item's change the shop goes on selling by what
            was there before, as one that indexes stock in the background; 0 = at once.
        translated: Whether refusals are in another language than English, as with a language pack.
        order_save_ms: How long an order's number and comments on it take to be saved: with all of
            the order as it was read before, so that what documents write of it meanwhile is lost.
        website_prices: Whether prices belong to websites; else to the whole shop.
    """

    number_prefix: str | None = None
    account_attribute: bool = False
    bare_taxes: float = 0.0
    row_latency_ms: int = 0
    search_down: bool = False
    commit_then_refuse: float = 0.0
    input_limit: bool = False
    array_limit: int | None = None
    max_page_size: int | None = None
    default_page_size: int | None = None
    write_cost: float = 0.0
    consumer_speed: float = 1.0
    consumer_dead: bool = False
    page_latency_ms: int = 25
    page_ms_per_write: int = 5
    index_seconds: int = 60
    stock_index_seconds: int = 0
    translated: bool = False
    order_save_ms: int = 0
    website_prices: bool = False

    @classmethod
    def checks(cls) -> Mapping[str, Check]:
        """Return what checks each dial of the shop, by name."""
        return {**Dials.checks(), **_CHECKS}


def _prefix(name: str, value: Any) -> str | None:
    if value is None or (type(value) is int and value >= 0):
        return None if value is None else str(value)
    if isinstance(value, str) and len(value) <= _MAX_PREFIX:
        return value
    raise BadMemberError(name, f"expected up to {_MAX_PREFIX} characters, or null for each its own")


def _rows(name: str, value: Any) -> int | None:
    if value is None or (type(value) is int and 1 <= value <= _MAX_ROWS):
        return value
    raise BadMemberError(name, f"expected a whole number from 1 to {_MAX_ROWS}, or null for off")


def _factor(name: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= _MAX_FACTOR:
        raise BadMemberError(name, f"expected a number from 0 to {_MAX_FACTOR}")
    return float(value)


def _speed(name: str, value: Any) -> float:
    speed = _factor(name, value)
    if not speed:
        raise BadMemberError(name, "expected more than 0; consumer_dead stops it")
    return speed


def _seconds(name: str, value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _DAY:
        raise BadMemberError(name, f"expected whole seconds, 0 to {_DAY}")
    return value


_CHECKS: Mapping[str, Check] = {
    "number_prefix": _prefix,
    "account_attribute": flag,
    "bare_taxes": share,
    "row_latency_ms": milliseconds,
    "search_down": flag,
    "commit_then_refuse": share,
    "input_limit": flag,
    "array_limit": _rows,
    "max_page_size": _rows,
    "default_page_size": _rows,
    "write_cost": _factor,
    "consumer_speed": _speed,
    "consumer_dead": flag,
    "page_latency_ms": milliseconds,
    "page_ms_per_write": milliseconds,
    "index_seconds": _seconds,
    "stock_index_seconds": _seconds,
    "translated": flag,
    "order_save_ms": milliseconds,
    "website_prices": flag,
}
