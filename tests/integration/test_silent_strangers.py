"""120 connections that say nothing, against programs that may open 128 files."""

import asyncio
import hashlib
import hmac
import json
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from pricing_proxy.children import tied
from pricing_proxy.sandbox.server import Sandbox
from tests.integration.sync_running import (
    INTAKE_SECRET,
    MARKET,
    ORDER_RULES,
    STORE,
    WEBSITE,
    Placing,
    sync_settings,
)
from tests.listening.raw import chunked, request, wire
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.conftest import settings as sandbox_settings
from tests.services import redis_url
from tests.sync_console.between_systems import configured
from tests.wire.callers import CUSTOMERS, KEYS, SKUS
from tests.wire.messages import Page, body_of
from tests.wire.service import Service, service
from tests.wire.silence import FILES, files_at_most, strangers

__all__ = ["redis_url"]

PAGES = 300
ORDERS = 5


async def statuses(running: Service) -> tuple[list[int], list[float], str]:
    """Ask for pages and health, each over a new connection.

    Returns:
        All statuses, how long pages took, and the metrics at the end.
    """
    found, took, told = [], [], ""
    public, admin = (f"http://127.0.0.1:{port}" for port in (running.public, running.admin))
    headers = {"X-API-Key": KEYS[0], "Content-Type": "application/json"}
    body = body_of(Page(CUSTOMERS[0], tuple((sku, "1") for sku in SKUS)))
    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
        for _ in range(PAGES):
            began = time.monotonic()
            async with session.post(f"{public}/v1/prices", data=body, headers=headers) as answer:
                await answer.read()
                took.append(time.monotonic() - began)
                found.append(answer.status)
            for address in (f"{public}/health/ready", f"{admin}/health/live", f"{admin}/metrics"):
                async with session.get(address) as answer:
                    told = await answer.text()
                    found.append(answer.status)
    return found, took, told


def test_strangers_keep_no_caller_and_no_health_check_from_the_price_service(
    tmp_path: Path, redis_url: str
) -> None:
    with (
        service(tmp_path, files=FILES, redis_url=redis_url) as running,
        strangers(running.public),
        strangers(running.admin),
    ):
        found, took, told = asyncio.run(statuses(running))
        for port in (running.public, running.admin):
            asyncio.run(ends_after_a_chunked_request(port))
        log = running.log.read_text(encoding="utf-8")
    assert found == [200] * 4 * PAGES
    shown = 'pricing_proxy_connections_closed_total{listener="public",reason="gave_way"}'
    assert f"{shown} " in told
    assert f"{shown} 0.0" not in told
    print(f"p99 of {PAGES} pages: {sorted(took)[-PAGES // 100] * 1000:.1f} ms")  # noqa: T201 -- for whoever measures
    assert "only 128 files may be open" in log
    assert "Too many open files" not in log


async def test_strangers_keep_no_order_from_the_erp(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = {
        "website_id": WEBSITE,
        "store_ids": [STORE],
        "orders": ORDER_RULES,
        "customers": {"group": {"*": "10"}},
    }
    async with Sandbox(sandbox_settings(tmp_path)) as sandbox, ClientSession() as control:
        systems = Placing(sandbox, control)
        more = {
            "markets": {MARKET: market},
            "operators": {"port": 0},
            "intake": {"port": 0},
            "metrics": {"host": "127.0.0.1", "port": 0},
        }
        settings = sync_settings(sandbox, database_url, **more)
        monkeypatch.setenv("PRICING_PROXY_SYNC__INTAKE__SECRET", INTAKE_SECRET)
        file = configured(tmp_path, settings, monkeypatch).file
        with files_at_most(FILES):
            program = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "sync", "run", "--yes", "--config", str(file)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                **tied(),
            )
        try:
            intake, operators, metrics, said = await ports(program)
            with strangers(intake), strangers(operators):
                for port in (intake, operators, metrics):
                    await ends_after_a_chunked_request(port)
                for _ in range(ORDERS):
                    [number] = await systems.place(1, kind="simple")
                    began = time.monotonic()
                    assert await hint(control, intake, sandbox, number) == 202
                    for port in (intake, operators, metrics):
                        address = f"http://127.0.0.1:{port}/health/live"
                        async with control.get(address) as answer:
                            assert answer.status == 200
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await systems.arrived(number)
                    print(f"delivered after {time.monotonic() - began:.2f} s")  # noqa: T201 -- as above
        finally:
            program.send_signal(signal.SIGTERM)
            rest, _ = await program.communicate()
    assert b"Too many open files" not in said + rest


async def ends_after_a_chunked_request(port: int) -> None:
    """No listener of either program answers what stands behind chunks."""
    async with wire(port) as line:
        last = chunked(b"{}", path="/nope", trailers=("X-API-Key: another's",))
        await line.send(last + request("GET", "/health/live"))
        [heard] = await line.answers_to_the_end()
    assert (heard.status, heard.closes) == (404, True)
    assert "nosniff" in heard.head
    assert "Content-Security-Policy" in heard.head


async def ports(program: asyncio.subprocess.Process) -> tuple[int, int, int, bytes]:
    """Return where the program listens, and what it said."""
    assert program.stdout is not None
    said = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while b"carrying " not in said:
            line = await program.stdout.readline()
            assert line, said.decode()
            said += line
    intake = re.search(rb"hearing hints on port (\d+)", said)
    operators = re.search(rb"state and metrics on port (\d+)", said)
    assert intake is not None
    metrics = re.search(rb"metrics on port (\d+), without a login", said)
    assert operators is not None
    assert metrics is not None
    return int(intake[1]), int(operators[1]), int(metrics[1]), said


async def hint(session: ClientSession, port: int, sandbox: Sandbox, number: str) -> int:
    """Tell of an order as the shop does; return the status."""
    orders = sandbox.shop.orders
    entity_id = next(key for key, order in orders.items() if order["increment_id"] == number)
    body = json.dumps({"type": "order.placed", "entity_id": entity_id}).encode()
    stamp, event_id = str(int(time.time())), f"e-{entity_id}"
    signed = f"{stamp}.{event_id}.".encode() + body
    digest = hmac.new(INTAKE_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Timestamp": stamp,
        "X-Event-Id": event_id,
        "X-Signature": f"sha256={digest}",
    }
    address = f"http://127.0.0.1:{port}/v1/events/magento"
    async with session.post(address, data=body, headers=headers) as answer:
        return answer.status
