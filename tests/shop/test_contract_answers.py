"""Recorded mistakes, customers and products meet in the sandbox what they met in the shop."""

from urllib.parse import quote

import pytest

from sync.magento.shop import Shop
from tests.magento.recordings import recordings
from tests.shop.conftest import SALES_ONLY, Wire
from tests.shop.replay import replay

ERRORS = recordings("errors")
CATALOG = recordings("catalog")
CUSTOMERS = recordings("customers")

# The recorded mistakes were made with a price batch; the same ones with an order.
BATCH = {"products/base-prices": "orders", "prices": "entity"}
MISTAKES = (
    "01_route_missing",
    "01c_method_not_of_route",
    "01d_not_rest_path",
    "01e_unknown_store_code",
    "01f_version_missing",
    "02_malformed_json",
    "02b_empty_body",
    "02c_content_type_missing",
    "02d_content_type_form",
    "02e_json_scalar",
    "02g_accept_unsupported",
    "02h_accept_missing_wildcard",
    "03_missing_required_parameter",
    "04_wrong_type_scalar_for_array",
    "04c_wrong_type_string_for_int",
    "08d_page_size_text",
    "08e_misspelt_search_key",
)


@pytest.mark.parametrize("name", MISTAKES)
async def test_a_mistake_is_answered_as_recorded(wire: Wire, name: str) -> None:
    await replay(wire, ERRORS[name], BATCH)


async def test_a_route_is_missing_for_strangers_too(wire: Wire) -> None:
    await replay(wire, ERRORS["01b_route_missing_no_auth"], {}, credentials=None)


async def test_an_access_refusal_names_the_resource(wire: Wire) -> None:
    words = {"products/base-prices": "products", "Magento_Catalog::catalog": PRODUCTS}
    await replay(wire, ERRORS["05_acl_denied_write"], words, credentials=SALES_ONLY)
    await replay(wire, ERRORS["07_customer_token_on_admin_route"], {}, credentials=None)


PRODUCTS = "Magento_Catalog::products"


@pytest.mark.parametrize(
    "name",
    [
        "06_get_with_store_all_not_allowed",
        "08b_page_size_zero",
        "08c_page_size_negative",
        "08f_search_criteria_snake_top_key",
    ],
)
async def test_odd_reads_are_answered_as_recorded(wire: Wire, name: str) -> None:
    await wire.place(count=3)
    await replay(wire, ERRORS[name], {})


async def test_pages_have_the_recorded_number_of_rows(wire: Wire) -> None:
    await wire.place(count=3)
    negative = await replay(wire, ERRORS["08c_page_size_negative"], {})
    assert len(negative.body["items"]) == 1
    everything = await replay(wire, ERRORS["08b_page_size_zero"], {})
    assert len(everything.body["items"]) == 3


async def test_the_recorded_life_of_a_customer_happens_again(wire: Wire) -> None:
    """Three customers were there before, so the recorded first one is the fourth."""
    for name, recording in CUSTOMERS.items():
        if name.startswith(("01", "02", "18")):
            continue  # groups, and the customer's own login
        renumbered = {"customers/1": "customers/4", '"id": 1': '"id": 4'}
        await replay(wire, recording, renumbered)


CATALOG_WORDS = {
    "LAB-S1": "LAMP-01",
    "LAB-C1": "SHADE-0001",
    "LAB-O1": "LAMP-03",
    # Past the end of a larger catalog too.
    "99": "9999",
    "3": "9",
}
PRODUCT_CALLS = (
    "18_product_get_with_options",
    "20_product_get_not_found",
    "40_list_fields",
    "41_list_page_beyond_the_end",
    "41b_list_page_beyond_the_end_no_fields",
    "42_list_in_condition",
    "43_list_no_search_criteria",
    "44_list_unknown_field",
    "45_list_unknown_condition",
)


@pytest.mark.parametrize("name", PRODUCT_CALLS)
async def test_a_product_call_is_answered_as_recorded(wire: Wire, name: str) -> None:
    await replay(wire, CATALOG[name], CATALOG_WORDS)


async def test_a_null_price_is_refused_as_recorded(wire: Wire) -> None:
    await replay(wire, ERRORS["04d_null_for_scalar"], CATALOG_WORDS)


async def test_recorded_skus_go_round(wire: Wire) -> None:
    """Slash, plus, percent, comma, hash, quotes, spaces, Unicode: created, read, changed."""
    found = [name for name in CATALOG if name.startswith("sku_")]
    for name in found:
        if "_case_" not in name:
            await replay(wire, CATALOG[name], {})
    assert len(found) > 20


async def test_skus_know_no_case(wire: Wire, client: Shop) -> None:
    await wire.send("POST", "/rest/all/V1/products", {"product": {"sku": "lamp-01", "price": 1}})
    product = await client.products.product("LAMP-01")
    assert product is not None
    assert product.sku == "lamp-01"


SKUS = (
    "A/B",
    "A+B",
    "A&B",
    "A%B",
    "A%2FB",
    "A'B",
    "A,B",
    "A B",
    "A;B=C",
    'A"B',
    "A#B?C",
    "A\\B",
    "A*(B)!",
    "Ünï-漢-é",
    "~A@B:C$",
    "..",
)


async def test_special_skus_go_round_through_client_and_shop(wire: Wire, client: Shop) -> None:
    for number, sku in enumerate(SKUS):
        # Equal names have equal URL keys, of which the shop refuses the second.
        product = {"sku": sku, "name": f"n {number}", "attribute_set_id": 4, "price": 1}
        created = await wire.send("POST", "/rest/all/V1/products", {"product": product})
        assert created.status == 200
    for sku in SKUS:
        found = await client.products.product(sku)
        assert found is not None, sku
        assert found.sku == sku
    listed = await client.products.products(SKUS)
    assert {product.sku for product in listed} == set(SKUS)
    by_id = await client.products.products_by_id([product.id for product in listed])
    assert {product.sku for product in by_id.values()} == set(SKUS)
    assert await client.products.product("A-B") is None


async def test_an_overlong_request_line_ends_in_a_page(wire: Wire) -> None:
    """Web servers cut at 8 kB; the client asks for a few SKUs at a time."""
    skus = [f"{'漢' * 20}{number}" for number in range(64)]
    answer = await wire.send(
        "GET", "/rest/V1/products?searchCriteria%5BpageSize%5D=1&x=" + quote(",".join(skus))
    )
    assert answer.status in (400, 414)


async def test_long_skus_are_asked_for_in_parts(client: Shop) -> None:
    assert await client.products.products([f"{'漢' * 60}{number:02}" for number in range(40)]) == []
