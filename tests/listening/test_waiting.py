"""Whoever waits is ended by the sweep, with an answer where something was begun."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from pricing_proxy.listening import crowd as crowd_module
from pricing_proxy.listening.connection import Connection
from pricing_proxy.listening.crowd import Crowd, Reason
from tests.listening.raw import (
    Heard,
    Listening,
    Wire,
    chunked,
    request,
    showing,
    wire,
)
from tests.patience import PATIENCE_SECONDS

IDLE_SECONDS = 300.0
WHOLE = request("POST", "/shown", body=b"{}")
HALF_BODY = request("POST", "/shown", body=b"{}")[:-1]
HALF_CHUNK = request("POST", "/shown", "Transfer-Encoding: chunked") + b"2\r\n{"


@pytest.fixture
async def shown() -> AsyncIterator[Listening]:
    async with showing(Crowd("tests", idle_seconds=IDLE_SECONDS)) as running:
        yield running


async def sweep(shown: Listening, *, after: float) -> None:
    """Let the sweep see the time that much later."""
    shown.crowd.sweep(asyncio.get_running_loop().time() + after)


async def until_heard(shown: Listening, count: int = 1) -> None:
    """Wait for connections to be there."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while shown.crowd.size < count:  # noqa: ASYNC110 -- another's state
            await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)


async def until_deaf(shown: Listening) -> None:
    """Wait for the connection to have heard enough."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(each._is_deaf for each in connections(shown)):  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0)


def connections(shown: Listening) -> list[Connection]:
    return [each for each in shown.crowd.members() if isinstance(each, Connection)]


async def refused(line: Wire) -> Heard:
    [heard] = await line.answers_to_the_end()
    assert heard.closes
    return heard


@pytest.mark.parametrize(
    ("sent", "reason", "code"),
    [
        (WHOLE[:10], Reason.SLOW_HEAD, "head_too_slow"),
        (b"\r\n", Reason.SLOW_HEAD, "head_too_slow"),
        (HALF_BODY, Reason.SLOW_BODY, "body_too_slow"),
        (HALF_CHUNK, Reason.SLOW_BODY, "body_too_slow"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
async def test_half_a_message_is_refused_after_ten_seconds(
    shown: Listening, sent: bytes, reason: Reason, code: str, *, is_first: bool
) -> None:
    async with wire(shown.port) as line:
        if not is_first:
            await line.send(WHOLE)
            assert (await line.answer()).status == 200
        await line.send(sent)
        await until_heard(shown)
        await sweep(shown, after=9.0)
        assert shown.crowd.closed == {}
        await sweep(shown, after=11.0)
        heard = await refused(line)
    assert heard.status == 408
    assert heard.content["type"] == f"/problems/{code}"
    assert shown.crowd.closed == {reason: 1}


LINES = tuple(f"X-{number}: {'x' * 8000}" for number in range(60))


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_head_without_end_is_refused_before_it_fills_the_memory(
    shown: Listening, *, is_first: bool
) -> None:
    """Each line is short enough and there are few: together they were a megabyte a connection."""
    head = request("GET", "/shown", *LINES)[:-2]
    async with wire(shown.port) as line:
        if not is_first:
            await line.send(WHOLE)
            assert (await line.answer()).status == 200
        await line.send(head)
        await until_deaf(shown)
        await sweep(shown, after=0.0)
        heard = await refused(line)
    assert (heard.status, heard.content["type"]) == (431, "/problems/head_too_long")
    assert shown.crowd.closed == {Reason.LONG_HEAD: 1}
    assert shown.told.requests == ([] if is_first else ["/shown"])


@pytest.mark.parametrize("path", ["/shown", "/early"])
@pytest.mark.parametrize("contents", [(), (b"ab",)])
async def test_trailers_without_end_are_refused_as_well(
    shown: Listening, path: str, contents: tuple[bytes, ...]
) -> None:
    message = chunked(*contents, path=path, trailers=LINES)[:-2]
    async with wire(shown.port) as line:
        await line.send(message[:200])
        if path == "/early":
            assert (await line.answer()).status == 401
        await line.send(message[200:])
        heard = await line.answers_to_the_end()
    assert [each.status for each in heard] == ([400] if path == "/shown" else [])


async def test_a_long_head_and_a_body_of_crumbs_are_answered(shown: Listening) -> None:
    """As long as a page of 200 escaped SKUs with a token; a body of single bytes, extended."""
    head = request("GET", f"/shown?{'x' * 60_000}", f"Authorization: Bearer {'x' * 8000}")
    crumbs = chunked(*([b"x"] * 40_000), extension=";a")
    async with wire(shown.port) as line:
        await line.send(head[:30_000], head[30_000:])
        assert (await line.answer()).status == 200
        await line.send(crumbs[:100_000], crumbs[100_000:])
        [heard] = await line.answers_to_the_end()
        assert heard.content["body"] == "x" * 40_000


async def test_whoever_sends_many_requests_at_once_gets_every_answer(shown: Listening) -> None:
    """What waits behind a request is no head that grows, however long it is together."""
    many = request("GET", "/shown", f"Authorization: Bearer {'x' * 8000}") * 100
    async with wire(shown.port) as line:
        sending = asyncio.create_task(line.send(many))
        for _ in range(100):
            assert (await line.answer()).status == 200
        await sending
    assert shown.crowd.closed == {}


async def test_a_head_that_trickles_is_half_a_head(shown: Listening) -> None:
    """What counts is when it began, not when its last byte came."""
    async with wire(shown.port) as line:
        await line.send(WHOLE[:10])
        await until_heard(shown)
        await line.send(*(WHOLE[n : n + 1] for n in range(10, 20)))
        await sweep(shown, after=11.0)
        assert (await refused(line)).status == 408


async def test_a_body_that_nobody_reads_ends_as_well(shown: Listening) -> None:
    async with wire(shown.port) as line:
        await line.send(HALF_BODY.replace(b"/shown", b"/early"))
        assert (await line.answer()).status == 401
        await sweep(shown, after=11.0)
        assert await line.answers_to_the_end() == []


async def test_the_rest_of_a_message_in_time_is_answered(shown: Listening) -> None:
    async with wire(shown.port) as line:
        for cut in (10, len(WHOLE) - 1):
            await line.send(WHOLE[:cut])
            await until_heard(shown)
            await sweep(shown, after=9.0)
            await line.send(WHOLE[cut:])
            assert (await line.answer()).content["body"] == "{}"
        await sweep(shown, after=11.0)
        await line.send(WHOLE)
        assert (await line.answer()).status == 200
    assert shown.crowd.closed == {}


@pytest.mark.parametrize("sent", [b"", WHOLE])
async def test_an_idle_connection_ends_after_the_setting(shown: Listening, sent: bytes) -> None:
    async with wire(shown.port) as line:
        await line.send(sent)
        await until_heard(shown)
        heard = [await line.answer()] if sent else []
        await sweep(shown, after=IDLE_SECONDS - 1)
        assert shown.crowd.closed == {}
        await sweep(shown, after=IDLE_SECONDS + 1)
        assert await line.answers_to_the_end() == []
    assert len(heard) == (1 if sent else 0)
    assert shown.crowd.closed == {Reason.IDLE: 1}


async def test_a_caller_that_does_not_read_its_answers_is_cut_off(shown: Listening) -> None:
    async with wire(shown.port) as line:
        line.reader._transport.pause_reading()  # type: ignore[attr-defined]
        many = request("GET", "/shown", f"X-Long: {'x' * 8000}") * 2000
        line.writer.write(many)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not shown.crowd.closed:
                await asyncio.sleep(0.01)
                await sweep(shown, after=31.0)
    assert shown.crowd.closed == {Reason.UNREAD_ANSWER: 1}


async def test_an_end_that_its_caller_does_not_read_comes_all_the_same(shown: Listening) -> None:
    """What is closed politely waits for its last bytes to be taken: for half a minute."""
    async with wire(shown.port) as line:
        line.reader._transport.pause_reading()  # type: ignore[attr-defined]
        many = request("GET", "/shown", f"X-Long: {'x' * 8000}") * 2000
        line.writer.write(many)
        await until_heard(shown)
        [member] = shown.crowd.members()
        assert isinstance(member, Connection)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not member.writing_paused:  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.01)
        member.force_close()
        await sweep(shown, after=0.0)
        await sweep(shown, after=29.0)
        assert shown.crowd.size == 1
        await sweep(shown, after=31.0)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while shown.crowd.size:  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0)


async def test_one_connection_that_breaks_a_sweep_does_not_end_the_next(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(crowd_module, "SWEEP_SECONDS", 0.0)
    crowd = Broken("tests")
    async with crowd.watched(None, "sweep of the tests listener"):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await crowd.swept_twice.wait()
    assert "sweep of the tests listener failed" in caplog.text


class Broken(Crowd):
    """Breaks at each sweep."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.sweeps = 0
        self.swept_twice = asyncio.Event()

    def sweep(self, now: float) -> None:
        self.sweeps += 1
        if self.sweeps == 2:
            self.swept_twice.set()
        raise ValueError(now)


async def test_what_was_closed_is_told_once_a_minute(
    shown: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(2):
        async with wire(shown.port) as idle, wire(shown.port) as half:
            await half.send(WHOLE[:10])
            await until_heard(shown, 2)
            await sweep(shown, after=IDLE_SECONDS + 1)
            assert await idle.answers_to_the_end() == []
            await refused(half)
        await sweep(shown, after=IDLE_SECONDS + 2)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "tests listener: closed 1 idle, 1 with half a head; 2 of at most 10000 connections are open"
    ]
    await sweep(shown, after=IDLE_SECONDS + 62)
    assert len(caplog.records) == 2
