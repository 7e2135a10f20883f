"""Customers sign in by REST, and change what the shop keeps of them."""

from typing import Any

import pytest

from sync.magento.shop import Shop
from tests.shop.conftest import Wire


async def test_a_customer_writes_their_own_account_by_rest(wire: Wire, client: Shop) -> None:
    """With a token of their own and no integration's, as recorded of a shop without a guard."""
    await wire.turn(account_attribute=True)
    new = {"email": "new@buyer.example", "firstname": "N", "lastname": "Eu", "website_id": 3}
    body = {"customer": new, "password": "Passw0rd-x1"}
    made = await wire.send("POST", "/rest/V1/customers", body, credentials=None)
    login = {"username": "NEW@buyer.example", "password": "Passw0rd-x1"}
    elsewhere = await wire.send(
        "POST", "/rest/V1/integration/customer/token", login, credentials=None
    )
    assert elsewhere.status == 401
    path = "/rest/b2b_de/V1/integration/customer/token"
    wrong = await wire.send("POST", path, {**login, "password": "x"}, credentials=None)
    assert wrong.status == 401
    token = (await wire.send("POST", path, login, credentials=None)).body
    own: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"}, "credentials": None}
    typed = [{"attribute_code": "erp_account", "value": "C-1001"}]
    changed = await wire.send(
        "PUT", "/rest/V1/customers/me", {"customer": {**new, "custom_attributes": typed}}, **own
    )
    assert changed.status == 200
    assert (await wire.send("GET", "/rest/V1/customers/me", **own)).body["id"] == made.body["id"]
    customer = await client.customers.customer(made.body["id"])
    assert customer is not None
    assert customer.attribute("erp_account") == "C-1001"
    others = await wire.send("GET", "/rest/V1/customers/1", **own)
    assert others.status == 401
    nobody = await wire.send("GET", "/rest/V1/customers/me")
    assert (nobody.status, nobody.body["parameters"]) == (401, {"resources": "self"})


@pytest.mark.parametrize("body", [{"username": "x"}, {"password": "x"}])
async def test_a_sign_in_needs_name_and_password(wire: Wire, body: dict[str, str]) -> None:
    path = "/rest/V1/integration/customer/token"
    assert (await wire.send("POST", path, body, credentials=None)).status == 400
