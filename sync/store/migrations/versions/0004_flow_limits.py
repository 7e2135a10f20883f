"""Let an operator limit how much of a flow is carried at once."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the limit; there is none where it is null."""
    op.add_column("flow_control", sa.Column("at_once", sa.Integer, nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("flow_control", "at_once")
