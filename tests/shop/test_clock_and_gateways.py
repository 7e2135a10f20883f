"""A shop whose clock is wrong, that takes its time, or that something else answers for."""

import asyncio
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from tests.shop.conftest import Answer, Wire

ORDERS = "/rest/V1/orders?searchCriteria[pageSize]={}"


def date_of(answer: Answer) -> datetime:
    return parsedate_to_datetime(answer.headers["Date"])


def is_about(at: datetime, meant: datetime) -> bool:
    return abs(at - meant) < timedelta(minutes=5)


@pytest.mark.parametrize("hours", [2, -2])
async def test_rows_date_and_signatures_go_by_the_shops_own_clock(wire: Wire, hours: int) -> None:
    offset = timedelta(hours=hours)
    await wire.place(kind="simple")
    await wire.turn(clock_ahead_seconds=int(offset.total_seconds()))
    its_now = wire.clock.utc() + offset
    signed = await wire.send("GET", "/rest/V1/orders/1", timestamp=int(its_now.timestamp()))
    assert signed.status == 200
    assert is_about(date_of(signed), its_now)
    await wire.place(kind="simple")
    dates = [wire.sandbox.shop.orders[number]["updated_at"] for number in (1, 2)]
    assert (dates[0] < dates[1]) == (hours > 0)
    # What is stamped ten minutes ahead of the shop is refused; late, it is taken.
    own = await wire.send("GET", "/rest/V1/orders/1")
    assert own.status == (200 if hours > 0 else 401)
    assert is_about(date_of(own), its_now)
    missing = await wire.send("GET", "/rest/V1/nothing")
    assert (missing.status, is_about(date_of(missing), its_now)) == (404, True)
    # Judges go by the true time.
    placed_at = datetime.fromisoformat(wire.sandbox.shop.orders[2]["_placed_at"])
    assert is_about(placed_at, wire.clock.utc())


async def test_a_step_of_the_clock_is_over_at_once(wire: Wire) -> None:
    for seconds in (7200, -7200, 0):
        await wire.turn(clock_ahead_seconds=seconds)
        answer = await wire.send("GET", "/rest/V1/nothing")
        assert is_about(date_of(answer), wire.clock.utc() + timedelta(seconds=seconds))


@pytest.mark.parametrize("status", [200, 302, 404, 405, 502])
async def test_a_gateway_answers_with_a_page_and_its_own_clock(wire: Wire, status: int) -> None:
    await wire.place(kind="simple")
    await wire.turn(gateway_page=status, clock_ahead_seconds=7200)
    url = f"{wire.sandbox.magento_url}/rest/V1/orders/1"
    async with wire.session.get(url, allow_redirects=False) as answer:
        assert answer.status == status
        assert answer.content_type == "text/html"
        assert (await answer.text()).startswith("<html>")
        assert answer.headers.get("Location") == ("/login" if status == 302 else None)
        assert ("Allow" in answer.headers) == (status == 405)
        assert is_about(parsedate_to_datetime(answer.headers["Date"]), wire.clock.utc())
    await wire.turn(gateway_page=None, clock_ahead_seconds=0)
    assert (await wire.send("GET", "/rest/V1/orders/1")).status == 200


async def test_rows_of_a_list_take_time_whatever_is_asked_of_them(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wire.place(kind="simple", count=10)
    await wire.turn(row_latency_ms=20)
    slept: list[float] = []
    really = asyncio.sleep

    async def noted(seconds: float) -> None:
        slept.append(seconds)
        await really(0)

    monkeypatch.setattr(asyncio, "sleep", noted)
    for path in (ORDERS.format(5) + "&fields=items[entity_id]", ORDERS.format(100)):
        assert (await wire.send("GET", path)).status == 200
    assert [round(seconds, 3) for seconds in slept if seconds] == [0.1, 0.2]


@pytest.mark.parametrize("value", [86_401, -86_401, "3600", 1.5, None])
async def test_an_impossible_clock_is_refused(wire: Wire, value: object) -> None:
    address = f"{wire.sandbox.control_url}/systems/magento/dials"
    async with wire.session.patch(address, json={"clock_ahead_seconds": value}) as answer:
        assert answer.status == 422
