"""In which states of the shop's order nothing may happen to it, for now or for good."""

from datetime import timedelta

from sync.engine.outcomes import HeldError, RetryLaterError

# A person put it on hold, and takes it off when they have decided; nothing tells of that sooner
# than the next look.
_HELD_WAIT = timedelta(minutes=5)
_HELD = "holded"
_ENDED = frozenset({"canceled", "closed"})


def check_goes_on(state: str, *, done: str, advice: str) -> None:
    """Return where something may happen to an order of the shop.

    Args:
        state: The order's.
        done: What the ERP has done of it, such as "delivered".
        advice: What a person does where the order has ended.

    Raises:
        HeldError: It is cancelled or closed.
        RetryLaterError: A person has put it on hold.
    """
    check_not_held(state)
    if is_ended(state):
        raise HeldError(
            field="state",
            text=f"the ERP has {done} of an order that is {state} in the shop",
            advice=advice,
        )


def check_not_held(state: str) -> None:
    """Return where nobody holds an order; raises `RetryLaterError`, for as long as it takes."""
    if state == _HELD:
        raise RetryLaterError("the shop holds the order", after=_HELD_WAIT, is_charged=False)


def is_ended(state: str) -> bool:
    """Return whether nothing of an order is carried out any more."""
    return state in _ENDED
