"""The table of watched orders, as `migrations` made it.

watched_order   orders of the shop that are in the ERP, how they were seen last, when to look again
"""

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, Integer, Table, func

from sync.store.plain_columns import PlainText
from sync.store.tables import metadata

_INSTANT = DateTime(timezone=True)

watched_order = Table(
    "watched_order",
    metadata,
    Column("market", PlainText, primary_key=True),
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", PlainText, nullable=False),
    Column("erp_number", PlainText, nullable=False),
    # As the ERP compares numbers.
    Column("folded", PlainText, nullable=False),
    Column("status", PlainText, nullable=False, server_default=""),
    Column("ships_on", Date),
    Column("lines", PlainText, nullable=False, server_default=""),
    Column("steps", Integer, nullable=False, server_default="0"),
    Column("since", _INSTANT, nullable=False, server_default=func.now()),
    # Null once nothing moves any more but papers, which are found by their dates.
    Column("due_at", _INSTANT, server_default=func.now()),
    Index("watched_order_by_number", "market", "folded"),
    Index("watched_order_by_due", "market", "due_at"),
)
