"""How customers and addresses are looked up and written."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from pricing_proxy.d365.fo.customer_models import (
    AddressBody,
    AddressRow,
    CustomerAccountRow,
    CustomerBody,
)
from pricing_proxy.d365.fo.customers import Customers
from pricing_proxy.resilience.operation import OperationClass
from tests.d365.documents import answers, calls_of, reply, sent
from tests.d365.loopback import DirectPolicy
from tests.d365.sample_files import sample

ADDRESS = {
    **dict.fromkeys(AddressRow.fields()),
    **json.loads(sample("customer.address.post.request.json")),
    "AddressLocationId": "000000012",
    "Effective": "2026-11-23T07:30:00Z",
}


def customer(**members: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(CustomerAccountRow.fields())
    row |= json.loads(sample("customer.get.response.json"))
    return row | members


async def test_a_customer_is_found_by_account_and_a_missing_one_is_none() -> None:
    policy = DirectPolicy()
    play = answers(reply({"value": [customer()]}), reply({"value": []}))
    async with calls_of(play, policy) as (calls, erp):
        customers = Customers(calls)
        found = await customers.find("usmf", "us-050")
        assert await customers.find("usmf", "US-051") is None
    assert found is not None
    assert (found.CustomerAccount, found.PartyNumber) == ("US-050", "000002345")
    assert "(dataAreaId eq 'usmf' and CustomerAccount eq 'us-050')" in unquote(erp.targets[0])
    assert {operation.kind for operation in policy.operations} == {OperationClass.DOCUMENT_READ}


async def test_all_customers_with_an_address_or_a_tax_number_are_found() -> None:
    mail = [customer(PrimaryContactEmail=text) for text in ("A@x.de", "a@x.de", "b@x.de")]
    tax = [customer(TaxExemptNumber="DE1")]
    play = answers(reply({"value": mail}), reply({"value": tax}))
    async with calls_of(play) as (calls, erp):
        assert len(await Customers(calls).find_by_email("usmf", "a@x.de")) == 2
        assert len(await Customers(calls).find_by("usmf", "TaxExemptNumber", "DE1")) == 1
    assert "PrimaryContactEmail eq 'a@x.de'" in unquote(erp.targets[0])
    assert "TaxExemptNumber eq 'DE1'" in unquote(erp.targets[1])


async def test_an_empty_text_finds_nobody() -> None:
    """Everybody without a tax number would be found by it."""
    async with calls_of(answers()) as (calls, erp):
        assert await Customers(calls).find_by("usmf", "TaxExemptNumber", " ") == []
    assert erp.requests == []


async def test_an_address_that_is_equal_to_the_erps_database_only_is_not_found() -> None:
    """Sharp s is double s there, and another domain everywhere else."""
    mail = [customer(PrimaryContactEmail=text) for text in ("A@stra\u00dfe.de", "a@strasse.de")]
    async with calls_of(answers(reply({"value": mail}))) as (calls, _):
        (found,) = await Customers(calls).find_by_email("usmf", "a@stra\u00dfe.de")
    assert found.PrimaryContactEmail == "A@stra\u00dfe.de"


async def test_no_account_holds_a_wildcard() -> None:
    """The ERP would send every customer that fits, to whoever typed it."""
    async with calls_of(answers()) as (calls, erp):
        assert await Customers(calls).find("usmf", "*") is None
    assert erp.requests == []


async def test_the_customer_on_the_wire_is_the_recorded_one() -> None:
    recorded = json.loads(sample("customer.post.request.json"))
    company = recorded.pop("dataAreaId")
    body = CustomerBody(**recorded)
    play = answers(reply({"CustomerAccount": "US-050"}, 201), reply(status=204))
    async with calls_of(play) as (calls, erp):
        customers = Customers(calls)
        account = await customers.create(company, body)
        change = CustomerBody(CreditLimit=Decimal("10.50"), NameAlias="")
        await customers.update(company, account, change)
    assert account == "US-050"
    assert sent(erp) == {"dataAreaId": "usmf", **recorded}
    key = "(dataAreaId='usmf',CustomerAccount='US-050')"
    assert erp.targets[1] == f"/data/CustomersV3{key}?cross-company=true"
    assert erp.bodies[1] == b'{"NameAlias":"","CreditLimit":10.50}'


async def test_addresses_are_read_added_and_changed_by_their_whole_key() -> None:
    recorded = json.loads(sample("customer.address.post.request.json"))
    members = {
        name: {"Yes": True, "No": False}.get(value, value)
        for name, value in recorded.items()
        if name in AddressBody.model_fields
    }
    play = answers(
        reply({"value": [ADDRESS]}),
        reply({"AddressLocationId": "000000012"}, 201),
        reply(status=204),
    )
    async with calls_of(play) as (calls, erp):
        customers = Customers(calls)
        (row,) = await customers.addresses("usmf", "US-050")
        added = await customers.add_address("usmf", "US-050", AddressBody(**members))
        await customers.change_address(row, AddressBody(AddressCity="Tacoma"))
    assert added == row.AddressLocationId == "000000012"
    assert row.IsRoleDelivery
    assert not row.IsPrimary
    assert sent(erp, 1) == recorded
    assert sent(erp, 2) == {"AddressCity": "Tacoma"}
    key = (
        "(dataAreaId='usmf',CustomerAccountNumber='US-050',CustomerLegalEntityId='usmf',"
        "AddressLocationId='000000012',Effective=2026-11-23T07:30:00Z)"
    )
    assert unquote(erp.targets[2]).startswith(f"/data/CustomerPostalAddresses{key}?")
