"""The real sandbox on free ports, and `d365-sync check` of a configuration that points at it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from pricing_proxy.clock import SystemClock
from pricing_proxy.diagnosis.board import Finding
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Report
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.sandbox.shop.dials import ShopDials
from sync.check.run import run_checks
from sync.settings import SyncSettings
from tests.check.patience import CALM, red_rows
from tests.integration.sync_running import sync_settings
from tests.sandbox.conftest import settings as sandbox_settings

SMALL = CatalogSize(skus=60, customers=8)
# Open to every user on the way there, and never made: the check makes nothing.
_NEVER_MADE = str(Path(gettempdir()) / "never-made-by-a-check")


@dataclass
class CheckedWorld:
    """A sandbox, and the configuration that is checked against it."""

    sandbox: Sandbox
    settings: SyncSettings

    async def turn(self, system: str, dials: Mapping[str, Any]) -> None:
        """Turn dials of a system; those that are not named go back."""
        is_shop = system == "magento"
        dialled = ShopDials(account_attribute=True) if is_shop else Dials()
        healthy = {**dialled.members(), "latency_ms": 5}
        # The dials take lists, as their JSON does.
        turned = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in {**healthy, **dials}.items()
        }
        self.sandbox.systems[system].dials.patch(turned)
        await self.sandbox.apply_dead(system)

    async def check(self, settings: SyncSettings | None = None, *, limits: Limits = CALM) -> Report:
        """Return what the check finds."""
        return await run_checks(
            settings or self.settings,
            clock=SystemClock(),
            limits=limits,
            on_progress=lambda _: None,
        )

    async def failed(self, *expected: str, limits: Limits = CALM) -> dict[str, Finding]:
        """Return the red rows of a check, looking again where times are judged."""
        return await red_rows(lambda limits: self.check(limits=limits), *expected, limits=limits)

    def with_sync(self, section: str, **members: Any) -> SyncSettings:
        """Return the settings with members of a section of `sync` changed."""
        document = self.settings.model_dump(mode="python")
        document["sync"][section].update(members)
        return SyncSettings.model_validate(document)


@asynccontextmanager
async def checked_world(folder: Path, **sync: Any) -> AsyncIterator[CheckedWorld]:
    """Start the sandbox; PostgreSQL would be an embedded one that was never started."""
    async with Sandbox(sandbox_settings(folder, size=SMALL, account_attribute=True)) as sandbox:
        sync = {"postgres": {"data_directory": _NEVER_MADE}, **sync}
        settings = sync_settings(sandbox, "embedded", **sync)
        yield CheckedWorld(sandbox, settings)
