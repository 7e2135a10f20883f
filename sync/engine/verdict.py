"""What an attempt's error means for its event: pure, but for the dice of a pause.

    raised by the flow             the event is                 again
    HeldError                      held                         by a person
    SkippedError                   skipped                      never
    WaitForError                   waiting for another event    when that is done
    RetryLaterError                waiting                      after its time, or backing off;
                                                                no attempt is used up while it
                                                                waits for a person
    InDoubtError                   in doubt                     backing off; looked up first
    the system's fault (`blame`)   waiting, or in doubt when    within half a minute of its
    the database's                 a call has no end            return; no attempt is used up
    unclear whose                  the same                     the same, while nobody of its
                                                                line is carried; else backing off
    the other's own code failed    waiting                      backing off: a deadlock passes
    rejected, broken contract      held                         by a person
    anything else                  waiting: a defect of ours    backing off, then held

After `give_up_after` attempts a person must look.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from pricing_proxy.resilience.errors import (
    CallRefusedError,
    PermanentUpstreamError,
    UpstreamContractError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    words_of,
)
from sync.engine.blame import Blame, blame_of, next_step
from sync.engine.outages import NO_FAILURES, Failures
from sync.engine.outcomes import (
    Done,
    HeldError,
    InDoubtError,
    OutcomeError,
    RetryLaterError,
    SkippedError,
    WaitForError,
)
from sync.store.records import CAUTION, OUTAGE, Trouble
from sync.store.states import EventState

# One second, doubling: a short outage costs little, a long one does not cost the ERP much.
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=5)
# Whoever waits for a system comes within this time of its return; `outages` keeps the crowd away.
_LONGEST_WAIT = timedelta(seconds=18)
_MOST_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an event.

    Attributes:
        state: Its next state.
        trouble: Why.
        pause: Until it is tried again; None when it is not.
        is_charged: Whether the attempt counts among those after which a person must look.
    """

    state: EventState
    trouble: Trouble
    pause: timedelta | None = None
    is_charged: bool = True


def verdict_on(
    error: Exception,
    *,
    attempts: int,
    is_unacknowledged: bool,
    give_up_after: int,
    failures: Failures = NO_FAILURES,
) -> Verdict:
    """Return what becomes of an event whose attempt raised; `WaitForError` is not for here.

    Args:
        error: What was raised.
        attempts: That counted, since it was entered or replayed, this one included.
        is_unacknowledged: A call was sent and has no end.
        give_up_after: Attempts before a person must look.
        failures: How the event and its line fared before, for the sake of a system.
    """
    if isinstance(error, SkippedError):
        return Verdict(EventState.SKIPPED, trouble_of(error))
    blame = blame_of(error)
    if blame is Blame.SYSTEM or (blame is Blame.UNCLEAR and not failures.are_others_carried):
        return _outage(error, failures, is_unacknowledged=is_unacknowledged)
    is_refused = isinstance(error, UpstreamRejectedError) and not _may_pass(error)
    if is_refused or isinstance(error, HeldError | UpstreamContractError):
        return Verdict(EventState.HELD, trouble_of(error))
    if isinstance(error, RetryLaterError) and not error.is_charged:
        pause = _named_pause(error) or _back_off(attempts)
        return Verdict(EventState.WAITING, trouble_of(error), pause, is_charged=False)
    if attempts >= give_up_after:
        return Verdict(EventState.HELD, _gave_up(error, attempts))
    is_doubtful = isinstance(error, InDoubtError) or (
        is_unacknowledged and not isinstance(error, RetryLaterError)
    )
    return Verdict(
        EventState.IN_DOUBT if is_doubtful else EventState.WAITING,
        trouble_of(error),
        _named_pause(error) or _back_off(attempts),
    )


def wait_for_database(words: str, failures: Failures) -> Verdict:
    """Return what becomes of an event whose attempt our own database ended.

    What its calls came to may not have been noted, so it is in doubt.
    """
    trouble = Trouble(
        kind=OUTAGE,
        field="database",
        text=f"PostgreSQL failed: {words}",
        advice="see to PostgreSQL; nothing else to do: it is tried again",
    )
    return Verdict(EventState.IN_DOUBT, trouble, _wait(failures), is_charged=False)


def _outage(error: Exception, failures: Failures, *, is_unacknowledged: bool) -> Verdict:
    pause = _named_pause(error) or _wait(failures)
    if isinstance(error, CallRefusedError):
        # Nothing was asked, so asking again costs nothing, and finds the system back soon.
        pause = _spread(min(max(error.retry_after, _FIRST_PAUSE), _LONGEST_WAIT))
    state = EventState.IN_DOUBT if is_unacknowledged else EventState.WAITING
    return Verdict(state, trouble_of(error), pause, is_charged=False)


def _wait(failures: Failures) -> timedelta:
    """Return the pause of what fails for a system's sake: bounded while nobody is carried."""
    whole = _doubled(failures.times)
    return _spread(whole if failures.are_others_carried else min(whole, _LONGEST_WAIT))


def _may_pass(error: Exception) -> bool:
    """Return whether the other system may take the same document later.

    Its own code failed, as that of the victim of a deadlock does; or it said nothing at all.
    """
    if not isinstance(error, UpstreamRejectedError):
        return False
    has_failed = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return has_failed or blame_of(error) is not Blame.DOCUMENT


def trouble_of(error: Exception) -> Trouble:
    """Return an error as it is kept with the event."""
    kind = type(error).__name__.removesuffix("Error")
    if isinstance(error, HeldError):
        return Trouble(
            kind=kind, field=error.field, text=error.text, advice=error.advice, diff=error.diff
        )
    if isinstance(error, UpstreamError) and blame_of(error) is not Blame.DOCUMENT:
        step = next_step(error)
        return Trouble(kind=OUTAGE, field=error.system, text=words_of(error), advice=step)
    if isinstance(error, OutcomeError | UpstreamError):
        return Trouble(kind=kind, field=_field(error), text=str(error), advice=_advice(error))
    # Its text may quote a document; the traceback is in the log.
    return Trouble(
        kind=type(error).__name__,
        text="this program broke while it carried the event",
        advice="see the log for the traceback; it is tried again",
    )


def caution_of(done: Done) -> Trouble | None:
    """Return what somebody should hear of a document that is done, as it is kept with the event."""
    told = done.caution
    if told is None:
        return None
    return Trouble(
        kind=CAUTION, field=told.field, text=told.text, advice=told.advice, diff=told.diff
    )


def _field(error: Exception) -> str:
    return error.field if isinstance(error, UpstreamRejectedError | UpstreamContractError) else ""


def _advice(error: Exception) -> str:
    if isinstance(error, WaitForError):
        return f"see {error.flow} {error.business_key}"
    if isinstance(error, PermanentUpstreamError) and not _may_pass(error):
        return f"correct it in the shop or in {error.system}, then replay the event"
    return "" if isinstance(error, SkippedError) else "nothing to do: it is tried again"


def _back_off(attempts: int) -> timedelta:
    return _spread(_doubled(attempts))


def _doubled(times: int) -> timedelta:
    whole: timedelta = _FIRST_PAUSE * 2 ** min(max(times - 1, 0), _MOST_DOUBLINGS)
    return min(whole, _LONGEST_PAUSE)


def _spread(whole: timedelta) -> timedelta:
    """Return between half and all of a pause, so that not all come back at once."""
    return whole * (0.5 + random.random() / 2)  # noqa: S311 -- spreads retries, guards nothing


def _named_pause(error: Exception) -> timedelta | None:
    if isinstance(error, RetryLaterError):
        return error.after
    if isinstance(error, UpstreamThrottledError):
        return error.retry_after
    return None


def _gave_up(error: Exception, attempts: int) -> Trouble:
    cause = trouble_of(error)
    return Trouble(
        kind=cause.kind,
        field=cause.field,
        text=f"gave up after {attempts} attempts: {cause.text}",
        advice="find out why it cannot succeed, then replay it",
        diff=cause.diff,
    )
