"""Which alerts fired in which phase, and whether they should have."""

import time
from typing import Any

import pytest

from tests.deploy.queries import rules
from tests.drill.judge import ERP_DEAD
from tests.drill.records import Phase
from tests.drill.watching import EXPECTED, MAY_FIRE, PACE, Fired, Watch, unexpected

NAMES = ("healthy", "brown-out", ERP_DEAD, "Redis dead", "recovery")
PHASES = [Phase(name=name, began=26.0 * n, ended=26.0 * (n + 1)) for n, name in enumerate(NAMES)]
AS_EXPECTED = {name: Fired("page", {phases[0]: 9.0}) for name, phases in EXPECTED.items()}


def test_phases_are_told_by_what_a_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    offset = time.time() - time.monotonic()

    def series(name: str, *instants: float) -> Any:
        values = [[offset + at, "1"] for at in instants]
        return {"metric": {"alertname": name, "severity": "page"}, "values": values}

    def asked(_: Watch, what: str, query: Any) -> Any:
        assert what == "query_range"
        assert query["end"] - query["start"] == pytest.approx(130)
        # Two of one alert, of two breakers; and one from before the first phase.
        found = [series("Open", 60, 61), series("Open", 30.04, 52.5, 78.5), series("Old", 0.1)]
        return {"result": found}

    monkeypatch.setattr(Watch, "_ask", asked)
    fired = Watch("http://127.0.0.1:1", PACE).fired(PHASES)

    assert fired["Open"].after == {"brown-out": 4.0, ERP_DEAD: 0.0, "Redis dead": 0.0}
    assert fired["Old"].after == {"healthy": 0.0}


def test_what_fires_as_it_should_is_fine() -> None:
    assert unexpected(AS_EXPECTED) == []
    more = {name: Fired("ticket", {"healthy": 3.0}) for name in MAY_FIRE}
    assert unexpected({**AS_EXPECTED, **more}) == []


def test_silence_a_false_alarm_and_one_at_the_wrong_time_are_each_named() -> None:
    fired = dict(AS_EXPECTED)
    del fired["PricingProxyRedisLost"]
    fired["PricingProxyDown"] = Fired("page", {"healthy": 0.0})
    fired["PricingProxyBreakerOpen"] = Fired("ticket", {"healthy": 5.0, ERP_DEAD: 0.0})
    assert unexpected(fired) == [
        "PricingProxyRedisLost did not fire",
        "PricingProxyBreakerOpen fired from healthy on",
        "PricingProxyDown fired from before on",
    ]


def test_what_is_expected_are_alerts_that_there_are() -> None:
    assert {*EXPECTED, *MAY_FIRE} <= {rule.get("alert") for rule in rules()}
