"""Lines and stocks as tests need them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sync.stock.layout import Stock
from sync.store.shop_line_records import ShopLine

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Return an instant after noon."""
    return NOON + timedelta(seconds=seconds)


def line(item: int = 70, quantity: int = 5, **more: Any) -> ShopLine:
    """Return a line of order 7 of store view 1."""
    about: dict[str, Any] = {
        "item_id": item,
        "order_id": 7,
        "increment_id": "000000007",
        "store_id": 1,
        "sku": "LAMP",
        "folded": "lamp",
        "reserved": Decimal(quantity),
    }
    return ShopLine(**{**about, **more})


GERMANY = Stock(
    market="de",
    id=1,
    company="prod/demf",
    sources={"berlin": ["11", "12"], "hamburg": ["21"]},
    default="berlin",
    stores=frozenset({1, 2}),
)
TRADE = Stock(
    market="b2b",
    id=2,
    company="prod/demf",
    sources={"trade": ["21", "31"]},
    default="trade",
    stores=frozenset({3}),
)
