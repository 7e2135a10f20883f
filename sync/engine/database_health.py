"""Whether our own database does what it is asked, as this process finds it.

Every part that works on it says how that went, each under its own name. It is said once when
the first of them fails, in PostgreSQL's own words, and once when none does any more; between the
two nobody fills a log, and `trouble` tells who watches. No worker dies of it, and no document is
to blame: both come back.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from sqlalchemy.exc import DataError as RefusedValueError
from sqlalchemy.exc import DBAPIError, IntegrityError

from pricing_proxy.clock import MICROSECONDS_PER_SECOND as SECOND_US

_log = logging.getLogger(__name__)

# A part that has had nothing to do since is not failing for ever.
_STALE_US = 60 * SECOND_US


@dataclass(frozen=True, slots=True)
class DatabaseTrouble:
    """A database that fails.

    Attributes:
        words: What PostgreSQL says of it.
        for_us: For how long.
    """

    words: str
    for_us: int


class DatabaseHealth:
    """How the database fares, in one process.

    Args:
        now_us: The monotonic clock.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._failed_us: dict[str, int] = {}
        self._since_us = 0
        self._words = ""

    def failed(self, part: str, error: BaseException) -> None:
        """Note that a part of the program could not use it."""
        now_us = self._now_us()
        self._forget_stale(now_us)
        if not self._failed_us:
            self._since_us = now_us
            _log.error("PostgreSQL fails (%s), and what it is needed for waits", words_of(error))
        self._words = words_of(error)
        self._failed_us[part] = now_us

    def well(self, part: str) -> None:
        """Note that a part could use it."""
        if self._failed_us.pop(part, None) is not None and not self._failed_us:
            self._say_back(self._now_us())

    def trouble(self) -> DatabaseTrouble | None:
        """Return what is wrong with it, None while nothing is."""
        now_us = self._now_us()
        self._forget_stale(now_us)
        if not self._failed_us:
            return None
        return DatabaseTrouble(self._words, now_us - self._since_us)

    def _forget_stale(self, now_us: int) -> None:
        if not self._failed_us:
            return
        self._failed_us = {
            part: at_us for part, at_us in self._failed_us.items() if now_us - at_us < _STALE_US
        }
        if not self._failed_us:
            self._say_back(now_us)

    def _say_back(self, now_us: int) -> None:
        _log.warning("PostgreSQL is well again after %.0f s", (now_us - self._since_us) / SECOND_US)


def is_of_document(error: BaseException) -> bool:
    """Return whether it refused a value, and would do so again."""
    return isinstance(error, RefusedValueError | IntegrityError)


def words_of(error: BaseException) -> str:
    """Return what PostgreSQL said, with its code; never a statement, whose values may be data."""
    cause = error.orig if isinstance(error, DBAPIError) else error.__cause__
    if not isinstance(cause, psycopg.Error):
        return type(error).__name__
    name, said = type(cause).__name__, cause.diag.message_primary
    if said is None:
        return f"{name}: {str(cause).partition(chr(10))[0]}" if str(cause) else name
    return f"{name} {cause.sqlstate}: {said}"
