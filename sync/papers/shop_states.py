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
    if state == _HELD:
        raise RetryLaterError("the shop holds the order", after=_HELD_WAIT, is_charged=False)
    if state in _ENDED:
        raise HeldError(
            field="state",
            text=f"the ERP has {done} of an order that is {state} in the shop",
            advice=advice,
        )
