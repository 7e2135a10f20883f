"""Nothing that a client sends yields a 5xx, or stands in a log, in a healthy system.

Every item of the list of bad input goes over a socket to the real application over the
real sandbox; then come bodies that nobody thought of.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing_proxy.listening import connection
from pricing_proxy.telemetry.logs import JsonFormatter, TextFormatter
from tests.integration.running import (
    KEY,
    MARKET,
    READER_KEY,
    REVOKED_KEY,
    Answer,
    Running,
    running_service,
)
from tests.patience import PATIENCE_SECONDS

JSON = {"Content-Type": "application/json"}
# Sent wherever a customer or a SKU goes, and looked for in every log line.
CUSTOMER = "Meier-KG-4711"
SKU = "SECRET-SKU-0815"
LINE = {"sku": "LAMP-01", "quantity": "1"}
HEAD = (
    f"POST /v1/prices HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\n"
)


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that is logged at any level; at the end none of it may tell what was sent."""
    caplog.set_level(logging.DEBUG)
    # The client's own debug lines are not the service's.
    for chatty in ("asyncio", "hypothesis", "urllib3"):
        caplog.set_level(logging.WARNING, logger=chatty)
    yield caplog
    formatters = (TextFormatter(), JsonFormatter(), logging.Formatter())
    for record in caplog.records:
        for formatter in formatters:
            line = formatter.format(record)
            for secret in (CUSTOMER, SKU, KEY, REVOKED_KEY, "C-1001", "LAMP-01"):
                assert secret not in line


def body(**members: Any) -> dict[str, Any]:
    return {"market": MARKET, "customer": "C-1001", "lines": [LINE], "wait_ms": 5000, **members}


def line(**members: Any) -> dict[str, Any]:
    return body(lines=[{**LINE, **members}])


def raw_quantity(number: str) -> bytes:
    text = json.dumps(body(lines=[{"sku": "LAMP-01", "quantity": "#"}]))
    return text.replace('"#"', number).encode()


REFUSED: list[tuple[str, Any, int, str]] = [
    ("unknown market", body(market=SKU), 400, "/market"),
    ("unknown mode", body(mode=SKU), 400, "/mode"),
    ("unknown currency", body(currency="XYZ"), 400, "/currency"),
    ("unknown member", body(colour=SKU), 400, "/colour"),
    ("unknown member of a line", line(colour=SKU), 400, "/lines/0/colour"),
    ("unknown customer", body(customer=CUSTOMER), 404, "/customer"),
    ("unmapped shop customer", body(customer={"magento_id": 4}), 404, "/customer/magento_id"),
    ("no lines", body(lines=[]), 422, "/lines"),
    ("201 lines", body(lines=[LINE] * 201), 422, "/lines"),
    ("quantity zero", line(quantity="0"), 422, "/lines/0/quantity"),
    ("quantity zero with decimals", line(quantity="0.000"), 422, "/lines/0/quantity"),
    ("quantity negative", line(quantity="-1"), 422, "/lines/0/quantity"),
    ("quantity NaN", line(quantity="NaN"), 422, "/lines/0/quantity"),
    ("quantity 1e400", line(quantity="1e400"), 422, "/lines/0/quantity"),
    ("quantity a JSON number", raw_quantity("10"), 422, "/lines/0/quantity"),
    ("quantity the JSON number 1e400", raw_quantity("1e400"), 422, "/lines/0/quantity"),
    ("quantity the literal NaN", raw_quantity("NaN"), 422, "/lines/0/quantity"),
    ("SKU of 200 KB", line(sku="x" * 200_000), 422, "/lines/0/sku"),
    ("SKU of 1 MB", line(sku="x" * 1_000_000), 413, ""),
    ("body over the limit", b" " * 300_000, 413, ""),
    ("broken JSON", b'{"market": "' + CUSTOMER.encode(), 400, ""),
    ("no JSON at all", CUSTOMER.encode(), 400, ""),
    ("no UTF-8", b'{"market": "\xff\xfe"}', 400, ""),
    ("an empty body", b"", 400, ""),
    ("deep nesting", b'{"lines":' + b"[" * 100_000, 400, ""),
    ("unknown SKU at checkout", body(mode="checkout", lines=[{"sku": SKU}]), 422, "/lines/0/sku"),
    (
        "unknown unit at checkout",
        body(mode="checkout", lines=[{"sku": "LAMP-01", "unit": "FURLONG"}]),
        422,
        "/lines/0/unit",
    ),
]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with running_service(tmp_path) as service:
        yield service


def assert_problem(answer: Answer, status: int, pointer: str) -> None:
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    problem = answer.content
    assert problem["type"].startswith("/problems/")
    assert (problem["status"], bool(problem["title"]), bool(problem["detail"])) == (
        status,
        True,
        True,
    )
    assert pointer in [flaw["pointer"] for flaw in problem["errors"]]


async def test_every_bad_body_is_refused_with_its_status_and_pointer(running: Running) -> None:
    for name, content, status, pointer in REFUSED:
        answer = await running.post(content, headers=JSON)
        try:
            assert_problem(answer, status, pointer)
        except AssertionError as error:
            error.add_note(name)
            raise


async def test_a_wrong_content_type_is_refused(running: Running) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = await running.post(json.dumps(body()).encode(), headers={"Content-Type": kind})
        assert_problem(answer, 415, "")
    packed = {**JSON, "Content-Encoding": "gzip"}
    assert_problem(await running.post(b"not packed", headers=packed), 415, "")


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (None, 401, "missing_key"),
        (CUSTOMER, 401, "unknown_key"),
        (REVOKED_KEY, 401, "revoked_key"),
        (READER_KEY, 403, "missing_scope"),
    ],
)
async def test_a_wrong_key_is_refused(
    running: Running, key: str | None, status: int, code: str
) -> None:
    answer = await running.post(body(), key=key)

    assert_problem(answer, status, "")
    assert answer.content["type"] == f"/problems/{code}"


async def test_what_only_one_line_has_wrong_is_that_line_s_state(running: Running) -> None:
    lines = [
        {"sku": SKU},
        {"sku": "a\nb\u0000"},
        {"sku": "LAMP-01", "unit": "FURLONG"},
        {"sku": "LAMP-01", "quantity": "10"},
        {"sku": "LAMP-01", "quantity": "50"},
        {"sku": "LAMP-01", "quantity": "10"},
    ]

    answer = await running.post(body(lines=lines))

    assert answer.status == 200
    seen = answer.content["lines"]
    assert [each.get("reason") for each in seen[:3]] == [
        "unknown_sku",
        "unknown_sku",
        "unknown_unit",
    ]
    assert [each["state"] for each in seen[:3]] == ["no_price"] * 3
    assert [each["state"] for each in seen[3:]] == ["fresh"] * 3
    assert seen[3] == seen[5]
    assert seen[3]["price"] != seen[4]["price"]
    assert answer.content["complete"]


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        (f"market={SKU}&customer=C-1001&sku=LAMP-01", 400, "/market"),
        (f"market=b2b_de&customer={CUSTOMER}&sku=LAMP-01", 404, "/customer"),
        ("market=b2b_de&customer=C-1001", 422, "/lines"),
        ("market=b2b_de&customer=C-1001&sku=LAMP-01&quantity=1e400", 422, "/lines/0/quantity"),
        ("market=b2b_de&magento_id=4&sku=LAMP-01", 404, "/customer/magento_id"),
        ("market=b2b_de&customer=%FF&sku=LAMP-01", 404, "/customer"),
    ],
)
async def test_a_bad_query_is_refused_like_a_bad_body(
    running: Running, query: str, status: int, pointer: str
) -> None:
    assert_problem(await running.get(f"/v1/prices?{query}"), status, pointer)


async def test_a_get_of_two_hundred_long_skus_is_answered(running: Running) -> None:
    skus = "&".join(f"sku={number:064}" for number in range(200))

    answer = await running.get(f"/v1/prices?market=b2b_de&customer=C-1001&{skus}")

    assert answer.status == 200
    assert len(answer.content["lines"]) == 200


@pytest.mark.parametrize(
    "message",
    [
        f"GET /v1/prices?customer={CUSTOMER}&sku={'x' * 100_000} HTTP/1.1\r\nHost: a\r\n\r\n",
        f"GET /{CUSTOMER} HTTP/9.9\r\n\r\n",
        f"{CUSTOMER} {SKU}\r\n\r\n",
        f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{CUSTOMER}\r\n{SKU}\r\n\r\n",
        f"POST /v1/prices HTTP/1.1\r\nHost: a\r\nContent-Length: {CUSTOMER}\r\n\r\n{SKU}",
        f"POST /v1/prices HTTP/1.1\r\nHost: a\r\nX-Customer {CUSTOMER}\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_and_not_logged(running: Running, message: str) -> None:
    """The parser's errors quote what was received."""
    host, _, port = running.public.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(message.encode())
    await writer.drain()

    status_line = await asyncio.wait_for(reader.readline(), timeout=PATIENCE_SECONDS)

    assert status_line.split()[1] == b"400"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("rest", "status", "code"),
    [
        (f"{CUSTOMER}\r\n{SKU}\r\n", b"400", b"/problems/unreadable_body"),
        ("", b"408", b"/problems/body_too_slow"),
    ],
)
async def test_a_body_that_never_ends_is_given_up(
    running: Running, monkeypatch: pytest.MonkeyPatch, rest: str, status: bytes, code: bytes
) -> None:
    """The head was good, so a handler is waiting; the rest is garbage, or does not come."""
    monkeypatch.setattr(connection, "PATIENCE_SECONDS", 0.1)
    host, _, port = running.public.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\n    \r\n".encode())
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.write(rest.encode())
    await writer.drain()

    answer = await asyncio.wait_for(reader.read(4096), timeout=PATIENCE_SECONDS)

    assert answer.split()[1] == status
    assert code in answer
    writer.close()
    await writer.wait_closed()


async def test_a_body_that_comes_in_pieces_is_read(running: Running) -> None:
    content = json.dumps(body()).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 40):
            yield content[start : start + 40]
            await asyncio.sleep(0.005)

    headers = {"X-API-Key": KEY, **JSON}
    async with running.session.post(
        f"{running.public}/v1/prices", data=pieces(), headers=headers
    ) as answer:
        assert answer.status == 200


async def test_a_caller_who_hangs_up_halfway_leaves_no_trace(
    running: Running, log: pytest.LogCaptureFixture
) -> None:
    host, _, port = running.public.removeprefix("http://").partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /v1/prices HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\n"
    writer.write(
        f"{head}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{SKU}".encode()
    )
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.transport.abort()

    assert (await running.post(body())).status == 200
    assert not [record for record in log.records if record.levelno >= logging.ERROR]


_JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=70)
    | st.sampled_from(["b2b_de", "C-1001", "LAMP-01", "browse", "checkout", "flagged", "EUR", "1"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["sku", "quantity", "unit", "magento_id", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
_MEMBERS = st.sampled_from(
    ["market", "customer", "lines", "mode", "currency", "wait_ms", "accept", "extra"]
)
_GOOD: dict[str, Any] = {
    "market": MARKET,
    "customer": "C-1001",
    "lines": [LINE, {"sku": "LAMP-02", "unit": "BOX"}],
    # Short: what is under test is the refusal, not the patience.
    "wait_ms": 200,
}


@st.composite
def mutated_bodies(draw: st.DrawFn) -> bytes:
    """Good bodies with members exchanged, and sometimes bytes of them as well."""
    content = {**_GOOD, **draw(st.dictionaries(_MEMBERS, _JSON_VALUES, max_size=3))}
    if draw(st.booleans()):
        index = draw(st.integers(0, 1))
        lines = [dict(each) for each in _GOOD["lines"]]
        lines[index].update(
            draw(
                st.dictionaries(
                    st.sampled_from(["sku", "quantity", "unit", "x"]), _JSON_VALUES, max_size=2
                )
            )
        )
        content["lines"] = lines
    sent = json.dumps(content).encode()
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(sent)))
        sent = sent[:at] + draw(st.binary(max_size=3)) + sent[at + draw(st.integers(0, 2)) :]
    return sent


async def test_no_body_at_all_yields_a_server_error(running: Running) -> None:
    """Three hundred bodies that nobody thought of, sent while the ERP is well."""
    bodies: list[bytes] = []

    @settings(
        max_examples=300,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated_bodies())
    def collect(sent: bytes) -> None:
        bodies.append(sent)

    collect()
    statuses = []
    for sent in bodies:
        answer = await running.post(sent, headers=JSON)
        assert answer.status < 500, (sent, answer.text)
        assert answer.headers["Cache-Control"] == "private, no-store"
        statuses.append(answer.status)

    assert len(bodies) >= 300
    # The bodies are neither all good nor all beyond recognition.
    assert {200, 400, 422} <= set(statuses)
