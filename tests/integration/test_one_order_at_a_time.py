"""A comment and an invoice of one order, by two flows at once, in a shop that saves it whole."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from sync.invoices.building import invoice_sources
from sync.order_status.building import watching
from tests.integration.sync_running import (
    MARKET,
    ORDER_RULES,
    STORE,
    WEBSITE,
    followed,
    posted,
)

SYNC: dict[str, Any] = {
    "markets": {
        MARKET: {
            "website_id": WEBSITE,
            "store_ids": [STORE],
            "flows": ["orders", "customers", "order_status", "invoices"],
            "orders": ORDER_RULES,
        }
    }
}


async def test_what_is_invoiced_while_a_comment_is_saved_stays(
    tmp_path: Path, database_url: str
) -> None:
    """The shop would write back the rows as they were: invoiced, and not a piece of it."""
    async with followed(tmp_path, database_url, **SYNC) as (world, given):
        statuses, bills = watching(given)[MARKET], invoice_sources(given)[MARKET]
        await statuses.look()
        await bills.look()
        # Whatever is found within the first minutes is taken as it is.
        hour_ago = given.polling.clock.utc() - timedelta(hours=1)
        await given.polling.watermarks.put(f"order_status.{MARKET}.begins", hour_ago.isoformat())
        [number] = await world.place(lines=[{"sku": "LAMP-01", "quantity": 3}], customer=1)
        await world.arrived(number)
        orders = world.sandbox.shop.orders.values()
        [order] = (each for each in orders if each["increment_id"] == number)

        async def has_number() -> bool:
            return order.get("ext_order_id") is not None

        await world.until(has_number)
        await world.dial("magento", order_save_ms=700)
        await posted(world, number, "confirm", ships="2026-12-04")
        await posted(world, number, "invoice", lines={"1": 3, "2": None})

        async def is_all_there() -> bool:
            await asyncio.gather(statuses.look(), bills.look())
            return bool(order["status_histories"]) and order["total_due"] == 0

        await world.until(is_all_there)
        assert [item["qty_invoiced"] for item in order["items"]] == [3]
        assert order["payment"]["amount_paid"] == order["grand_total"]
