"""Orders that both systems have and that are watched, of which nothing happens for now.

Many come in seconds, as a database brought back from a copy: the shop has them with the ERP's
numbers, the ERP with the shop's, and the sync's own tables say that it brought them over. Of every
third the ERP delivered something in the last days, before this program began to look.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import psycopg

from tests.chaos.configuration import MARKET
from tests.chaos.stage import Stage

# Sold by the piece.
_SKUS = tuple(f"LAMP-{number:02}" for number in (1, 2, 4, 6, 7, 8, 9, 10))
_WAREHOUSE, _CUSTOMERS, _MOST_PIECES = "13", 3, 3
_AT_ONCE = 500
# Older than anybody asks for; younger ones are read again and again.
_DAYS = 16
_SLIPS = 40
_EVENT = """
    INSERT INTO sync_event (flow, market, business_key, document_id, source_key, lock_key, payload,
                            state, ended_at)
    SELECT 'orders', market, number, id, key || '/export', key,
           jsonb_build_object('entity_id', CAST(id AS bigint), 'task', 'export'), 'done', now()
    FROM (SELECT market, number, id, 'orders/' || market || '/#' || id AS key FROM brought) AS its
"""
_LINK = """
    INSERT INTO entity_map (market, kind, magento_id, erp_key)
    SELECT market, 'order', id, erp_number FROM brought
"""
_FORGET = "DELETE FROM watermark WHERE name LIKE 'order_status.%' OR name LIKE 'invoices.%'"


def watch_quiet_orders(on: Stage, count: int) -> None:
    """Have so many orders in both systems; no worker may run, but PostgreSQL must."""
    if count <= 0:
        return
    numbers = [f"W{number:06}" for number in range(count)]
    for number in range(count):
        sku = _SKUS[number % len(_SKUS)]
        line = {"sku": sku, "quantity": 1 + number % _MOST_PIECES}
        on.order(1, customer=1 + number % _CUSTOMERS, lines=[line], ext_order_id=numbers[number])
    wanted = set(numbers)
    placed = [each for each in on.orders() if each["ext_order_id"] in wanted]
    for some in _chunks(placed):
        on.ask("PUT", "fo/orders", {"orders": [_entered(each) for each in some]})
    _deliver(on, placed[::3])
    _remember(on, placed)


def _entered(order: Any) -> dict[str, Any]:
    number = order["increment_id"]
    return {
        "number": order["ext_order_id"],
        "reference": number,
        "customer": f"C-100{order['customer_id']}",
        "origin": "WEB",
        "lines": [
            {
                "sku": line["sku"],
                "quantity": int(line["quantity"]),
                "reference": f"{number}-{line['item_id']}",
            }
            for line in order["lines"]
        ],
    }


def _deliver(on: Stage, orders: Sequence[Any]) -> None:
    most = len(orders) * _MOST_PIECES
    on.ask("PATCH", "fo/stock", {sku: {_WAREHOUSE: most} for sku in _SKUS})
    today = datetime.now(UTC).date()
    for place, order in enumerate(orders):
        day, slip = today - timedelta(days=place % _DAYS), f"OLD-{place % _SLIPS}"
        on.ask(
            "POST",
            f"fo/orders/{order['ext_order_id']}/ship",
            {"lines": {"1": 1}, "slip": slip, "day": f"{day}"},
        )


def _remember(on: Stage, orders: Sequence[Any]) -> None:
    """Have the sync know that it brought orders over, and look at the ERP for the first time."""
    with psycopg.connect(on.postgres.url, connect_timeout=5) as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE brought (market text, number text, id text, erp_number text)"
        )
        with connection.cursor() as cursor, cursor.copy("COPY brought FROM STDIN") as copy:
            for order in orders:
                copy.write_row(
                    (MARKET, order["increment_id"], f"{order['entity_id']}", order["ext_order_id"])
                )
        for statement in (_EVENT, _LINK, _FORGET):
            connection.execute(statement)


def _chunks(orders: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(orders)
    while some := [*islice(rest, _AT_ONCE)]:
        yield some
