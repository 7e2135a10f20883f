"""What `approve`, `reject`, `link`, `unlink` and `links` say where nothing can be done."""

import pytest

from sync.store.all_links import KeptLinks
from sync.store.link_decisions import LinkDecisions
from tests.sync_console.conftest import CommandLine
from tests.sync_engine.engine import MARKET, Engine


async def linked(engine: Engine, customer_id: str, account: str, *, origin: str) -> None:
    links = KeptLinks(engine.database).of_customers(MARKET, company=[MARKET])
    await links.settle(customer_id, account, origin=origin)


async def test_links_are_listed_with_how_they_came_about(
    engine: Engine, d365_sync: CommandLine
) -> None:
    await linked(engine, "7", "C-[bold]7", origin="tax_number")
    await linked(engine, "8", "C-8", origin="created")

    said = (await d365_sync("links")).stdout
    for part in ("b2b_de/7", "C-[bold]7", "tax_number", "nobody", "C-8", "created", "2 links"):
        assert part in said
    [unreviewed] = await d365_sync.json("links", "--unreviewed", "--market", MARKET)
    assert (unreviewed["customer_id"], unreviewed["account"]) == ("7", "C-[bold]7")
    assert await d365_sync.json("links", "--market", "other") == []
    state = (await d365_sync.json("status"))["state"]
    assert state["unreviewed_links"] == {MARKET: 1}
    assert "d365-sync links --unreviewed" in (await d365_sync("status")).stdout


async def test_an_account_is_taken_away_also_while_shop_and_erp_are_away(
    engine: Engine, d365_sync: CommandLine
) -> None:
    """It may be somebody else's: nobody waits for a shop to come back."""
    await linked(engine, "7", "C-7", origin="email")

    asked = await d365_sync("unlink", MARKET, "7", answer="n\n")
    assert (asked.exit_code, "Nothing was changed" in asked.output) == (1, True)
    done = await d365_sync("unlink", MARKET, "7", "--yes", "--reason", "fraud", "--by", "ann")

    assert done.exit_code == 0, done.output
    assert await LinkDecisions(engine.database).of_customer(MARKET, "7") is None
    again = await d365_sync("unlink", MARKET, "7", "--yes")
    assert again.exit_code == 1
    assert "has no account" in again.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("approve", "nobody"), "neither the number of an event nor MARKET/CUSTOMER"),
        (("reject", "other/7"), "neither the number of an event nor MARKET/CUSTOMER"),
        (("approve", "4711"), "event 4711 is no customer's, and waits for none"),
        (("unlink", "other", "7"), "There is no market other"),
        (("link", "other", "7", "C-1"), "There is no market other"),
        (("approve", "b2b_de/7"), "d365-sync check"),
    ],
)
async def test_what_cannot_be_done_is_said_and_changes_nothing(
    engine: Engine, d365_sync: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    result = await d365_sync(*arguments, "--yes")

    assert result.exit_code == 1
    assert said in result.output
    assert await LinkDecisions(engine.database).links() == []


async def test_an_order_that_waits_for_no_customer_names_nobody(
    engine: Engine, d365_sync: CommandLine
) -> None:
    event = await engine.receive("100000201")

    result = await d365_sync("approve", str(event), "--yes")

    assert f"event {event} is no customer's" in result.output
