"""How a product's own settings change what may be sold of its stock."""

from typing import Any

from tests.shop.conftest import Wire
from tests.shop.stock import act, clear, hold, lies

SKU, BERLIN = "LAMP-06", {"arguments": {"extension_attributes": {"source_code": "berlin"}}}


async def sold_as(wire: Wire, **settings: Any) -> tuple[float, bool]:
    """Set how a product's stock is sold, and return what the list of all SKUs says then."""
    members = {"extension_attributes": {"stock_item": settings}}
    saved = await wire.send("PUT", f"/rest/all/V1/products/{SKU}", {"product": members})
    assert saved.status == 200, saved.body
    listed = await wire.send(
        "GET",
        "/rest/V1/inventory/export-stock-salable-qty/website/b2b_de"
        "?searchCriteria[filter_groups][0][filters][0][field]=sku"
        f"&searchCriteria[filter_groups][0][filters][0][value]={SKU}",
    )
    [row] = listed.body["items"]
    return row["qty"], row["is_salable"]


async def test_a_threshold_keeps_pieces_back_and_what_is_not_counted_is_always_sold(
    wire: Wire,
) -> None:
    await clear(wire, SKU)
    await hold(wire, SKU, berlin=10)
    assert await sold_as(wire, min_qty=4, use_config_min_qty=False) == (6, True)
    assert await sold_as(wire, min_qty=10, use_config_min_qty=False) == (0, False)
    assert await sold_as(wire, min_qty=-5, use_config_min_qty=False) == (15, True)
    assert await sold_as(wire, manage_stock=False, use_config_manage_stock=False) == (0, True)
    [placed] = await wire.place(guest=True, lines=[{"sku": SKU, "quantity": 99}])
    await act(wire, placed["entity_id"], "ship", BERLIN)
    assert await lies(wire, SKU, "berlin") == 10
