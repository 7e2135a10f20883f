"""Fold keys as the shop's database does, and keep the bulks whose end nobody has seen.

Keys of plain letters fold as they did. Where two rows fall together their place is forgotten: they
are read again, and held as two that are one to the shop.
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from sync.mirror.keys import folded

revision = "0014"
down_revision = "0013"

# Each with what makes a key of it together with how it folds, and what it is folded from.
_TABLES = (
    ("mirror_row", ("flow", "shop", "scope"), "key"),
    ("mirror_change", ("run", "scope"), "key"),
    ("mirror_approval", ("flow", "shop", "scope", "risk"), "folded"),
    ("mirror_wanted", ("flow", "market"), "key"),
    ("mirror_staging", (), "key"),
    ("shop_line", (), "sku"),
)
_OTHER = "[^ -~]"


def upgrade() -> None:
    """Fold anew, and make the table."""
    _fold(folded)
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "mirror_bulk",
        sa.Column("shop", sa.Text, primary_key=True),
        sa.Column("bulk", sa.Text, primary_key=True),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("makes", sa.Boolean, nullable=False),
        sa.Column("rows", postgresql.JSONB, nullable=False),
        sa.Column("sent_at", instant, nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("looks", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due_at", instant, nullable=False),
    )


def downgrade() -> None:
    """Fold as before, and drop it."""
    op.drop_table("mirror_bulk")
    _fold(_as_before)


def _as_before(key: str) -> str:
    return key.strip().casefold()


def _fold(fold: Callable[[str], str]) -> None:
    """Fold all keys that are not of plain letters alone."""
    connection = op.get_bind()
    for table, place, source in _TABLES:
        for was in _values(table, source):
            values = {"key": was, "folded": fold(was)}
            if place:
                connection.execute(sa.text(_together(table, place, source)), values)
            connection.execute(
                sa.text(
                    f"UPDATE {table} SET folded = :folded WHERE {source} = :key"  # noqa: S608 -- ours
                ),
                values,
            )
    for event_id, lock, key in connection.execute(sa.text(_LOCKS), {"other": _OTHER}).all():
        line = next(
            (
                lock.removesuffix(was(key))
                for was in (_as_before, folded)
                if lock.endswith(was(key))
            ),
            None,
        )
        if line is not None:
            values = {"id": event_id, "lock": line + fold(key)}
            connection.execute(
                sa.text("UPDATE sync_event SET lock_key = :lock WHERE id = :id"), values
            )


_LOCKS = """
    SELECT id, lock_key, payload ->> 'key' FROM sync_event
    WHERE lock_key LIKE 'mirror/%' AND payload ->> 'key' ~ :other
      AND state NOT IN ('done', 'skipped')
"""


def _values(table: str, source: str) -> list[str]:
    its = sa.text(f"SELECT DISTINCT {source} FROM {table} WHERE {source} ~ :other ORDER BY 1")  # noqa: S608 -- as above
    return list(op.get_bind().execute(its, {"other": _OTHER}).scalars())


def _together(table: str, place: tuple[str, ...], source: str) -> str:
    """Return what forgets rows in whose place another one stands already."""
    same = " AND ".join(f"o.{name} = t.{name}" for name in place)
    return f"""
        DELETE FROM {table} t USING {table} o
        WHERE {same} AND t.{source} = :key AND o.folded = :folded AND o.{source} <> t.{source}
    """  # noqa: S608 -- as above
