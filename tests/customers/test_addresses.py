"""Addresses are records of their own: none holds up the account, its orders or the others."""

from typing import Any

import pytest

from pricing_proxy.resilience.errors import UpstreamRejectedError
from sync.engine.outcomes import HeldError
from tests.cases import case
from tests.customers.test_flow import HOME, World, customer

WRITES = ("create", "update", "add_address", "change_address")


def writes(world: World) -> int:
    return sum(world.erp.calls[name] for name in WRITES)


def moved(world: World, **members: Any) -> None:
    """Change the customer in the shop."""
    world.shop.customers[7] = customer(**members)


async def test_an_address_that_the_order_does_not_use_never_blocks_it() -> None:
    told = case("orders/old_address_blocks_order")["customer"]
    addresses = [HOME | address for address in told["addresses"]]
    members = {"addresses": addresses, "default_billing": "7", "default_shipping": "7"}
    world = World(customer(told["id"], **members))

    done = await world.carry(told["id"], order="3000000016")

    account = world.links["b2b_de"].keys["customer", str(told["id"])]
    [address] = world.erp.address_rows[account]
    assert address.AddressDescription == "Shop address 7"
    assert 'addresses[8].country_id: "AT" is not in the map countries' in done.note
    assert f"d365-sync map-customers b2b_de --customer {told['id']}" in done.note
    assert "addresses[8].country_id" in world.wishes["b2b_de"].told["address"]
    again = await world.carry(told["id"])
    assert "addresses[8]" not in again.note
    world.shop.customers[told["id"]] = customer(
        told["id"], **members | {"addresses": addresses[:1]}
    )
    moved_there = [addresses[0], addresses[1] | {"country_id": "DE"}]
    world.shop.customers[told["id"]] = customer(told["id"], **members | {"addresses": moved_there})
    await world.carry(told["id"])
    await world.carry(told["id"])
    assert len(world.erp.address_rows[account]) == 2
    assert world.wishes["b2b_de"].told == {}


async def test_an_address_that_is_too_long_or_refused_costs_no_other() -> None:
    world = World(customer())
    await world.carry()
    account = world.row.CustomerAccount
    long = HOME | {"id": 12, "city": "x" * 61}
    moved(world, addresses=[HOME, long, HOME | {"id": 13, "city": "Bonn"}])

    note = (await world.carry()).note

    assert "addresses[12].city: 61 characters" in note
    assert [row.AddressCity for row in world.erp.address_rows[account]] == ["Berlin", "Bonn"]
    refusal = UpstreamRejectedError("refused", system="fo", status=400, reasons=("Zip code",))
    world.erp.refusal = refusal
    moved(world, addresses=[HOME, HOME | {"id": 14, "city": "Ulm"}])
    assert "is refused" in (await world.carry()).note
    calls = writes(world)
    await world.carry()
    assert writes(world) == calls


async def test_the_account_an_invoice_goes_to_is_not_made_without_its_address() -> None:
    """An account of its own has the address from the start, or a person looks first."""
    with pytest.raises(HeldError) as caught:
        await World(customer(addresses=[HOME | {"country_id": "FR"}])).carry()

    assert caught.value.field == "addresses[11].country_id"


async def test_names_that_cannot_be_sent_are_told_and_hold_no_order_up() -> None:
    world = World(customer())
    await world.carry()
    moved(world, lastname="x" * 26, addresses=[HOME, HOME | {"id": 12}])

    done = await world.carry(order="3000000016")

    assert "lastname: 26 characters" in done.note
    assert "lastname" in world.wishes["b2b_de"].told["names and contact"]
    assert len(world.erp.address_rows[world.row.CustomerAccount]) == 2
    await world.carry(cut=["PersonLastName"])
    assert world.row.PersonLastName == "x" * 25
    assert world.wishes["b2b_de"].told == {}


async def test_what_the_erp_corrected_since_both_had_it_is_left_to_it() -> None:
    """The next login wrote the shop's old street over the correction."""
    world = World(customer())
    await world.carry()
    await world.carry()
    account = world.row.CustomerAccount
    rows = world.erp.address_rows[account]
    rows[0] = rows[0].model_copy(update={"AddressStreet": "Side 2a", "AddressZipCode": "10117"})
    calls = writes(world)

    moved(world, lastname="Byron")
    await world.carry()
    await world.carry()

    assert (world.row.PersonLastName, writes(world)) == ("Byron", calls + 1)
    assert rows[0].AddressStreet == "Side 2a"
    moved(world, lastname="Byron", addresses=[HOME | {"street": ["Other Side 3"]}])
    await world.carry()
    assert world.erp.address_rows[account][0].AddressStreet == "Other Side 3"


async def test_an_address_that_the_erp_removed_is_not_added_again() -> None:
    world = World(customer())
    await world.carry()
    await world.carry()
    world.erp.address_rows[world.row.CustomerAccount].clear()

    moved(world, lastname="Byron")
    await world.carry()

    assert world.erp.address_rows[world.row.CustomerAccount] == []


async def test_another_account_gets_the_addresses_that_the_first_one_had() -> None:
    world = World(customer(), update="all")
    await world.carry()
    await world.carry()
    world.erp.put("C-1001", PartyType="Person")
    world.links["b2b_de"].keys["customer", "7"] = "C-1001"

    await world.carry()

    assert len(world.erp.address_rows["C-1001"]) == 1


async def test_blanks_around_texts_are_never_sent() -> None:
    spaced = HOME | {"street": [" Side 2 ", "  "], "city": " Berlin\t", "company": "   "}
    spaced |= {"prefix": " Dr. "}
    world = World(customer(firstname=" Ada ", lastname="Lovelace ", addresses=[spaced]))

    await world.carry()
    await world.carry()

    row = world.row
    assert (row.PartyType, row.PersonFirstName, row.PersonLastName) == ("Person", "Ada", "Lovelace")
    [address] = world.erp.address_rows[row.CustomerAccount]
    assert (address.AddressStreet, address.AddressCity) == ("Side 2", "Berlin")
    assert address.AttentionToAddressLine == "Dr. Ada Lovelace"


async def test_a_person_who_becomes_an_organization_is_told_once_until_an_account_fits() -> None:
    world = World(customer())
    await world.carry()
    moved(world, addresses=[HOME | {"company": "Lovelace Ltd"}])

    note = (await world.carry()).note

    assert "Organization" in note
    assert "d365-sync link b2b_de 7 ACCOUNT" in note
    assert "kind of party" in world.wishes["b2b_de"].told
    assert "Organization" not in (await world.carry()).note
    assert world.row.PersonLastName == "Lovelace"
    world.erp.put("C-9", PartyType="Organization", OrganizationName="Lovelace Ltd")
    world.links["b2b_de"].keys |= {("customer", "7"): "C-9", ("customer_created", "7"): "C-9"}
    await world.carry()
    assert "Organization" not in (await world.carry()).note


async def test_people_of_a_company_share_its_account_without_a_word() -> None:
    world = World(customer(), update="all", link_unowned=["email"])
    world.erp.put(
        "C-1001",
        PartyType="Organization",
        OrganizationName="Analytical Engines",
        PrimaryContactEmail="ada@shop.test",
    )

    await world.carry()

    assert "kind of party" not in world.wishes["b2b_de"].told


async def test_orders_go_on_once_the_account_is_known() -> None:
    """They waited for each address, and were blocked where one was written without an end."""
    world = World(customer())
    await world.carry(order="3000000016")
    assert world.works["b2b_de", 7].let_go_of == 1
    refusal = UpstreamRejectedError("gone", system="fo", status=404, reasons=("No such set",))
    world.erp.refusal = refusal
    moved(world, addresses=[HOME, HOME | {"id": 12}])

    with pytest.raises(HeldError):
        await world.carry(order="3000000017")

    assert world.works["b2b_de", 7].let_go_of == 3


async def test_orders_wait_while_nobody_knows_whose_account_it_is() -> None:
    world = World(customer())
    world.erp.put("C-1001", PrimaryContactEmail="ada@shop.test")

    with pytest.raises(HeldError):
        await world.carry(order="3000000016")

    assert world.works["b2b_de", 7].let_go_of == 0
