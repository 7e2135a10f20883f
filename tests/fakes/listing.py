"""A list of the shop in memory, of which single rows are asked for again."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sync.magento.odd_rows import OddRow, RowPage, unserved
from sync.magento.wire_types import ShopModel

M = TypeVar("M", bound=ShopModel)


@dataclass
class FakeListing(Generic[M]):
    """Rows, and what is wrong with some.

    Attributes:
        rows: Returns those that read well, by id.
        odd: What is told of the others, by id.
        asked: Ids that were asked for again.
    """

    rows: Callable[[], Mapping[int, M]]
    odd: dict[int, OddRow] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    def page(self, rows: Sequence[M], *, without: Collection[int] = ()) -> RowPage[M]:
        """Return what a page has of these rows."""
        good = [row for row in rows if self._id(row) not in self.odd]
        odd = [self.odd[self._id(row)] for row in rows if self._id(row) in self.odd]
        return RowPage(good, [one for one in odd if one.entity_id not in without])

    def break_at(self, entity_id: int) -> None:
        """Have the shop fail at a row."""
        self.odd[entity_id] = unserved(entity_id)

    async def after(
        self, entity_id: int, *, without: Collection[int]
    ) -> AsyncGenerator[RowPage[M], None]:
        found = [row for number, row in sorted(self.rows().items()) if number > entity_id]
        yield self.page(found, without=without)

    async def newest_id(self) -> int:
        return max(self.rows(), default=0)

    async def of(self, ids: Collection[int]) -> AsyncGenerator[RowPage[M], None]:
        self.asked += ids
        rows = self.rows()
        yield self.page([rows[one] for one in ids if one in rows])

    async def alone(self, entity_id: int) -> RowPage[M]:
        self.asked.append(entity_id)
        rows = self.rows()
        return self.page([rows[entity_id]]) if entity_id in rows else RowPage()

    def _id(self, row: M) -> int:
        return next(number for number, one in self.rows().items() if one is row)
