"""Keep what mirrors know of the shop, what their runs plan, and who let what through."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0011"
down_revision = "0010"
_INSTANT = sa.DateTime(timezone=True)
_TABLES = (
    "mirror_row",
    "mirror_run",
    "mirror_staging",
    "mirror_change",
    "mirror_approval",
    "mirror_wanted",
)


def upgrade() -> None:
    """Make the tables."""
    _mirror_row()
    _mirror_run()
    _mirror_staging()
    _mirror_change()
    _mirror_approval()
    _mirror_wanted()


def downgrade() -> None:
    """Drop them."""
    for name in reversed(_TABLES):
        op.drop_table(name)


def _mirror_row() -> None:
    op.create_table(
        "mirror_row",
        sa.Column("flow", sa.Text, primary_key=True),
        sa.Column("shop", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("folded", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("shop_id", sa.Text),
        sa.Column("values", JSONB, nullable=False),
        sa.Column("run", sa.BigInteger),
        sa.Column("read_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    )
    op.create_index("mirror_row_by_key", "mirror_row", ["shop", "folded"])


def _mirror_run() -> None:
    op.create_table(
        "mirror_run",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("flow", sa.Text, nullable=False),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("shop", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("is_forced", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("counts", JSONB, nullable=False, server_default="{}"),
        sa.Column("read_after", sa.Text, nullable=False, server_default=""),
        sa.Column("rows_read", sa.Integer, nullable=False, server_default="0"),
        sa.Column("rows_expected", sa.Integer),
        sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("began_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("changed_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("planned_at", _INSTANT),
        sa.Column("ended_at", _INSTANT),
        sa.Column("asked_by", sa.Text, nullable=False, server_default=""),
        sa.Column("approved_by", sa.Text),
        sa.Column("approved_at", _INSTANT),
        sa.Column("text", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("mirror_run_by_flow", "mirror_run", ["flow", "market", "id"])
    op.create_index(
        "mirror_run_open",
        "mirror_run",
        ["flow", "shop"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _mirror_staging() -> None:
    op.create_table(
        "mirror_staging",
        sa.Column("run", sa.BigInteger, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("values", JSONB),
        sa.Column("odd", JSONB),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT, nullable=False),
        prefixes=["UNLOGGED"],
    )
    op.create_index("mirror_staging_by_row", "mirror_staging", ["run", "scope", "folded"])


def _mirror_change() -> None:
    op.create_table(
        "mirror_change",
        sa.Column(
            "run",
            sa.BigInteger,
            sa.ForeignKey("mirror_run.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("folded", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("wanted", JSONB, nullable=False),
        sa.Column("rest", JSONB),
        sa.Column("known", JSONB),
        sa.Column("before", JSONB),
        sa.Column("edited", ARRAY(sa.Text), nullable=False, server_default="{}"),
        sa.Column("shop_id", sa.Text),
        sa.Column("risks", ARRAY(sa.Text), nullable=False, server_default="{}"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False, server_default=""),
        sa.Column("text", sa.Text, nullable=False, server_default=""),
        sa.Column("advice", sa.Text, nullable=False, server_default=""),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT, nullable=False),
        sa.Column("written_at", _INSTANT),
    )
    op.create_index(
        "mirror_change_open",
        "mirror_change",
        ["run", "scope", "folded"],
        postgresql_where=sa.text("state IN ('planned', 'waiting')"),
    )
    op.create_index(
        "mirror_change_risky",
        "mirror_change",
        ["written_at"],
        postgresql_where=sa.text("risks <> '{}'"),
    )


def _mirror_approval() -> None:
    op.create_table(
        "mirror_approval",
        sa.Column("flow", sa.Text, primary_key=True),
        sa.Column("shop", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("folded", sa.Text, primary_key=True),
        sa.Column("risk", sa.Text, primary_key=True),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("approved_at", _INSTANT, nullable=False, server_default=sa.func.now()),
    )


def _mirror_wanted() -> None:
    op.create_table(
        "mirror_wanted",
        sa.Column("flow", sa.Text, primary_key=True),
        sa.Column("market", sa.Text, primary_key=True),
        sa.Column("folded", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("is_forced", sa.Boolean, nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("wished_at", _INSTANT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("mirror_wanted_by_time", "mirror_wanted", ["flow", "market", "due_at"])
