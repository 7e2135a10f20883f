"""A stranger of any bytes is a stranger: heads are refused with a 401, never by a 5xx."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from pricing_proxy.configuration.listeners import Listener
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.listener import listening
from sync.intake.erp_routes import ErpRoutes
from sync.intake.hints import Hints
from sync.intake.interests import Interests
from sync.intake.listener import application
from sync.intake.routes import IntakeRoutes
from tests.listening.raw import chunked, request, wire

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PATH = "/v1/events/magento"
ERP_PATH, ERP_HEADER = "/v1/events/d365", "X-Event-Secret"
USUAL = {
    "X-Timestamp": str(int(NOW.timestamp())),
    "X-Event-Id": "e-1",
    "X-Signature": f"sha256={'0' * 64}",
    "Content-Type": "application/json",
}
TEXTS = ("", "\xff\xfe", "sha256=\xe4", "9" * 400, "١٢٣", "\xed\xa0\x80", "x" * 8000)


class Nobody:
    async def is_new(self, event_id: str) -> bool:
        raise AssertionError(event_id)


def never_counted(state: str) -> None:
    raise AssertionError(state)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def never(_: object) -> None:
        raise AssertionError

    routes = IntakeRoutes(secrets=["s" * 16], seen=Nobody(), hints=Hints(never), utc=lambda: NOW)
    erp = ErpRoutes(
        secrets=["s" * 16],
        header=ERP_HEADER,
        is_new=Nobody().is_new,
        interests=Interests((), ()),
        hints=Hints(never),
        heard=never_counted,
    )
    crowd = Crowd("intake")
    async with listening(application(routes, erp), Listener(port=0), "port", crowd=crowd) as free:
        yield free


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", USUAL)
async def test_head_lines_of_any_bytes_are_a_stranger_s(port: int, name: str, text: str) -> None:
    raw = text.encode("latin-1", errors="replace").decode("latin-1")
    lines = [f"{key}: {value}" for key, value in {**USUAL, name: raw}.items()]
    async with wire(port) as line:
        await line.send(request("POST", PATH, *lines, body=b"{}"))
        assert (await line.answer()).status == 401


@pytest.mark.parametrize("text", TEXTS)
async def test_an_erp_s_secret_of_any_bytes_is_a_stranger_s(port: int, text: str) -> None:
    raw = text.encode("latin-1", errors="replace").decode("latin-1")
    async with wire(port) as line:
        await line.send(request("POST", ERP_PATH, f"{ERP_HEADER}: {raw}", body=b"{}"))
        assert (await line.answer()).status == 401


async def test_a_chunked_hint_is_the_last_of_its_connection(port: int) -> None:
    lines = tuple(f"{key}: {value}" for key, value in USUAL.items())
    hint = chunked(b"{}", path=PATH, lines=lines, trailers=("X-Signature: sha256=other",))
    async with wire(port) as line:
        await line.send(hint + request("GET", "/health/live"))
        [heard] = await line.answers_to_the_end()
    assert (heard.status, heard.closes) == (401, True)


@pytest.mark.parametrize("path", ["/nowhere", "/health/live", PATH, ERP_PATH])
async def test_an_odd_expectation_is_refused_everywhere(port: int, path: str) -> None:
    async with wire(port) as line:
        await line.send(request("POST", path, "Expect: \xff\xfe", body=b"{}"))
        heard = await line.answer()
    assert heard.status == 417
    assert heard.content["type"] == "/problems/unknown_expectation"
