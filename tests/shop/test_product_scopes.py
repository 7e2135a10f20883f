"""Whose a product's value is: the whole shop's, a website's, a store view's; and edits by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.sandbox.shop.catalog import Product
from pricing_proxy.sandbox.shop.products.attributes import Attributes
from pricing_proxy.sandbox.shop.products.scopes import written
from pricing_proxy.sandbox.shop.stores import STORES
from tests.shop.conftest import Answer, Wire

VIEWS = ("default", "b2b_en", "b2b_de", "b2b_de_en")


async def put(wire: Wire, place: str, **members: Any) -> Answer:
    path = f"/rest/{place}/V1/products/LAMP-02"
    answer = await wire.send("PUT", path, {"product": members})
    assert answer.status == 200, answer.body
    return answer


async def seen(wire: Wire, name: str, sku: str = "LAMP-02") -> list[Any]:
    """Return what each place shows of a product: the whole shop, then the views."""
    answers = [
        await wire.send("GET", f"/rest/{place}/V1/products/{sku}") for place in ("all", *VIEWS)
    ]
    return [value_of(answer.body, name) for answer in answers]


def value_of(body: Any, name: str) -> Any:
    found = {row["attribute_code"]: row["value"] for row in body["custom_attributes"]}
    return body[name] if name in body else found.get(name)


async def told(wire: Wire, method: str, path: str, members: Any = None) -> tuple[int, Any]:
    address = f"{wire.sandbox.control_url}/systems/magento/products{path}"
    async with wire.session.request(method, address, json=members) as answer:
        return answer.status, await answer.json()


async def test_a_views_name_hides_the_whole_shops(wire: Wire) -> None:
    await put(wire, "b2b_de", name="Lampe")
    await put(wire, "all", name="Luminaire")
    expected = ["Luminaire", "Luminaire", "Luminaire", "Lampe", "Luminaire"]
    assert await seen(wire, "name") == expected
    await put(wire, "b2b_en", weight=3)
    await put(wire, "all", name="Light")
    assert (await seen(wire, "name"))[2] == "Light", "a weight pins no name"
    assert await seen(wire, "weight") == [3] * 5

    listed = await wire.send(
        "GET",
        "/rest/b2b_de/V1/products?searchCriteria[filter_groups][0][filters][0][field]=sku"
        "&searchCriteria[filter_groups][0][filters][0][value]=LAMP-02&fields=items[name]",
    )
    assert listed.body == {"items": [{"name": "Lampe"}]}


async def test_a_status_is_its_websites(wire: Wire) -> None:
    """As on the real shop: b2b and b2b_de are websites, the latter with two views."""
    await put(wire, "b2b_de_en", status=2)
    assert await seen(wire, "status") == [1, 1, 1, 2, 2]
    await put(wire, "all", status=2)
    assert await seen(wire, "status") == [2, 2, 2, 2, 2]
    await put(wire, "all", status=1)
    assert await seen(wire, "status") == [1, 1, 1, 2, 2]
    await put(wire, "b2b_de", status=1)
    assert await seen(wire, "status") == [1, 1, 1, 1, 1]

    reduced = [{"attribute_code": "tax_class_id", "value": "4"}]
    await put(wire, "b2b_de", custom_attributes=reduced)
    assert await seen(wire, "tax_class_id") == ["2", "2", "2", "4", "4"]


async def test_prices_are_the_shops_or_the_websites(wire: Wire) -> None:
    rows = [{"price": 7, "store_id": 4, "sku": "LAMP-02"}]
    await wire.send("POST", "/rest/V1/products/base-prices", {"prices": rows})
    assert await seen(wire, "price") == [7] * 5
    await wire.turn(website_prices=True)
    rows = [{"price": 8, "store_id": 4, "sku": "LAMP-02"}]
    await wire.send("POST", "/rest/V1/products/base-prices", {"prices": rows})
    assert await seen(wire, "price") == [7, 7, 7, 8, 8]
    answer = await wire.send(
        "POST", "/rest/V1/products/base-prices-information", {"skus": ["LAMP-02", "lamp-02"]}
    )
    assert [(row["store_id"], row["price"]) for row in answer.body] == [(0, 7), (3, 8), (4, 8)]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"name": ""}, 'The "Product Name" attribute value is empty. Set the attribute'),
        ({"name": None}, 'The "Product Name" attribute value is empty.'),
        ({"weight": "abc"}, 'Error occurred during "weight" processing. The "abc" value'),
        ({"status": "on"}, 'Error occurred during "status" processing. The "on" value'),
        (
            {"custom_attributes": [{"attribute_code": "color", "value": "Red"}]},
            'Error occurred during "custom_attributes" processing. Attribute "color" has invalid',
        ),
        (
            {"extension_attributes": {"stock_item": {"use_config_min_sale_qty": False}}},
            'Error occurred during "extension_attributes" processing. Error occurred during "sto',
        ),
    ],
)
async def test_wrong_values_are_refused_as_on_the_real_shop(
    wire: Wire, members: dict[str, Any], message: str
) -> None:
    answer = await wire.send("PUT", "/rest/all/V1/products/LAMP-02", {"product": members})
    assert answer.status == 400
    assert answer.body["message"].startswith(message)


async def test_what_is_stored_is_not_always_what_was_sent(wire: Wire) -> None:
    """A long name is cut, of which the answer says nothing; a wrong option and markup stay."""
    answer = await put(wire, "all", name="N" * 300)
    assert answer.body["name"] == "N" * 300
    assert (await seen(wire, "name"))[0] == "N" * 255
    await put(wire, "all", name="<b>Lamp</b>", weight=None)
    assert (await seen(wire, "name"))[0] == "<b>Lamp</b>"
    body = (await wire.send("GET", "/rest/all/V1/products/LAMP-02")).body
    assert "weight" not in body
    odd = [{"attribute_code": "color", "value": "9999"}, {"attribute_code": "nope", "value": 1}]
    await put(wire, "all", custom_attributes=odd)
    assert (await seen(wire, "color"))[0] == "9999"
    assert (await seen(wire, "nope"))[0] is None


async def test_a_stock_item_merges_and_can_use_the_configuration_again(wire: Wire) -> None:
    own = {"min_sale_qty": 5, "use_config_min_sale_qty": 0, "qty_increments": 5}
    await put(wire, "all", extension_attributes={"stock_item": own})
    item = {"max_sale_qty": 9, "use_config_max_sale_qty": False}
    path = "/rest/V1/products/LAMP-02/stockItems/2"
    assert (await wire.send("PUT", path, {"stockItem": item})).status == 200
    body = (await wire.send("GET", "/rest/V1/products/LAMP-02")).body
    shown = body["extension_attributes"]["stock_item"]
    assert (shown["min_sale_qty"], shown["max_sale_qty"], shown["qty"]) == (5, 9, 1000)
    await put(wire, "all", extension_attributes={"stock_item": {"use_config_min_sale_qty": 1}})
    body = (await wire.send("GET", "/rest/V1/products/LAMP-02")).body
    assert body["extension_attributes"]["stock_item"]["min_sale_qty"] == 1


async def test_people_edit_make_and_remake_products_by_hand(wire: Wire) -> None:
    assert (await told(wire, "PATCH", "/LAMP-02", {"store": "b2b_de", "name": "Lampe"}))[0] == 200
    assert (await told(wire, "PATCH", "/LAMP-02", {"website": "b2b_de", "status": 2}))[0] == 200
    status, edited = await told(
        wire, "PATCH", "/LAMP-02", {"price": "17.90", "attributes": {"barcode": "4006381"}}
    )
    assert (status, edited["price"], edited["attributes"]["barcode"]) == (200, 17.9, "4006381")
    assert edited["views"] == {
        "b2b_de": {"name": "Lampe", "status": 2},
        "b2b_de_en": {"status": 2},
    }
    back = {"store": "b2b_de", "use_default": ["name"]}
    assert (await told(wire, "PATCH", "/LAMP-02", back))[1]["views"]["b2b_de"] == {"status": 2}

    status, remade = await told(wire, "POST", "/LAMP-02/recreate")
    assert (status, remade["price"]) == (200, 17.9)
    assert remade["id"] > edited["id"]
    status, made = await told(wire, "POST", "", {"sku": "X-1", "name": "X", "price": 9})
    assert (status, made["sku"], made["id"]) == (201, "X-1", remade["id"] + 1)
    _, listed = await told(wire, "GET", "?sku=X-1,lamp-02,NOPE")
    assert [row["sku"] for row in listed] == ["X-1", "LAMP-02"]
    for method, path, members in (
        ("PATCH", "/LAMP-02", {"nonsense": 1}),
        ("PATCH", "/LAMP-02", {"store": "nope", "name": "x"}),
        ("PATCH", "/LAMP-02", {"use_default": ["name"]}),
        ("POST", "", {"name": "X"}),
        ("POST", "", {"sku": "X-1", "name": "X", "price": 9}),
    ):
        assert (await told(wire, method, path, members))[0] == 422, members


PLACES = st.sampled_from((None, *STORES))
WRITES = st.lists(st.tuples(PLACES, st.sampled_from(("name", "status")), st.integers(1, 3)))


@given(WRITES)
def test_a_view_shows_its_own_value_or_the_whole_shops(
    writes: list[tuple[Any, str, int]],
) -> None:
    """Against a table with a row for each place: what is written where it shows already is not."""
    scopes = Attributes().scopes(website_prices=False)
    product = Product(id=1, sku="S", name="0", price=0, status=0)  # type: ignore[arg-type]
    rows: dict[tuple[str, int], int] = {}
    for store, name, value in writes:
        own: int | str = value if name == "status" else str(value)
        product = written(product, {name: own}, store=store, scopes=scopes)
        shown = 0 if store is None else rows.get((name, store.id), rows.get((name, 0), 0))
        if store is None:
            rows[name, 0] = value
        elif shown != value:
            views = [one for one in STORES if one.website_id == store.website_id]
            for view in views if name == "status" else [store]:
                rows[name, view.id] = value
    for store in STORES:
        view = product.seen_from(store.id)
        shows: list[tuple[str, int]] = [("name", int(view.name)), ("status", view.status)]
        for name, number in shows:
            assert number == rows.get((name, store.id), rows.get((name, 0), 0))
