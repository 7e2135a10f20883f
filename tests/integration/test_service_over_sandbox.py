"""What the README promises, over sockets: the real service over the simulated ERP."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tests.integration.redis_process import redis_process
from tests.integration.running import (
    FORGETTING_KEY,
    MARKET,
    Answer,
    Running,
    running_service,
    until,
)

LAMPS = [f"LAMP-{number:02}" for number in range(1, 25)]
# Beyond the mode's own time: what a test machine under load adds.
# Redis is another process, which a busy machine keeps waiting too.
SLACK_SECONDS = 1.0
BROWSE_SECONDS = 0.150


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_service(tmp_path) as service:
        yield service


def invalidation(level: str = "soft", **scope: Any) -> dict[str, Any]:
    return {"market": MARKET, "scope": scope, "level": level, "reason": "a test"}


def states(answer: Answer) -> dict[str, str]:
    return {line["sku"]: line["state"] for line in answer.content["lines"]}


async def test_the_first_price_is_the_one_that_the_readme_shows(running: Running) -> None:
    answer = await running.warm()

    [line] = answer.content["lines"]
    assert line.pop("loaded_at").endswith("Z")
    assert line.pop("age_seconds") in {0, 1}
    assert line == {
        "sku": "LAMP-01",
        "quantity": "10",
        "unit": "PCS",
        "state": "fresh",
        "verified": True,
        "unit_price": "17.1000",
        "line_total": "171.00",
        "price": "19.00",
        "price_unit": "1",
        "discount_percent": "10",
        "charges": "0",
        "list_price": "19.90",
        "source": "fo_service",
    }
    assert answer.content["complete"]
    assert answer.content["verified"]


async def test_the_second_identical_request_hits_and_costs_no_call(running: Running) -> None:
    first = await running.warm(LAMPS)
    second = await running.ask(LAMPS)

    assert first.headers["Cache-Status"] == 'pricing-proxy; fwd=miss; detail="source=24"'
    assert second.headers["Cache-Status"] == "pricing-proxy; hit; detail=l1"
    assert [line["price"] for line in second.content["lines"]] == [
        line["price"] for line in first.content["lines"]
    ]
    assert running.price_calls() == 1


async def test_customers_pay_their_own_prices(running: Running) -> None:
    prices = {}
    for customer in ("C-1001", "C-1002", "C-1003"):
        answer = await running.warm(quantity="1", customer=customer)
        prices[customer] = answer.content["lines"][0]["price"]

    assert prices == {"C-1001": "19.00", "C-1002": "19.50", "C-1003": "19.90"}


async def test_the_shop_s_ids_stand_for_their_accounts(running: Running) -> None:
    accounts = [
        (await running.warm(customer={"magento_id": shop_id})).content["customer"]
        for shop_id in (1, 2, 3)
    ]
    unmapped = await running.ask(customer={"magento_id": 4})

    assert accounts == ["C-1001", "C-1002", "C-1003"]
    assert (unmapped.status, unmapped.content["type"]) == (404, "/problems/customer_not_mapped")


async def test_a_checkout_binds_what_the_erp_says_now(running: Running) -> None:
    await running.warm()
    await running.post_price(
        account_type="table", account="C-1001", sku="LAMP-01", price="18.50", from_quantity="10"
    )

    await asyncio.sleep(2.1)  # older than a checkout may use without asking
    answer = await running.ask(mode="checkout")

    assert (answer.status, answer.content["binding"]) == (200, True)
    assert answer.content["lines"][0]["price"] == "18.50"
    assert running.price_calls() == 2


async def test_a_dead_erp_costs_freshness_and_binding_but_no_page(running: Running) -> None:
    await running.warm(["LAMP-01", "LAMP-02"])
    await running.post_admin(invalidation(customer="C-1001"))
    await running.turn("fo", dead=True)

    page = await running.ask(["LAMP-01", "LAMP-03"])
    checkout = await running.ask(["LAMP-01", "LAMP-03"], mode="checkout")
    unknown = await running.ask(["LAMP-01", "LAMP-99"], mode="checkout")
    flagged = await running.ask(mode="checkout", accept="flagged")

    assert page.status == 200
    assert page.seconds < BROWSE_SECONDS + SLACK_SECONDS
    assert states(page) == {"LAMP-01": "stale", "LAMP-03": "unavailable"}
    assert page.content["lines"][0]["price"] == "19.00"
    assert not page.content["verified"]
    assert checkout.status == 503
    assert int(checkout.headers["Retry-After"]) >= 1
    known, missing = checkout.content["lines"]
    assert (known["last_known"]["price"], known["last_known"]["state"]) == ("19.00", "stale")
    assert known["loaded_at"] == page.content["lines"][0]["loaded_at"]
    assert missing["last_known"] is None
    assert unknown.status == 422
    assert [flaw["pointer"] for flaw in unknown.content["errors"]] == ["/lines/1/sku"]
    assert (flagged.status, flagged.content["binding"]) == (200, False)


async def test_an_unknown_sku_at_checkout_is_a_422_while_the_erp_is_well(running: Running) -> None:
    answer = await running.ask(["LAMP-01", "LAMP-99"], mode="checkout")

    assert answer.status == 422
    assert [flaw["pointer"] for flaw in answer.content["errors"]] == ["/lines/1/sku"]


async def test_an_erp_that_never_answers_costs_a_page_no_more_than_its_time(
    running: Running,
) -> None:
    await running.warm()
    await running.post_admin(invalidation(customer="C-1001"))
    await running.turn("fo", black_hole=True)

    page = await running.ask()
    checkout = await running.ask(mode="checkout", wait_ms=500)

    assert page.seconds < BROWSE_SECONDS + SLACK_SECONDS
    assert states(page) == {"LAMP-01": "stale"}
    assert checkout.status == 503
    # A checkout waits a second at least, whatever the caller says.
    assert checkout.seconds < 1.0 + SLACK_SECONDS
    assert checkout.content["lines"][0]["last_known"]["price"] == "19.00"


async def _flood(running: Running, customer: str, answers: list[Answer]) -> None:
    """Ask for prices that nobody asked for before, one after the other."""
    number = 0
    while True:
        number += 1
        answers.append(await running.ask(LAMPS[:3], quantity=str(number), customer=customer))


@pytest.fixture
async def flooding(running: Running) -> AsyncIterator[list[Answer]]:
    """Twenty callers whose every request is cold."""
    answers: list[Answer] = []
    callers = [
        asyncio.create_task(_flood(running, f"C-{2000 + index}", answers)) for index in range(20)
    ]
    yield answers
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)


async def price_breaker(running: Running) -> str:
    """Return the phase of the breaker around price reads."""
    breakers = (await running.status())["erp"]["sandbox"]["breakers"]
    [phase] = [each["phase"] for each in breakers if "price" in each["name"]]
    return str(phase)


async def test_after_an_outage_the_service_recovers_by_itself_and_without_a_burst(
    running: Running, flooding: list[Answer]
) -> None:
    await running.turn("fo", dead=True)

    async def is_lost() -> bool:
        return await price_breaker(running) != "closed"

    async def is_back() -> bool:
        return await price_breaker(running) == "closed"

    await until(is_lost)
    running.forget_calls()
    await running.turn("fo", dead=False)
    await until(is_back)
    while_probing = running.price_calls()
    await asyncio.sleep(0.8)
    after_most_of_a_second = running.price_calls()

    # Five good probes close the breaker; the first second after it has five starts.
    assert while_probing <= 10
    assert after_most_of_a_second - while_probing <= 5 + 1
    assert all(answer.status == 200 for answer in flooding)

    async def is_served() -> bool:
        return bool((await running.ask(quantity="7", wait_ms=2000)).content["complete"])

    await until(is_served)


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_an_erp_that_asks_for_patience_gets_it_in_either_form(
    running: Running, form: str
) -> None:
    # A date has whole seconds: the next but one is one to two seconds away.
    wall_end = float(int(time.time()) + 2)
    header = 1 if form == "seconds" else formatdate(wall_end, usegmt=True)
    await running.turn("fo", retry_after=header)
    calls = running.sandbox.systems["fo"].calls

    if form == "seconds":
        wall_end = time.time() + 1.0
    refused = await running.ask(mode="checkout", wait_ms=500)
    await running.turn("fo", retry_after=None)
    after_refusal = calls.counts()["total"]
    number = 0
    while calls.counts()["total"] == after_refusal:
        number += 1
        assert number < 500
        await running.ask(quantity=str(number), customer="C-1002", wait_ms=1)
        await asyncio.sleep(0.01)
    called_at = time.time()

    assert refused.status == 503
    assert int(refused.headers["Retry-After"]) >= 1
    assert called_at >= wall_end
    # And not for ever: a busy machine may add to the gate's spread.
    assert called_at < wall_end + 5


async def test_a_customer_s_poisoned_line_is_kept_from_that_customer_alone(
    running: Running,
) -> None:
    """Its neighbours on the page and everybody else's prices do not suffer for it."""
    await running.turn("fo", poison_lines=[{"customer": "C-1003", "sku": "LAMP-04"}])
    fresh = dict.fromkeys(LAMPS[3:6], "fresh")

    async def is_kept_out() -> bool:
        answer = await running.ask(LAMPS[3:6], customer="C-1003", wait_ms=5000)
        assert states(answer) == {**fresh, "LAMP-04": "unavailable"}
        return bool((await running.status())["flights"]["poison_skus"])

    await until(is_kept_out)
    calls = running.price_calls()
    kept_out = await running.ask(LAMPS[3:6], customer="C-1003", wait_ms=5000)
    other = await running.ask(LAMPS[3:6], customer="C-1001", wait_ms=5000)

    assert states(kept_out) == {**fresh, "LAMP-04": "unavailable"}
    assert kept_out.content["lines"][0]["reason"] == "refused_by_erp"
    assert states(other) == fresh
    assert running.price_calls() == calls + 1


async def test_what_one_line_is_answered_with_is_no_other_s_affair(running: Running) -> None:
    odd = ["null", "text", "NaN", "USD", "nameless", "CustomerBlocked", "1e99", "0", "-1"]
    spoiled = LAMPS[2 : 2 + len(odd)]
    await running.turn("fo", odd_lines=dict(zip(spoiled, odd, strict=True)))

    answer = await running.ask(LAMPS, wait_ms=5000)

    told = {line["sku"]: line.get("reason") for line in answer.content["lines"]}
    assert [told.pop(sku) for sku in spoiled] == [
        *["unreadable_answer"] * 3,
        "other_currency",
        "missing_in_answer",
        "customer_blocked",
        *["implausible_price"] * 3,
    ]
    assert set(told.values()) == {None}
    assert (await running.status())["markets"]["b2b_de"]["odd_lines"]["code"]["lines"] >= 1


async def test_an_answer_that_repeats_a_line_costs_that_line_alone(running: Running) -> None:
    await running.turn("fo", odd_lines={"LAMP-04": "twice"})

    answer = await running.ask(LAMPS[:8], wait_ms=5000)

    assert states(answer) == {**dict.fromkeys(LAMPS[:8], "fresh"), "LAMP-04": "unavailable"}


async def test_skus_that_break_the_erp_are_found_and_what_passes_keeps_nothing_out(
    running: Running,
) -> None:
    """An exception in the ERP's code looks like a deadlock: the line is soon tried again."""
    await running.turn("fo", poison_skus=["LAMP-07"])
    first = await running.ask(LAMPS, wait_ms=5000)
    calls = running.price_calls()
    second = await running.ask(LAMPS, wait_ms=5000)
    await running.turn("fo", poison_skus=[])

    async def is_well() -> bool:
        page = await running.ask(LAMPS, wait_ms=5000)
        return states(page) == dict.fromkeys(LAMPS, "fresh")

    expected = {**dict.fromkeys(LAMPS, "fresh"), "LAMP-07": "unavailable"}
    assert states(first) == states(second) == expected
    assert second.content["lines"][6]["reason"] == "refused_by_erp"
    assert running.price_calls() == calls
    await until(is_well)


async def test_a_storm_of_deadlocks_leaves_nothing_behind(running: Running) -> None:
    """Right after everything was invalidated, which is when an ERP is likely to deadlock."""
    await running.turn("fo", deadlock_rate=0.4)
    for _ in range(4):
        await running.ask(LAMPS, wait_ms=1000)
    await running.turn("fo", deadlock_rate=0)

    async def is_well() -> bool:
        page = await running.ask(LAMPS, wait_ms=5000)
        return states(page) == dict.fromkeys(LAMPS, "fresh")

    assert (await running.status())["flights"]["poison_skus"] == 0
    await until(is_well, seconds=60)


async def test_lines_that_the_erp_leaves_out_are_unavailable_not_unpriced(running: Running) -> None:
    await running.turn("fo", drop_lines=["LAMP-03"])

    page = await running.ask(LAMPS[:4], wait_ms=5000)
    checkout = await running.ask(LAMPS[:4], mode="checkout")

    assert states(page)["LAMP-03"] == "unavailable"
    assert [line["state"] for line in page.content["lines"]].count("fresh") == 3
    assert checkout.status == 503
    assert [flaw["pointer"] for flaw in checkout.content["errors"]] == ["/lines/2"]


async def test_a_login_warms_a_customer_s_prices_behind_its_answer(running: Running) -> None:
    answer = await running.post(
        {"market": MARKET, "skus": LAMPS}, path="/v1/customers/C-1001/login"
    )

    async def is_warm() -> bool:
        page = await running.ask(LAMPS, quantity="1")
        return page.headers["Cache-Status"] == "pricing-proxy; hit; detail=l1"

    assert (answer.status, answer.content) == (202, {"warming": 24})
    assert answer.seconds < SLACK_SECONDS
    await until(is_warm)
    assert running.price_calls() == 1


async def test_a_soft_invalidation_brings_the_new_price_with_the_next_page(
    running: Running,
) -> None:
    await running.warm(["LAMP-01", "LAMP-02"])
    await running.post_price(
        account_type="table", account="C-1001", sku="LAMP-01", price="18.50", from_quantity="10"
    )

    told = await running.post_admin(invalidation(sku="LAMP-01"))
    page = await running.warm(["LAMP-01", "LAMP-02"])

    assert told.status == 202
    assert page.content["lines"][0]["price"] == "18.50"
    assert page.headers["Cache-Status"] == 'pricing-proxy; fwd=miss; detail="l1=1 source=1"'


async def test_a_hard_invalidation_hides_the_old_price_even_from_an_outage(
    running: Running,
) -> None:
    await running.warm(["LAMP-01", "LAMP-02"])
    await running.post_admin(invalidation("hard", sku="LAMP-01"))
    await running.post_admin(invalidation("soft", sku="LAMP-02"))
    await running.turn("fo", dead=True)

    page = await running.ask(["LAMP-01", "LAMP-02"])
    checkout = await running.ask(["LAMP-01"], mode="checkout")

    assert states(page) == {"LAMP-01": "unavailable", "LAMP-02": "stale"}
    assert checkout.content["lines"][0]["last_known"] is None


async def test_a_price_group_s_invalidation_concerns_its_customers_only(running: Running) -> None:
    for customer in ("C-1001", "C-1002"):
        await running.warm(customer=customer)

    await running.post_admin(invalidation(price_group="B2B"))
    inside = await running.warm(customer="C-1002")
    outside = await running.warm(customer="C-1001")

    assert "fwd=miss" in inside.headers["Cache-Status"]
    assert "hit" in outside.headers["Cache-Status"]


async def test_everything_may_be_forgotten_softly_by_many_and_hard_by_few(
    running: Running,
) -> None:
    await running.warm()

    softly = await running.post_admin(invalidation(all=True))
    reloaded = await running.warm()
    forbidden = await running.post_admin(invalidation("hard", all=True))
    allowed = await running.post_admin(invalidation("hard", all=True), key=FORGETTING_KEY)
    again = await running.post_admin(invalidation("hard", all=True), key=FORGETTING_KEY)

    assert [each.status for each in (softly, forbidden, allowed, again)] == [202, 403, 202, 429]
    assert "fwd=miss" in reloaded.headers["Cache-Status"]
    assert 1 <= int(again.headers["Retry-After"]) <= 60


async def test_two_thousand_cold_requests_at_once_cost_one_batch(tmp_path: Path) -> None:
    _allow_open_sockets(6000)
    # A busy machine may not come to read the ledger for longer than a usual lease.
    patient = {"lease_seconds": 60}
    async with running_service(tmp_path, freshness=patient, connections=2000) as running:
        # Long enough that most requests arrive while the one load is under way.
        await running.turn("fo", latency_ms=500)

        asked = [asyncio.ensure_future(running.ask(LAMPS, wait_ms=5000)) for _ in range(2000)]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        calls = running.price_calls()
        answers = await asyncio.gather(*asked)
        last = await running.warm(LAMPS)

        assert calls <= 1
        # So soon after the ledger began, a price is doubtful after ten seconds: where all the
        # answers take longer, it was refreshed.
        assert 1 <= running.price_calls() <= 2
        assert {answer.status for answer in answers} == {200}
        # On a busy machine somebody waits in vain, and asks again.
        assert {_totals(answer) for answer in answers if answer.content["complete"]} <= {
            _totals(last)
        }


def _totals(answer: Answer) -> tuple[str, ...]:
    return tuple(line["line_total"] for line in answer.content["lines"])


def _allow_open_sockets(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


@pytest.mark.real_services
async def test_redis_may_die_and_come_back_under_load(tmp_path: Path) -> None:
    async with (
        redis_process(tmp_path) as redis,
        running_service(tmp_path / "service", redis={"url": redis.url}) as running,
    ):
        answers: list[Answer] = []
        callers = [
            asyncio.create_task(_flood(running, f"C-{2000 + index}", answers)) for index in range(4)
        ]
        before = await running.warm()

        await redis.kill()
        await until(lambda: _redis_breaker_is(running, "open", "half_open"))
        # Word of invalidations is good for its lease, and asked for each second.
        await until(lambda: _verification_is(running, False))
        page = await running.ask()
        checkout = await running.ask(mode="checkout")
        while_away = (await running.status())["redis"]
        await redis.start()
        await until(lambda: _redis_breaker_is(running, "closed"))
        await until(lambda: _verification_is(running, True))
        after = await running.ask()
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)

        assert before.content["verified"]
        assert (page.status, states(page)) == (200, {"LAMP-01": "unverified"})
        assert page.content["lines"][0]["price"] == "19.00"
        assert (checkout.status, checkout.content["binding"]) == (200, True)
        assert not while_away["is_verified"]
        assert while_away["failures"] >= 5
        assert (after.status, after.content["verified"]) == (200, True)
        assert len(answers) > 20
        assert {answer.status for answer in answers} == {200}


async def _redis_breaker_is(running: Running, *phases: str) -> bool:
    redis = (await running.status())["redis"]
    return redis["breaker"]["phase"] in phases


async def _verification_is(running: Running, expected: bool) -> bool:  # noqa: FBT001 -- a state
    return (await running.status())["redis"]["is_verified"] is expected
