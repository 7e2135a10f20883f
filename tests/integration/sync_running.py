"""The real sync between the simulated shop and the simulated ERP, with a database of its own.

async with running_sync(folder, database_url) as world:
[number] = await world.place()
await world.arrived(number)
"""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.demo import sync_plan
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS
from sync.given import Given
from sync.serve.application import Running, running
from sync.serve.building import given_of
from sync.serve.systems import systems
from sync.settings import SyncSettings
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.conftest import settings as sandbox_settings

MARKET = "b2b_de"
STORE, WEBSITE = 3, 3
INTAKE_SECRET = "a secret of the sandbox's shop"
_TABLE = f"[sync.markets.{MARKET}.orders]\n"
ORDER_RULES: Mapping[str, Any] = tomllib.loads(_TABLE + sync_plan.ORDER_RULES)["sync"]["markets"][
    MARKET
]["orders"]
# The simulated shop's first customers, and whose they are in the ERP.
KNOWN: Mapping[int, str] = {1: "C-1001", 2: "C-1002", 3: "C-1003"}
ADDRESS: Mapping[str, Any] = {
    "firstname": "Nora",
    "lastname": "Neu",
    "company": "Neue Leuchten GmbH",
    "street": ["Lange Gasse 5"],
    "city": "Ulm",
    "postcode": "89073",
    "country_id": "DE",
    "telephone": "0731 1",
    "default_billing": True,
    "default_shipping": True,
}


@dataclass
class Placing:
    """Two systems, and what a test does to them."""

    sandbox: Sandbox
    control: ClientSession

    async def place(self, count: int = 1, **members: Any) -> list[str]:
        """Place orders in the shop and return their numbers."""
        address = f"{self.sandbox.control_url}/systems/magento/orders"
        body = {"count": count, **members}
        async with self.control.post(address, json=body) as answer:
            assert answer.status == 201, await answer.text()
            return [order["increment_id"] for order in (await answer.json())["orders"]]

    def register(self, email: str, *, website: int = WEBSITE, **members: Any) -> int:
        """Register a customer in the shop, with an address, and return the id."""
        customer = {
            "email": email,
            "firstname": "Nora",
            "lastname": "Neu",
            "website_id": website,
            "store_id": website,
            "addresses": [ADDRESS],
        }
        return int(self.sandbox.shop.customers.create({**customer, **members})["id"])

    async def dial(self, system: str, **members: Any) -> None:
        """Turn a system's dials."""
        address = f"{self.sandbox.control_url}/systems/{system}/dials"
        async with self.control.patch(address, json=members) as answer:
            assert answer.status == 200, await answer.text()

    def erp_orders(self) -> dict[str, Any]:
        """Return the ERP's released orders by reference; each must be there once."""
        released = [
            order for order in self.sandbox.documents.orders.told() if not order["is_stopped"]
        ]
        found = {order["reference"]: order for order in released}
        assert len(found) == len(released)
        return found

    async def until(
        self, is_so: Callable[[], Awaitable[bool]], *, seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not await is_so():  # noqa: ASYNC110 -- the systems tell nobody
                await asyncio.sleep(0.05)

    async def arrived(self, *numbers: str) -> None:
        """Wait until orders are in the ERP."""

        async def are_there() -> bool:
            return set(numbers) <= set(self.erp_orders())

        await self.until(are_there)


@dataclass
class World(Placing):
    """Two systems, and the sync between them."""

    running: Running


def sync_settings(sandbox: Sandbox, database_url: str, **sync: Any) -> SyncSettings:
    """Return a configuration between the simulated systems."""
    integration = INTEGRATIONS[0]
    authority, _, tenant = sandbox.authority.rpartition("/")
    environment = {
        "url": sandbox.fo_url,
        "tenant": tenant,
        "authority": authority,
        "ca_file": str(sandbox.ca_file),
        "time_zone": "Europe/Berlin",
        "sync_client_id": "demo-sync",
        "sync_client_secret": "demo-sync-secret",
    }
    magento = {
        "url": sandbox.magento_url,
        "consumer_key": integration.consumer_key,
        "consumer_secret": integration.consumer_secret,
        "token": integration.token,
        "token_secret": integration.token_secret,
    }
    market = {
        "website_id": WEBSITE,
        "store_ids": [STORE],
        "orders": ORDER_RULES,
        "customers": {"group": {"*": "10"}},
        "returns": {"undelivered": "send", "disposition": "Credit"},
    }
    return SyncSettings.model_validate(
        {
            "environments": {"sandbox": environment},
            "markets": {
                MARKET: {
                    "environment": "sandbox",
                    "legal_entity": "demf",
                    "currency": "EUR",
                    "magento_customers": KNOWN,
                }
            },
            "sync": {
                "magento": magento,
                "postgres": {"url": database_url},
                "markets": {MARKET: market},
                "polling": {"every_seconds": 1},
                **sync,
            },
        }
    )


@asynccontextmanager
async def running_sync(folder: Path, database_url: str, **sync: Any) -> AsyncIterator[World]:
    """Start both systems and the sync; `sync` are members of its section."""
    async with (
        Sandbox(sandbox_settings(folder, account_attribute=True)) as sandbox,
        ClientSession() as control,
        running(sync_settings(sandbox, database_url, **sync), clock=SystemClock()) as parts,
    ):
        yield World(sandbox, control, parts)


@asynccontextmanager
async def followed(
    folder: Path, database_url: str, **sync: Any
) -> AsyncIterator[tuple[World, Given]]:
    """Run the sync, and what it is built out of once more, to have it look at once."""
    async with running_sync(folder, database_url, **sync) as world:
        settings = sync_settings(world.sandbox, database_url, **sync)
        async with systems(settings, clock=SystemClock()) as ways:
            yield world, given_of(settings, world.running.stores, ways, clock=SystemClock())


async def posted(world: World, order: str, action: str, **members: Any) -> Any:
    """Have something done to an order in the ERP's warehouse or bookkeeping."""
    address = f"{world.sandbox.control_url}/systems/fo/orders/{order}/{action}"
    async with world.control.post(address, json=members) as answer:
        assert answer.ok, await answer.text()
        return await answer.json()
