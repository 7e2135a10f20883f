"""A system that refuses every call is said once and shown, though no breaker opens."""

import logging

import pytest

from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
)
from pricing_proxy.resilience.operation import CallReport
from pricing_proxy.telemetry.program_metrics import ProgramMetrics
from pricing_proxy.web.status_words import Tone, erp_verdict
from tests.web.shop import UNTRACED

GUARD = "sandbox:document_read"


class Program:
    """A program's metrics, told of calls."""

    def __init__(self) -> None:
        self.metrics = ProgramMetrics("program_", calls="call")
        self.watch = self.metrics.watch_calls(UNTRACED)

    def call(self, error: UpstreamError | None, *, guard: str = GUARD, times: int = 1) -> None:
        for _ in range(times):
            self.watch.count(
                CallReport(
                    system="fo", operation="SalesOrders", guard=guard, error=error, wire_us=1000
                )
            )

    @property
    def refusing(self) -> list[str]:
        return [row.guard for row in self.metrics.refused.view()]


def rejected(status: int) -> UpstreamRejectedError:
    return UpstreamRejectedError("no", system="fo", status=status)


@pytest.mark.parametrize(
    ("error", "answered", "next_step"),
    [
        (UpstreamDeniedError("no", system="fo", status=401), "answered 401", "credentials"),
        (UpstreamDeniedError("no", system="fo", status=403), "answered 403", "rights"),
        (rejected(404), "answered 404", "url"),
        (rejected(405), "answered 405", "deployed"),
        (UpstreamContractError("no", system="fo", status=200), "answered 200", "login"),
        (UpstreamContractError("no", system="fo"), "an unreadable answer", "login"),
    ],
)
def test_nothing_but_refusals_is_one_warning_red_and_a_metric(
    error: UpstreamError, answered: str, next_step: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    program = Program()
    program.call(error, times=9)
    assert (program.refusing, caplog.messages) == ([], [])
    program.call(error, times=20)
    assert program.refusing == [GUARD]
    (told,) = caplog.messages
    assert told.startswith(f"{GUARD}: nothing is answered: 10 refusals in a row, SalesOrders")
    assert answered in told
    assert next_step in told
    assert f'program_calls_refused{{guard="{GUARD}"}} 1.0' in program.metrics.text().decode()
    program.call(None)
    assert program.refusing == []
    assert caplog.messages[1:] == [f"{GUARD}: answers again"]


def test_a_refused_document_is_an_answer_of_substance() -> None:
    program = Program()
    for _ in range(3):
        program.call(rejected(404), times=9)
        program.call(rejected(400))
    assert program.refusing == []


def test_what_passes_neither_counts_nor_ends_a_row() -> None:
    program = Program()
    program.call(rejected(404), times=9)
    program.call(UpstreamTimeoutError("late", system="fo"), times=20)
    assert program.refusing == []
    program.call(rejected(404))
    assert program.refusing == [GUARD]


def test_each_class_of_calls_has_a_row_of_its_own_but_prices() -> None:
    """Which are looked at by market."""
    program = Program()
    program.call(rejected(404), guard="sandbox:price_read", times=30)
    program.call(rejected(404), guard="magento:master_read", times=6)
    program.call(rejected(404), times=6)
    assert program.refusing == []


def test_the_status_page_says_which_calls_are_refused_and_what_to_do() -> None:
    up = {"breakers": [{"name": "sandbox:master_read", "phase": "closed"}]}
    assert erp_verdict(up)[0].words == "up"
    glance, detail = erp_verdict({**up, "refused": ["12 refusals in a row: answered 403; do it"]})
    assert (glance.tone, glance.words) == (Tone.BAD, "refuses all")
    assert detail.endswith("answered 403; do it")


def test_what_alerts_ask_of_an_operation_is_shown_from_its_first_call_on() -> None:
    """Prometheus sees no increase in a counter that is absent until its first event."""
    program = Program()
    program.call(None)
    sample = program.metrics.registry.get_sample_value
    for outcome, count in (
        ("answered", 1),
        ("UpstreamThrottledError", 0),
        ("UpstreamDeniedError", 0),
        ("UpstreamTimeoutError", None),
    ):
        labels = {"system": "fo", "operation": "SalesOrders", "outcome": outcome}
        assert sample("program_calls_total", labels) == count
