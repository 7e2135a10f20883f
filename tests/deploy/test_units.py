"""systemd's units: what must not loop does not, and nothing is killed that could end."""

from collections import defaultdict

import pytest

from pricing_proxy.exit_codes import Exit
from pricing_proxy.listening.listener import _DRAIN_SECONDS
from pricing_proxy.serve.application import _LAST_LOADS_SECONDS
from pricing_proxy.settings import Service
from sync.engine.workers import _GRACE_SECONDS
from tests.deploy.files import DEPLOY

MARGIN_SECONDS = 3
UNITS = ("pricing-proxy", "d365-sync")


def unit(name: str) -> dict[str, list[str]]:
    """Return the values of a unit by their names."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    text = (DEPLOY / "systemd" / f"{name}.service").read_text(encoding="utf-8")
    for line in text.splitlines():
        key, is_value, value = line.partition("=")
        if is_value and not line.startswith("#"):
            found[key].append(value)
    return found


def test_what_only_a_person_can_change_does_not_loop() -> None:
    """Both codes come at once and for ever; anything else may pass."""
    assert unit("pricing-proxy")["RestartPreventExitStatus"] == [f"{Exit.MISTAKEN}"]
    assert unit("d365-sync")["RestartPreventExitStatus"] == [f"{Exit.MISTAKEN} {Exit.UNCONFIRMED}"]


@pytest.mark.parametrize("name", UNITS)
def test_whatever_else_ends_it_is_tried_again_for_ever(name: str) -> None:
    found = unit(name)
    assert found["Restart"] == ["on-failure"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert int(found["RestartSec"][0]) >= 1


def test_each_program_has_the_time_to_end_that_it_needs() -> None:
    leaving = Service().shutdown_seconds + _DRAIN_SECONDS + _LAST_LOADS_SECONDS
    assert int(unit("pricing-proxy")["TimeoutStopSec"][0]) >= leaving + MARGIN_SECONDS
    needed = _GRACE_SECONDS + _DRAIN_SECONDS
    assert int(unit("d365-sync")["TimeoutStopSec"][0]) >= needed + MARGIN_SECONDS


@pytest.mark.parametrize("name", UNITS)
def test_it_runs_as_a_user_without_rights(name: str) -> None:
    found = unit(name)
    assert found["User"] == ["pricing-proxy"]
    assert found["CapabilityBoundingSet"] == [""]
    assert found["NoNewPrivileges"] == ["yes"]
    assert found["ProtectSystem"] == ["strict"]


def test_keys_are_taken_anew_by_a_reload_where_the_program_does_so() -> None:
    assert "-HUP" in unit("pricing-proxy")["ExecReload"][0]
    assert unit("d365-sync")["ExecReload"] == []
