"""The tables of mirrors, as `migrations` made them.

mirror_row        the last acknowledged value of each field of each row
mirror_run        one row per read of the ERP and what came of it
mirror_staging    what a run that is not planned yet has read; lost with the database's crash
mirror_change     what each run wants written, and what came of it
mirror_approval   dangerous changes that a person has let through
mirror_wanted     keys that are to be read soon
mirror_look       how far each mirror has looked through the shop for edits
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    false,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY

from sync.store.plain_columns import PlainJson, PlainText
from sync.store.tables import metadata

_INSTANT = DateTime(timezone=True)

mirror_row = Table(
    "mirror_row",
    metadata,
    Column("flow", PlainText, primary_key=True),
    Column("shop", PlainText, primary_key=True),
    Column("scope", PlainText, primary_key=True),
    # What is equal for keys that are one to the shop.
    Column("folded", PlainText, primary_key=True),
    # As the ERP writes it.
    Column("key", PlainText, nullable=False),
    Column("market", PlainText, nullable=False),
    Column("shop_id", PlainText),
    Column("values", PlainJson, nullable=False),
    Column("run", BigInteger),
    # When the read began that the values come from: an older one says nothing any more.
    Column("read_at", _INSTANT, nullable=False),
    Column("changed_at", _INSTANT, nullable=False, server_default=func.now()),
    # What somebody edited in the shop and is kept, as it was told: by field.
    Column("told", PlainJson, nullable=False, server_default="{}"),
    # Fields that a person let be at the adoption, until the ERP says something new.
    Column("stays", ARRAY(Text), nullable=False, server_default="{}"),
    Index("mirror_row_by_key", "shop", "folded"),
)

mirror_run = Table(
    "mirror_run",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("flow", PlainText, nullable=False),
    Column("market", PlainText, nullable=False),
    Column("shop", PlainText, nullable=False),
    Column("trigger", PlainText, nullable=False),
    Column("state", PlainText, nullable=False),
    # Whether rows are written that are as they should be, and a shrunken catalog is believed.
    Column("is_forced", Boolean, nullable=False, server_default=false()),
    Column("counts", PlainJson, nullable=False, server_default="{}"),
    # Where its reading goes on.
    Column("read_after", PlainText, nullable=False, server_default=""),
    Column("rows_read", Integer, nullable=False, server_default="0"),
    Column("rows_expected", Integer),
    # Raised by whoever reads for it: a smaller one has lost it.
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("began_at", _INSTANT, nullable=False, server_default=func.now()),
    Column("changed_at", _INSTANT, nullable=False, server_default=func.now()),
    Column("planned_at", _INSTANT),
    Column("ended_at", _INSTANT),
    Column("asked_by", PlainText, nullable=False, server_default=""),
    Column("approved_by", PlainText),
    Column("approved_at", _INSTANT),
    Column("text", PlainText, nullable=False, server_default=""),
    Index("mirror_run_by_flow", "flow", "market", "id"),
    Index("mirror_run_open", "flow", "shop", postgresql_where="ended_at IS NULL"),
)

mirror_staging = Table(
    "mirror_staging",
    metadata,
    Column("run", BigInteger, nullable=False),
    # Empty for what no row could be made of.
    Column("scope", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("values", PlainJson),
    # Field, text and advice of what no row could be made of.
    Column("odd", PlainJson),
    Column("began_at", _INSTANT, nullable=False),
    Column("ended_at", _INSTANT, nullable=False),
    Index("mirror_staging_by_row", "run", "scope", "folded"),
    prefixes=["UNLOGGED"],
)

mirror_change = Table(
    "mirror_change",
    metadata,
    Column("run", BigInteger, ForeignKey("mirror_run.id", ondelete="CASCADE"), primary_key=True),
    Column("scope", PlainText, primary_key=True),
    Column("folded", PlainText, primary_key=True),
    Column("key", PlainText, nullable=False),
    Column("wanted", PlainJson, nullable=False),
    # Fields of an adoption that nobody has decided on yet.
    Column("rest", PlainJson),
    Column("known", PlainJson),
    # JSON's null where the shop had no such thing, the database's where nobody looked.
    Column("before", PlainJson),
    Column("edited", ARRAY(Text), nullable=False, server_default="{}"),
    Column("shop_id", PlainText),
    # Each as "name/direction/why it waits, or that it is approved".
    Column("risks", ARRAY(Text), nullable=False, server_default="{}"),
    Column("state", PlainText, nullable=False),
    Column("field", PlainText, nullable=False, server_default=""),
    Column("text", PlainText, nullable=False, server_default=""),
    Column("advice", PlainText, nullable=False, server_default=""),
    Column("began_at", _INSTANT, nullable=False),
    Column("ended_at", _INSTANT, nullable=False),
    Column("written_at", _INSTANT),
    Index(
        "mirror_change_open",
        "run",
        "scope",
        "folded",
        postgresql_where="state IN ('planned', 'waiting')",
    ),
    Index("mirror_change_risky", "written_at", postgresql_where="risks <> '{}'"),
)

mirror_approval = Table(
    "mirror_approval",
    metadata,
    Column("flow", PlainText, primary_key=True),
    Column("shop", PlainText, primary_key=True),
    Column("scope", PlainText, primary_key=True),
    Column("folded", PlainText, primary_key=True),
    Column("risk", PlainText, primary_key=True),
    Column("direction", PlainText, nullable=False),
    Column("approved_by", PlainText, nullable=False),
    Column("approved_at", _INSTANT, nullable=False, server_default=func.now()),
)

mirror_wanted = Table(
    "mirror_wanted",
    metadata,
    Column("flow", PlainText, primary_key=True),
    Column("market", PlainText, primary_key=True),
    Column("folded", PlainText, primary_key=True),
    Column("key", PlainText, nullable=False),
    # Whether it is written even where it is as it should be.
    Column("is_forced", Boolean, nullable=False),
    Column("due_at", _INSTANT, nullable=False),
    # A read that began before it does not fulfil it.
    Column("wished_at", _INSTANT, nullable=False),
    Column("reason", PlainText, nullable=False),
    Index("mirror_wanted_by_time", "flow", "market", "due_at"),
)

mirror_look = Table(
    "mirror_look",
    metadata,
    Column("flow", PlainText, primary_key=True),
    Column("market", PlainText, primary_key=True),
    # The round that goes on, or the last one.
    Column("began_at", _INSTANT, nullable=False),
    Column("ended_at", _INSTANT),
    # After which row it goes on.
    Column("scope", PlainText, nullable=False, server_default=""),
    Column("folded", PlainText, nullable=False, server_default=""),
    # Rows of the round: how many there are, were looked at, differed, were kept, were gone.
    Column("expected", Integer, nullable=False, server_default="0"),
    Column("looked", Integer, nullable=False, server_default="0"),
    Column("edited", Integer, nullable=False, server_default="0"),
    Column("kept", Integer, nullable=False, server_default="0"),
    Column("gone", Integer, nullable=False, server_default="0"),
    # Where the round's edits are listed, where there is something to list.
    Column("run", BigInteger),
    # The last round that came to its end.
    Column("last_began_at", _INSTANT),
    Column("last_ended_at", _INSTANT),
    Column("last_looked", Integer),
)
