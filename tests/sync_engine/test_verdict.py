"""What an attempt's error means for its event, where a status decides."""

import pytest

from pricing_proxy.resilience.errors import UpstreamRejectedError
from sync.engine.verdict import verdict_on
from sync.store.states import EventState


def refused(status: int) -> UpstreamRejectedError:
    return UpstreamRejectedError("fo answered", system="fo", status=status)


@pytest.mark.parametrize("status", [400, 404, 405, 409, 422])
def test_what_was_refused_waits_for_a_person(status: int) -> None:
    verdict = verdict_on(refused(status), attempts=1, is_unacknowledged=False, give_up_after=20)

    assert (verdict.state, verdict.pause) == (EventState.HELD, None)
    assert "replay the event" in verdict.trouble.advice


@pytest.mark.parametrize("status", [500, 503])
def test_an_exception_in_the_other_s_code_is_tried_again_and_then_shown_to_a_person(
    status: int,
) -> None:
    """A read that a deadlock ended says nothing about the order it was for."""
    error = refused(status)
    first = verdict_on(error, attempts=1, is_unacknowledged=False, give_up_after=20)
    last = verdict_on(error, attempts=20, is_unacknowledged=False, give_up_after=20)

    assert (first.state, first.trouble.advice) == (
        EventState.WAITING,
        "nothing to do: it is tried again",
    )
    assert first.pause is not None
    assert last.state is EventState.HELD
