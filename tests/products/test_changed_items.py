"""Items that the ERP says it has changed are read soon, where it has a set that says so."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pricing_proxy.d365.fo.mirror_reads import Chunk
from pricing_proxy.d365.odata import Filter
from sync.products.changed_items import ChangedItems
from tests.fakes.product_erp import COMPANY, FakeErpSets
from tests.virtual_time import ManualClock


class ChangingErp(FakeErpSets):
    """Sets of an ERP that may have the one that tells of changes."""

    def __init__(self) -> None:
        super().__init__()
        self.is_there = True
        self.asked = 0
        self.conditions: list[str] = []

    def changed(self, item: str, at: datetime) -> None:
        """Say that an item was changed."""
        rows = self.sets.setdefault("InventTableBiEntities", [])
        rows[:] = [row for row in rows if row["ItemId"] != item]
        self.add("InventTableBiEntities", ItemId=item, SysModifiedDateTime=_text(at))

    async def has(self, row: Any, *, company: str) -> bool:
        self.asked += 1
        assert (row.entity_set, company) == ("InventTableBiEntities", COMPANY)
        return self.is_there

    async def whole(self, row: Any, *, company: str, where: Filter | None = None) -> Chunk[Any]:
        assert where is not None
        field, comparison, since = where.text.split()
        assert (field, comparison) == ("SysModifiedDateTime", "ge")
        self.conditions.append(since)
        rows = self._sorted(row, "ItemId", company)
        return self._chunk(row, [each for each in rows if each[field] >= since], "")


class Marks:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self.kept.get(name)

    async def put(self, name: str, value: str) -> None:
        self.kept[name] = value


class World:
    """What looks for changes, over an ERP."""

    def __init__(self) -> None:
        self.erp, self.marks, self.clock = ChangingErp(), Marks(), ManualClock()
        self.wanted: list[str] = []
        self.began_at = self.clock.utc()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Begin a process that has only what was kept."""
        self.changes = ChangedItems(
            self.erp,
            self.marks,
            self._want,
            market="de",
            company=COMPANY,
            clock=self.clock,
        )

    async def look(self) -> Sequence[str]:
        """Look once; return what is wanted since."""
        self.wanted.clear()
        await self.changes.look()
        return list(self.wanted)

    async def _want(self, keys: Iterable[str]) -> None:
        self.wanted += keys


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


async def test_a_changed_item_is_wanted_once_for_each_change() -> None:
    world = World()
    world.erp.changed("OLD", world.began_at - timedelta(days=1))
    assert await world.look() == []
    world.erp.changed("LAMP-1", world.began_at + timedelta(seconds=5))
    assert await world.look() == ["LAMP-1"]
    assert await world.look() == []
    world.erp.changed("LAMP-1", world.began_at + timedelta(seconds=65))
    assert await world.look() == ["LAMP-1"]


async def test_a_change_that_is_seen_late_is_not_lost_and_a_new_process_goes_on() -> None:
    """A row is seen when its transaction ends, with the time at which it was written."""
    world = World()
    await world.look()
    world.erp.changed("LAMP-2", world.began_at + timedelta(minutes=5))
    assert await world.look() == ["LAMP-2"]
    world.erp.changed("LAMP-1", world.began_at + timedelta(minutes=1))
    assert await world.look() == ["LAMP-1"]
    world.clock.advance(timedelta(hours=3))
    world.erp.changed("LAMP-3", world.began_at + timedelta(hours=1))
    world.begin_anew()
    assert set(await world.look()) == {"LAMP-1", "LAMP-2", "LAMP-3"}
    assert await world.look() == []


async def test_a_changed_master_has_its_variants_read() -> None:
    world = World()
    world.erp.variant("SHADE", "SHADE-RED", ProductColorId="Red")
    world.erp.variant("SHADE", "SHADE-BLUE", ProductColorId="Blue")
    world.erp.changed("SHADE", world.began_at)
    assert set(await world.look()) == {"SHADE", "SHADE-RED", "SHADE-BLUE"}


async def test_an_environment_without_the_set_is_asked_for_it_once_an_hour() -> None:
    world = World()
    world.erp.is_there = False
    for _ in range(5):
        assert await world.look() == []
    assert (world.erp.asked, world.erp.conditions) == (1, [])
    world.clock.advance(timedelta(hours=1))
    world.erp.is_there = True
    world.erp.changed("LAMP-1", world.clock.utc())
    assert await world.look() == ["LAMP-1"]
