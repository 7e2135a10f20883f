"""Connections never take the descriptors that outgoing calls need, where there are enough."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.listening.crowd import MOST_CONNECTIONS
from pricing_proxy.listening.room import room


@given(descriptors=st.integers(64, 100_000), outgoing=st.integers(1, 2000))
def test_both_listeners_fit_beside_the_others(descriptors: int, outgoing: int) -> None:
    found = room(outgoing=outgoing, descriptors=descriptors)
    taken = found.outer + found.inner
    assert min(found.outer, found.inner) >= 4
    assert found.outer <= MOST_CONNECTIONS
    # Where not all fits, connections take a quarter: the other side is hardly ever at its most.
    assert taken <= max(descriptors - outgoing, descriptors // 4)


def test_a_limit_that_is_too_low_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert room(outgoing=200, descriptors=1024).outer > 600
    assert caplog.records == []
    assert room(outgoing=120, descriptors=128).outer == 24
    [record] = caplog.records
    assert "only 128 files may be open" in record.getMessage()


def test_the_process_own_limit_counts() -> None:
    assert room(outgoing=0).outer > 0
