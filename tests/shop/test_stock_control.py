"""What is done to the shop's stock behind its clients' backs, and who is refused how."""

from typing import Any

import pytest

from tests.shop.conftest import Wire
from tests.shop.stock import clear, hold, lies, salable, told

SKU = "LAMP-06"


async def post(wire: Wire, path: str, members: Any) -> tuple[int, Any]:
    address = f"{wire.sandbox.control_url}/systems/magento/{path}"
    async with wire.session.post(address, json=members) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_source_item_is_edited_by_hand(wire: Wire) -> None:
    status, body = await post(wire, f"stock/{SKU}", {"source": "berlin", "quantity": "12.5"})
    assert status == 200
    assert body == await told(wire, SKU)
    assert str(await lies(wire, SKU, "berlin")) == "12.5"


async def test_a_stock_of_its_own_sources_is_made_for_a_website(wire: Wire) -> None:
    assert (await post(wire, "sources", {"source_code": "lyon", "name": "Lyon"}))[0] == 201
    made = {"name": "France", "websites": ["b2b"], "sources": ["lyon"]}
    status, stock = await post(wire, "stocks", made)
    assert (status, stock["stock_id"]) == (201, 4)
    await hold(wire, SKU, lyon=3)
    assert await salable(wire, SKU, 4) == 3
    address = f"{wire.sandbox.control_url}/systems/magento/stocks"
    async with wire.session.get(address) as answer:
        network = await answer.json()
    # The website left the stock that it had.
    [second] = [one for one in network["stocks"] if one["stock_id"] == 2]
    assert second["extension_attributes"]["sales_channels"] == []
    assert {"stock_id": 4, "source_code": "lyon", "priority": 1} in network["links"]


@pytest.mark.parametrize(
    ("path", "members", "named"),
    [
        ("stock/LAMP-06", {"source": "nowhere", "quantity": 1}, "source"),
        ("stock/LAMP-06", {"source": "berlin"}, "quantity"),
        ("stock/LAMP-06", {"source": "berlin", "quantity": "NaN"}, "quantity"),
        ("stock/LAMP-06", {"source": "berlin", "quantity": 1, "status": 5}, "status"),
        ("stock/LAMP-06", {"source": "berlin", "quantity": 1, "nonsense": 1}, "nonsense"),
        ("sources", {"source_code": "a b"}, "source_code"),
        ("stocks", {"websites": ["nowhere"]}, "websites"),
        ("stocks", {"sources": [{}]}, "sources"),
        ("orders", {"only_salable": 1}, "only_salable"),
    ],
)
async def test_a_wrong_member_is_named(
    wire: Wire, path: str, members: dict[str, Any], named: str
) -> None:
    status, body = await post(wire, path, members)
    assert (status, body["errors"][0]["pointer"]) == (422, f"/{named}")


async def test_a_shopper_buys_only_what_the_shop_has_to_sell(wire: Wire) -> None:
    await clear(wire, SKU)
    await hold(wire, SKU, berlin=5)
    cart = {"guest": True, "lines": [{"sku": SKU, "quantity": 2}], "only_salable": True}
    status, body = await post(wire, "orders", {**cart, "count": 3})
    assert (status, len(body["orders"])) == (201, 2)
    assert await salable(wire, SKU, 3) == 1
    status, body = await post(wire, "orders", cart)
    assert (status, body["message"]) == (400, "The requested qty is not available")
