"""What tests of the shop's stock ask and do: over REST where a client can, else by control."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

from tests.shop.conftest import Wire

ONE = "searchCriteria[filter_groups][{}][filters][0]"


async def hold(wire: Wire, sku: str, **quantities: Any) -> None:
    """Write what lies of a SKU at sources, as the ERP does."""
    rows = [
        {"sku": sku, "source_code": source, "quantity": quantity, "status": 1}
        for source, quantity in quantities.items()
    ]
    answer = await wire.send("POST", "/rest/all/V1/inventory/source-items", {"sourceItems": rows})
    assert (answer.status, answer.body) == (200, []), answer.body


async def clear(wire: Wire, *skus: str) -> None:
    """Delete every source item of SKUs."""
    listed = await wire.send(
        "GET", f"/rest/V1/inventory/source-items?{_search(sku=','.join(skus))}"
    )
    rows = listed.body["items"]
    assert rows
    await wire.send("POST", "/rest/V1/inventory/source-items-delete", {"sourceItems": rows})


async def lies(wire: Wire, sku: str, source: str) -> Decimal:
    """Return what lies of a SKU at a source."""
    path = f"/rest/V1/inventory/source-items?{_search(sku=sku, source_code=source)}"
    [item] = (await wire.send("GET", path)).body["items"]
    return Decimal(str(item["quantity"]))


async def salable(wire: Wire, sku: str, stock_id: int) -> Decimal:
    """Return what may be sold of a SKU from a stock."""
    path = f"/rest/V1/inventory/get-product-salable-quantity/{quote(sku, safe='')}/{stock_id}"
    answer = await wire.send("GET", path)
    assert answer.status == 200, answer.body
    return Decimal(str(answer.body))


async def told(wire: Wire, sku: str) -> Any:
    """Return what only the control port tells of a SKU."""
    address = f"{wire.sandbox.control_url}/systems/magento/stock/{quote(sku, safe='')}"
    async with wire.session.get(address) as answer:
        return await answer.json()


async def act(wire: Wire, number: int, action: str, body: Any = None) -> Any:
    """Let the back office act on an order, and return what came of it."""
    kind = "orders" if action in {"cancel", "hold", "unhold"} else "order"
    answer = await wire.send("POST", f"/rest/V1/{kind}/{number}/{action}", body or {})
    assert answer.status == 200, answer.body
    return answer.body


def _search(**fields: str) -> str:
    parts = []
    for index, (name, value) in enumerate(fields.items()):
        one = ONE.format(index)
        condition = "in" if "," in value else "eq"
        parts.append(f"{one}[field]={name}&{one}[value]={quote(value, safe=',')}")
        parts.append(f"{one}[condition_type]={condition}")
    return "&".join(parts)
