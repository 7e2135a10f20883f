"""Know every event by its document's internal id, and keep which forms references ever had.

Keys made of a document's number become keys of the document; jobs in the queue go along, so
that an order under way keeps its lock. Where an event does not say its document, another one
of the same number may, as until now two documents of one market never shared a number; what
stays unknown is looked up in the shop when its turn comes. Links and watermarks hold internal
ids and instants, and stay as they are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# Customers were known by their id from the beginning.
_OF_CUSTOMERS = (
    "UPDATE sync_event SET document_id = business_key"
    " WHERE flow = 'customers' AND business_key ~ '^[0-9]{1,18}$'"
)
_OF_PAYLOADS = """
    UPDATE sync_event SET document_id = payload->>'entity_id'
    WHERE flow IN ('orders', 'returns') AND payload->>'entity_id' ~ '^[1-9][0-9]{0,17}$'
"""
_OF_WRITE_BACKS = """
    UPDATE sync_event AS event SET document_id = call.entity_id
    FROM (
        SELECT event_id, min(request->>'entity_id') AS entity_id FROM sync_attempt
        WHERE system = 'magento' AND operation = 'ext_order_id'
          AND request->>'entity_id' ~ '^[1-9][0-9]{0,17}$'
        GROUP BY event_id HAVING count(DISTINCT request->>'entity_id') = 1
    ) AS call
    WHERE call.event_id = event.id AND event.document_id IS NULL AND event.flow = 'orders'
"""
_OF_OTHERS = """
    UPDATE sync_event AS event SET document_id = known.document_id
    FROM (
        SELECT flow, market, business_key, min(document_id) AS document_id FROM sync_event
        WHERE document_id IS NOT NULL AND flow IN ('orders', 'returns')
        GROUP BY flow, market, business_key HAVING count(DISTINCT document_id) = 1
    ) AS known
    WHERE event.document_id IS NULL AND event.flow = known.flow
      AND event.market = known.market AND event.business_key = known.business_key
"""
_RE_KEYED = """
    WITH keyed AS (
        SELECT id, concat(flow, '/', market, '/#', document_id) AS document,
            substr(source_key, length(concat(flow, '/', market, '/', business_key)) + 1) AS task
        FROM sync_event
        WHERE document_id IS NOT NULL
          AND starts_with(source_key, concat(flow, '/', market, '/', business_key))
    ), counted AS (
        SELECT id, document, document || task AS key,
            row_number() OVER (PARTITION BY document, task ORDER BY id) AS place
        FROM keyed
    )
    UPDATE sync_event AS event SET lock_key = counted.document,
        source_key = counted.key || CASE WHEN place > 1 THEN '/again/' || event.id ELSE '' END
    FROM counted WHERE counted.id = event.id
"""
# What a worker has in hands it puts back itself; the events' own locks hold until then.
_JOBS = """
    UPDATE procrastinate_jobs AS job SET lock = event.lock_key FROM sync_event AS event
    WHERE job.status = 'todo' AND CAST(job.args->>'event_id' AS bigint) = event.id
      AND job.lock IS DISTINCT FROM event.lock_key
"""
_PLAIN_FORMS = """
    INSERT INTO reference_form (market, store, prefix)
    SELECT DISTINCT market, '*', '' FROM sync_event WHERE flow IN ('orders', 'returns')
"""


def upgrade() -> None:
    """Add the column and the table, and find what belongs into them."""
    # Every event there ever was is written: minutes, where there are millions.
    op.execute("SET LOCAL statement_timeout = 0")
    op.add_column("sync_event", sa.Column("document_id", sa.Text, nullable=True))
    op.create_index("sync_event_by_document", "sync_event", ["flow", "document_id"])
    op.create_table(
        "reference_form",
        sa.Column("market", sa.Text, primary_key=True),
        sa.Column("store", sa.Text, primary_key=True),
        sa.Column("prefix", sa.Text, primary_key=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
    )
    for statement in (_OF_CUSTOMERS, _OF_PAYLOADS, _OF_WRITE_BACKS, _OF_OTHERS, _RE_KEYED):
        op.execute(sa.text(statement))
    if op.get_bind().execute(sa.text("SELECT to_regclass('procrastinate_jobs')")).scalar():
        op.execute(sa.text(_JOBS))
    op.execute(sa.text(_PLAIN_FORMS))


def downgrade() -> None:
    """Drop what was added; the keys stay, as nothing reads their spelling."""
    op.drop_table("reference_form")
    op.drop_index("sync_event_by_document", "sync_event")
    op.drop_column("sync_event", "document_id")
