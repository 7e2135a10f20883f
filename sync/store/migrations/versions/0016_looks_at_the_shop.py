"""Keep how far each mirror has looked through the shop, and what of its edits is known."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0016"
down_revision = "0014"

# What somebody let be at the adoption stays, also where that was before this table.
_STAYS = """
    UPDATE mirror_row m SET stays = ARRAY(
        SELECT f.field FROM jsonb_object_keys(c.wanted) AS f(field)
        WHERE m.values -> f.field = c.wanted -> f.field ORDER BY f.field)
    FROM mirror_change c JOIN mirror_run r ON r.id = c.run
    WHERE r.trigger = 'adopt' AND c.state = 'kept' AND m.flow = r.flow AND m.shop = r.shop
      AND m.scope = c.scope AND m.folded = c.folded
"""


def upgrade() -> None:
    """Make the table and the columns."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "mirror_look",
        sa.Column("flow", sa.Text, primary_key=True),
        sa.Column("market", sa.Text, primary_key=True),
        sa.Column("began_at", instant, nullable=False),
        sa.Column("ended_at", instant),
        sa.Column("scope", sa.Text, nullable=False, server_default=""),
        sa.Column("folded", sa.Text, nullable=False, server_default=""),
        *(
            sa.Column(name, sa.Integer, nullable=False, server_default="0")
            for name in ("expected", "looked", "edited", "kept", "gone")
        ),
        sa.Column("run", sa.BigInteger),
        sa.Column("last_began_at", instant),
        sa.Column("last_ended_at", instant),
        sa.Column("last_looked", sa.Integer),
    )
    for name, kind in (("told", JSONB()), ("stays", ARRAY(sa.Text))):
        column: sa.Column[object] = sa.Column(name, kind, nullable=False, server_default="{}")
        op.add_column("mirror_row", column)
    op.execute(_STAYS)


def downgrade() -> None:
    """Drop them."""
    op.drop_column("mirror_row", "stays")
    op.drop_column("mirror_row", "told")
    op.drop_table("mirror_look")
