"""The table of the shop's lines, as `migrations` made it.

shop_line   lines of orders for which the shop has stock reserved, and what the ERP knows of them
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    Numeric,
    Table,
    func,
    true,
)

from sync.store.plain_columns import PlainText
from sync.store.tables import metadata

_INSTANT = DateTime(timezone=True)


def _quantity(name: str) -> Column[object]:
    return Column(name, Numeric(20, 4), nullable=False, server_default="0")


shop_line = Table(
    "shop_line",
    metadata,
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("parent_item_id", BigInteger),
    Column("order_id", BigInteger, nullable=False),
    Column("increment_id", PlainText, nullable=False),
    Column("store_id", Integer, nullable=False),
    Column("sku", PlainText, nullable=False),
    Column("folded", PlainText, nullable=False),
    _quantity("reserved"),
    _quantity("cancelled"),
    _quantity("refunded"),
    _quantity("unshipped"),
    Column("erp_number", PlainText, nullable=False, server_default=""),
    Column("is_expected", Boolean, nullable=False, server_default=true()),
    Column("present_since", _INSTANT),
    Column("asked_as", PlainText),
    Column("warehouse", PlainText, nullable=False, server_default=""),
    Column("counted", PlainText, nullable=False, server_default=""),
    _quantity("inside"),
    Column("dropped_at", _INSTANT),
    Column("changed_at", _INSTANT, nullable=False, server_default=func.now()),
    Index("shop_line_by_sku", "folded"),
    Index("shop_line_by_order", "order_id"),
)
