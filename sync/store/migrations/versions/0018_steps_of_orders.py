"""Keep how a watched order was seen last: its day of shipping, its lines, how much was told."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("watched_order", sa.Column("ships_on", sa.Date))
    op.add_column("watched_order", sa.Column("lines", sa.Text, nullable=False, server_default=""))
    op.add_column(
        "watched_order", sa.Column("steps", sa.Integer, nullable=False, server_default="0")
    )


def downgrade() -> None:
    """Take them off."""
    for name in ("steps", "lines", "ships_on"):
        op.drop_column("watched_order", name)
