"""A hint is taken once, only from the shop, and whatever else is sent is told what is wrong."""

import asyncio
import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pricing_proxy.clock import SystemClock
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.shared_state.guard import redis_guard
from pricing_proxy.shared_state.seen_events import SeenEvents
from sync.intake.hints import MOST_WAITING, Hint, Hints
from sync.intake.listener import BODY_LIMIT_BYTES, application
from sync.intake.routes import IntakeRoutes

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SHOP = "https://shop.example.com"
SECRET, OLD_SECRET = "a secret of the shop", "the one before"
ORDER = {"type": "order.placed", "entity_id": 7, "increment_id": "000000007"}


@dataclass
class Memory:
    """Event ids of one test."""

    ids: set[str] = field(default_factory=set)

    async def is_new(self, event_id: str) -> bool:
        is_known = event_id in self.ids
        self.ids.add(event_id)
        return not is_known


@dataclass
class Shop:
    """Calls the intake, signing as the shop's module does."""

    client: TestClient[Any, Any]
    looked_up: list[Hint]
    hints: Hints[Hint]

    async def post(
        self,
        body: bytes | dict[str, Any],
        *,
        at: datetime = NOW,
        event_id: str = "e-1",
        secret: str = SECRET,
        headers: dict[str, str | None] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = str(int(at.timestamp()))
        signed = f"{stamp}.{event_id}.".encode() + content
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        sent: dict[str, str | None] = {
            "Content-Type": "application/json",
            "X-Timestamp": stamp,
            "X-Event-Id": event_id,
            "X-Signature": f"sha256={digest}",
            **(headers or {}),
        }
        answer = await self.client.post(
            "/v1/events/magento",
            data=io.BytesIO(content),
            headers={name: value for name, value in sent.items() if value is not None},
        )
        return answer.status, await answer.json(content_type=None)

    async def all_looked_up(self) -> list[Hint]:
        for _ in range(20):
            await asyncio.sleep(0)
        return self.looked_up


@asynccontextmanager
async def intake(error: Exception | None = None) -> AsyncIterator[Shop]:
    looked_up: list[Hint] = []

    async def look_up(hint: Hint) -> None:
        looked_up.append(hint)
        if error is not None:
            raise error

    hints = Hints(look_up)
    routes = IntakeRoutes(secrets=[SECRET, OLD_SECRET], seen=Memory(), hints=hints, utc=lambda: NOW)
    async with hints, TestClient(TestServer(application(routes))) as client:
        yield Shop(client, looked_up, hints)


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with intake() as started:
        yield started


@pytest.mark.parametrize("entity_id", [7, "7", "0007"])
async def test_a_signed_hint_is_taken_and_looked_up(shop: Shop, entity_id: int | str) -> None:
    """Magento answers a text to whoever places an order, and a shop's module passes it on."""
    assert await shop.post({**ORDER, "entity_id": entity_id}) == (202, {"state": "taken"})
    assert await shop.all_looked_up() == [Hint("order", 7)]


async def test_while_a_secret_is_replaced_both_are_good(shop: Shop) -> None:
    assert (await shop.post(ORDER, event_id="e-1", secret=OLD_SECRET))[0] == 202
    assert (await shop.post(ORDER, event_id="e-2", secret=SECRET))[0] == 202


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"secret": "another"}, "wrong_signature", "X-Signature"),
        ({"headers": {"X-Signature": None}}, "wrong_signature", "X-Signature"),
        ({"headers": {"X-Signature": "sha256=ümlaut"}}, "wrong_signature", "X-Signature"),
        ({"headers": {"X-Timestamp": None}}, "missing_header", "X-Timestamp"),
        ({"headers": {"X-Timestamp": "soon"}}, "malformed_header", "X-Timestamp"),
        ({"headers": {"X-Event-Id": None}}, "missing_header", "X-Event-Id"),
        ({"headers": {"X-Event-Id": "a b"}}, "malformed_header", "X-Event-Id"),
        ({"headers": {"X-Event-Id": "another"}}, "wrong_signature", "X-Signature"),
        ({"at": NOW - timedelta(seconds=301)}, "timestamp_out_of_range", "X-Timestamp"),
        ({"at": NOW + timedelta(seconds=301)}, "timestamp_out_of_range", "X-Timestamp"),
    ],
)
async def test_what_the_shop_did_not_sign_just_now_is_refused(
    shop: Shop, change: dict[str, Any], code: str, pointer: str
) -> None:
    status, problem = await shop.post(ORDER, **change)

    assert (status, problem["type"]) == (401, f"/problems/{code}")
    assert [flaw["pointer"] for flaw in problem["errors"]] == [pointer]
    assert await shop.all_looked_up() == []


@pytest.mark.parametrize("seconds", [-300, 300])
async def test_clocks_may_differ_by_five_minutes(shop: Shop, seconds: int) -> None:
    assert (await shop.post(ORDER, at=NOW + timedelta(seconds=seconds)))[0] == 202


async def test_a_recorded_request_cannot_be_repeated(shop: Shop) -> None:
    await shop.post(ORDER)
    status, problem = await shop.post(ORDER)

    assert (status, problem["type"]) == (409, "/problems/repeated_event")
    assert [flaw["pointer"] for flaw in problem["errors"]] == ["X-Event-Id"]
    assert await shop.all_looked_up() == [Hint("order", 7)]


@pytest.mark.parametrize(
    ("body", "status", "pointers"),
    [
        (b"{", 400, [""]),
        (b"\xff", 400, [""]),
        (b"[]", 422, [""]),
        ({**ORDER, "type": "order.deleted"}, 422, ["/type"]),
        ({**ORDER, "entity_id": 0}, 422, ["/entity_id"]),
        ({**ORDER, "entity_id": "7.0"}, 422, ["/entity_id"]),
        ({**ORDER, "entity_id": "-7"}, 422, ["/entity_id"]),
        ({**ORDER, "entity_id": "\N{ARABIC-INDIC DIGIT SEVEN}"}, 422, ["/entity_id"]),
        ({**ORDER, "entity_id": "9" * 5000}, 422, ["/entity_id"]),
        ({**ORDER, "entity_id": ""}, 422, ["/entity_id"]),
        ({**ORDER, "entity_id": True}, 422, ["/entity_id"]),
        ({**ORDER, "entity_id": 1e400}, 422, ["/entity_id"]),
        ({**ORDER, "increment_id": "9" * 33}, 422, ["/increment_id"]),
        ({}, 422, ["/type", "/entity_id"]),
    ],
)
async def test_a_body_that_is_not_as_agreed_is_told_where(
    shop: Shop, body: bytes | dict[str, Any], status: int, pointers: list[str]
) -> None:
    answered, problem = await shop.post(body)

    assert answered == status
    assert [flaw["pointer"] for flaw in problem["errors"]] == pointers
    # Not taken, so the corrected request may carry the same id.
    assert (await shop.post(ORDER))[0] == 202


async def test_ten_megabytes_are_not_read(shop: Shop) -> None:
    status, problem = await shop.post(b"x" * 10_000_000)

    assert (status, problem["type"]) == (413, "/problems/body_too_large")
    assert str(BODY_LIMIT_BYTES) in problem["detail"]


@pytest.mark.parametrize("body", [b"{", b"x" * 10_000_000, b"[" * 3000])
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Signature": None},
        {"X-Signature": "sha256=" + "0" * 63},
        {"X-Signature": "sha256=" + "\u0663" * 64},
        {"X-Timestamp": "1"},
        {"X-Event-Id": None},
        {"X-Event-Id": "e" * 5000},
    ],
)
async def test_a_stranger_hears_nothing_but_that(
    shop: Shop, body: bytes, headers: dict[str, str | None]
) -> None:
    """Nobody learns what is agreed, or costs us reading a body, with a head of their own."""
    for content_type in ("application/json", "text/plain"):
        status, _ = await shop.post(body, headers={**headers, "Content-Type": content_type})
        assert status == 401
    assert await shop.all_looked_up() == []


async def test_what_is_signed_by_another_is_no_more_looked_at(shop: Shop) -> None:
    for body in (b"{", b"[" * 3000):
        status, problem = await shop.post(
            body, secret="another", headers={"Content-Type": "text/plain"}
        )
        assert (status, problem["type"]) == (401, "/problems/wrong_signature")


async def test_another_content_type_is_refused(shop: Shop) -> None:
    status, problem = await shop.post(ORDER, headers={"Content-Type": "text/plain"})

    assert (status, problem["type"]) == (415, "/problems/unsupported_media_type")


@pytest.mark.parametrize(
    "error", [UpstreamUnavailableError("away", system="magento"), ValueError("a defect")]
)
async def test_a_hint_that_cannot_be_looked_up_stops_no_other(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async with intake(error) as shop:
        for number in range(8):
            assert (await shop.post(ORDER, event_id=f"e-{number}"))[0] == 202
        assert len(await shop.all_looked_up()) == 8
        told = [record for record in caplog.records if "hint" in record.getMessage().lower()]
        assert len(told) == 8


async def test_more_hints_than_can_wait_are_left_to_the_next_poll() -> None:
    hints = Hints[Hint](lambda _: asyncio.sleep(0))

    taken = [hints.take(Hint("order", number)) for number in range(MOST_WAITING + 3)]

    assert taken == [True] * MOST_WAITING + [False] * 3


async def test_ids_are_kept_in_redis_for_a_day(redis: Redis, unique: str) -> None:
    seen = SeenEvents(SHOP, redis, redis_guard(SystemClock(), timeout_us=5_000_000))

    assert await seen.is_new(unique)
    assert not await seen.is_new(unique)
    other = SeenEvents(f"{SHOP}:8443", redis, redis_guard(SystemClock(), timeout_us=5_000_000))
    assert await other.is_new(unique)
    assert 86_000 < await redis.ttl(f"seen:{SHOP}|{unique}") <= 86_400


async def test_without_redis_every_id_counts_as_new() -> None:
    """A hint taken twice costs one look-up; a hint refused costs an order's first seconds."""
    redis = Redis(port=1, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0))
    seen = SeenEvents(SHOP, redis, redis_guard(SystemClock(), timeout_us=5_000_000))

    assert await seen.is_new("e-1")
    assert await seen.is_new("e-1")
    await redis.aclose()


async def test_load_balancers_may_ask_for_health_with_head(shop: Shop) -> None:
    answer = await shop.client.head("/health/live")
    assert (answer.status, await answer.read()) == (200, b"")
