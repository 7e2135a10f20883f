"""Who has what: of many who claim one thing at once one has it, until it ends or is given back.

A claim ends on its own, so a holder that was stopped is overtaken. It is for the holder to renew
it before that, and to hear when it is another's. What may be held by one event alone is claimed
in the event's name, which comes back to it in its next attempt; who must not meet even itself
claims in a name that was never used before. Time is the database's, as holders run on several
machines.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.tables import claim

_CLAIM = claim.c


class Claims:
    """The claims of one scope, within which a key means one thing.

    Args:
        database: Where they are kept.
        scope: Such as the schedules, or what the customers of one company have typed.
    """

    def __init__(self, database: AsyncEngine, scope: str) -> None:
        self._database = database
        self._scope = scope

    async def take(self, key: str, holder: str, *, lasting: timedelta) -> bool:
        """Claim or renew; return False while it is another's.

        Args:
            key: What is claimed.
            holder: Who claims it.
            lasting: Not renewed for so long, it is nobody's.
        """
        # By the clock, not by the transaction's beginning, which may have waited for the row.
        now = func.clock_timestamp()
        fresh = {"holder": holder, "held_until": now + lasting}
        statement = insert(claim).values(scope=self._scope, key=key, **fresh)
        taken = statement.on_conflict_do_update(
            constraint=claim.primary_key,
            set_=fresh,
            where=or_(_CLAIM.holder == holder, _CLAIM.held_until <= now),
        )
        return await statements.change(self._database, taken) == 1

    async def keep(self, key: str, holder: str, *, lasting: timedelta) -> bool:
        """Renew a claim; return False when another has it, or had it meanwhile."""
        its = update(claim).where(is_held(self._scope, key, holder))
        renewed = its.values(held_until=func.clock_timestamp() + lasting)
        return await statements.change(self._database, renewed) == 1

    async def release(self, key: str, holder: str) -> None:
        """Give a claim back, if it is the holder's."""
        its = delete(claim).where(is_held(self._scope, key, holder))
        await statements.change(self._database, its)


def is_held(scope: str, key: str, holder: str) -> Any:
    """Return the condition that a claim is the holder's."""
    return and_(_CLAIM.scope == scope, _CLAIM.key == key, _CLAIM.holder == holder)
