"""Compare what we rely on with what the ERP says of itself, before a record meets the difference.

    FIELD_GONE        a field we read or write is no more; perhaps it is called otherwise now
    TYPE_CHANGED      it is there, but no longer of a type we can read
    KEY_CHANGED       a row is identified by other fields
    NEWLY_MANDATORY   a new row must have a field that we do not send
    READ_ONLY         the set takes no writes any more
    MEMBER_GONE       an enum has lost a member we use

What is new in the ERP breaks nothing and is not looked for. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

# Below this, two names share an ending and nothing else.
_ALIKE = 0.6


class Change(StrEnum):
    """What differs."""

    FIELD_GONE = "field_gone"
    TYPE_CHANGED = "type_changed"
    KEY_CHANGED = "key_changed"
    NEWLY_MANDATORY = "newly_mandatory"
    READ_ONLY = "read_only"
    MEMBER_GONE = "member_gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference.

    Attributes:
        subject: The entity set or enum.
        name: The field or member; empty when it is about the whole set.
        text: What to tell an operator.
    """

    change: Change
    subject: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMetadata:
    """A field as the ERP describes it.

    Attributes:
        type_name: "Edm.String", or the name of an enum without its namespace.
        is_mandatory: A new row must have it.
    """

    type_name: str
    is_key: bool = False
    is_mandatory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityMetadata:
    """An entity set as the ERP describes it."""

    fields: Mapping[str, FieldMetadata]
    is_read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityContract:
    """What we rely on of an entity set.

    Attributes:
        entity: The name of its type, under which `/Metadata` knows it; empty where the
            environment is asked for it.
        key: Fields that identify a row.
        types: For each field we use, the types that we can read; empty for any.
        sent: Fields that each new row of ours has.
        is_written: Whether we write it at all.
    """

    entity_set: str
    entity: str
    key: tuple[str, ...]
    types: Mapping[str, frozenset[str]]
    sent: frozenset[str] = field(default_factory=frozenset)
    is_written: bool = False


def compare_entity(contract: EntityContract, now: EntityMetadata) -> list[Difference]:
    """Return what differs, the worst first."""
    return [
        *_gone(contract, now),
        *_of_another_type(contract, now),
        *_of_another_key(contract, now),
        *_mandatory(contract, now),
        *_read_only(contract, now),
    ]


def compare_enum(name: str, used: Iterable[str], now: Iterable[str]) -> list[Difference]:
    """Return what differs in the members of an enum."""
    members = set(now)
    return [
        Difference(
            change=Change.MEMBER_GONE,
            subject=name,
            name=member,
            text=f"enum {name} has no member {member!r} any more",
        )
        for member in used
        if member not in members
    ]


def _gone(contract: EntityContract, now: EntityMetadata) -> Iterator[Difference]:
    missing = [name for name in contract.types if name not in now.fields]
    for name in missing:
        guess = _new_name(name, contract, now)
        hint = f"; perhaps it is {guess!r} now" if guess else ""
        yield Difference(
            change=Change.FIELD_GONE,
            subject=contract.entity_set,
            name=name,
            text=f"{contract.entity_set} has no field {name!r} any more{hint}",
        )


def _new_name(name: str, contract: EntityContract, now: EntityMetadata) -> str:
    """Return the likeliest new name, a field that fits and is alike; empty without a guess."""
    allowed = contract.types[name]
    fitting = [
        each
        for each, told in now.fields.items()
        if each not in contract.types and _fits(allowed, told)
    ]
    return next(iter(get_close_matches(name, fitting, n=1, cutoff=_ALIKE)), "")


def _of_another_type(contract: EntityContract, now: EntityMetadata) -> Iterator[Difference]:
    for name, allowed in contract.types.items():
        told = now.fields.get(name)
        if told is not None and not _fits(allowed, told):
            expected = " or ".join(sorted(allowed))
            yield Difference(
                change=Change.TYPE_CHANGED,
                subject=contract.entity_set,
                name=name,
                text=f"{contract.entity_set}.{name} is {told.type_name} now, expected {expected}",
            )


def _of_another_key(contract: EntityContract, now: EntityMetadata) -> Iterator[Difference]:
    key = {name for name, told in now.fields.items() if told.is_key}
    # A key field that is gone was told already.
    expected = {name for name in contract.key if name in now.fields}
    if key != expected:
        told = ", ".join(sorted(key))
        yield Difference(
            change=Change.KEY_CHANGED,
            subject=contract.entity_set,
            name="",
            text=f"the key of {contract.entity_set} is {told} now",
        )


def _mandatory(contract: EntityContract, now: EntityMetadata) -> Iterator[Difference]:
    if not contract.is_written:
        return
    for name, told in now.fields.items():
        # Keys are given by number sequences, or sent where they are not.
        if told.is_mandatory and not told.is_key and name not in contract.sent:
            yield Difference(
                change=Change.NEWLY_MANDATORY,
                subject=contract.entity_set,
                name=name,
                text=f"{contract.entity_set}.{name} is mandatory, and is not sent",
            )


def _read_only(contract: EntityContract, now: EntityMetadata) -> Iterator[Difference]:
    if contract.is_written and now.is_read_only:
        yield Difference(
            change=Change.READ_ONLY,
            subject=contract.entity_set,
            name="",
            text=f"{contract.entity_set} takes no writes any more",
        )


def _fits(allowed: frozenset[str], told: FieldMetadata) -> bool:
    return not allowed or told.type_name in allowed
