"""A sandbox on free ports that answers at once, and a client that is signed in to its F&O."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from pricing_proxy.sandbox.wire import from_json
from tests.virtual_time import ManualClock


def settings(tmp_path: Path, **more: Any) -> SandboxSettings:
    return SandboxSettings(state_dir=tmp_path, latency_ms=0, entra_latency_ms=0, **more)


def line(sku: str, quantity: object = 1, **more: Any) -> dict[str, Any]:
    return {"ref": sku, "itemNumber": sku, "unit": "PCS", "quantity": quantity, **more}


@dataclass
class Client:
    """Speaks to a sandbox's ports; F&O's calls carry a token."""

    sandbox: Sandbox
    session: ClientSession
    token: str = ""

    async def sign_in(self, **form: str) -> ClientResponse:
        """Ask Entra ID for a token, as the pricing app unless told otherwise."""
        fields = {
            "grant_type": "client_credentials",
            "client_id": "demo-pricing",
            "client_secret": "demo-pricing-secret",
            "scope": f"{self.sandbox.fo_url}/.default",
            **form,
        }
        address = f"{self.sandbox.authority}/oauth2/v2.0/token"
        trust = ssl.create_default_context(cafile=str(self.sandbox.ca_file))
        answer = await self.session.post(address, data=fields, ssl=trust)
        body = await answer.json()
        self.token = body.get("access_token", self.token)
        return answer

    async def get(self, path: str, **query: str) -> ClientResponse:
        return await self.session.get(
            f"{self.sandbox.fo_url}{path}", params=query, headers=self.headers
        )

    async def rows(self, entity_set: str, **options: str) -> Any:
        """Return the JSON of a query over all companies; `filter` stands for `$filter`."""
        query = {f"${name}": value for name, value in options.items()}
        answer = await self.get(f"/data/{entity_set}", **query, **{"cross-company": "true"})
        assert answer.status == 200, await answer.text()
        return from_json(await answer.read())

    async def ask_prices(self, *lines: dict[str, Any], **request: Any) -> ClientResponse:
        whole = {
            "dataAreaId": "demf",
            "customerAccount": "C-1001",
            "currency": "EUR",
            "date": "2026-11-23",
            "lines": lines,
            **request,
        }
        return await self.post_prices({"_request": whole})

    async def post_prices(self, body: Any) -> ClientResponse:
        path = "/api/services/PricingProxyServiceGroup/PricingProxyService/getPrices"
        address = f"{self.sandbox.fo_url}{path}"
        return await self.session.post(address, json=body, headers=self.headers)

    async def priced(self, *lines: dict[str, Any], **request: Any) -> list[dict[str, Any]]:
        answer = await self.ask_prices(*lines, **request)
        assert answer.status == 200, await answer.text()
        return list(from_json(await answer.read())["lines"])

    async def control(self, method: str, path: str, body: Any = None) -> ClientResponse:
        address = f"{self.sandbox.control_url}/systems/{path}"
        return await self.session.request(method, address, json=body)

    async def turn(self, system: str, **dials: Any) -> Any:
        answer = await self.control("PATCH", f"{system}/dials", dials)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def calls(self, system: str) -> Any:
        return await (await self.control("GET", f"{system}/calls")).json()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def sandbox(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(settings(tmp_path, page_size=50), clock=clock) as running:
        yield running


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[Client]:
    async with ClientSession() as session:
        signed_in = Client(sandbox, session)
        await signed_in.sign_in()
        yield signed_in
