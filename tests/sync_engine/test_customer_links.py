"""Stored links: never replaced by a program, one taker of an account, people's words audited."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store.all_links import AllLinks, KeptLinks
from sync.store.customer_links import CREATED_KIND, CustomerLinks, Owner, Refusal
from sync.store.interventions import InterventionError
from sync.store.link_decisions import LinkDecisions

MARKET, OTHER = "b2b_de", "b2c"
BOTH = (MARKET, OTHER)


def links_of(store: AsyncEngine, market: str = MARKET) -> CustomerLinks:
    return KeptLinks(store).of_customers(market, company=BOTH)


async def link(
    store: AsyncEngine, customer_id: str, account: str, *, by: str = "ann", reason: str = ""
) -> str | None:
    """Give a customer an account, as a person who was shown that nobody has it."""
    owner = Owner(MARKET, customer_id)
    decisions = LinkDecisions(store)
    return await decisions.link(owner, account, company=BOTH, others=[], by=by, reason=reason)


async def audited(store: AsyncEngine) -> list[tuple[str, ...]]:
    async with store.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT who, action, subject, before->>'account', after->>'account',"
                " after->>'reason' FROM audit ORDER BY id"
            )
        )
        return [tuple(row) for row in rows]


async def test_a_link_that_stands_is_never_replaced_by_a_program(store: AsyncEngine) -> None:
    links = links_of(store)

    assert await links.settle("7", "C-1", origin="created") == "C-1"
    assert await links.settle("7", "C-2", origin="created") == "C-1"
    assert await links.take("7", "C-2", origin="email") == "C-1"

    assert await links.account("7") == "C-1"
    assert await links.account_of(Owner(MARKET, "7")) == "C-1"
    assert await links.account("8") is None


async def test_of_many_who_take_one_account_at_once_one_gets_it(store: AsyncEngine) -> None:
    takers = [links_of(store, market).take("7", "C-1", origin="email") for market in BOTH]
    takers += [links_of(store).take(str(number), "C-1", origin="email") for number in range(10, 16)]

    taken = await asyncio.gather(*takers)

    assert sum(account == "C-1" for account in taken) == 1
    assert len(await links_of(store).owners("C-1")) == 1


async def test_an_account_that_the_configuration_names_is_nobody_elses(store: AsyncEngine) -> None:
    """Its customer may not have been carried yet; whoever types its number is."""
    named = {MARKET: {1: "C-1"}, "elsewhere": {2: "C-1"}}
    links = KeptLinks(store, named).of_customers(OTHER, company=BOTH)

    assert await links.take("7", "C-1", origin="email") is None
    assert await links.owners("C-1") == [Owner(MARKET, "1")]
    assert await links.account_of(Owner(MARKET, "1")) == "C-1"
    # Only once it is linked do orders find it.
    assert await links.account("1") is None


async def test_another_company_gives_away_its_own_accounts(store: AsyncEngine) -> None:
    other = KeptLinks(store).of_customers("elsewhere", company=["elsewhere"])

    assert await links_of(store).take("7", "C-1", origin="email") == "C-1"
    assert await other.take("7", "C-1", origin="email") == "C-1"

    assert await other.owners("C-1") == [Owner("elsewhere", "7")]


async def test_a_persons_words_are_kept_and_audited(store: AsyncEngine) -> None:
    decisions, links = LinkDecisions(store), links_of(store)
    await links.settle("7", "C-1", origin="tax_number")

    assert await link(store, "7", "C-2", reason="phoned") == "C-1"
    assert await links.account("7") == "C-2"
    assert await decisions.unlink(MARKET, "7", by="bob", reason="fraud") == "C-2"
    assert await links.account("7") is None
    assert await links.refusals("7") == [Refusal("C-2", allows_new=False, refused_by="bob")]
    await decisions.refuse(MARKET, "7", ["C-3"], by="ann", reason="new")
    assert [each.allows_new for each in await links.refusals("7")] == [True, True]
    await link(store, "7", "C-2", reason="after all")
    assert [each.account for each in await links.refusals("7")] == ["C-3"]

    assert await audited(store) == [
        ("ann", "link", "customer b2b_de/7", "C-1", "C-2", "phoned"),
        ("bob", "unlink", "customer b2b_de/7", "C-2", None, "fraud"),
        ("ann", "reject", "customer b2b_de/7", "C-3", None, "new"),
        ("ann", "link", "customer b2b_de/7", None, "C-2", "after all"),
    ]


async def test_a_person_decides_on_what_was_shown(store: AsyncEngine) -> None:
    """While somebody reads that nobody has the account, another may get it."""
    await links_of(store, OTHER).take("1", "C-1", origin="email")

    with pytest.raises(InterventionError, match="is b2c/1's by now"):
        await link(store, "7", "C-1")

    seen = [Owner(OTHER, "1"), Owner(OTHER, "2")]
    me, decisions = Owner(MARKET, "7"), LinkDecisions(store)
    await decisions.link(me, "C-1", company=BOTH, others=seen, by="ann", reason="")
    assert len(await links_of(store).owners("C-1")) == 2


async def test_an_unlinked_customer_is_forgotten_as_one_whom_an_account_was_made_for(
    store: AsyncEngine,
) -> None:
    """Else the account would come back with the customer's next event."""
    market = KeptLinks(store).of_market(MARKET)
    await market.remember(CREATED_KIND, "7", "C-1")
    await links_of(store).settle("7", "C-1", origin="created")

    await LinkDecisions(store).unlink(MARKET, "7", by="ann", reason="")

    assert await market.erp_key(CREATED_KIND, "7") is None


async def test_what_cannot_be_done_is_said(store: AsyncEngine) -> None:
    decisions = LinkDecisions(store)
    for impossible in (decisions.unlink, decisions.review):
        with pytest.raises(InterventionError, match="has no account"):
            await impossible(MARKET, "7", by="ann", reason="")
    await links_of(store).settle("7", "C-1", origin="email")
    with pytest.raises(InterventionError, match="unlink it first"):
        await decisions.refuse(MARKET, "7", ["C-1"], by="ann", reason="")


async def test_links_that_rest_on_what_was_typed_are_unreviewed_until_somebody_looks(
    store: AsyncEngine,
) -> None:
    decisions, links = LinkDecisions(store), links_of(store)
    for customer_id, origin in (("1", ""), ("2", "created"), ("3", "tax_number"), ("4", "email")):
        await links.settle(customer_id, f"C-{customer_id}", origin=origin)
    await links_of(store, OTHER).settle("5", "C-5", origin="attribute")
    await link(store, "6", "C-6")

    async def unreviewed(market: str | None = None) -> list[str]:
        found = await decisions.links(market=market, is_unreviewed=True)
        return [link.customer_id for link in found]

    assert await unreviewed() == ["1", "3", "4", "5"]
    assert await unreviewed(MARKET) == ["1", "3", "4"]
    await decisions.review(MARKET, "3", by="ann", reason="same buyer")
    assert await unreviewed(MARKET) == ["1", "4"]
    reviewed = await decisions.of_customer(MARKET, "3")
    assert reviewed is not None
    assert (reviewed.origin, reviewed.reviewed_by) == ("tax_number", "ann")
    assert len(await decisions.links()) == 6


async def test_what_changed_lately_names_who_was_linked_and_who_was_unlinked(
    store: AsyncEngine,
) -> None:
    known = AllLinks(store, {MARKET: {3: "C-3", 7: "C-0"}})
    await links_of(store).settle("7", "C-1", origin="created")
    await links_of(store).settle("8", "C-2", origin="created")
    await LinkDecisions(store).unlink(MARKET, "8", by="ann", reason="")

    lately = await known.changed(timedelta(minutes=1))
    assert lately == {(MARKET, "7"): "C-1", (MARKET, "8"): None}
    assert await known.changed(timedelta(0)) == {}
    # What the configuration names holds where no link does.
    assert await known.accounts(MARKET) == {"3": "C-3", "7": "C-1"}
    assert await known.account(MARKET, "3") == "C-3"
    assert await known.account(MARKET, "7") == "C-1"
    assert await known.account(MARKET, "8") is None


async def test_an_account_of_the_configuration_in_other_letters_is_somebodys(
    store: AsyncEngine,
) -> None:
    """Compared letter by letter, whoever typed its tax number would have got it."""
    kept = KeptLinks(store, configured={MARKET: {7: "c-9 "}})
    links = kept.of_customers(OTHER, company=BOTH)

    assert await links.owners("C-9") == [Owner(MARKET, "7")]
    assert await links.take("8", "C-9", origin="tax_number") is None
