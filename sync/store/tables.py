"""The tables of the sync, as `migrations` made them.

sync_event           one row per thing to carry over
sync_attempt         the journal: every write of every attempt
entity_map           the shop's ids and the ERP's keys
sync_wish            what was last written of a field in another system, and whether it stayed
account_refusal      accounts that a person said are not a customer's
reference_form       every prefix that references of a market's documents ever had
watermark            how far each source was read, and when each schedule last succeeded
odd_row              rows of the shop's lists that cannot be read
claim                who has what for a while: a schedule, what a new customer has typed
flow_control         what is paused or limited
reconciliation_run, discrepancy   what differed between the systems
alert                what was raised, and when it ended
audit                who did what by hand
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    false,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

_INSTANT = DateTime(timezone=True)


def _created_at() -> Column[object]:
    return Column("created_at", _INSTANT, nullable=False, server_default=func.now())


sync_event = Table(
    "sync_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("flow", Text, nullable=False),
    Column("market", Text, nullable=False),
    Column("business_key", Text, nullable=False),
    # The shop's internal id; null where an older version knew the number only.
    Column("document_id", Text),
    Column("source_key", Text, nullable=False, unique=True),
    Column("lock_key", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("depends_on", BigInteger, ForeignKey("sync_event.id")),
    # Set with another one's `depends_on`, so that its end cannot overlook who waits.
    Column("is_awaited", Boolean, nullable=False, server_default=false()),
    Column("due_at", _INSTANT),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # Raised with each claim: a worker with a smaller number has lost the event.
    Column("fence", BigInteger, nullable=False, server_default="0"),
    # Claims in a row that no worker lived to finish.
    Column("deaths", Integer, nullable=False, server_default="0"),
    Column("note", Text, nullable=False, server_default=""),
    Column("error_kind", Text),
    Column("error_field", Text),
    Column("error_text", Text),
    Column("error_advice", Text),
    Column("error_diff", JSONB),
    Column("trace", Text),
    _created_at(),
    Column("claimed_at", _INSTANT),
    Column("changed_at", _INSTANT, nullable=False, server_default=func.now()),
    Column("ended_at", _INSTANT),
    Index("sync_event_by_lock", "lock_key", "id"),
    Index("sync_event_by_key", "flow", "business_key"),
    Index("sync_event_by_document", "flow", "document_id"),
    Index("sync_event_by_state", "state", "flow", "market"),
    Index("sync_event_by_dependency", "depends_on"),
    Index("sync_event_by_caution", "ended_at", postgresql_where="error_kind = 'Caution'"),
)

sync_attempt = Table(
    "sync_attempt",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", BigInteger, ForeignKey("sync_event.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("system", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("sent_at", _INSTANT, nullable=False),
    Column("acked_at", _INSTANT),
    Column("status", Integer),
    Column("response", JSONB),
    Column("duration_ms", Integer),
    Column("mapping_version", Text, nullable=False),
    Column("configuration_hash", Text, nullable=False),
    Index("sync_attempt_by_event", "event_id", "id"),
    Index("sync_attempt_by_age", "sent_at"),
)

entity_map = Table(
    "entity_map",
    metadata,
    Column("market", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("magento_id", Text, primary_key=True),
    Column("erp_key", Text, nullable=False),
    Column("content_hash", Text, nullable=False, server_default=""),
    Column("changed_at", _INSTANT, nullable=False, server_default=func.now()),
    # How it came about; empty where that is not known.
    Column("origin", Text, nullable=False, server_default=""),
    # Who has looked at it and let it stand.
    Column("reviewed_by", Text),
    Index("entity_map_by_erp_key", "market", "kind", "erp_key"),
    Index("entity_map_by_change", "kind", "changed_at"),
    # A claim of an older program, which must not meet those of this one unseen.
    CheckConstraint("kind <> 'customer_person'", name="entity_map_without_claims"),
)

account_refusal = Table(
    "account_refusal",
    metadata,
    Column("market", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    # Whether whoever refused it said that the customer gets another, made anew if need be.
    Column("allows_new", Boolean, nullable=False),
    Column("refused_by", Text, nullable=False),
    Column("changed_at", _INSTANT, nullable=False),
    Index("account_refusal_by_change", "changed_at"),
)

sync_wish = Table(
    "sync_wish",
    metadata,
    Column("market", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    # Written under another one, it counts for nothing.
    Column("configuration_hash", Text, nullable=False),
    # Digests: what is written may be a customer's.
    Column("value", Text, nullable=False),
    Column("seen", Text, nullable=False),
    # Null while nobody has looked.
    Column("is_taken", Boolean),
    Column("times", Integer, nullable=False),
    Column("hour_began_at", _INSTANT, nullable=False),
    Column("in_hour", Integer, nullable=False),
    Column("written_at", _INSTANT, nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("advice", Text, nullable=False, server_default=""),
    Index("sync_wish_unsettled", "market", postgresql_where="text <> ''"),
)

reference_form = Table(
    "reference_form",
    metadata,
    Column("market", Text, primary_key=True),
    # "*" for all store views of the market, as they were before prefixes could be chosen.
    Column("store", Text, primary_key=True),
    Column("prefix", Text, primary_key=True),
    _created_at(),
)

watermark = Table(
    "watermark",
    metadata,
    Column("name", Text, primary_key=True),
    Column("format", Integer, nullable=False),
    Column("value", Text, nullable=False),
    Column("changed_at", _INSTANT, nullable=False, server_default=func.now()),
)

odd_row = Table(
    "odd_row",
    metadata,
    # The flow whose list it is in.
    Column("source", Text, primary_key=True),
    Column("row_id", BigInteger, primary_key=True),
    # What people call it; empty where it does not say.
    Column("number", Text, nullable=False),
    # Empty where the shop cannot serve the row at all.
    Column("member", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("seen_at", _INSTANT, nullable=False),
    Column("looked_at", _INSTANT, nullable=False),
    # Who has said that it stays as it is, until something else is wrong with it.
    Column("set_aside_by", Text),
    Column("reason", Text, nullable=False, server_default=""),
)

claim = Table(
    "claim",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    # Past it, anybody may take it over.
    Column("held_until", _INSTANT, nullable=False),
)

flow_control = Table(
    "flow_control",
    metadata,
    Column("flow", Text, primary_key=True),
    # Empty for all markets.
    Column("market", Text, primary_key=True),
    Column("is_paused", Boolean, nullable=False),
    # Events at once in each process, null for as many as the configuration says.
    Column("at_once", Integer),
    Column("reason", Text, nullable=False, server_default=""),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", _INSTANT, nullable=False, server_default=func.now()),
)

reconciliation_run = Table(
    "reconciliation_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("market", Text, nullable=False),
    Column("window_from", _INSTANT),
    Column("window_to", _INSTANT),
    Column("compared", Integer, nullable=False, server_default="0"),
    _created_at(),
    Column("ended_at", _INSTANT),
)

discrepancy = Table(
    "discrepancy",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", BigInteger, ForeignKey("reconciliation_run.id"), nullable=False),
    Column("business_key", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("expected", Text, nullable=False),
    Column("found", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("action", Text, nullable=False, server_default=""),
    Index("discrepancy_by_run", "run_id"),
)

alert = Table(
    "alert",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("raised_at", _INSTANT, nullable=False),
    Column("told_at", _INSTANT),
    Column("told_count", Integer, nullable=False, server_default="0"),
    Column("times_told", Integer, nullable=False, server_default="0"),
    Column("ended_at", _INSTANT),
    Index("alert_open", "key", unique=True, postgresql_where="ended_at IS NULL"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    _created_at(),
)
