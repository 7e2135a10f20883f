"""Comments on documents: what a sync marks its own by, with the document and later."""

from typing import Any

from tests.shop.conftest import Wire

SHIPMENT = "/rest/V1/shipment/1"
MARK = {"comment": "demf/000697/PS-1", "is_visible_on_front": 0}


async def listed(wire: Wire, route: str) -> list[dict[str, Any]]:
    """Return the comments of the first document of a list."""
    answer = await wire.send("GET", f"/rest/V1/{route}?searchCriteria=")
    comments: list[dict[str, Any]] = answer.body["items"][0]["comments"]
    return comments


async def test_what_comes_with_a_document_is_in_its_list(wire: Wire) -> None:
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01"}])
    for deed, route in (
        ("ship", "shipments"),
        ("invoice", "invoices"),
        ("refund", "creditmemos"),
    ):
        await wire.send("POST", f"/rest/V1/order/1/{deed}", {"comment": MARK})
        [entry] = await listed(wire, route)
        assert (entry["comment"], entry["is_customer_notified"]) == (MARK["comment"], 0)


async def test_a_shipment_is_marked_later_and_nothing_else_moves(wire: Wire) -> None:
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01"}])
    await wire.send("POST", "/rest/V1/order/1/ship", {})
    before = (await wire.send("GET", SHIPMENT)).body
    entity = {**MARK, "parent_id": 1, "is_customer_notified": 0}
    answer = await wire.send("POST", f"{SHIPMENT}/comments", {"entity": entity})
    assert answer.status == 200
    assert {name: answer.body[name] for name in entity} == entity
    after = (await wire.send("GET", SHIPMENT)).body
    assert after == {**before, "comments": [answer.body]}
    told = (await wire.send("GET", f"{SHIPMENT}/comments")).body
    assert (told["items"], told["total_count"]) == ([answer.body], 1)


async def test_the_shipment_is_the_one_of_the_body(wire: Wire) -> None:
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01", "quantity": 2}])
    entity = {**MARK, "parent_id": 1, "is_customer_notified": 0}
    refused = await wire.send("POST", f"{SHIPMENT}/comments", {"entity": entity})
    assert refused.status == 400
    await wire.send("POST", "/rest/V1/order/1/ship", {})
    await wire.send("POST", "/rest/V1/shipment/999/comments", {"entity": entity})
    assert [entry["comment"] for entry in await listed(wire, "shipments")] == [MARK["comment"]]
    missing = await wire.send("POST", f"{SHIPMENT}/comments", {"entity": MARK})
    assert missing.status == 400
    assert (await wire.send("GET", "/rest/V1/shipment/9/comments")).status == 404


async def test_a_parcels_number_is_taken_off(wire: Wire) -> None:
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01"}])
    tracks = [
        {"track_number": number, "title": "DHL", "carrier_code": "dhl"} for number in ("1", "2")
    ]
    await wire.send("POST", "/rest/V1/order/1/ship", {"tracks": tracks})
    assert (await wire.send("DELETE", "/rest/V1/shipment/track/1")).body is True
    assert (await wire.send("DELETE", "/rest/V1/shipment/track/1")).status == 404
    left = (await wire.send("GET", SHIPMENT)).body["tracks"]
    assert [track["track_number"] for track in left] == ["2"]


async def test_an_invoice_is_refunded_where_the_payment_can(wire: Wire) -> None:
    """A check or money order cannot; a gateway's payment can, what the invoice holds."""
    await wire.place(kind="simple", lines=[{"sku": "LAMP-01", "quantity": 2}])
    await wire.place(
        kind="simple", lines=[{"sku": "LAMP-01", "quantity": 2}], payment_method="some_gateway"
    )
    for number in (1, 2):
        [line] = (await wire.send("GET", f"/rest/V1/orders/{number}")).body["items"]
        rows = [{"order_item_id": line["item_id"], "qty": 1}]
        await wire.send("POST", f"/rest/V1/order/{number}/invoice", {"items": rows})
    assert (await wire.send("POST", "/rest/V1/invoice/1/refund", {})).status == 400
    assert (await wire.send("POST", "/rest/V1/invoice/9/refund", {})).status == 404
    arguments = {"arguments": {"shipping_amount": 0}}
    assert (await wire.send("POST", "/rest/V1/invoice/2/refund", arguments)).body == "1"
    [memo] = (await wire.send("GET", "/rest/V1/creditmemos?searchCriteria=")).body["items"]
    assert [line["qty"] for line in memo["items"]] == [1]
