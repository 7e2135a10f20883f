"""What the shop refuses, held with its own words, and what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sync.engine.blame import Blame, blame_of
from sync.engine.outcomes import HeldError
from sync.magento.answers import MagentoRejectedError

_MOST = 500


@contextmanager
def held_if_refused(field: str, what: str, *, advice: str) -> Iterator[None]:
    """Turn a refusal of the shop's within into a held event; raises `HeldError`.

    Args:
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
        raise HeldError(
            field=field,
            text=f"the shop refused to {what}: {words[:_MOST]}",
            advice=advice,
        ) from error
