"""Find the few events that are done with a caution among all that are done."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "sync_event_by_caution",
        "sync_event",
        ["ended_at"],
        postgresql_where=sa.text("error_kind = 'Caution'"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("sync_event_by_caution", "sync_event")
