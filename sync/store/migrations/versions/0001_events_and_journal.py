"""Create all tables of the first version."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

_TABLES = (
    "audit",
    "alert",
    "discrepancy",
    "reconciliation_run",
    "flow_control",
    "watermark",
    "entity_map",
    "sync_attempt",
    "sync_event",
)


def upgrade() -> None:
    """Create them; the statements are kept as they were, whatever `tables` becomes."""
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    """Drop them with all they hold."""
    for table in _TABLES:
        op.drop_table(table)
