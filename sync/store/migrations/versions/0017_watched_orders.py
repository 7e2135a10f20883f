"""Keep which orders of the shop are in the ERP, how far they are, and when to look again."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the table."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "watched_order",
        sa.Column("market", sa.Text, primary_key=True),
        sa.Column("order_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("erp_number", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default=""),
        sa.Column("since", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("due_at", instant, server_default=sa.func.now()),
    )
    op.create_index("watched_order_by_number", "watched_order", ["market", "folded"])
    op.create_index("watched_order_by_due", "watched_order", ["market", "due_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("watched_order")
