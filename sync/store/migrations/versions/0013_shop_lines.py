"""Keep the lines for which the shop has stock reserved, and what the ERP knows of each."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "shop_line",
        sa.Column("item_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("parent_item_id", sa.BigInteger),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("increment_id", sa.Text, nullable=False),
        sa.Column("store_id", sa.Integer, nullable=False),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        *(
            sa.Column(name, sa.Numeric(20, 4), nullable=False, server_default="0")
            for name in ("reserved", "cancelled", "refunded", "unshipped")
        ),
        sa.Column("erp_number", sa.Text, nullable=False, server_default=""),
        sa.Column("is_expected", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("present_since", instant),
        sa.Column("asked_as", sa.Text),
        sa.Column("warehouse", sa.Text, nullable=False, server_default=""),
        sa.Column("counted", sa.Text, nullable=False, server_default=""),
        sa.Column("inside", sa.Numeric(20, 4), nullable=False, server_default="0"),
        sa.Column("dropped_at", instant),
        sa.Column("changed_at", instant, nullable=False, server_default=sa.func.now()),
    )
    op.create_index("shop_line_by_sku", "shop_line", ["folded"])
    op.create_index("shop_line_by_order", "shop_line", ["order_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("shop_line")
