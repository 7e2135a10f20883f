"""Keep what is claimed for a while in one table: schedules, and what new customers have typed.

The former had a table, the latter were rows of the entity map with other things in its columns.
Claims that are held go along, so that nobody takes over what is under way: a schedule's until it
would have ended, a customer's for as long as any configuration lets a request be under way.
Versions that our own writes made go: the one that was carried last says it.

A worker of before may still run. It carries events on, and holds no claim any more that one of
now could overlook: the entity map refuses its claims, so its new customers wait in the queue for
a worker of now; its schedules fail and are left to others. Stop it soon.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NO_CLAIMS = "entity_map_without_claims"
# A request is under way for 600 seconds at the most, and 5 are left to send it.
_PERSONS = """
    INSERT INTO claim (scope, key, holder, held_until)
    SELECT concat(kind, '/', market), magento_id, erp_key, changed_at + interval '605 seconds'
    FROM entity_map WHERE kind = 'customer_person'
"""
_SCHEDULES = """
    INSERT INTO claim (scope, key, holder, held_until)
    SELECT 'schedule', name, holder, held_until FROM schedule_lease
    WHERE held_until > clock_timestamp()
"""


def upgrade() -> None:
    """Make the table, move what is held, and keep claims out of the entity map."""
    op.create_table(
        "claim",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
    )
    # From the first look to the end: a claim made in between would be lost.
    op.execute("LOCK TABLE entity_map, schedule_lease IN ACCESS EXCLUSIVE MODE")
    op.execute(_PERSONS)
    op.execute("DELETE FROM entity_map WHERE kind IN ('customer_person', 'customer_version')")
    op.create_check_constraint(_NO_CLAIMS, "entity_map", "kind <> 'customer_person'")
    op.execute(_SCHEDULES)
    op.drop_table("schedule_lease")


def downgrade() -> None:
    """Drop it; claims end on their own, and schedules begin anew."""
    op.create_table(
        "schedule_lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
    )
    op.drop_constraint(_NO_CLAIMS, "entity_map")
    op.drop_table("claim")
