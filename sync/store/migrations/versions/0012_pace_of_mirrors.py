"""Keep how many batches at once each shop bears, how fast its storefront answered, and notices."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "mirror_pace",
        sa.Column("shop", sa.Text, primary_key=True),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cut_at", sa.DateTime(timezone=True)),
        sa.Column("is_slow", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
    )
    op.create_table(
        "storefront_probe",
        sa.Column("shop", sa.Text, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("took_ms", sa.Double, nullable=False),
    )
    op.create_table(
        "mirror_notice",
        sa.Column("flow", sa.Text, primary_key=True),
        sa.Column("market", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drop them: every shop is taken to bear its ceiling again."""
    op.drop_table("mirror_notice")
    op.drop_table("storefront_probe")
    op.drop_table("mirror_pace")
