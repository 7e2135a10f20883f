"""What the shop's queue does after somebody has given its bulk up is found, and put right."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text

from sync.engine.database import database
from sync.products.late_bulks import LateBulks
from sync.store.mirror_bulks import BulkRow, MirrorBulks
from sync.store.mirror_records import RowKey
from tests.products.test_writer import World, wanted

SKUS = [f"LAMP-{number}" for number in range(5)]


class LateWorld(World):
    """Five lamps, whose names went to a queue that nobody works off."""

    def __init__(self) -> None:
        super().__init__()
        self.read_again: list[tuple[str, bool]] = []
        self.late = LateBulks(self.shop, self.book, want=self._read_again)
        for sku in SKUS:
            self.shop.put(sku, name="first")

    async def _read_again(self, keys: Sequence[str], is_forced: bool) -> None:  # noqa: FBT001 -- as asked
        self.read_again += [(key, is_forced) for key in keys]

    async def name_all(self, name: str) -> None:
        await self.run(*(wanted("global", sku, name=name) for sku in SKUS))


async def test_a_bulk_is_forgotten_once_each_of_its_ends_is_known() -> None:
    world = LateWorld()
    await world.name_all("second")
    assert world.shop.asked == ["bulk PUT all x5"]
    assert world.book.kept == {}


async def test_what_a_dead_consumer_does_later_is_known_and_read_again() -> None:
    world = LateWorld()
    world.shop.is_dead = True
    await world.name_all("second")
    await world.name_all("third")
    await world.late.look()
    assert world.read_again == []
    assert [len(each.rows) for each in world.book.kept.values()] == [5]

    world.shop.is_dead = False
    await world.late.look()
    # The queue has written over what is newer: that is what the shop has, and what is known of it.
    assert world.shop.seen("LAMP-0")["name"] == "second"
    assert {(each.row.key, each.values["name"]) for each in world.book.known} == {
        (sku, "second") for sku in SKUS
    }
    assert world.read_again == [(sku, False) for sku in SKUS]
    assert world.book.kept == {}


async def test_what_failed_late_has_written_nothing() -> None:
    world = LateWorld()
    world.shop.is_dead = True
    await world.name_all("second")
    world.shop.is_dead, world.shop.bad = False, {"LAMP-3"}
    await world.late.look()
    assert {each.row.key for each in world.book.known} == {*SKUS} - {"LAMP-3"}
    assert world.book.kept == {}


async def test_what_the_shop_knows_no_more_is_compared_with_it() -> None:
    world = LateWorld()
    world.shop.is_dead = True
    await world.name_all("second")
    world.shop.forget_bulks()
    await world.late.look()
    assert world.read_again == [(sku, True) for sku in SKUS]
    assert world.book.kept == {}


async def test_products_that_are_made_late_are_compared_as_a_whole() -> None:
    world = World()
    world.shop.is_dead = True
    rows = [wanted("global", sku, type="simple", name="n", weight="1") for sku in SKUS]
    await world.run(*rows)
    [sent] = world.book.kept.values()
    assert (sent.makes, len(sent.rows)) == (True, 5)


ROWS = [
    BulkRow(number=n, row=RowKey("global", sku), values={"name": "old"})
    for n, sku in enumerate(SKUS)
]
KNOWN = """
    INSERT INTO mirror_row (flow, shop, scope, folded, key, market, values, read_at)
    VALUES ('products', 'https://shop', 'global', lower(:key), :key, 'de',
            '{"name": "new", "weight": "1"}', now())
"""


async def test_bulks_are_kept_until_they_are_due_and_make_their_values_known(
    database_url: str,
) -> None:
    async with database(database_url, connections=2) as store:
        book = MirrorBulks(store, shop="https://shop", flow="products", market="de")
        other = MirrorBulks(store, shop="https://shop", flow="products", market="at")
        async with store.begin() as connection:
            for sku in SKUS:
                await connection.execute(text(KNOWN), {"key": sku})
        await book.sent("b", ROWS, makes=False, within=timedelta(0))
        assert await book.due() == [], "somebody follows it"
        late = text("UPDATE mirror_bulk SET due_at = due_at - interval '61 seconds'")
        async with store.begin() as connection:
            await connection.execute(late)
        [sent] = await book.due()
        assert (sent.rows, sent.makes, await other.due()) == (ROWS, False, [])

        await book.know(sent.rows[:1])
        await book.keep(sent, sent.rows[1:])
        assert await book.due() == []
        async with store.begin() as connection:
            await connection.execute(late)
            found = await connection.execute(text("SELECT key, values ->> 'name' FROM mirror_row"))
            names = {row[0]: row[1] for row in found}
        assert names == {sku: "old" if sku == "LAMP-0" else "new" for sku in SKUS}
        [sent] = await book.due()
        assert (sent.rows, sent.looks) == (ROWS[1:], 1)
        await book.ended("b")
        async with store.begin() as connection:
            await connection.execute(late)
        assert await book.due() == []
