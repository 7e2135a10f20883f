"""Keep which rows of the shop's lists cannot be read, and what is wrong with them.

Nothing is filled in: the next poll and sweep meet what is odd.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "odd_row",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("row_id", sa.BigInteger, primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("seen_at", instant, nullable=False),
        sa.Column("looked_at", instant, nullable=False),
        sa.Column("set_aside_by", sa.Text, nullable=True),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("odd_row")
