"""Names are compared as Magento and F&O compare them; what is stored has the ERP's spelling."""

import asyncio

import pytest

from pricing_proxy.domain.freshness import Level, Mode, State
from pricing_proxy.names import ByName
from pricing_proxy.prices.cold_budget import BUDGET_REASON
from pricing_proxy.prices.query import Line
from pricing_proxy.prices.recalling import RecalledLines
from pricing_proxy.shared_state.ledger import ScopeKind
from tests.fakes.master_data import make_customer, make_item
from tests.fakes.price_world import ACCOUNT, PriceWorld, context_of, key_of, price_service

OTHERS = ["s-1", " S-1", "S-1\t", " s-1 "]


def skus_of(world: PriceWorld) -> list[str]:
    """Return how the stored lines of what was answered begin."""
    shelf = world.cache.shelf(context_of())
    return [entry.fragment.partition(",")[0] for entry in shelf.values()]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("spelled", OTHERS)
async def test_an_item_is_found_by_any_spelling_and_answered_in_the_caller_s(
    spelled: str, mode: Mode
) -> None:
    """Magento keeps the letters that somebody typed; the ERP asks for its own."""
    world = price_service()
    for _ in range(2):
        line = await world.ask_one(spelled, mode=mode)
        assert (line.state, line.line.sku) == (State.FRESH, spelled)
        assert line.entry is not None
        assert line.entry.fragment.startswith(f'{{"sku":"{spelled}","unit":'.replace("\t", "\\t"))
    assert {key.sku for batch in world.erp.batches for key in batch.keys} == {"S-1"}
    assert skus_of(world) == ['{"sku":"S-1"']


async def test_all_spellings_share_a_load_and_its_price() -> None:
    """However many shops spell it, and at the same time."""
    world = price_service()
    spellings = ["S-1", *OTHERS]
    await asyncio.gather(*(world.ask_one(sku) for sku in spellings))
    await asyncio.gather(*(world.ask_one("S-1", account=name) for name in ("C-1", "c-1", " C-1")))
    page = await world.ask(*spellings)
    assert [line.line.sku for line in page.lines] == spellings
    assert len(world.erp.batches) == 1


async def test_a_page_in_other_letters_is_recalled_as_a_whole() -> None:
    """What a shop asks all day must not be slow for being spelled otherwise."""
    world = price_service()
    await world.load("S-1", "S-2")
    for _ in range(2):
        quote = await world.ask("s-1", "S-2", Line("s-2", "1"))
        assert isinstance(quote.lines, RecalledLines)
        assert [line.line.sku for line in quote.lines] == ["s-1", "S-2", "s-2"]
        assert [line.unit for line in quote.lines] == ["PCS"] * 3
        fragments = [entry.fragment.partition(",")[0] for entry in quote.lines.entries]
        assert fragments == ['{"sku":"s-1"', '{"sku":"S-2"', '{"sku":"s-2"']
    # And the ERP's own spelling is answered in the ERP's own.
    plain = await world.ask("S-1", "S-2")
    assert isinstance(plain.lines, RecalledLines)
    assert all(entry.fragment.startswith('{"sku":"S-') for entry in plain.lines.entries)


async def test_any_number_of_spellings_takes_no_memory() -> None:
    world = price_service()
    await world.load("S-1")
    shelf = world.cache.shelf(context_of())
    await world.ask("S-1")
    for blanks in range(1, 200):
        await world.ask(f"{' ' * blanks}s-1")
    assert len(shelf) == 1
    assert shelf.plain.find([" s-1"], world.master.catalog or ByName({})) is None


async def test_a_name_that_nobody_has_stays_unknown() -> None:
    """Also beside one in other letters."""
    world = price_service()
    quote = await world.ask("s-1", "nothing", "S 1", wait_seconds=5)
    assert [line.reason for line in quote.lines] == [None, "unknown_sku", "unknown_sku"]


async def test_of_two_items_that_differ_in_case_alone_each_is_its_own() -> None:
    """The exact spelling wins; any third one finds the first of them, always the same."""
    world = price_service(items=[make_item("Lamp"), make_item("LAMP")])
    world.erp.set_price(ACCOUNT, "Lamp", "5.00")
    world.erp.set_price(ACCOUNT, "LAMP", "7.00")
    for _ in range(2):
        quote = await world.ask("Lamp", "LAMP", "lamp", wait_seconds=5)
        entries = [line.entry.fragment for line in quote.lines if line.entry is not None]
        prices = [entry.partition('"unit_price":"')[2][:6] for entry in entries]
        assert prices == ["5.0000", "7.0000", "7.0000"]


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ScopeKind.ITEM, "s-1"),
        (ScopeKind.ITEM, " S-1"),
        (ScopeKind.CUSTOMER, "c-1"),
        (ScopeKind.PRICE_GROUP, "g "),
    ],
)
async def test_an_invalidation_reaches_what_it_means_in_any_spelling(
    kind: ScopeKind, code: str, level: Level
) -> None:
    """202 and nothing happens is the worst answer to "this price has changed"."""
    world = price_service()
    await world.load("S-1", "S-2")
    world.erp.set_price(ACCOUNT, "S-1", "3.00")
    world.invalidate(kind, code, level=level)
    line = await world.ask_one("S-1", wait_seconds=5)
    assert line.entry is not None
    assert '"unit_price":"3.0000"' in line.entry.fragment


async def test_a_login_warms_what_the_shop_names_in_its_own_letters() -> None:
    world = price_service()
    customer = world.master.customer("c-1")
    assert customer is not None
    context = context_of(customer.account)
    assert await world.warmer.warm(context, customer, ["s-1", "S-2", "nothing"]) == 2
    await world.settle()
    assert (await world.ask_one("S-1")).level == "l1"
    assert {batch.account for batch in world.erp.batches} == {"C-1"}


async def test_what_is_asked_for_in_other_letters_is_refreshed_ahead() -> None:
    world = price_service(shared_accounts=["c-1"])
    await world.load("S-1")
    await world.ask("s-1")
    await world.ahead.tick()
    await asyncio.sleep(250)
    await world.ahead.tick()
    await world.settle()
    assert world.erp.asked("S-1") == 1


async def test_another_spelling_is_no_other_budget() -> None:
    """A customer's browsers share one, however their pages spell the account."""
    world = price_service(cold_lines=2)
    reasons = []
    for number, account in enumerate(("C-1", "c-1", " C-1"), 1):
        query = world.query(f"S-{number}", account=account, is_budgeted=True)
        quote = await world.service.quote(query)
        reasons.append(next(iter(quote.lines)).reason)
    assert reasons == [None, None, BUDGET_REASON]


async def test_a_refused_line_is_refused_in_any_spelling() -> None:
    world = price_service()
    world.erp.poison_lines.add(("C-1", "S-1"))
    for sku in ("s-1", "S-1"):
        await world.ask(sku, "S-2", wait_seconds=5)
        await asyncio.sleep(4)
    assert (await world.ask_one(" S-1")).reason == "refused_by_erp"
    assert [row.sku for row in world.loader.failures.kept_out()] == ["S-1"]


async def test_an_explanation_finds_the_item_and_what_would_happen() -> None:
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(400)
    explanation = await world.explainer.explain(world.query("s-1", "nothing", account="c-1"))
    known, unknown = explanation.lines
    assert known.item is not None
    assert (known.item.sku, known.verdict, known.line.sku) == ("S-1", "serve_and_refresh", "s-1")
    assert known.quoted is not None
    assert known.quoted.entry is not None
    assert known.quoted.entry.fragment.startswith('{"sku":"s-1",')
    assert (unknown.item, unknown.reason) == (None, "unknown_sku")


async def test_an_item_that_is_not_sold_is_not_sold_in_any_spelling() -> None:
    world = price_service(items=[make_item("GONE", is_sold=False)])
    quote = await world.ask("gone", "S-1")
    assert [line.reason for line in quote.lines] == ["not_sold", None]
    assert quote.lines[0].unit == "PCS"


def test_what_is_held_under_a_name_is_found_by_any_spelling() -> None:
    names = ByName({"C-1": make_customer("C-1")})
    assert names["c-1"] is names.find(" C-1") is names["C-1"]
    assert not names.knows("C-2")
    with pytest.raises(KeyError):
        names["C-2"]


async def test_entries_and_keys_are_not_touched_by_how_a_caller_spells() -> None:
    world = price_service()
    await world.ask("s-1", account="c-1")
    [(key, entry)] = world.cache.shelf(context_of()).items()
    assert key == key_of("S-1")
    assert entry.spelled("s-1").spelled('a"b,"unit":').spelled("S-1") == entry
