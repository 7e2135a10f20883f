"""What a real shop keeps of what it is sent, which is not always what was meant."""

from itertools import count
from typing import Any

import pytest

from pricing_proxy.sandbox.shop.customers import Customers
from pricing_proxy.sandbox.shop.sign_in import SignIn
from pricing_proxy.sandbox.shop.wire import RefusedError
from sync.magento.shop import Shop
from tests.shop.conftest import Answer, Wire

PASSWORD = "Passw0rd-x1"
NAMES = {"firstname": "N", "lastname": "Eu"}


async def registered(wire: Wire, **members: Any) -> Answer:
    body = {"customer": {**NAMES, **members}, "password": PASSWORD}
    return await wire.send("POST", "/rest/b2b_de/V1/customers", body, credentials=None)


async def signed_in(wire: Wire, email: str) -> dict[str, Any]:
    path = "/rest/b2b_de/V1/integration/customer/token"
    login = {"username": email, "password": PASSWORD}
    token = (await wire.send("POST", path, login, credentials=None)).body
    return {"headers": {"Authorization": f"Bearer {token}"}, "credentials": None}


@pytest.mark.parametrize(
    ("members", "place"),
    [
        pytest.param({}, (1, 1), id="the store in the path says nothing"),
        pytest.param({"website_id": 3}, (3, 3), id="a website's default store view"),
        pytest.param({"store_id": 4}, (3, 4), id="the website of the store view"),
        pytest.param({"website_id": 1, "store_id": 4}, (3, 4), id="the store view goes first"),
        pytest.param({"store_id": 0}, (1, 1), id="no store view"),
    ],
)
async def test_where_somebody_is_registered(
    wire: Wire, members: dict[str, int], place: tuple[int, int]
) -> None:
    made = await registered(wire, email="n@buyer.example", **members)
    assert (made.body["website_id"], made.body["store_id"]) == place


async def test_a_registration_in_an_unknown_place_or_group_is_refused(wire: Wire) -> None:
    store = await registered(wire, email="n@buyer.example", website_id=1, store_id=99)
    website = await registered(wire, email="n@buyer.example", website_id=99)
    group = await registered(wire, email="n@buyer.example", group_id=1)
    assert [one.status for one in (store, website, group)] == [404, 404, 401]
    assert "store" in store.body["message"]
    assert "website with id 99" in website.body["message"]
    assert group.body["parameters"] == {"resources": "Magento_Customer::manage"}
    body = {"customer": {**NAMES, "email": "n@buyer.example", "group_id": 3}}
    by_integration = await wire.send("POST", "/rest/V1/customers", body)
    assert by_integration.body["group_id"] == 3


async def test_a_customer_moves_to_no_website_and_no_group(wire: Wire, client: Shop) -> None:
    """What they send of those is dropped without a word; the rest is taken."""
    made = await registered(wire, email="n@buyer.example", store_id=3, taxvat="DE1")
    own = await signed_in(wire, "n@buyer.example")
    sent = {**NAMES, "email": "n@buyer.example", "taxvat": "DE2"}
    moved = {**sent, "website_id": 1, "store_id": 1, "group_id": 2}
    answer = await wire.send("PUT", "/rest/V1/customers/me", {"customer": moved}, **own)
    assert answer.status == 200
    kept = await client.customers.customer(made.body["id"])
    assert kept is not None
    assert (kept.website_id, kept.store_id, kept.group_id, kept.taxvat) == (3, 3, 1, "DE2")


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"taxvat": "X"}, "The customer email is missing. Enter and try again."),
        (
            {"email": "n@buyer.example"},
            '"First Name" is a required value.\n"Last Name" is a required value.',
        ),
    ],
)
async def test_a_customer_sends_names_and_email_each_time(
    wire: Wire, sent: dict[str, str], message: str
) -> None:
    await registered(wire, email="n@buyer.example", store_id=3)
    own = await signed_in(wire, "n@buyer.example")
    answer = await wire.send("PUT", "/rest/V1/customers/me", {"customer": sent}, **own)
    assert (answer.status, answer.body["message"]) == (400, message)


async def test_an_emptied_text_is_not_shown_any_more(wire: Wire) -> None:
    typed = [{"attribute_code": "erp_account", "value": "C-1001"}]
    await registered(
        wire, email="n@buyer.example", store_id=3, taxvat="DE1", custom_attributes=typed
    )
    own = await signed_in(wire, "n@buyer.example")
    emptied = [{"attribute_code": "erp_account", "value": ""}]
    sent = {**NAMES, "email": "n@buyer.example", "taxvat": "", "custom_attributes": emptied}
    answer = await wire.send("PUT", "/rest/V1/customers/me", {"customer": sent}, **own)
    assert answer.status == 200
    assert not {"taxvat", "custom_attributes"} & answer.body.keys()


@pytest.mark.parametrize("emptied", ["", None])
async def test_an_emptied_erp_number_is_as_if_never_written(
    wire: Wire, emptied: str | None
) -> None:
    [placed] = await wire.place(kind="simple")
    number = placed["entity_id"]
    for written in ("FOREIGN", emptied):
        entity = {"entity_id": number, "ext_order_id": written}
        assert (await wire.send("POST", "/rest/V1/orders", {"entity": entity})).status == 200
    order = await wire.send("GET", f"/rest/V1/orders/{number}")
    assert "ext_order_id" not in order.body
    field = "/rest/V1/orders?searchCriteria[filter_groups][0][filters][0][field]=ext_order_id"
    condition = "searchCriteria[filter_groups][0][filters][0][condition_type]=null"
    unsent = await wire.send("GET", f"{field}&{condition}")
    assert [one["entity_id"] for one in unsent.body["items"]] == [number]


async def test_the_path_says_whose_sku_is_saved_and_an_id_renames(wire: Wire) -> None:
    """The SKU of a PUT's body counts for nothing; letters of the path become the SKU's."""
    known = (await wire.send("GET", "/rest/all/V1/products/LAMP-13")).body["id"]

    async def saved(method: str, path: str, **product: Any) -> tuple[int, str]:
        answer = await wire.send(method, f"/rest/all/V1/products{path}", {"product": product})
        return answer.body["id"], answer.body["sku"]

    assert await saved("PUT", "/LAMP-13", sku="OTHER") == (known, "LAMP-13")
    assert await saved("PUT", "/lamp-13", name="L") == (known, "lamp-13")
    assert await saved("POST", "", id=known, sku="Lamp-99") == (known, "Lamp-99")
    assert await saved("PUT", "/LAMP-98", id=known) == (known, "LAMP-98")
    assert await saved("POST", "", id=known, sku="lamp-01") == (known, "lamp-01-1")
    nobody = {"product": {"id": 99999, "sku": "LAMP-98"}}
    assert (await wire.send("POST", "/rest/all/V1/products", nobody)).status == 400
    nameless = {"product": {"id": known, "name": "L"}}
    assert (await wire.send("POST", "/rest/all/V1/products", nameless)).status == 400


async def test_two_pages_of_a_website_are_not_called_alike(wire: Wire) -> None:
    """Pages are called by products' names; of what is shown nowhere by itself there is none."""

    async def made(sku: str, **members: Any) -> tuple[int, str]:
        product = {"sku": sku, "name": "Bolt M6", "attribute_set_id": 4, "price": 1, **members}
        answer = await wire.send("POST", "/rest/all/V1/products", {"product": product})
        return answer.status, answer.body.get("message", "")

    taken = (400, "URL key for specified store already exists.")
    own = [{"attribute_code": "url_key", "value": "bolt-m6-b"}]
    here, there = ({"website_ids": [one]} for one in (1, 2))
    assert await made("BOLT-A", extension_attributes=here) == (200, "")
    assert await made("BOLT-B", status=2) == taken
    assert (await wire.send("GET", "/rest/all/V1/products/BOLT-B")).status == 404
    assert await made("BOLT-B", custom_attributes=own) == (200, "")
    assert await made("BOLT-C", extension_attributes=there) == (200, "")
    assert await made("BOLT-D", visibility=1) == (200, "")
    assert await made("BOLT-D", visibility=4) == taken
    assert await made("BOLT-A", price=2) == (200, "")


def test_each_wrong_password_changes_a_customer_and_a_right_one_does_not() -> None:
    """Failures are counted in the customer's own row, whose time the database sets."""
    times = (f"2026-11-29 06:00:{second:02}" for second in count())
    customers = Customers(now=lambda: next(times), has_account=lambda: True)
    sign_in = SignIn(customers)
    members = {**NAMES, "email": "n@buyer.example"}
    made = sign_in.register({"password": PASSWORD}, members, may_manage=False)
    right = {"username": "n@buyer.example", "password": PASSWORD}

    sign_in.token(right)
    assert customers.get(made["id"]) == made
    with pytest.raises(RefusedError):
        sign_in.token({**right, "password": "guess"})
    assert customers.get(made["id"])["updated_at"] > made["updated_at"]
