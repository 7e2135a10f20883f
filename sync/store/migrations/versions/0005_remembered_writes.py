"""Remember what was last written of each field of another system, and whether it stayed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sync_wish",
        sa.Column("market", sa.Text, primary_key=True),
        sa.Column("system", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("configuration_hash", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("seen", sa.Text, nullable=False),
        sa.Column("is_taken", sa.Boolean),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("hour_began_at", _INSTANT, nullable=False),
        sa.Column("in_hour", sa.Integer, nullable=False),
        sa.Column("written_at", _INSTANT, nullable=False),
        sa.Column("text", sa.Text, nullable=False, server_default=""),
        sa.Column("advice", sa.Text, nullable=False, server_default=""),
    )
    op.create_index(
        "sync_wish_unsettled", "sync_wish", ["market"], postgresql_where=sa.text("text <> ''")
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("sync_wish")
