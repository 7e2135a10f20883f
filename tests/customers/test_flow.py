"""A customer of the shop becomes one account: found, created once, or two for two websites."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from unicodedata import combining, normalize

import pytest

from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamError,
)
from sync.customers.flow import CustomerFlow, CustomerMarket
from sync.customers.identity import Identity
from sync.customers.mapping import Buying
from sync.customers.matching import AccountMatcher
from sync.customers.persons import Persons
from sync.customers.rules import CustomerRules
from sync.engine.flow import Event
from sync.engine.outcomes import Done, HeldError, RetryLaterError, SkippedError
from sync.magento.customer_models import CustomerHead, ShopCustomer
from tests.fakes.customer_erp import FakeCustomerErp
from tests.fakes.customer_links import FakeCompany, FakePriceMap
from tests.fakes.order_shop import FakeLinks, FakeWork
from tests.fakes.wishes import FakeWishes
from tests.virtual_time import ManualClock

LONGEST = timedelta(seconds=60)
AT = datetime(2026, 11, 20, tzinfo=UTC)
HOME = {
    "id": 11,
    "firstname": "Ada",
    "lastname": "Lovelace",
    "street": ["Side 2"],
    "postcode": "10115",
    "city": "Berlin",
    "country_id": "DE",
    "telephone": "+4930111",
}


def customer(customer_id: int = 7, **members: Any) -> ShopCustomer:
    """Return a person with an address."""
    values = {
        "id": customer_id,
        "email": "ada@shop.test",
        "firstname": "Ada",
        "lastname": "Lovelace",
        "website_id": 1,
        "group_id": 1,
        "created_at": "2026-11-20 00:00:00",
        "updated_at": "2026-11-20 00:00:00",
        "default_billing": "11",
        "default_shipping": "11",
        "addresses": [HOME],
    }
    return ShopCustomer.model_validate(values | members)


class FakeShopCustomers:
    """The shop's customers; drops an attribute it does not have, as the real one.

    Its database finds an e-mail address by letters without their accents too.
    """

    def __init__(self, *customers: ShopCustomer) -> None:
        self.customers = {one.id: one for one in customers}
        self.has_attribute = True
        self.says_it_has_it = True
        self.refusal: UpstreamError | None = None
        self.writes: list[Mapping[str, Any]] = []

    async def customer(self, customer_id: int) -> ShopCustomer | None:
        return self.customers.get(customer_id)

    async def customers_by_email(self, email: str) -> list[CustomerHead]:
        wanted = _without_accents(email)
        return [
            CustomerHead(id=one.id, website_id=one.website_id, email=one.email)
            for one in self.customers.values()
            if _without_accents(one.email) == wanted
        ]

    async def save_customer(
        self, customer: ShopCustomer, changes: Mapping[str, Any], *, guard: Any = None
    ) -> ShopCustomer:
        del guard
        self.writes.append(changes)
        if self.refusal is not None:
            raise self.refusal
        if not self.has_attribute:
            changes = {name: each for name, each in changes.items() if name != "custom_attributes"}
        changed = ShopCustomer.model_validate(
            self.customers[customer.id].model_dump(
                mode="python", exclude={"created_at", "updated_at"}
            )
            | {"created_at": "2026-11-20 00:00:00", "updated_at": "2026-11-21 00:00:00"}
            | dict(changes)
        )
        self.customers[customer.id] = changed
        return changed

    async def set_customer_attribute(
        self, customer: ShopCustomer, code: str, value: str, *, guard: Any = None
    ) -> ShopCustomer:
        changes = {"custom_attributes": [{"attribute_code": code, "value": value}]}
        return await self.save_customer(customer, changes, guard=guard)

    async def has_customer_attribute(self, code: str) -> bool:
        del code
        return self.says_it_has_it


def _without_accents(text: str) -> str:
    return "".join(one for one in normalize("NFD", text.casefold()) if not combining(one))


class World:
    """Two websites of one company."""

    def __init__(self, *customers: ShopCustomer, is_shared: bool = False, **rules: Any) -> None:
        self.is_shared = is_shared
        if is_shared:
            rules = {"email_is_guarded": True, **rules}
        self.clock = ManualClock()
        self.shop = FakeShopCustomers(*customers)
        self.erp = FakeCustomerErp()
        self.published = FakePriceMap()
        self.links = {"b2b_de": FakeLinks(), "b2c": FakeLinks()}
        self.wishes = {"b2b_de": FakeWishes(), "b2c": FakeWishes()}
        self.company = FakeCompany(self.links)
        self.rules = {"group": {"*": "30"}, **rules}
        self.configured: dict[int, str] = {}
        self.works: dict[tuple[str, int], FakeWork] = {}

    async def carry(
        self,
        customer_id: int = 7,
        market: str = "b2b_de",
        *,
        order: str | None = None,
        **rules: Any,
    ) -> Done:
        """Carry the customer's event over, once."""
        event = Event(
            id=1,
            flow="customers",
            market=market,
            business_key=str(customer_id),
            document_id=str(customer_id),
            source_key="x",
            payload={} if order is None else {"order": order},
            attempts=0,
            fence=1,
        )
        work = self.works.setdefault(
            (market, customer_id),
            FakeWork(event, self.clock, links=self.links[market], wishes=self.wishes[market]),
        )
        chosen = CustomerRules.model_validate({**self.rules, **rules})
        buying = Buying(code=market, company="demf", currency="EUR", countries={"DE": "DEU"})
        links = self.company.of_customers(market)
        matcher = AccountMatcher(
            self.erp,
            self.shop,
            market=buying,
            rules=chosen,
            links=links,
            sharing=set(self.links) - {market} if self.is_shared else set(),
            website_of={"b2b_de": 1, "b2c": 2},
        )
        identity = Identity(
            market=buying,
            rules=chosen,
            erp=self.erp,
            links=links,
            matcher=matcher,
            persons=Persons(self.company.claimed),
            trusts_email=chosen.email_is_guarded,
            configured=self.configured,
        )
        flow = CustomerFlow(
            self.shop,
            markets={
                market: CustomerMarket(
                    buying=buying,
                    rules=chosen,
                    erp=self.erp,
                    links=links,
                    identity=identity,
                )
            },
            published=self.published,
        )
        return await flow.carry(work)

    @property
    def row(self) -> Any:
        """The ERP's only account."""
        (found,) = self.erp.rows.values()
        return found


async def test_a_person_without_an_account_gets_one_with_the_address() -> None:
    world = World(customer())

    await world.carry()

    account = world.row.CustomerAccount
    assert (world.row.PartyType, world.row.PersonLastName) == ("Person", "Lovelace")
    assert world.row.CustomerGroupId == "30"
    (address,) = world.erp.address_rows[account]
    assert address.AddressDescription == "Shop address 11"
    assert address.AddressCountryRegionId == "DEU"
    assert world.links["b2b_de"].keys["customer", "7"] == account
    assert world.published.accounts == {("b2b_de", 7): account}
    assert world.shop.customers[7].attribute("erp_account") == account


async def test_a_company_becomes_an_organization() -> None:
    company = HOME | {"company": "Fabrikam", "vat_id": "DE123456789"}
    world = World(customer(addresses=[company]))

    await world.carry()

    assert (world.row.PartyType, world.row.OrganizationName) == ("Organization", "Fabrikam")
    assert world.row.TaxExemptNumber == "DE123456789"


async def test_nothing_changed_is_nothing_written() -> None:
    world = World(customer())
    await world.carry()
    world.erp.calls.clear()
    world.shop.writes.clear()

    await world.carry()

    assert not world.erp.calls
    assert world.shop.writes == []


async def test_a_change_in_the_shop_reaches_an_account_created_here() -> None:
    world = World(customer())
    await world.carry()
    moved = HOME | {"city": "Hamburg", "postcode": "20095"}
    known = world.shop.customers[7]
    attributes = [one.model_dump() for one in known.custom_attributes]
    world.shop.customers[7] = customer(
        email="new@shop.test", addresses=[moved], custom_attributes=attributes
    )

    await world.carry()

    assert world.row.PrimaryContactEmail == "new@shop.test"
    (address,) = world.erp.address_rows[world.row.CustomerAccount]
    assert address.AddressCity == "Hamburg"


async def test_an_account_found_in_the_erp_keeps_its_own_master_data() -> None:
    world = World(customer(taxvat="DE1000"), link_unowned=["tax_number"])
    world.erp.put("C-9", TaxExemptNumber="DE1000", OrganizationName="Fabrikam GmbH & Co. KG")

    await world.carry()

    assert world.row.OrganizationName == "Fabrikam GmbH & Co. KG"
    assert not world.erp.calls
    await world.carry(update="all")
    assert world.erp.calls["add_address"] == 1


async def test_accounts_are_created_only_where_that_is_wanted() -> None:
    with pytest.raises(HeldError, match="not created here"):
        await World(customer()).carry(create=False)


async def test_a_create_whose_answer_was_lost_is_found_again() -> None:
    """Even where e-mail is no way to match: the write in doubt may have made it."""
    world = World(customer(), match=["attribute"])
    world.erp.answers_lost = 1
    with pytest.raises(UpstreamError):
        await world.carry()

    await world.carry()

    assert len(world.erp.rows) == 1
    assert world.erp.calls["create"] == 1


async def test_a_create_that_may_still_arrive_is_waited_for() -> None:
    world = World(customer())
    world.erp.calls_lost = 1
    with pytest.raises(UpstreamError):
        await world.carry()

    with pytest.raises(RetryLaterError) as caught:
        await world.carry()
    world.clock.advance(caught.value.after or timedelta(0))
    await world.carry()

    assert len(world.erp.rows) == 1


async def test_an_address_whose_answer_was_lost_is_not_doubled() -> None:
    world = World(customer())
    world.erp.answers_lost = 0
    await world.carry(update="none")
    world.erp.answers_lost = 1
    with pytest.raises(UpstreamError):
        await world.carry()

    await world.carry()

    assert len(world.erp.address_rows[world.row.CustomerAccount]) == 1


def twins() -> tuple[ShopCustomer, ShopCustomer]:
    return customer(7), customer(8, website_id=2)


async def test_one_person_on_two_websites_becomes_two_accounts() -> None:
    world = World(*twins())

    await world.carry(7, "b2b_de")
    await world.carry(8, "b2c")

    assert len(world.erp.rows) == 2
    assert len(set(world.published.accounts.values())) == 2


async def test_or_one_account_where_they_are_shared() -> None:
    world = World(*twins(), is_shared=True)

    await world.carry(7, "b2b_de")
    await world.carry(8, "b2c")

    assert len(world.erp.rows) == 1
    account = world.row.CustomerAccount
    assert world.published.accounts == {("b2b_de", 7): account, ("b2c", 8): account}


@pytest.mark.parametrize("domain", ["m\u00fcller.test", "m\u00fbller.test", "mu\u0308ller.test"])
async def test_an_address_that_only_looks_alike_is_another_persons(domain: str) -> None:
    """Whoever has the domain with dots confirms its address, and the database finds the other's."""
    world = World(
        customer(7, email="info@muller.test"),
        customer(8, email=f"info@{domain}", website_id=2),
        is_shared=True,
    )

    await world.carry(7, "b2b_de")
    await world.carry(8, "b2c")

    assert len(world.erp.rows) == 2
    assert len(set(world.published.accounts.values())) == 2


async def test_a_person_is_looked_for_by_one_event_at_a_time() -> None:
    world = World(*twins(), is_shared=True)
    key = sha256(b"ada@shop.test").hexdigest()
    claimed = world.company.claimed.holders
    claimed[key] = "b2c/8"

    with pytest.raises(RetryLaterError):
        await world.carry(7, "b2b_de")
    assert world.erp.rows == {}
    del claimed[key]
    await world.carry(7, "b2b_de")
    await world.carry(8, "b2c")

    assert len(world.erp.rows) == 1
    assert key not in claimed


async def test_a_create_in_doubt_keeps_the_other_website_waiting() -> None:
    """What was sent may still arrive: the other would make a second account."""
    world = World(*twins(), is_shared=True, match=["attribute"])
    world.erp.answers_lost = 1
    with pytest.raises(UpstreamError):
        await world.carry(7, "b2b_de")

    with pytest.raises(RetryLaterError):
        await world.carry(8, "b2c")
    await world.carry(7, "b2b_de")
    await world.carry(8, "b2c")

    assert len(world.erp.rows) == 1


async def test_a_person_who_cannot_be_made_an_account_keeps_nobody_waiting() -> None:
    world = World(*twins(), is_shared=True)
    with pytest.raises(HeldError):
        await world.carry(7, "b2b_de", group={})

    await world.carry(8, "b2c")

    assert len(world.erp.rows) == 1


async def test_who_lost_the_claim_writes_nothing() -> None:
    world = World(*twins(), is_shared=True)
    key = sha256(b"ada@shop.test").hexdigest()
    world.erp.before_write = lambda: world.company.claimed.holders.update({key: "b2c/8"})

    with pytest.raises(CallRefusedError):
        await world.carry(7, "b2b_de")

    assert world.erp.rows == {}


async def test_who_lost_the_claim_for_a_while_writes_nothing() -> None:
    """Another event has had it and given it back: what was looked up before is old."""
    world = World(*twins(), is_shared=True)
    world.erp.before_write = world.company.claimed.holders.clear

    with pytest.raises(CallRefusedError):
        await world.carry(7, "b2b_de")

    assert world.erp.rows == {}


async def test_a_group_of_the_shop_without_an_entry_is_named() -> None:
    with pytest.raises(HeldError) as caught:
        await World(customer()).carry(group={})

    assert 'sync.markets.b2b_de.customers.group."1"' in caught.value.advice


async def test_a_country_without_an_entry_and_a_long_name_are_named() -> None:
    with pytest.raises(HeldError) as caught:
        await World(customer(addresses=[HOME | {"country_id": "FR"}])).carry()
    assert caught.value.field == "addresses[11].country_id"

    with pytest.raises(HeldError) as caught:
        await World(customer(firstname="x" * 26)).carry()
    assert caught.value.field == "firstname"


async def test_the_price_group_of_the_erp_chooses_the_shops_group() -> None:
    world = World(customer(), link_unowned=["email"])
    world.erp.put("C-9", PrimaryContactEmail="ada@shop.test", DiscountPriceGroupId="B2B")

    await world.carry(shop_group={"B2B": 4})
    await world.carry(shop_group={"B2B": 4})

    groups = [write["group_id"] for write in world.shop.writes if "group_id" in write]
    assert groups == [4]


async def test_a_redis_that_is_down_is_told() -> None:
    world = World(customer())
    world.published.is_down = True

    done = await world.carry()

    assert "prices do not know it yet" in done.note


async def test_an_account_on_hold_is_told() -> None:
    world = World(customer(), link_unowned=["email"])
    world.erp.put("C-9", PrimaryContactEmail="ada@shop.test", OnHoldStatus="All")

    assert "on hold" in (await world.carry()).note


async def test_an_account_deleted_in_the_erp_is_held() -> None:
    world = World(customer())
    await world.links["b2b_de"].remember("customer", "7", "C-gone")

    with pytest.raises(HeldError, match="has no account C-gone"):
        await world.carry()


async def test_a_deleted_customer_is_skipped() -> None:
    with pytest.raises(SkippedError):
        await World().carry()


async def test_an_order_that_waits_for_a_deleted_customer_needs_a_person() -> None:
    with pytest.raises(HeldError, match="order 000000007 waits"):
        await World().carry(order="000000007")
