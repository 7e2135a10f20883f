"""A failure is not data: it spaces out the next tries, and never answers a line."""

import asyncio
import random
from datetime import timedelta
from itertools import product

import pytest

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.prices.failures import FailureMemory
from pricing_proxy.prices.query import Context, Key, Line
from pricing_proxy.resilience.call_class import CallClass
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    PermanentUpstreamError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from tests.fakes.erp import outage_of
from tests.fakes.price_world import PriceWorld, context_of, key_of, price_service

ERP_AWAY = outage_of(UpstreamUnavailableError)
SECOND = 1_000_000


async def until_tried(world: PriceWorld) -> float:
    """Ask every 10 ms until the ERP is asked again; return how long that took."""
    calls, began_us = len(world.erp.batches), world.now_us
    while len(world.erp.batches) == calls:
        await asyncio.sleep(0.01)
        await world.ask_one(wait_seconds=0)
    passed = world.now_us - began_us
    await world.settle()
    return passed / SECOND


@pytest.mark.parametrize(("dice", "first"), [(0.0, 1), (0.5, 2), (0.999999, 3)])
async def test_a_failed_key_pauses_one_to_three_seconds_doubling_to_fifteen(
    dice: float, first: int
) -> None:
    world = price_service()
    world.dice.number = dice
    world.erp.latency_seconds = 0
    world.erp.outage = ERP_AWAY
    await world.ask_one()
    pauses = [await until_tried(world) for _ in range(6)]
    expected = [min(first * 2**doubling, 15) for doubling in range(6)]
    assert pauses == pytest.approx(expected, abs=0.03)


async def test_a_success_ends_the_pauses() -> None:
    world = price_service()
    world.erp.latency_seconds = 0
    world.erp.outage = ERP_AWAY
    await world.ask_one()
    for _ in range(3):
        await until_tried(world)
    world.erp.outage = None
    await until_tried(world)
    await asyncio.sleep(4000)
    world.erp.outage = ERP_AWAY
    await world.ask_one()
    assert await until_tried(world) == pytest.approx(1, abs=0.03)


async def test_a_pause_holds_back_one_key_and_no_other() -> None:
    world = price_service()
    world.erp.missing.add("S-1")
    await world.ask("S-1", "S-2")
    quote = await world.ask("S-1", "S-3")
    assert [line.reason for line in quote.lines] == ["missing_in_answer", None]
    assert world.erp.asked("S-1") == 1


async def test_a_checkout_tries_again_within_the_pause() -> None:
    world = price_service()
    world.erp.outage = ERP_AWAY
    await world.ask_one()
    world.erp.outage = None
    line = await world.ask_one(mode=Mode.CHECKOUT)
    assert (line.state, line.is_served) == (State.FRESH, True)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (outage_of(UpstreamUnavailableError), "erp_unavailable"),
        (outage_of(UpstreamTimeoutError), "erp_timeout"),
        (outage_of(UpstreamThrottledError, retry_after=None), "erp_throttled"),
        (outage_of(UpstreamDeniedError, status=403), "erp_denied"),
        (outage_of(UpstreamContractError), "erp_contract"),
        (outage_of(UpstreamRejectedError, status=404), "refused_by_erp"),
        (outage_of(PermanentUpstreamError), "upstream_failed"),
    ],
)
async def test_every_failure_is_named_and_pauses_its_keys(
    error: type[Exception], reason: str
) -> None:
    world = price_service()
    world.erp.outage = error
    for _ in range(2):
        line = await world.ask_one()
        assert (line.state, line.is_served, line.reason) == (State.ABSENT, False, reason)
    assert len(world.erp.batches) == 1


async def test_the_time_that_the_erp_names_is_passed_on() -> None:
    world = price_service()
    world.erp.outage = outage_of(UpstreamThrottledError, retry_after=timedelta(seconds=7))
    quote = await world.ask("S-1", mode=Mode.CHECKOUT)
    assert quote.retry_after_seconds == 7


async def test_a_call_that_was_never_sent_says_nothing_about_its_keys() -> None:
    """The breaker is open: no growing pause, but the time at which it may close."""
    world = price_service()
    world.erp.latency_seconds = 0
    world.erp.outage = outage_of(CallRefusedError, retry_after=timedelta(seconds=5))
    quote = await world.ask("S-1")
    assert (quote.lines[0].reason, quote.retry_after_seconds) == ("erp_unavailable", 5)
    world.erp.outage = None
    assert (await world.ask_one()).state is State.FRESH


async def test_nobody_is_told_to_wait_longer_than_two_minutes() -> None:
    world = price_service()
    world.erp.outage = outage_of(UpstreamThrottledError, retry_after=timedelta(hours=1))
    assert (await world.ask("S-1")).retry_after_seconds == 120


async def test_a_line_missing_in_an_answer_has_no_answer() -> None:
    """The service answers every line; a missing one is its fault, not "no price"."""
    world = price_service()
    world.erp.missing.add("S-2")
    quote = await world.ask("S-1", "S-2", "S-3")
    assert [line.is_served for line in quote.lines] == [True, False, True]
    assert quote.lines[1].reason == "missing_in_answer"


async def test_absence_is_no_price_where_the_source_says_so() -> None:
    world = price_service()
    world.erp.absence_is_no_price = True
    world.erp.missing.add("S-1")
    line = await world.ask_one()
    assert (line.state, line.is_served) == (State.NO_PRICE, True)
    assert line.entry is not None
    assert '"reason":"not_priced"' in line.entry.fragment


async def test_one_poison_line_costs_the_request_one_halving() -> None:
    """The rest of the search takes nothing from customers."""
    world = price_service()
    world.erp.poison.add("S-37")
    skus = [f"S-{number}" for number in range(1, 101)]
    quote = await world.ask(*skus, wait_seconds=5)
    assert [line.line.sku for line in quote.lines if not line.is_served] == ["S-37"]
    classes = [batch.klass for batch in world.erp.batches]
    assert classes[:3] == [CallClass.INTERACTIVE] * 3
    assert set(classes[3:]) == {CallClass.REFRESH}
    assert len(classes) <= 3 + 16


async def refuse_twice(world: PriceWorld, sku: str, *others: str, account: str = "C-1") -> None:
    """Have a line refused to a customer, and again when its first pause is over."""
    for _ in range(2):
        await world.ask(sku, *others, account=account, wait_seconds=5)
        await asyncio.sleep(4)


async def test_a_customer_s_poison_is_that_customer_s_alone() -> None:
    """Two strangers with one broken agreement each must not take an item off sale for a third."""
    world = price_service()
    world.erp.poison_lines.add(("C-2", "S-1"))
    await refuse_twice(world, "S-1", "S-2", account="C-2")
    for mode in Mode:
        refused = await world.ask("S-1", "S-3", account="C-2", mode=mode)
        assert [line.reason for line in refused.lines] == ["refused_by_erp", None]
        served = await world.ask("S-1", "S-3", mode=mode)
        assert [line.state for line in served.lines] == [State.FRESH, State.FRESH]
    [row] = world.loader.failures.kept_out()
    assert (row.sku, row.customers, row.lines, row.is_alone) == ("S-1", 1, 1, False)


async def test_a_line_is_kept_out_from_its_second_refusal_with_back_off() -> None:
    """The first refusal may be a slip of the ERP's; a tenth is not worth a call each minute."""
    world = price_service()
    world.erp.poison_lines.add(("C-1", "S-1"))
    await world.ask("S-1", "S-2", wait_seconds=5)
    assert world.loader.failures.refusals.count == 0
    assert await until_asked_for(world, "S-1") == pytest.approx(1, abs=0.5)
    assert world.loader.failures.refusals.count == 1
    pauses = [await until_asked_for(world, "S-1", each_seconds=0.9) for _ in range(6)]
    assert pauses == pytest.approx([60, 120, 240, 480, 600, 600], abs=2)
    world.erp.poison_lines.clear()
    await until_asked_for(world, "S-1")
    assert (await world.ask_one()).state is State.FRESH
    assert world.loader.failures.kept_out() == []


async def until_asked_for(world: PriceWorld, sku: str, *, each_seconds: float = 0.09) -> float:
    """Ask for it beside another line until the ERP is asked for it; return how long that took."""
    asked, began_us, number = world.erp.asked(sku), world.now_us, 10
    while world.erp.asked(sku) == asked:
        number += 1
        await asyncio.sleep(each_seconds)
        await world.ask(sku, f"S-{number % 90 + 10}", wait_seconds=5)
    await world.settle()
    return (world.now_us - began_us) / SECOND


async def test_what_was_refused_to_several_customers_is_asked_for_alone() -> None:
    """It takes no other line down, and who was never refused it may still buy it."""
    world = price_service(accounts=["C-1", "C-2", "C-3"])
    world.erp.poison_lines |= {("C-1", "S-1"), ("C-2", "S-1")}
    for account in ("C-1", "C-2"):
        await refuse_twice(world, "S-1", "S-2", account=account)
    world.erp.batches.clear()
    quote = await world.ask("S-1", "S-3", "S-4", account="C-3")
    assert [line.state for line in quote.lines] == [State.FRESH] * 3
    assert [[key.sku for key in batch.keys] for batch in world.erp.batches] == [
        ["S-3", "S-4"],
        ["S-1"],
    ]
    [row] = world.loader.failures.kept_out()
    assert (row.sku, row.customers, row.lines, row.is_alone) == ("S-1", 2, 2, True)


async def test_suspects_get_a_call_each_as_long_as_they_are_few() -> None:
    """A page of nothing but suspects must not become two hundred calls."""
    skus = [f"S-{number}" for number in range(1, 41)]
    world = price_service(accounts=["C-1", "C-2", "C-3"])
    failures = world.loader.failures
    failures.refusals.note_accepted("b2b_de")
    for sku, account in product(skus[:20], ("C-1", "C-2")):
        for _ in range(2):
            failures.note_refusal(context_of(account), key_of(sku), began_us=world.now_us)
    quote = await world.ask(*skus, account="C-3", wait_seconds=5)
    assert all(line.is_served for line in quote.lines)
    assert [len(batch.keys) for batch in world.erp.batches] == [20, *[1] * 8, 12]


async def test_the_memory_of_refusals_ends_some_time_after_the_last_one() -> None:
    """A refusal of the morning is not the first of the evening's."""
    world = price_service()
    world.erp.poison_lines.add(("C-1", "S-1"))
    await refuse_twice(world, "S-1", "S-2")
    assert len(world.loader.failures.kept_out()) == 1
    await asyncio.sleep(2400)
    assert world.loader.failures.kept_out() == []
    await world.ask("S-1", "S-2", wait_seconds=5)
    assert world.loader.failures.kept_out() == []


async def test_another_quantity_is_kept_out_with_it_and_another_unit_is_not() -> None:
    world = price_service()
    world.erp.poison_lines.add(("C-1", "S-1"))
    await refuse_twice(world, "S-1", "S-2")
    world.erp.batches.clear()
    await world.ask(Line("S-1", "5"), "S-3", wait_seconds=5)
    assert world.erp.asked("S-1") == 0
    world.erp.poison_lines.clear()
    box = await world.ask_one(Line("S-1", "1", "BOX"))
    assert box.state is State.FRESH


async def test_two_quantities_refused_in_one_search_are_one_refusal() -> None:
    world = price_service()
    world.erp.poison_lines.add(("C-1", "S-1"))
    await world.ask("S-1", Line("S-1", "5"), "S-2", "S-3", wait_seconds=5)
    assert world.loader.failures.kept_out() == []


async def test_an_operator_lets_the_erp_be_asked_again() -> None:
    """All of it, one market's, or one SKU in any spelling."""
    world = price_service()
    world.erp.poison = {"S-1", "S-2"}
    await refuse_twice(world, "S-1", "S-3")
    await refuse_twice(world, "S-2", "S-4")
    failures = world.loader.failures
    world.erp.poison.clear()
    assert failures.clear(market="elsewhere") == 0
    assert failures.clear(sku="s-1") == 1
    assert [row.sku for row in failures.kept_out()] == ["S-2"]
    quote = await world.ask("S-1", "S-2")
    assert [line.is_served for line in quote.lines] == [True, False]
    assert failures.clear() == 1
    assert (await world.ask_one("S-2")).state is State.FRESH


async def test_the_log_names_sku_and_reason_once_and_never_a_customer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Operators must learn of it; whose agreement is broken is the ERP's business."""
    caplog.set_level("INFO")
    world = price_service(accounts=["C-1", "C-2", "C-3"])
    world.erp.poison.add("S-1")
    for account in ("C-1", "C-2", "C-3"):
        await refuse_twice(world, "S-1", "S-2", account=account)
    world.erp.poison.clear()
    await asyncio.sleep(60)
    for account in ("C-1", "C-2", "C-3"):
        await world.ask("S-1", account=account, wait_seconds=5)
    assert caplog.messages == [
        "market b2b_de: SKU 'S-1' is kept out: refused_by_erp",
        "market b2b_de: SKU 'S-1' is asked for alone: refused_by_erp to several customers",
        "market b2b_de: SKU 'S-1' is accepted again",
    ]


async def test_errors_that_pass_keep_nothing_out() -> None:
    """A deadlock is a 500 with a message, as is an exception in the ERP's code."""
    world = price_service()
    skus = [f"S-{number}" for number in range(1, 25)]
    chance = random.Random(7)

    def fails_often() -> Exception | None:
        deadlock = UpstreamRejectedError("deadlock victim", system="fo", status=500)
        return deadlock if chance.random() < 0.4 else None

    world.erp.trouble = fails_often
    ends_us = world.now_us + 10 * SECOND
    while world.now_us < ends_us:
        world.invalidate()
        await world.ask(*skus, wait_seconds=1)
    world.erp.trouble = None
    assert world.loader.failures.refusals.count == 0
    await asyncio.sleep(15)
    await world.load(*skus)
    quote = await world.ask(*skus)
    assert all(line.state is State.FRESH for line in quote.lines)


async def test_what_breaks_the_erp_each_time_is_asked_for_alone_and_shown() -> None:
    """It proves nothing, so it is tried every 15 s; but its neighbours need not suffer for it."""
    world = price_service()
    world.erp.poison.add("S-1")
    world.erp.refusal_status = 500
    await refuse_twice(world, "S-1", "S-2", "S-3")
    world.erp.batches.clear()
    await asyncio.sleep(15)
    await world.ask("S-1", "S-5", "S-6", wait_seconds=5)
    assert [len(batch.keys) for batch in world.erp.batches] == [2, 1]
    [row] = world.loader.failures.kept_out()
    assert (row.sku, row.reason, row.customers, row.lines) == ("S-1", "fails_in_erp", 1, 1)
    world.erp.batches.clear()
    await world.ask("S-1", "S-7", account="C-2", wait_seconds=5)
    assert world.erp.batches[0].keys == (key_of("S-1"), key_of("S-7"))
    assert world.loader.failures.clear(sku="S-1") == 1


async def test_poison_that_was_known_before_stands_in_flagged() -> None:
    world = price_service()
    await world.load("S-1", "S-2")
    await asyncio.sleep(3600)
    world.erp.poison.add("S-1")
    for _ in range(2):
        quote = await world.ask("S-1", "S-2", wait_seconds=5)
        assert [line.state for line in quote.lines] == [State.STALE_HARD, State.FRESH]
        assert all(line.is_served for line in quote.lines)


async def test_a_single_refused_line_is_not_called_poison() -> None:
    """Nothing was accepted beside it, so the call as such may be at fault."""
    world = price_service()
    world.erp.poison.add("S-1")
    for _ in range(3):
        line = await world.ask_one()
        assert line.reason == "refused_by_erp"
        await asyncio.sleep(15)
    assert world.loader.failures.refusals.count == 0


@pytest.mark.parametrize("status", [400, 422, 500])
async def test_when_everything_is_refused_nothing_is_called_poison(status: int) -> None:
    world = price_service()
    world.erp.outage = outage_of(UpstreamRejectedError, status=status)
    skus = [f"S-{number}" for number in range(1, 101)]
    quote = await world.ask(*skus, wait_seconds=5)
    assert {line.reason for line in quote.lines} == {"refused_by_erp"}
    assert world.loader.failures.refusals.count == 0
    assert len(world.erp.batches) == 3 + 16
    world.erp.outage = None
    await asyncio.sleep(1)
    quote = await world.ask(*skus, wait_seconds=5)
    assert all(line.is_served for line in quote.lines)


async def test_a_search_out_of_calls_leaves_the_rest_to_a_later_try() -> None:
    world = price_service()
    poison = {f"S-{number}" for number in range(1, 101, 9)}
    world.erp.poison = poison
    skus = [f"S-{number}" for number in range(1, 101)]
    quote = await world.ask(*skus, wait_seconds=5)
    assert len(world.erp.batches) == 3 + 16
    assert not any(line.is_served for line in quote.lines if line.line.sku in poison)
    served = [line for line in quote.lines if line.is_served]
    assert served
    while len(served) < 100 - len(poison):
        before = len(world.erp.batches)
        await asyncio.sleep(15)
        served = [line for line in (await world.ask(*skus, wait_seconds=5)).lines if line.is_served]
        assert 0 < len(world.erp.batches) - before <= 3 + 16 + 8
    await world.ask(*skus, wait_seconds=5)
    await asyncio.sleep(15)
    await world.ask(*skus, wait_seconds=5)
    assert world.loader.failures.refusals.count == len(poison)


@pytest.mark.parametrize(("status", "calls"), [(400, 3), (422, 3), (500, 3), (404, 1), (409, 1)])
async def test_only_refusals_that_a_line_may_have_caused_are_searched(
    status: int, calls: int
) -> None:
    world = price_service()
    world.erp.refusal_status = status
    world.erp.poison.add("S-1")
    await world.ask("S-1", "S-2", wait_seconds=5)
    assert len(world.erp.batches) == calls


async def test_an_outage_during_the_search_blames_nobody() -> None:
    world = price_service()
    world.erp.poison.add("S-1")
    asking = asyncio.ensure_future(world.ask("S-1", "S-2", "S-3", "S-4", wait_seconds=5))
    await asyncio.sleep(0.09)
    world.erp.outage = ERP_AWAY
    quote = await asking
    assert {line.reason for line in quote.lines} == {"erp_unavailable"}
    assert world.loader.failures.refusals.count == 0


async def test_chunks_hold_what_the_source_takes_and_are_asked_at_once() -> None:
    world = price_service()
    before_us = world.now_us
    quote = await world.ask(*(f"S-{number}" for number in range(1, 251)), wait_seconds=5)
    assert all(line.is_served for line in quote.lines)
    assert sorted(len(batch.keys) for batch in world.erp.batches) == [50, 100, 100]
    assert world.now_us - before_us == 60_000


async def test_a_slow_chunk_does_not_hold_back_the_others() -> None:
    world = price_service()
    world.erp.slow["S-150"] = 5
    quote = await world.ask(*(f"S-{number}" for number in range(1, 151)))
    assert [line.is_served for line in quote.lines] == [True] * 100 + [False] * 50


async def test_quantities_and_units_of_one_sku_are_prices_of_their_own() -> None:
    world = price_service()
    world.erp.set_price("C-1", "S-1", "0.90", quantity="10")
    quote = await world.ask("S-1", Line("S-1", "10"), Line("S-1", "1", "BOX"))
    fragments = [line.entry.fragment for line in quote.lines if line.entry is not None]
    assert ['"unit_price":"0.9000"' in fragment for fragment in fragments] == [False, True, False]
    assert ['"unit":"BOX"' in fragment for fragment in fragments] == [False, False, True]


def test_a_flood_of_failing_keys_does_not_fill_the_memory() -> None:
    now_us = 0
    memory = FailureMemory(now_us=lambda: now_us, draw=lambda: 0.0)
    context = context_of()
    for number in range(50_001):
        memory.note_failure(context, key_of(f"S-{number}"), "erp_unavailable")
    # All were paused still, so all were dropped: the last one alone is remembered.
    assert memory.standing(context, key_of("S-1")) is None
    assert memory.standing(context, key_of("S-50000")) is not None
    for number in range(49_999):
        memory.note_failure(context, key_of(f"S-{number}"), "erp_unavailable")
    now_us = 2 * SECOND
    memory.note_failure(context, key_of("late"), "erp_unavailable")
    # Those whose pause was over made room, and their lengths are forgotten with them.
    assert memory.note_failure(context, key_of("S-1"), "x").retry_after_us == 3 * SECOND


def refuse(memory: FailureMemory, context: Context, key: Key, *, times: int = 2) -> None:
    """Have a line refused so often, at other searches, while others are accepted."""
    memory.refusals.note_accepted(context.market)
    for _ in range(times):
        memory.note_refusal(context, key, began_us=0)


def test_a_customer_with_two_units_refused_is_one_customer() -> None:
    memory = FailureMemory(now_us=lambda: 0, draw=lambda: 0.0)
    context, piece, box = context_of(), key_of("S-1"), Key("S-1", "BOX", "1")
    refuse(memory, context, piece)
    refuse(memory, context, box)
    assert [(row.customers, row.lines) for row in memory.kept_out()] == [(1, 2)]
    memory.note_success(context, box)
    assert [(row.customers, row.lines) for row in memory.kept_out()] == [(1, 1)]


def test_a_flood_of_refusals_does_not_fill_the_memory() -> None:
    """Those that were refused last are remembered."""
    memory = FailureMemory(now_us=lambda: 0, draw=lambda: 0.0)
    context = context_of()
    for number in range(20_100):
        refuse(memory, context, key_of(f"S-{number}"))
    assert memory.refusals.count == 20_000
    assert memory.refusals.standing(context, key_of("S-99")) is None
    assert memory.refusals.standing(context, key_of("S-100")) is not None


def test_lines_that_were_refused_together_do_not_come_back_together() -> None:
    memory = FailureMemory(now_us=lambda: 0, draw=random.Random(3).random)
    keys = [key_of(f"S-{number}") for number in range(3)]
    for key in keys:
        refuse(memory, context_of(), key)
    ends = {memory.refusals.standing(context_of(), key) for key in keys}
    assert len(ends) == len(keys)
