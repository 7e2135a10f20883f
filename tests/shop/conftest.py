"""A sandbox that answers at once, the real client to its shop, and the control port."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from yarl import URL

from pricing_proxy.clock import Clock, SystemClock
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS, Integration
from sync.magento.auth import Credentials, authorization
from sync.magento.shop import Shop
from sync.magento.way import shop_way
from tests.magento.loopback import section


def credentials_of(integration: Integration) -> Credentials:
    return Credentials(
        consumer_key=integration.consumer_key,
        consumer_secret=integration.consumer_secret,
        token=integration.token,
        token_secret=integration.token_secret,
    )


CREDENTIALS = credentials_of(INTEGRATIONS[0])
SALES_ONLY = credentials_of(INTEGRATIONS[1])


@dataclass
class Answer:
    """What came back, read."""

    status: int
    content_type: str
    body: Any
    headers: dict[str, str]


@dataclass
class Wire:
    """Sends raw requests to the shop, and orders to the control port."""

    sandbox: Sandbox
    session: ClientSession
    clock: Clock
    nonces: int = 0

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        credentials: Credentials | None = CREDENTIALS,
        **oauth: Any,
    ) -> Answer:
        """Send a request as it is written, signed unless told otherwise."""
        url = self.sandbox.magento_url + path
        sent = {"Accept": "application/json"}
        if body is not None:
            sent["Content-Type"] = "application/json"
        if credentials is not None:
            self.nonces += 1
            fields: dict[str, Any] = {
                "nonce": f"nonce{self.nonces}",
                "timestamp": int(self.clock.utc().timestamp()),
                **oauth,
            }
            sent["Authorization"] = authorization(credentials, method=method, url=url, **fields)
        sent |= headers or {}
        data = body if isinstance(body, str | None) else json.dumps(body, default=float)
        async with self.session.request(
            method,
            URL(url, encoded=True),
            data=None if data is None else data.encode(),
            headers=sent,
            skip_auto_headers=["Content-Type", "Accept"],
        ) as answer:
            text = await answer.text()
            kind = answer.headers["Content-Type"]
            read = json.loads(text) if "json" in kind else text
            return Answer(answer.status, kind, read, dict(answer.headers))

    async def place(self, **members: Any) -> list[dict[str, Any]]:
        """Place orders through the control port."""
        address = f"{self.sandbox.control_url}/systems/magento/orders"
        async with self.session.post(address, json=members) as answer:
            assert answer.status == 201, await answer.text()
            placed: list[dict[str, Any]] = (await answer.json())["orders"]
            return placed

    async def turn(self, **dials: Any) -> None:
        """Turn the shop's dials."""
        address = f"{self.sandbox.control_url}/systems/magento/dials"
        async with self.session.patch(address, json=dials) as answer:
            assert answer.status == 200, await answer.text()


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    # Small, but with a product of each family.
    size = CatalogSize(skus=60, customers=3)
    settings = SandboxSettings(state_dir=tmp_path, latency_ms=0, entra_latency_ms=0, size=size)
    async with Sandbox(settings) as running:
        yield running


@pytest.fixture
async def wire(sandbox: Sandbox) -> AsyncIterator[Wire]:
    async with ClientSession() as session:
        yield Wire(sandbox, session, SystemClock())


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[Shop]:
    async with shop_way(
        section(sandbox.magento_url, CREDENTIALS, timeout_seconds=5), clock=SystemClock()
    ) as client:
        yield client
