"""The tables of the sync, as `migrations` made them.

sync_event           one row per thing to carry over
sync_attempt         the journal: every write of every attempt
entity_map           the shop's ids and the ERP's keys
sync_wish            what was last written of a field in another system, and whether it stayed
account_refusal      accounts that a person said are not a customer's
reference_form       every prefix that references of a market's documents ever had
watermark            how far each source was read, and when each schedule last succeeded
odd_row              rows of the shop's lists and the ERP's papers that cannot be read
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
    false,
    func,
)

from sync.store.plain_columns import PlainJson, PlainText

metadata = MetaData()

_INSTANT = DateTime(timezone=True)


def _created_at() -> Column[object]:
    return Column("created_at", _INSTANT, nullable=False, server_default=func.now())


sync_event = Table(
    "sync_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("flow", PlainText, nullable=False),
    Column("market", PlainText, nullable=False),
    Column("business_key", PlainText, nullable=False),
    # The shop's internal id; null where an older version knew the number only.
    Column("document_id", PlainText),
    Column("source_key", PlainText, nullable=False, unique=True),
    Column("lock_key", PlainText, nullable=False),
    Column("payload", PlainJson, nullable=False),
    Column("state", PlainText, nullable=False),
    Column("depends_on", BigInteger, ForeignKey("sync_event.id")),
    # Set with another one's `depends_on`, so that its end cannot overlook who waits.
    Column("is_awaited", Boolean, nullable=False, server_default=false()),
    Column("due_at", _INSTANT),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # Raised with each claim: a worker with a smaller number has lost the event.
    Column("fence", BigInteger, nullable=False, server_default="0"),
    # Leases in a row that were lost over it: its workers ended, and it got no further.
    Column("deaths", Integer, nullable=False, server_default="0"),
    Column("note", PlainText, nullable=False, server_default=""),
    Column("error_kind", PlainText),
    Column("error_field", PlainText),
    Column("error_text", PlainText),
    Column("error_advice", PlainText),
    Column("error_diff", PlainJson),
    Column("trace", PlainText),
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
    Column("system", PlainText, nullable=False),
    Column("operation", PlainText, nullable=False),
    Column("request", PlainJson, nullable=False),
    Column("sent_at", _INSTANT, nullable=False),
    Column("acked_at", _INSTANT),
    Column("status", Integer),
    Column("response", PlainJson),
    Column("duration_ms", Integer),
    Column("mapping_version", PlainText, nullable=False),
    Column("configuration_hash", PlainText, nullable=False),
    Index("sync_attempt_by_event", "event_id", "id"),
    Index("sync_attempt_by_age", "sent_at"),
)

entity_map = Table(
    "entity_map",
    metadata,
    Column("market", PlainText, primary_key=True),
    Column("kind", PlainText, primary_key=True),
    Column("magento_id", PlainText, primary_key=True),
    Column("erp_key", PlainText, nullable=False),
    Column("content_hash", PlainText, nullable=False, server_default=""),
    Column("changed_at", _INSTANT, nullable=False, server_default=func.now()),
    # How it came about; empty where that is not known.
    Column("origin", PlainText, nullable=False, server_default=""),
    # Who has looked at it and let it stand.
    Column("reviewed_by", PlainText),
    Index("entity_map_by_erp_key", "market", "kind", "erp_key"),
    Index("entity_map_by_change", "kind", "changed_at"),
    # A claim of an older program, which must not meet those of this one unseen.
    CheckConstraint("kind <> 'customer_person'", name="entity_map_without_claims"),
)

account_refusal = Table(
    "account_refusal",
    metadata,
    Column("market", PlainText, primary_key=True),
    Column("customer_id", PlainText, primary_key=True),
    Column("account", PlainText, primary_key=True),
    # Whether whoever refused it said that the customer gets another, made anew if need be.
    Column("allows_new", Boolean, nullable=False),
    Column("refused_by", PlainText, nullable=False),
    Column("changed_at", _INSTANT, nullable=False),
    Index("account_refusal_by_change", "changed_at"),
)

sync_wish = Table(
    "sync_wish",
    metadata,
    Column("market", PlainText, primary_key=True),
    Column("system", PlainText, primary_key=True),
    Column("document", PlainText, primary_key=True),
    Column("field", PlainText, primary_key=True),
    # Written under another one, it counts for nothing.
    Column("configuration_hash", PlainText, nullable=False),
    # Digests: what is written may be a customer's.
    Column("value", PlainText, nullable=False),
    Column("seen", PlainText, nullable=False),
    # Null while nobody has looked.
    Column("is_taken", Boolean),
    Column("times", Integer, nullable=False),
    Column("hour_began_at", _INSTANT, nullable=False),
    Column("in_hour", Integer, nullable=False),
    Column("written_at", _INSTANT, nullable=False),
    Column("text", PlainText, nullable=False, server_default=""),
    Column("advice", PlainText, nullable=False, server_default=""),
    Index("sync_wish_unsettled", "market", postgresql_where="text <> ''"),
)

reference_form = Table(
    "reference_form",
    metadata,
    Column("market", PlainText, primary_key=True),
    # "*" for all store views of the market, as they were before prefixes could be chosen.
    Column("store", PlainText, primary_key=True),
    Column("prefix", PlainText, primary_key=True),
    _created_at(),
)

watermark = Table(
    "watermark",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("format", Integer, nullable=False),
    Column("value", PlainText, nullable=False),
    Column("changed_at", _INSTANT, nullable=False, server_default=func.now()),
)

odd_row = Table(
    "odd_row",
    metadata,
    # The flow whose list it is in.
    Column("source", PlainText, primary_key=True),
    Column("row_id", BigInteger, primary_key=True),
    # What people call it; empty where it does not say.
    Column("number", PlainText, nullable=False),
    # Empty where the shop cannot serve the row at all.
    Column("member", PlainText, nullable=False),
    Column("text", PlainText, nullable=False),
    Column("seen_at", _INSTANT, nullable=False),
    Column("looked_at", _INSTANT, nullable=False),
    # Who has said that it stays as it is, until something else is wrong with it.
    Column("set_aside_by", PlainText),
    Column("reason", PlainText, nullable=False, server_default=""),
)

claim = Table(
    "claim",
    metadata,
    Column("scope", PlainText, primary_key=True),
    Column("key", PlainText, primary_key=True),
    Column("holder", PlainText, nullable=False),
    # Past it, anybody may take it over.
    Column("held_until", _INSTANT, nullable=False),
)

flow_control = Table(
    "flow_control",
    metadata,
    Column("flow", PlainText, primary_key=True),
    # Empty for all markets.
    Column("market", PlainText, primary_key=True),
    Column("is_paused", Boolean, nullable=False),
    # Events at once in each process, null for as many as the configuration says.
    Column("at_once", Integer),
    Column("reason", PlainText, nullable=False, server_default=""),
    Column("changed_by", PlainText, nullable=False),
    Column("changed_at", _INSTANT, nullable=False, server_default=func.now()),
)

reconciliation_run = Table(
    "reconciliation_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", PlainText, nullable=False),
    Column("market", PlainText, nullable=False),
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
    Column("business_key", PlainText, nullable=False),
    Column("field", PlainText, nullable=False),
    Column("expected", PlainText, nullable=False),
    Column("found", PlainText, nullable=False),
    Column("cause", PlainText, nullable=False),
    Column("action", PlainText, nullable=False, server_default=""),
    Index("discrepancy_by_run", "run_id"),
)

alert = Table(
    "alert",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", PlainText, nullable=False),
    Column("title", PlainText, nullable=False),
    Column("text", PlainText, nullable=False),
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
    Column("who", PlainText, nullable=False),
    Column("action", PlainText, nullable=False),
    Column("subject", PlainText, nullable=False),
    Column("before", PlainJson),
    Column("after", PlainJson),
    _created_at(),
)
