"""Every prefix that the references of a store view's documents ever had.

What was written under an earlier one is looked for under it, however long ago the
configuration changed, and whichever market the store view belonged to then. A process notes
its own prefixes before it writes, and each look-up reads the table, so that two processes with
different configurations find what the other wrote.
"""

from collections.abc import Mapping

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.tables import reference_form

# Stands for all store views of a market: how references were before prefixes could be chosen.
_EVERY_STORE = "*"
_FORM = reference_form.c


class ReferenceForms:
    """The forms of all markets of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def note(self, market: str, prefixes: Mapping[int, str]) -> None:
        """Keep the prefixes under which a market's store views are going to be written."""
        rows = [
            {"market": market, "store": str(store), "prefix": prefix}
            for store, prefix in prefixes.items()
        ]
        async with self._database.begin() as connection:
            await connection.execute(insert(reference_form).on_conflict_do_nothing(), rows)

    async def of(self, market: str, store: int) -> list[str]:
        """Return every prefix that a store view ever had, the oldest first.

        Args:
            market: Where it belongs now.
            store: The shop's id of it.
        """
        statement = (
            select(_FORM.prefix)
            .where(
                or_(
                    _FORM.store == str(store),
                    and_(_FORM.market == market, _FORM.store == _EVERY_STORE),
                )
            )
            .order_by(_FORM.created_at, _FORM.prefix)
        )
        rows = await statements.rows(self._database, statement)
        return list(dict.fromkeys(row[0] for row in rows))
