"""What is kept of keys is found under how they fold now, also from before they folded so."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sync.engine.database import database
from sync.engine.queue import install
from sync.store import schema

ROW = text("""
    INSERT INTO mirror_row (flow, shop, scope, folded, key, market, values, read_at)
    VALUES ('toys', 'https://shop', :scope, :folded, :key, 'de', '{}', now())
""")
EVENT = text("""
    INSERT INTO sync_event (flow, market, business_key, source_key, lock_key, payload, state)
    VALUES ('toys', 'de', :key, :key, :lock, jsonb_build_object('key', CAST(:key AS text)), 'held')
""")


def to_0013(connection: Connection) -> None:
    """Make the tables as they were."""
    config = Config()
    config.set_main_option("script_location", str(schema._FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "0013")


async def filled(url: str) -> AsyncEngine:
    """Return a database of before with rows of letters that fold otherwise now."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await install(connection)
        await connection.run_sync(to_0013)
        for scope, key in (
            ("global", "Straße"),
            ("global", "LAMPE-Ü"),
            ("view/1", "LAMPE-Ü"),
            ("view/1", "LAMPE-U"),
            ("global", "PLAIN"),
        ):
            values = {"scope": scope, "key": key, "folded": key.casefold()}
            await connection.execute(ROW, values)
        lock = "mirror/toys/https://shop/strasse"
        await connection.execute(EVENT, {"key": "Straße", "lock": lock})
    return engine


async def test_keys_fold_anew_and_two_in_one_place_are_forgotten(empty_database_url: str) -> None:
    engine = await filled(empty_database_url)
    await engine.dispose()
    async with database(empty_database_url, connections=2) as store, store.begin() as connection:
        rows = await connection.execute(text("SELECT scope, key, folded FROM mirror_row"))
        assert {tuple(row) for row in rows} == {
            ("global", "Straße", "strase"),
            ("global", "LAMPE-Ü", "lampe-u"),
            ("view/1", "LAMPE-U", "lampe-u"),
            ("global", "PLAIN", "plain"),
        }
        lock = await connection.execute(text("SELECT lock_key FROM sync_event"))
        assert lock.scalar_one() == "mirror/toys/https://shop/strase"
