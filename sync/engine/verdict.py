"""What an attempt's error means for its event: pure, but for the dice of a pause.

    raised by the flow             the event is                 again
    HeldError                      held                         by a person
    SkippedError                   skipped                      never
    WaitForError                   waiting for another event    when that is done
    RetryLaterError                waiting                      after its time, or backing off
    InDoubtError                   in doubt                     backing off; looked up first
    throttled by the other system  waiting                      after its Retry-After
    other transient failure        waiting, or in doubt when a call has no end
    denied: our credentials        waiting                      backing off: one cure serves all
    the other's own code failed    waiting                      backing off: a deadlock passes
    rejected, broken contract      held                         by a person
    anything else                  waiting: a defect of ours    backing off, then held

After `give_up_after` attempts in a row a person must look.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from pricing_proxy.resilience.errors import (
    PermanentUpstreamError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
)
from sync.engine.outcomes import (
    Done,
    HeldError,
    InDoubtError,
    OutcomeError,
    RetryLaterError,
    SkippedError,
    WaitForError,
)
from sync.store.records import CAUTION, Trouble
from sync.store.states import EventState

# One second, doubling: a short outage costs little, a long one does not cost the ERP much.
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=5)
_MOST_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an event.

    Attributes:
        state: Its next state.
        trouble: Why.
        pause: Until it is tried again; None when it is not.
    """

    state: EventState
    trouble: Trouble
    pause: timedelta | None = None


def verdict_on(
    error: Exception,
    *,
    attempts: int,
    is_unacknowledged: bool,
    give_up_after: int,
) -> Verdict:
    """Return what becomes of an event whose attempt raised; `WaitForError` is not for here.

    Args:
        error: What was raised.
        attempts: Since it was entered or replayed, this one included.
        is_unacknowledged: A call was sent and has no end.
        give_up_after: Attempts before a person must look.
    """
    if isinstance(error, SkippedError):
        return Verdict(EventState.SKIPPED, trouble_of(error))
    is_refused = isinstance(error, UpstreamRejectedError) and not _may_pass(error)
    if is_refused or isinstance(error, HeldError | UpstreamContractError):
        return Verdict(EventState.HELD, trouble_of(error))
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


def _may_pass(error: Exception) -> bool:
    """Return whether the other system's own code failed, as the victim of a deadlock does."""
    if not isinstance(error, UpstreamRejectedError):
        return False
    return error.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def trouble_of(error: Exception) -> Trouble:
    """Return an error as it is kept with the event."""
    kind = type(error).__name__.removesuffix("Error")
    if isinstance(error, HeldError):
        return Trouble(
            kind=kind, field=error.field, text=error.text, advice=error.advice, diff=error.diff
        )
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
    if isinstance(error, UpstreamDeniedError):
        return f"give this program's user of {error.system} the rights, or renew its credentials"
    if isinstance(error, PermanentUpstreamError) and not _may_pass(error):
        return f"correct it in the shop or in {error.system}, then replay the event"
    return "" if isinstance(error, SkippedError) else "nothing to do: it is tried again"


def _back_off(attempts: int) -> timedelta:
    """Return the pause after so many attempts, between half and all of the doubled time."""
    doublings = min(max(attempts - 1, 0), _MOST_DOUBLINGS)
    whole: timedelta = min(_FIRST_PAUSE * 2**doublings, _LONGEST_PAUSE)
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
