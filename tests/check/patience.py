"""Look at systems without judging the machine that the test runs on.

Only tests about slowness or silence judge times. All others give systems so long that no
machine is too busy for them. And those that do judge times look at their own row only: that
other rows about time are green cannot be asked of a machine that others use as well.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from pricing_proxy.diagnosis.board import Finding, RowState
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Report

_NEVER = timedelta(minutes=1)
CALM = Limits(
    wait=_NEVER, total=_NEVER, sampling=_NEVER, entra_slow=_NEVER, erp_slow=_NEVER, unsteady=_NEVER
)
"""For everything but time: nothing is slow."""
SILENT = Limits(
    wait=timedelta(milliseconds=1500),
    total=timedelta(seconds=10),
    sampling=timedelta(milliseconds=300),
    entra_slow=_NEVER,
    erp_slow=_NEVER,
    unsteady=_NEVER,
)
"""For systems that never answer."""
HURRIED = Limits(
    wait=timedelta(seconds=4),
    total=timedelta(seconds=12),
    sampling=timedelta(seconds=2),
    entra_slow=timedelta(milliseconds=500),
    erp_slow=timedelta(milliseconds=500),
    unsteady=timedelta(milliseconds=400),
)
"""For slow and unsteady systems."""

LOOKS = 8
"""A machine would have to stop everything at just the wrong moment of each."""

_OF_DIALS = {"latency_ms": HURRIED, "latency_spread_ms": HURRIED, "black_hole": SILENT}


def limits_for(dials: Mapping[str, object]) -> Limits:
    """Return the limits by which turned dials are judged."""
    return next((_OF_DIALS[name] for name in dials if name in _OF_DIALS), CALM)


def findings(report: Report) -> dict[str, Finding]:
    """Return all rows by name."""
    return {row.name: row.finding for board in report.boards for row in board.rows()}


def red(report: Report) -> dict[str, Finding]:
    """Return the red rows; each has something to tell and a next step."""
    failed = {
        name: found for name, found in findings(report).items() if found.state is RowState.FAILED
    }
    assert all(found.found and found.next_step for found in failed.values())
    assert bool(failed) is not report.is_ok
    return failed


async def red_rows(
    check: Callable[[Limits], Awaitable[Report]], *expected: str, limits: Limits
) -> dict[str, Finding]:
    """Return the red rows of a check: where times are judged, without others about time."""
    failed: dict[str, Finding] = {}
    for _ in range(1 if limits is CALM else LOOKS):
        failed = red(await check(limits))
        if limits is not CALM:
            failed = {
                name: found
                for name, found in failed.items()
                if name in expected or not _is_about_time(name, found)
            }
        if set(failed) == set(expected):
            break
    return failed


def _is_about_time(name: str, finding: Finding) -> bool:
    return name.endswith((" latency", " latency steady")) or " in time" in finding.found
