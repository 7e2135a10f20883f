"""The real sandbox on free ports, and `d365-sync check` of a configuration that points at it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from pricing_proxy.clock import SystemClock
from pricing_proxy.diagnosis.board import Finding, State
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Report
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.server import Sandbox
from sync.check.run import run_checks
from sync.settings import SyncSettings
from tests.integration.sync_running import sync_settings
from tests.sandbox.conftest import settings as sandbox_settings

SMALL = CatalogSize(skus=60, customers=8)
# Wide apart, so that a busy machine turns no row red that a dial did not.
LIMITS = Limits(
    wait=timedelta(milliseconds=1500),
    total=timedelta(seconds=10),
    sampling=timedelta(milliseconds=300),
    entra_slow=timedelta(milliseconds=500),
    erp_slow=timedelta(milliseconds=500),
    unsteady=timedelta(milliseconds=400),
)

# Open to every user on the way there, and never made: the check makes nothing.
_NEVER_MADE = str(Path(gettempdir()) / "never-made-by-a-check")
_LOOKS = 3


@dataclass
class CheckedWorld:
    """A sandbox, and the configuration that is checked against it."""

    sandbox: Sandbox
    settings: SyncSettings

    async def turn(self, system: str, dials: Mapping[str, Any]) -> None:
        """Turn dials of a system; those that are not named go back."""
        healthy = Dials(latency_ms=5).members()
        # The dials take lists, as their JSON does.
        turned = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in {**healthy, **dials}.items()
        }
        self.sandbox.systems[system].dials.patch(turned)
        await self.sandbox.apply_dead(system)

    async def check(self, settings: SyncSettings | None = None, *, looks: int = _LOOKS) -> Report:
        """Return what the check finds.

        A machine that stops everything for a second looks like a slow system: rows that are
        red about time are looked at again, so many `looks` in all.
        """
        while True:
            looks -= 1
            report = await run_checks(
                settings or self.settings,
                clock=SystemClock(),
                limits=LIMITS,
                on_progress=lambda _: None,
            )
            if looks < 1 or not any(map(_is_about_time, red(report).items())):
                return report

    async def failed(self, *expected: str) -> dict[str, Finding]:
        """Return the red rows of a check.

        A machine that stops everything for a second looks like a slow system, or like one
        that does not answer, so what is not as `expected` is looked at again: whatever a dial
        or a defect turns red stays red.
        """
        failed: dict[str, Finding] = {}
        for _ in range(_LOOKS):
            failed = red(await self.check(looks=1))
            if set(failed) == set(expected):
                break
        return failed

    def with_sync(self, section: str, **members: Any) -> SyncSettings:
        """Return the settings with members of a section of `sync` changed."""
        document = self.settings.model_dump(mode="python")
        document["sync"][section].update(members)
        return SyncSettings.model_validate(document)


def findings(report: Report) -> dict[str, Finding]:
    """Return all rows by name."""
    return {row.name: row.finding for board in report.boards for row in board.rows()}


def _is_about_time(row: tuple[str, Finding]) -> bool:
    name, finding = row
    return name.endswith((" latency", " latency steady")) or " in time" in finding.found


def red(report: Report) -> dict[str, Finding]:
    """Return the red rows; each has something to tell and a next step."""
    failed = {
        name: found for name, found in findings(report).items() if found.state is State.FAILED
    }
    assert all(found.found and found.next_step for found in failed.values())
    assert bool(failed) is not report.is_ok
    return failed


@asynccontextmanager
async def checked_world(folder: Path, **sync: Any) -> AsyncIterator[CheckedWorld]:
    """Start the sandbox; PostgreSQL would be an embedded one that was never started."""
    async with Sandbox(sandbox_settings(folder, size=SMALL)) as sandbox:
        sync = {"postgres": {"data_directory": _NEVER_MADE}, **sync}
        settings = sync_settings(sandbox, "embedded", **sync)
        yield CheckedWorld(sandbox, settings)
