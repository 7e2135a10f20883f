"""What was last written of each field in another system, and which of it did not stay."""

from typing import Any

from sqlalchemy import delete, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.tables import sync_wish
from sync.store.wish_record import Place, Unsettled, WishRecord

_COLUMN = sync_wish.c
_KEPT = tuple(name for name in WishRecord.__slots__ if name != "place")


class MarketWishes:
    """The writes of one market.

    Args:
        database: Where they are kept.
        market: Whose.
        configuration: Hash of the present one; what was written under another is forgotten.
    """

    def __init__(self, database: AsyncEngine, market: str, *, configuration: str) -> None:
        self._database = database
        self._market = market
        self._configuration = configuration

    async def last(self, place: Place) -> WishRecord | None:
        """Return the last write of a place under the configuration of now."""
        statement = select(*(_COLUMN[name] for name in _KEPT)).filter_by(
            **self._key(place), configuration_hash=self._configuration
        )
        found = await statements.mappings(self._database, statement)
        return WishRecord(place=place, **found[0]) if found else None

    async def keep(self, record: WishRecord) -> None:
        """Add or replace it."""
        fresh: dict[str, Any] = {name: getattr(record, name) for name in _KEPT}
        fresh["configuration_hash"] = self._configuration
        kept = statements.put(sync_wish, self._key(record.place), fresh)
        await statements.change(self._database, kept)

    async def settle(self, *places: Place) -> None:
        """Note that places hold what they should; nothing to do where nothing is kept."""
        if not places:
            return
        place = tuple_(_COLUMN.system, _COLUMN.document, _COLUMN.field)
        statement = (
            update(sync_wish)
            .where(
                _COLUMN.market == self._market,
                place.in_([(one.system, one.document, one.field) for one in places]),
                or_(_COLUMN.is_taken.is_not(True), _COLUMN.text != ""),
            )
            .values(is_taken=True, text="", advice="")
        )
        await statements.change(self._database, statement)

    async def forget(self, place: Place) -> None:
        """Forget the last write of a place."""
        its = delete(sync_wish).filter_by(**self._key(place))
        await statements.change(self._database, its)

    def _key(self, place: Place) -> dict[str, str]:
        return {
            "market": self._market,
            "system": place.system,
            "document": place.document,
            "field": place.field,
        }


class UnsettledWishes:
    """What does not become what it should, of all markets.

    Args:
        database: Where it is kept.
        configuration: Hash of the present one.
    """

    def __init__(self, database: AsyncEngine, *, configuration: str) -> None:
        self._database = database
        self._configuration = configuration

    async def read(self) -> list[Unsettled]:
        """Return each field once, with how many documents it is so for."""
        keys = (_COLUMN.market, _COLUMN.system, _COLUMN.field)
        statement = (
            select(
                *keys,
                func.count().label("documents"),
                func.min(_COLUMN.document).label("example"),
                func.min(_COLUMN.text).label("text"),
                func.min(_COLUMN.advice).label("advice"),
            )
            .where(_COLUMN.text != "", _COLUMN.configuration_hash == self._configuration)
            .group_by(*keys)
            .order_by(*keys)
        )
        return [Unsettled(**row) for row in await statements.mappings(self._database, statement)]
