"""Note on an event that others wait for it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the note, and make it where it is true."""
    op.add_column(
        "sync_event",
        sa.Column("is_awaited", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.execute(
        "UPDATE sync_event SET is_awaited = true"
        " WHERE id IN (SELECT depends_on FROM sync_event WHERE state IN ('waiting', 'blocked'))"
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("sync_event", "is_awaited")
