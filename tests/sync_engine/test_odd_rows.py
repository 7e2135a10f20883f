"""A row that cannot be read is kept once, and what a person said of it stays with that fault."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store.odd_row_record import OddRecord
from sync.store.odd_rows import OddRowStore

AT = datetime(2026, 11, 29, 2, 29, 40, tzinfo=UTC)


def record(
    row_id: int, *, source: str = "orders", member: str = "store_id", at: datetime = AT
) -> OddRecord:
    return OddRecord(
        source=source,
        row_id=row_id,
        number="",
        member=member,
        text=f"{member} is missing",
        seen_at=at,
        looked_at=at,
    )


async def test_a_row_is_kept_once_until_it_ends(store: AsyncEngine) -> None:
    rows = OddRowStore(store)
    later = AT + timedelta(hours=1)
    await rows.keep([])
    await rows.keep([record(51), record(52), record(51, source="returns")])
    await rows.keep([record(51, at=later)])

    kept = await rows.of("orders")
    assert (kept[51].seen_at, kept[51].looked_at) == (AT, later)
    assert [row.name for row in await rows.waiting()] == ["#51", "#51", "#52"]
    await rows.end("orders", [51, 99])
    assert set(await rows.of("orders")) == {52}
    assert set(await rows.of("returns")) == {51}


async def test_what_was_set_aside_is_told_again_with_another_fault(store: AsyncEngine) -> None:
    rows = OddRowStore(store)
    await rows.keep([record(51)])
    said = {"member": "", "by": "ann"}
    assert await rows.set_aside("orders", row_id=51, reason="a draft of 2019", **said) == [51]
    assert await rows.set_aside("orders", row_id=52, reason="?", **said) == []

    await rows.keep([record(51)])
    assert await rows.waiting() == []
    assert await rows.count_set_aside() == 1
    assert (await rows.of("orders"))[51].reason == "a draft of 2019"

    await rows.keep([record(51, member="increment_id")])
    [told] = await rows.waiting()
    assert (told.set_aside_by, told.reason, told.member) == (None, "", "increment_id")


async def test_all_of_one_fault_are_set_aside_together(store: AsyncEngine) -> None:
    """Of an old shop a thousand rows may have a date of zeros, and none will ever be mended."""
    rows = OddRowStore(store)
    await rows.keep([record(n, member="updated_at") for n in range(1, 9)])
    await rows.keep([record(9), record(9, source="returns", member="updated_at")])

    dated = await rows.set_aside("orders", member="updated_at", reason="of 2015", by="ann")

    assert dated == list(range(1, 9))
    assert await rows.counts() == {"orders": 1, "returns": 1}
    assert await rows.set_aside("orders", member="updated_at", reason="again", by="ann") == []
