"""The real application over the real sandbox, by HTTP, inside the test's own loop.

async with running_service(tmp_path) as running:
answer = await running.ask(["LAMP-01"])
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.api_keys import hash_of
from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from pricing_proxy.serve.application import application
from pricing_proxy.serve.run import listen
from pricing_proxy.settings import Settings
from tests.patience import PATIENCE_SECONDS, seconds_kept_waiting

KEY = "the key of the integration tests"
FORGETTING_KEY = "the key that may forget everything"
REVOKED_KEY = "the key that was revoked"
READER_KEY = "the key that opens no prices"
MARKET = "b2b_de"
PAGE = "https://shop.example.com"
# Far longer than any answer may take: what hangs fails by this.
_PATIENCE = ClientTimeout(total=PATIENCE_SECONDS)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    content: Any
    text: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Running:
    """The running service and what it runs over."""

    sandbox: Sandbox
    session: ClientSession
    public: str
    admin: str
    metrics: str | None

    async def ask(
        self, skus: Sequence[str] = ("LAMP-01",), *, quantity: str = "10", **members: Any
    ) -> Answer:
        """Ask for some SKUs' prices."""
        lines = [{"sku": sku, "quantity": quantity} for sku in skus]
        return await self.post({"market": MARKET, "customer": "C-1001", "lines": lines, **members})

    async def warm(self, skus: Sequence[str] = ("LAMP-01",), **members: Any) -> Answer:
        """Ask with the patience to get an answer on a busy machine."""
        answer = await self.ask(skus, wait_ms=5000, **members)
        assert answer.status == 200, answer.text
        assert answer.content["complete"], answer.text
        return answer

    async def post(
        self,
        content: Any,
        *,
        path: str = "/v1/prices",
        key: str | None = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send JSON, or bytes as they are, to the public listener."""
        return await self._send("POST", f"{self.public}{path}", content, key, headers)

    async def post_admin(
        self, content: Any, *, path: str = "/v1/invalidations", key: str = KEY
    ) -> Answer:
        """The same to the admin listener."""
        return await self._send("POST", f"{self.admin}{path}", content, key, None)

    async def get(self, path: str, *, key: str | None = KEY) -> Answer:
        """Read from the public listener."""
        return await self._send("GET", f"{self.public}{path}", None, key, None)

    async def status(self) -> Any:
        """Return what `/status` says."""
        return (await self._send("GET", f"{self.admin}/status", None, KEY, None)).content

    async def turn(self, system: str, **dials: Any) -> None:
        """Turn dials through the control port."""
        address = f"{self.sandbox.control_url}/systems/{system}/dials"
        async with self.session.patch(address, json=dials) as answer:
            assert answer.status == 200, await answer.text()

    async def post_price(self, **members: Any) -> None:
        """Post a price in the ERP."""
        address = f"{self.sandbox.control_url}/systems/fo/prices"
        async with self.session.post(address, json=members) as answer:
            assert answer.status == 201, await answer.text()

    def price_calls(self) -> int:
        """Return how many price batches the ERP has read."""
        return self.sandbox.systems["fo"].calls.counts()["operations"].get("price_batch", 0)

    def forget_calls(self) -> None:
        """Count the ERP's calls anew."""
        self.sandbox.systems["fo"].calls.reset()

    async def _send(
        self,
        method: str,
        address: str,
        content: Any,
        key: str | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        loop = asyncio.get_running_loop()
        sent = {} if key is None else {"X-API-Key": key}
        if content is None:
            body: dict[str, Any] = {}
        else:
            body = {"data" if isinstance(content, bytes) else "json": content}
        began = loop.time() - seconds_kept_waiting()
        async with self.session.request(
            method,
            address,
            headers={**sent, **(headers or {})},
            **({} if content is None else body),
        ) as answer:
            return await _read(answer, began)


async def _read(answer: ClientResponse, began: float) -> Answer:
    text = await answer.text()
    seconds = asyncio.get_running_loop().time() - seconds_kept_waiting() - began
    is_json = "json" in answer.content_type
    content = await answer.json(content_type=None) if is_json else None
    return Answer(answer.status, answer.headers, content, text, seconds)


@asynccontextmanager
async def running_service(
    folder: Path,
    *,
    redis: Mapping[str, Any] | None = None,
    service: Mapping[str, Any] | None = None,
    freshness: Mapping[str, Any] | None = None,
    storefront: Mapping[str, Any] | None = None,
    connections: int = 100,
) -> AsyncIterator[Running]:
    """Start sandbox and service on free ports, ready to serve; end both on exit."""
    sizes = SandboxSettings(state_dir=folder, latency_ms=2, entra_latency_ms=0)
    async with Sandbox(sizes) as sandbox:
        settings = _settings(sandbox, redis or {}, service or {}, freshness or {}, storefront)
        async with serving(sandbox, settings, connections=connections) as running:
            yield running


@asynccontextmanager
async def serving(
    sandbox: Sandbox, settings: Settings, *, connections: int = 100, is_ready: bool = True
) -> AsyncIterator[Running]:
    """Start the service between a sandbox that runs and its callers, ready to serve if it can."""
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(application(settings, clock=SystemClock()))
        ports = await listen(app, settings, stack)
        session = await stack.enter_async_context(
            ClientSession(timeout=_PATIENCE, connector=TCPConnector(limit=connections))
        )
        running = Running(
            sandbox=sandbox,
            session=session,
            public=f"http://127.0.0.1:{ports.public}",
            admin=f"http://127.0.0.1:{ports.admin}",
            metrics=None if ports.metrics is None else f"http://127.0.0.1:{ports.metrics}",
        )
        if is_ready:
            await _until_ready(running)
        yield running


def settings_over(sandbox: Sandbox, redis_url: str) -> Settings:
    """Return the service's settings, with a Redis that others use too."""
    return _settings(sandbox, {"url": redis_url}, {}, {}, None)


def settings_of_two_markets(sandbox: Sandbox, redis_url: str, other: str) -> Settings:
    """Return the service's settings for the usual market and another of the same company."""
    document = _settings(sandbox, {"url": redis_url}, {}, {}, None).model_dump()
    usual = {**document["markets"][MARKET], "magento_customers": {}}
    document["markets"] = {MARKET: usual, other: usual}
    return Settings.model_validate(document)


def _settings(
    sandbox: Sandbox,
    redis: Mapping[str, Any],
    service: Mapping[str, Any],
    freshness: Mapping[str, Any],
    storefront: Mapping[str, Any] | None,
) -> Settings:
    authority, _, tenant = sandbox.authority.rpartition("/")
    listener = {"host": "127.0.0.1", "port": 0}
    return Settings.model_validate(
        {
            "environments": {
                "sandbox": {
                    "url": sandbox.fo_url,
                    "tenant": tenant,
                    "authority": authority,
                    "ca_file": sandbox.ca_file,
                    "time_zone": "Europe/Berlin",
                    "pricing_client_id": "demo-pricing",
                    "pricing_client_secret": "demo-pricing-secret",
                }
            },
            "markets": {
                MARKET: {
                    "environment": "sandbox",
                    "legal_entity": "demf",
                    "currency": "EUR",
                    "currencies": ["EUR", "USD", "CHF"],
                    "magento_customers": {1: "C-1001", 2: "C-1002", 3: "C-1003"},
                    "freshness": freshness,
                    "storefront_origins": [PAGE],
                }
            },
            "redis": redis,
            "storefront": storefront,
            "service": {"public": listener, "admin": listener, **service},
            "api_keys": [
                _key("shop", KEY, "prices", "login", "explain", "invalidate", "operate"),
                _key("forgetting", FORGETTING_KEY, "invalidate", "invalidate_all_hard"),
                _key("reader", READER_KEY, "invalidate_all_hard"),
                {**_key("former", REVOKED_KEY, "prices"), "revoked": True},
            ],
        }
    )


def _key(name: str, text: str, *scopes: str) -> dict[str, Any]:
    return {"name": name, "sha256": hash_of(text), "scopes": list(scopes)}


async def _until_ready(running: Running) -> None:
    async def is_ready() -> bool:
        return (await running.get("/health/ready", key=None)).status == 200

    await until(is_ready)


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Return when the condition holds; fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 -- over HTTP there is nothing to wait on
            await asyncio.sleep(0.02)
