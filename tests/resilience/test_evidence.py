import asyncio
from datetime import timedelta

import pytest

from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamConflictError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.evidence import Evidence, SlowRule, weigh

A_SECOND = timedelta(seconds=1)
SECOND = 1_000_000


@pytest.mark.parametrize(
    ("error", "evidence"),
    [
        (None, Evidence.GOOD),
        (UpstreamUnavailableError("503", system="fo"), Evidence.FAILED),
        (
            UpstreamUnavailableError("refused", system="fo", is_connection_failure=True),
            Evidence.NOT_CONNECTED,
        ),
        (UpstreamTimeoutError("late", system="fo"), Evidence.TIMED_OUT),
        (UpstreamContractError("HTML under a 200", system="fo"), Evidence.FAILED),
        (UpstreamRejectedError("408", system="fo", status=408), Evidence.FAILED),
        (UpstreamRejectedError("425", system="fo", status=425), Evidence.FAILED),
        (UpstreamRejectedError("400", system="fo", status=400), Evidence.NONE),
        (UpstreamRejectedError("500 with a message", system="fo", status=500), Evidence.NONE),
        (UpstreamConflictError("400, a deadlock", system="magento", status=400), Evidence.NONE),
        (UpstreamDeniedError("401", system="fo", status=401), Evidence.NONE),
        (UpstreamThrottledError("429", system="fo", retry_after=A_SECOND), Evidence.NONE),
        (CallRefusedError("full", system="fo", retry_after=A_SECOND), Evidence.NONE),
        (asyncio.CancelledError(), Evidence.NONE),
        (ZeroDivisionError(), Evidence.NONE),
    ],
)
def test_each_ending_speaks_for_or_against_the_other_side(
    error: BaseException | None, evidence: Evidence
) -> None:
    assert weigh(error) is evidence


def test_slow_is_measured_against_the_size_of_the_batch() -> None:
    rule = SlowRule(2 * SECOND, 30_000)
    assert not rule.is_slow(5 * SECOND, lines=100)
    assert rule.is_slow(5 * SECOND + 1, lines=100)
    assert rule.is_slow(5 * SECOND, lines=99)


def test_straining_begins_at_half_of_slow() -> None:
    rule = SlowRule(2 * SECOND, 30_000)
    assert not rule.is_straining(2_500_000, lines=100)
    assert rule.is_straining(2_500_001, lines=100)
