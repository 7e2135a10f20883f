"""Each dial does what it says to real connections, and every call is counted before it."""

import asyncio

import pytest
from aiohttp import ClientConnectionError, ClientSession, ServerDisconnectedError

from tests.sandbox.conftest import Client, line


async def has_arrived(client: Client) -> None:
    """Return once F&O has read a request."""
    while (await client.calls("fo"))["total"] == 0:
        continue


async def test_calls_and_price_lines_are_counted(client: Client) -> None:
    await client.ask_prices(line("LAMP-01"), line("LAMP-02"))
    await client.ask_prices(line("LAMP-01"))
    await client.rows("CustomersV3", top="1")
    await client.get("/data/ReleasedProductsV2(dataAreaId='demf',ItemNumber='LAMP-01')")
    await client.get("/data/Nonsense")

    assert await client.calls("fo") == {
        "total": 5,
        "operations": {"price_batch": 2, "customer_read": 1, "products": 1, "other": 1},
        "lines": 3,
    }
    assert await client.calls("entra") == {"total": 1, "operations": {"token": 1}, "lines": 0}


async def test_counts_start_anew_when_reset(client: Client) -> None:
    await client.get("/data/Currencies")
    answer = await client.control("DELETE", "fo/calls")

    assert answer.status == 204
    assert await client.calls("fo") == {"total": 0, "operations": {}, "lines": 0}


async def test_calls_that_are_refused_count_as_well(client: Client) -> None:
    await client.turn("fo", retry_after=1)
    await client.ask_prices(line("LAMP-01"))
    await client.turn("fo", retry_after=None, error_rate=1)
    await client.ask_prices(line("LAMP-01"))
    await client.turn("fo", error_rate=0, token_revoked=True)
    await client.ask_prices(line("LAMP-01"))

    counts = await client.calls("fo")
    assert (counts["total"], counts["lines"]) == (3, 3)


async def test_failing_system_answers_500_without_the_applications_envelope(
    client: Client,
) -> None:
    await client.turn("fo", error_rate=1)
    answer = await client.ask_prices(line("LAMP-01"))

    assert answer.status == 500
    assert answer.content_type == "text/html"


async def test_error_rate_is_a_share_and_repeats_with_the_seed(client: Client) -> None:
    await client.turn("fo", error_rate=0.5)
    statuses = [(await client.get("/data/Currencies")).status for _ in range(60)]

    assert 15 <= statuses.count(500) <= 45
    assert set(statuses) == {200, 500}


@pytest.mark.parametrize("header", [7, "Mon, 23 Nov 2026 07:30:11 GMT"])
async def test_throttled_system_names_when_to_come_back(client: Client, header: int | str) -> None:
    await client.turn("fo", retry_after=header)
    answer = await client.get("/data/Currencies")

    assert answer.status == 429
    assert answer.headers["Retry-After"] == str(header)
    assert "high resource utilization" in (await answer.json())["error"]["message"]


async def test_throttle_rate_is_a_share_that_may_come_back_after_a_second(client: Client) -> None:
    await client.turn("fo", throttle_rate=0.5)
    answers = [await client.get("/data/Currencies") for _ in range(60)]
    throttled = [answer for answer in answers if answer.status == 429]

    assert 15 <= len(throttled) <= 45
    assert {answer.headers["Retry-After"] for answer in throttled} == {"1"}
    assert {answer.status for answer in answers} == {200, 429}

    await client.turn("fo", throttle_rate=1, retry_after=7)
    assert (await client.get("/data/Currencies")).headers["Retry-After"] == "7"


async def test_dead_system_refuses_connections_and_comes_back_with_what_it_knew(
    client: Client,
) -> None:
    address = client.sandbox.fo_url
    await client.turn("fo", dead=True)
    with pytest.raises(ClientConnectionError):
        await client.get("/data/Currencies")

    await client.turn("fo", dead=True)
    await client.turn("fo", dead=False)
    assert client.sandbox.fo_url == address
    assert (await client.get("/data/Currencies")).status == 200


async def test_dying_system_breaks_open_connections(client: Client) -> None:
    await client.turn("fo", black_hole=True)
    waiting = asyncio.create_task(client.get("/data/Currencies"))
    await has_arrived(client)
    await client.turn("fo", dead=True)

    with pytest.raises((ServerDisconnectedError, ConnectionResetError, ClientConnectionError)):
        await waiting


async def test_black_hole_reads_and_never_answers(client: Client) -> None:
    await client.turn("fo", black_hole=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.ask_prices(line("LAMP-01"))

    assert (await client.calls("fo"))["lines"] == 1
    await client.turn("fo", black_hole=False)
    assert (await client.get("/data/Currencies")).status == 200


async def test_dead_entra_leaves_f_and_o_alive(client: Client) -> None:
    await client.turn("entra", dead=True)

    with pytest.raises(ClientConnectionError):
        await client.sign_in()
    assert (await client.get("/data/Currencies")).status == 200


async def test_answers_take_the_latency_of_the_dial(client: Client) -> None:
    loop = asyncio.get_running_loop()
    await client.turn("fo", latency_ms=30, latency_spread_ms=5)
    began = loop.time()
    await client.get("/data/Currencies")

    assert loop.time() - began >= 0.024


async def test_sandbox_with_a_swallowed_request_stops_at_once(client: Client) -> None:
    await client.turn("fo", black_hole=True)
    async with ClientSession() as session:
        waiting = asyncio.create_task(session.get(client.sandbox.fo_url))
        await has_arrived(client)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await client.sandbox.__aexit__(None, None, None)
        assert loop.time() - began < 0.9
        with pytest.raises(ClientConnectionError):
            await waiting
