"""What the shop refuses, held with its own words, and what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager

from pricing_proxy.resilience.errors import UpstreamConflictError
from sync.engine.blame import Blame, blame_of
from sync.engine.flow import Work
from sync.engine.outcomes import HeldError
from sync.magento.answers import MagentoRejectedError

_MOST = 500
# Some seconds. What was in the way of a document that was in its own is gone at the next attempt; a
# shop that tells its log alone why it does not save one may have a reason that stays.
_MOST_CONFLICTS = 6


@contextmanager
def held_if_refused(work: Work, field: str, what: str, *, advice: str) -> Iterator[None]:
    """Turn a refusal of the shop's within into a held event; raises `HeldError`.

    Args:
        work: The event at work; what passes by itself is tried again, but not for ever.
        field: What it is about.
        what: What was to be done, such as "ship slip PS-1".
        advice: What a person does about it.
    """
    try:
        yield
    except MagentoRejectedError as error:
        if blame_of(error) is not Blame.DOCUMENT:
            raise
        words = "; ".join(error.reasons) or str(error)
        raise _held(field, what, words, advice) from error
    except UpstreamConflictError as error:
        if work.event.attempts < _MOST_CONFLICTS:
            raise
        raise _held(field, what, str(error), advice) from error


def _held(field: str, what: str, words: str, advice: str) -> HeldError:
    text = f"the shop refused to {what}: {words[:_MOST]}"
    return HeldError(field=field, text=text, advice=advice)
