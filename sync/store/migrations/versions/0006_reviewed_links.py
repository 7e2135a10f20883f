"""Note how each link came about and who has reviewed it, and which accounts a customer never gets.

Links of before are of unknown origin, and so unreviewed, except those of accounts that were
created for their customer.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the notes, say what is known of the links that are there, and create the table."""
    op.add_column(
        "entity_map", sa.Column("origin", sa.Text, nullable=False, server_default=sa.text("''"))
    )
    op.add_column("entity_map", sa.Column("reviewed_by", sa.Text))
    op.create_index("entity_map_by_change", "entity_map", ["kind", "changed_at"])
    op.execute(
        "UPDATE entity_map SET origin = 'created' WHERE kind = 'customer' AND EXISTS ("
        "SELECT FROM entity_map made WHERE made.kind = 'customer_created'"
        " AND made.market = entity_map.market AND made.magento_id = entity_map.magento_id"
        " AND made.erp_key = entity_map.erp_key)"
    )
    op.create_table(
        "account_refusal",
        sa.Column("market", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("allows_new", sa.Boolean, nullable=False),
        sa.Column("refused_by", sa.Text, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("account_refusal_by_change", "account_refusal", ["changed_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("account_refusal")
    op.drop_index("entity_map_by_change", "entity_map")
    op.drop_column("entity_map", "reviewed_by")
    op.drop_column("entity_map", "origin")
