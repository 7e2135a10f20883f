"""Links of before the upgrade stay, and those that rest on what was typed are to be reviewed."""

from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from sync.engine.database import database
from sync.store import schema
from sync.store.link_decisions import LinkDecisions

BEFORE = "0005"
# One whose account was made for it, one matched to that account, and one matched elsewhere.
LINKS = [
    ("customer", "7", "C-7"),
    ("customer_created", "7", "C-7"),
    ("customer", "8", "C-7"),
    ("customer", "9", "C-9"),
    ("order", "9", "C-9"),
]


def _upgrade(connection: Connection, revision: str) -> None:
    config = schema._config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def test_links_made_earlier_stay_and_are_listed_as_unreviewed(
    empty_database_url: str,
) -> None:
    url = empty_database_url.replace("postgresql://", "postgresql+psycopg://")
    older = create_async_engine(url)
    async with older.begin() as connection:
        await connection.run_sync(_upgrade, BEFORE)
        for kind, magento_id, erp_key in LINKS:
            values = {"kind": kind, "magento_id": magento_id, "erp_key": erp_key}
            await connection.execute(
                text(
                    "INSERT INTO entity_map (market, kind, magento_id, erp_key)"
                    " VALUES ('b2b_de', :kind, :magento_id, :erp_key)"
                ),
                values,
            )
    await older.dispose()

    async with database(empty_database_url, connections=2) as upgraded:
        decisions = LinkDecisions(upgraded)
        links = {link.customer_id: link for link in await decisions.links()}
        unreviewed = await decisions.links(is_unreviewed=True)

    assert {one: link.account for one, link in links.items()} == {
        "7": "C-7",
        "8": "C-7",
        "9": "C-9",
    }
    assert {one: link.origin for one, link in links.items()} == {"7": "created", "8": "", "9": ""}
    assert [link.customer_id for link in unreviewed] == ["8", "9"]
