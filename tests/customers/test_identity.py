"""Whose account is whose: what is typed finds candidates, a person or a rule decides."""

import asyncio
from typing import Any

import pytest

from sync.engine.outcomes import HeldError, OutcomeError, RetryLaterError
from sync.magento.customer_models import ShopCustomer
from sync.store.customer_links import Owner
from tests.customers.test_flow import HOME, LONGEST, World, customer

VAT = "DE999888777"
ATTRIBUTE = "erp_account"


def naming(account: str) -> dict[str, Any]:
    """Return an attribute as a customer may write it."""
    return {"custom_attributes": [{"attribute_code": ATTRIBUTE, "value": account}]}


def second(**members: Any) -> ShopCustomer:
    """Return another customer of the same website."""
    return customer(8, **{"email": "eve@shop.test", **members})


async def held(world: World, customer_id: int = 8, **rules: Any) -> HeldError:
    """Carry a customer whom a person must look at."""
    with pytest.raises(HeldError) as caught:
        await world.carry(customer_id, **rules)
    return caught.value


TYPED = pytest.mark.parametrize(
    ("members", "row"),
    [
        (naming("C-9"), {}),
        (naming(" c-9 "), {}),
        ({"taxvat": VAT}, {"TaxExemptNumber": VAT}),
        ({}, {"PrimaryContactEmail": "EVE@shop.test"}),
        ({"addresses": [HOME | {"company": "Fabrikam"}]}, {"OrganizationName": "FABRIKAM "}),
    ],
    ids=["attribute", "attribute with blanks", "tax number", "e-mail", "company"],
)
EVERY_WAY = ["attribute", "tax_number", "email", "company"]


@TYPED
async def test_what_is_typed_links_nobody_by_itself(
    members: dict[str, Any], row: dict[str, Any]
) -> None:
    world = World(second(**members), match=EVERY_WAY)
    world.erp.put("C-9", **row)

    error = await held(world)

    assert "account C-9 may be its" in error.text
    assert "no other customer has it" in error.text
    assert "d365-sync approve b2b_de/8" in error.advice
    assert world.company.owners("C-9") == []
    assert world.published.accounts == {}
    assert not world.erp.calls


@TYPED
async def test_an_account_that_nobody_has_is_linked_where_configuration_says_so(
    members: dict[str, Any], row: dict[str, Any]
) -> None:
    world = World(second(**members), match=EVERY_WAY, link_unowned=EVERY_WAY)
    world.erp.put("C-9", **row)

    await world.carry(8)

    assert world.company.owners("C-9") == [Owner("b2b_de", "8")]


@TYPED
async def test_but_never_one_that_another_customer_has(
    members: dict[str, Any], row: dict[str, Any]
) -> None:
    world = World(second(**members), match=EVERY_WAY, link_unowned=EVERY_WAY)
    world.erp.put("C-9", **row)
    world.company.link(Owner("b2b_de", "7"), "C-9")

    error = await held(world)

    assert "customer b2b_de/7 has it" in error.text
    assert world.company.owners("C-9") == [Owner("b2b_de", "7")]


@pytest.mark.parametrize(
    "number",
    [
        "DE999888777",
        "de999888777",
        " DE 999 888 777 ",
        "DE-999.888.777",
        "999 888 777",
        "999888777",
    ],
)
@pytest.mark.parametrize("kept", ["DE999888777", "DE 999.888.777", "999 888 777"])
async def test_a_tax_number_finds_the_account_however_it_is_written(number: str, kept: str) -> None:
    """The takeover: the second of two registrations was priced and booked as the first."""
    world = World(customer(taxvat=VAT), second(taxvat=number))
    world.erp.put("C-1", TaxExemptNumber=kept)
    world.company.link(Owner("b2b_de", "7"), "C-1")

    error = await held(world)

    assert error.field == "taxvat"
    assert ("C-1 tax number", number.strip(), kept) in error.diff
    assert ("C-1 is", "customer b2b_de/8", "customer b2b_de/7 has it") in error.diff


@pytest.mark.parametrize(
    "members",
    [
        naming("*"),
        naming("C-*"),
        {"taxvat": "*1*"},
        {"taxvat": "**"},
        {"addresses": [HOME | {"company": "*"}]},
        {"email": "*@*"},
        {"email": "o*@shop.test"},
    ],
    ids=str,
)
async def test_a_wildcard_that_somebody_typed_fetches_no_crowd_of_the_erps_customers(
    members: dict[str, Any],
) -> None:
    """Anybody may register with one: each would have had the ERP send all of its customers."""
    world = World(second(**members), match=EVERY_WAY)
    for number in range(50):
        world.erp.put(
            f"C-{number}",
            TaxExemptNumber=f"DE{100_000_000 + number}",
            PrimaryContactEmail=f"old{number}@shop.test",
            OrganizationName=f"Firm {number}",
        )

    if "email" in members:
        error = await held(world)
        assert (error.field, "link b2b_de 8" in error.advice) == ("email", True)
    else:
        await world.carry(8)

    # Its own new row is read back.
    assert world.erp.sent <= 2


async def test_a_number_of_another_country_is_another_number() -> None:
    world = World(second(taxvat="FR999888777"))
    world.erp.put("C-1", TaxExemptNumber=VAT)

    await world.carry(8)

    assert len(world.erp.rows) == 2


async def test_two_registrations_with_one_number_at_one_instant() -> None:
    """One owns the account that is made; the other is held, whoever comes first."""
    world = World(customer(taxvat=VAT), second(taxvat="999 888 777"))

    async def carried(customer_id: int) -> str:
        for _ in range(20):
            try:
                await world.carry(customer_id)
            except RetryLaterError:
                await asyncio.sleep(0)
            except OutcomeError as error:
                return type(error).__name__
            else:
                return "done"
        return "never"

    ends = await asyncio.gather(carried(7), carried(8))

    assert sorted(ends) == ["HeldError", "done"]
    assert len(world.erp.rows) == 1
    assert len(world.company.owners(world.row.CustomerAccount)) == 1


async def test_one_account_is_not_given_to_two_who_found_it_by_different_ways() -> None:
    first = customer(taxvat=VAT, email="x@shop.test")
    other = second(taxvat="DE111222333")
    world = World(first, other, link_unowned=["tax_number", "email"])
    world.erp.put("C-9", TaxExemptNumber=VAT, PrimaryContactEmail="eve@shop.test")

    ends = await asyncio.gather(world.carry(7), world.carry(8), return_exceptions=True)

    assert sum(isinstance(end, Exception) for end in ends) == 1
    assert len(world.company.owners("C-9")) == 1


async def test_an_approved_customer_keeps_the_account_whatever_is_typed_later() -> None:
    world = World(second(taxvat=VAT))
    world.erp.put("C-9", TaxExemptNumber=VAT)
    await held(world)

    world.company.link(Owner("b2b_de", "8"), "C-9")
    await world.carry(8)
    world.erp.put("C-10", TaxExemptNumber="DE111222333")
    world.shop.customers[8] = second(taxvat="DE111222333", **naming("C-10"))
    await world.carry(8)

    assert world.company.account_of(Owner("b2b_de", "8")) == "C-9"
    assert world.published.accounts == {("b2b_de", 8): "C-9"}
    assert world.shop.customers[8].attribute(ATTRIBUTE) == "C-9"


async def test_a_rejected_account_is_never_a_candidate_again() -> None:
    world = World(second(taxvat=VAT))
    world.erp.put("C-9", TaxExemptNumber=VAT)
    await held(world)

    world.company.refuse(Owner("b2b_de", "8"), "C-9")
    await world.carry(8)

    account = world.company.account_of(Owner("b2b_de", "8"))
    assert account not in (None, "C-9")
    assert world.erp.calls["create"] == 1


async def test_whose_account_was_taken_away_gets_no_other_before_a_person_says() -> None:
    world = World(second(), link_unowned=["email"])
    world.erp.put("C-9", PrimaryContactEmail="eve@shop.test")
    await world.carry(8)
    world.company.unlink(Owner("b2b_de", "8"))

    error = await held(world)
    assert "ann took account C-9 away" in error.text
    assert not world.erp.calls
    world.company.refuse(Owner("b2b_de", "8"), "C-9")
    await world.carry(8)

    assert world.company.account_of(Owner("b2b_de", "8")) not in (None, "C-9")


async def test_an_account_that_is_taken_away_meanwhile_comes_to_no_attribute() -> None:
    """Nobody would take it out again: no event follows a write of ours."""
    world = World(second())
    me = Owner("b2b_de", "8")

    def unlink() -> None:
        if world.company.account_of(me) is not None:
            world.company.unlink(me)

    # The account is linked by the time that its address is written.
    world.erp.before_write = unlink
    with pytest.raises(RetryLaterError, match="meanwhile"):
        await world.carry(8)

    assert world.shop.customers[8].attribute(ATTRIBUTE) is None
    assert "took account" in (await held(world)).text


async def test_several_accounts_are_all_shown() -> None:
    world = World(second(taxvat=VAT), link_unowned=EVERY_WAY)
    world.erp.put("C-8", PrimaryContactEmail="eve@shop.test")
    world.erp.put("C-9", TaxExemptNumber=VAT)

    error = await held(world)

    assert "several accounts may be its: C-8, C-9" in error.text
    assert "--account" in error.advice
    assert {row[0].split()[0] for row in error.diff} == {"C-8", "C-9"}


async def test_the_kept_diff_holds_no_whole_email_address() -> None:
    world = World(second())
    world.erp.put("C-9", PrimaryContactEmail="eve@shop.test")

    error = await held(world)

    assert "eve@shop.test" not in str(error.diff) + error.text + error.advice
    assert ("C-9 e-mail", "e…@shop.test", "e…@shop.test") in error.diff


async def test_nothing_typed_changes_how_a_person_sees_the_rest() -> None:
    """Escape sequences and marks of direction could paint another customer over this one."""
    typed = customer(8, email="eve@shop.test", firstname="Ada\x1b[2K\r", lastname="\u202eLove")
    world = World(typed)
    world.erp.put("C-9", PrimaryContactEmail="eve@shop.test")

    error = await held(world)

    assert ("C-9 name", "Ada�[2K� �Love", "") in error.diff


async def test_a_guarded_attribute_names_the_account_of_several_buyers() -> None:
    world = World(customer(**naming("C-9")), second(**naming("C-9")), attribute_is_guarded=True)
    world.erp.put("C-9", TaxExemptNumber=VAT)

    await world.carry(7)
    await world.carry(8)

    assert len(world.company.owners("C-9")) == 2


async def test_a_guarded_attribute_must_name_an_account_that_exists() -> None:
    error = await held(World(second(**naming("X"))), attribute_is_guarded=True)

    assert error.field == ATTRIBUTE


async def test_an_attribute_that_names_no_account_is_only_a_text() -> None:
    world = World(second(**naming("X")))

    await world.carry(8)

    assert world.shop.customers[8].attribute(ATTRIBUTE) == world.row.CustomerAccount


async def test_an_account_that_the_configuration_names_is_the_customers() -> None:
    world = World(second(taxvat=VAT))
    world.erp.put("C-9")
    world.erp.put("C-10", TaxExemptNumber=VAT)
    world.configured[8] = "C-9"

    await world.carry(8)

    assert world.company.account_of(Owner("b2b_de", "8")) == "C-9"
    assert world.company.origins[Owner("b2b_de", "8")] == "configuration"


async def test_an_account_of_the_configuration_is_linked_as_the_erp_spells_it() -> None:
    """Stored as it was typed, it would be found by no look-up of its owner."""
    world = World(second())
    world.erp.put("C-9")
    world.configured[8] = "c-9 "

    await world.carry(8)

    assert world.company.account_of(Owner("b2b_de", "8")) == "C-9"


async def test_an_account_of_the_configuration_that_is_none_is_named() -> None:
    world = World(second())
    world.configured[8] = "C-99"

    error = await held(world)

    assert "C-99" in error.text
    assert "magento_customers" in error.advice
    assert world.company.account_of(Owner("b2b_de", "8")) is None


async def test_one_email_address_on_two_websites_is_no_proof_where_nobody_confirms_it() -> None:
    """Sharing accounts says what one person gets, not who is that person."""
    world = World(
        customer(7), customer(8, website_id=2), is_shared=True, email_is_guarded=False, match=[]
    )
    await world.carry(7, "b2b_de")

    with pytest.raises(HeldError, match="by its e-mail address on another website"):
        await world.carry(8, "b2c")

    assert world.company.owners(world.row.CustomerAccount) == [Owner("b2b_de", "7")]


async def test_an_account_made_in_the_same_minute_is_not_taken_for_the_one_in_doubt() -> None:
    """A create without an answer is known by all it sent; an e-mail address anybody may type."""
    world = World(second(), match=["attribute"])
    world.erp.calls_lost = 1
    with pytest.raises(Exception, match="no answer in time"):
        await world.carry(8)
    world.erp.put("C-9", PrimaryContactEmail="eve@shop.test", OrganizationName="A clerk's")

    error = await held(world)

    assert error.field == "CustomerAccount"
    assert world.company.owners("C-9") == []


async def test_an_account_that_was_there_before_is_not_the_one_in_doubt() -> None:
    world = World(second(), match=["attribute"])
    world.erp.put("C-9", PrimaryContactEmail="eve@shop.test", OrganizationName="The victim's")
    world.erp.answers_lost = 1
    with pytest.raises(Exception, match="no answer in time"):
        await world.carry(8)

    await world.carry(8)

    assert world.company.owners("C-9") == []
    assert world.erp.calls["create"] == 1
    assert world.company.account_of(Owner("b2b_de", "8")) is not None


async def test_an_email_address_changed_while_a_create_is_in_doubt_finds_nobody() -> None:
    world = World(second(), match=["attribute"])
    world.erp.put("C-9", PrimaryContactEmail="victim@shop.test")
    world.erp.calls_lost = 1
    with pytest.raises(Exception, match="no answer in time"):
        await world.carry(8)
    world.shop.customers[8] = second(email="victim@shop.test")

    error = await held(world)

    assert error.field == "email"
    assert world.company.owners("C-9") == []


async def test_an_account_that_somebody_has_is_not_the_one_in_doubt() -> None:
    """Another's account with the same address, linked while the create was under way."""
    twin = second()
    world = World(second(), match=[])
    world.erp.calls_lost = 1
    with pytest.raises(Exception, match="no answer in time"):
        await world.carry(8)
    world.erp.put(
        "C-9",
        PartyType="Person",
        PersonFirstName=twin.firstname,
        PersonLastName=twin.lastname,
        PrimaryContactEmail=twin.email,
        PrimaryContactPhone="+4930111",
        CustomerGroupId="30",
        SalesCurrencyCode="EUR",
    )
    world.company.link(Owner("b2b_de", "7"), "C-9")
    world.clock.advance(LONGEST)

    await world.carry(8)

    assert world.company.owners("C-9") == [Owner("b2b_de", "7")]


async def test_an_account_made_by_a_process_that_died_before_it_linked_it_is_the_customers() -> (
    None
):
    world = World(second(taxvat=VAT))
    await world.carry(8)
    del world.links["b2b_de"].keys["customer", "8"]

    await world.carry(8)

    assert world.company.account_of(Owner("b2b_de", "8")) == world.row.CustomerAccount
    assert world.erp.calls["create"] == 1


@pytest.mark.parametrize("number", ["7", "DE7"])
async def test_a_number_too_short_for_a_pattern_is_found_as_it_is_written(number: str) -> None:
    world = World(second(taxvat=number))
    world.erp.put("C-9", TaxExemptNumber=number.lower())
    world.erp.put("C-10", TaxExemptNumber="DE777777777")

    error = await held(world)

    assert {row[0].split()[0] for row in error.diff} == {"C-9"}


async def test_a_persons_word_in_the_meantime_stands() -> None:
    """A link that a person made while an account was being made is not replaced."""
    world = World(second())
    world.erp.before_write = lambda: world.company.link(Owner("b2b_de", "8"), "C-1")
    world.erp.put("C-1")

    await world.carry(8)

    assert world.company.account_of(Owner("b2b_de", "8")) == "C-1"
    assert world.published.accounts == {("b2b_de", 8): "C-1"}
    # Nothing of the shop is written to an account that was not made for it.
    assert world.erp.calls["add_address"] == 0


async def test_the_price_service_is_told_of_the_account_and_then_of_its_customer() -> None:
    world = World(second())

    await world.carry(8)

    account = world.row.CustomerAccount
    assert world.published.accounts == {("b2b_de", 8): account}
    assert world.published.noted["b2b_de", account].account == account
