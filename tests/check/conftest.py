"""The real sandbox on free ports, settings that point at it, and a check of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from pricing_proxy.check.run import run_checks
from pricing_proxy.clock import SystemClock
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Report
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.entra import TENANT
from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from pricing_proxy.settings import Settings
from tests.check.patience import CALM


@dataclass
class World:
    """A sandbox, and the configuration that is checked against it."""

    sandbox: Sandbox
    document: dict[str, Any]

    @property
    def environment(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.document["environments"]["sandbox"])

    @property
    def market(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.document["markets"]["b2b_de"])

    async def turn(self, system: str, **dials: Any) -> None:
        self.sandbox.systems[system].dials.patch(dials)
        await self.sandbox.apply_dead(system)

    async def check(self, limits: Limits = CALM) -> Report:
        return await run_checks(
            Settings.model_validate(self.document),
            clock=SystemClock(),
            limits=limits,
            on_progress=lambda _: None,
        )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings = SandboxSettings(
        state_dir=tmp_path,
        size=CatalogSize(skus=60, customers=8),
        latency_ms=5,
        entra_latency_ms=5,
    )
    async with Sandbox(settings) as sandbox:
        yield World(sandbox, _document(sandbox))


def _document(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "environments": {
            "sandbox": {
                "url": sandbox.fo_url,
                "tenant": TENANT,
                "authority": sandbox.authority.removesuffix(f"/{TENANT}"),
                "ca_file": str(sandbox.ca_file),
                "time_zone": "Europe/Berlin",
                "pricing_client_id": "demo-pricing",
                "pricing_client_secret": "demo-pricing-secret",
            }
        },
        "markets": {
            "b2b_de": {
                "environment": "sandbox",
                "legal_entity": "demf",
                "currency": "EUR",
                "currencies": ["EUR", "USD", "CHF"],
                "probe_customer": "C-1001",
                "probe_skus": [f"LAMP-{number:02}" for number in range(1, 25)],
            }
        },
    }
