"""What an attempt's error means for its event, where a status decides."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from pricing_proxy.http_replies import Reply
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from sync.engine.database_health import words_of
from sync.engine.outages import Failures
from sync.engine.outcomes import HeldError
from sync.engine.refusals import named
from sync.engine.verdict import verdict_on, wait_for_database
from sync.magento.answers import error_of
from sync.store.states import EventState
from tests.virtual_time import ManualClock

OUTAGE_OF_A_NIGHT = 200


def refused(status: int) -> UpstreamRejectedError:
    said = ("City is too long",)
    return UpstreamRejectedError("fo answered", system="fo", status=status, reasons=said)


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


def answered(status: int, body: bytes, **headers: str) -> UpstreamError:
    reply = Reply(system="magento", status=status, headers=headers, body=body)
    error = error_of(reply, now=ManualClock().utc())
    assert error is not None
    return error


PAGE = b"<html><body>moved, or not here</body></html>"
NO_ROUTE = b'{"message": "Request does not match any route."}'
NO_ENTITY = (
    b'{"message": "No such entity with %fieldName = %fieldValue", "parameters": ["id", "7"]}'
)
SYSTEMS: dict[str, Callable[[], UpstreamError]] = {
    "breaker": lambda: CallRefusedError(
        "open, since fo answered 503", system="fo", retry_after=timedelta(hours=9)
    ),
    "redirect": lambda: answered(302, b"", Location="https://login.example.com/"),
    "page for JSON": lambda: UpstreamContractError("200 without JSON", system="fo", status=200),
    "404 page": lambda: answered(404, PAGE),
    "405 page": lambda: answered(405, PAGE),
    "404 of no route": lambda: answered(404, NO_ROUTE),
    "401": lambda: answered(401, PAGE),
    "403 of the ERP": lambda: UpstreamDeniedError("fo answered 403", system="fo", status=403),
    "throttled": lambda: UpstreamThrottledError("slow", system="fo", retry_after=None),
}
UNCLEAR: dict[str, Callable[[], UpstreamError]] = {
    "no answer": lambda: UpstreamTimeoutError("no answer in time", system="fo"),
    "dead": lambda: UpstreamUnavailableError(
        "cannot be reached", system="fo", is_connection_failure=True
    ),
    "502": lambda: answered(502, PAGE),
    "400 page": lambda: answered(400, PAGE),
}


@pytest.mark.parametrize("of", [*SYSTEMS, *UNCLEAR])
def test_an_outage_of_a_night_uses_up_no_attempt_and_ends_within_half_a_minute(of: str) -> None:
    error = {**SYSTEMS, **UNCLEAR}[of]()

    with pytest.raises(type(error)), named("create the order's header", {}):
        raise error
    for times in range(1, OUTAGE_OF_A_NIGHT):
        verdict = verdict_on(
            error,
            attempts=1,
            is_unacknowledged=False,
            give_up_after=1,
            failures=Failures(times, are_others_carried=False),
        )
        assert (verdict.state, verdict.is_charged) == (EventState.WAITING, False)
        assert verdict.pause is not None
        assert verdict.pause <= timedelta(seconds=18)
        # In the system's own words, and whose fault it is.
        assert verdict.trouble.kind == "Outage"
        assert verdict.trouble.field == error.system
        assert str(error) in verdict.trouble.text
        assert verdict.trouble.advice


@pytest.mark.parametrize("of", UNCLEAR)
def test_what_fails_while_others_are_carried_is_shown_to_a_person_in_the_end(of: str) -> None:
    """A document that its system chokes on each time."""
    verdict = verdict_on(
        UNCLEAR[of](),
        attempts=20,
        is_unacknowledged=False,
        give_up_after=20,
        failures=Failures(20, are_others_carried=True),
    )

    assert verdict.state is EventState.HELD
    assert "gave up after 20 attempts" in verdict.trouble.text


@pytest.mark.parametrize("of", SYSTEMS)
def test_a_gateway_is_no_documents_fault_though_others_are_carried(of: str) -> None:
    verdict = verdict_on(
        SYSTEMS[of](),
        attempts=20,
        is_unacknowledged=True,
        give_up_after=20,
        failures=Failures(20, are_others_carried=True),
    )

    assert (verdict.state, verdict.is_charged) == (EventState.IN_DOUBT, False)


@pytest.mark.parametrize(
    "error", [answered(404, NO_ENTITY), answered(413, PAGE), answered(414, PAGE), refused(404)]
)
def test_what_the_application_says_of_a_document_is_the_documents(error: UpstreamError) -> None:
    verdict = verdict_on(error, attempts=1, is_unacknowledged=False, give_up_after=20)

    assert verdict.state is EventState.HELD
    with pytest.raises(HeldError), named("release the order", {}):
        raise error


def test_what_the_database_broke_off_waits_in_its_words() -> None:
    full = psycopg.errors.DiskFull("could not extend file")
    words = words_of(OperationalError("INSERT INTO sync_event", {"name": "Anna"}, full))

    verdict = wait_for_database(words, Failures(40, are_others_carried=False))

    assert (verdict.state, verdict.is_charged) == (EventState.IN_DOUBT, False)
    assert verdict.trouble.field == "database"
    assert "could not extend file" in verdict.trouble.text
    assert "Anna" not in verdict.trouble.text
    assert verdict.pause is not None
    assert verdict.pause <= timedelta(seconds=18)
