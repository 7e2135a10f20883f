"""Rows of the shop's lists that cannot be read: which, and what is wrong with them.

One row that misses a member, or that the shop cannot serve at all, says nothing about the others
of its page. What stands in it is not told, since it may be a customer's. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from sync.engine.windows import ClockReading
from sync.magento.wire_types import Instant, Number, ShopModel

M = TypeVar("M", bound=ShopModel)

# A row that is something else altogether has dozens.
_MOST_TOLD = 3
_OWN_WORDS = "Value error, "
_NUMBER_MEMBER, _CHANGED = "increment_id", "updated_at"
_IDS, _NUMBERS, _INSTANTS = TypeAdapter(int), TypeAdapter(Number), TypeAdapter(Instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class OddRow:
    """One row.

    Attributes:
        entity_id: The shop's id of it.
        number: What people call it; empty where it does not say.
        member: What is wrong, the first of several; empty where the shop cannot serve the row.
        text: What is wrong with it, in words.
        updated_at: When it changed; None where it does not say.
    """

    entity_id: int
    number: str = ""
    member: str = ""
    text: str
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RowPage(Generic[M]):
    """What was read of a list at once.

    Attributes:
        rows: Those that read well.
        odd: The others.
        reading: The shop's clock; None where it is not known.
    """

    rows: Sequence[M] = ()
    odd: Sequence[OddRow] = ()
    reading: ClockReading | None = None


def page_of(model: type[M], rows: Sequence[Any]) -> RowPage[M]:
    """Return the rows of an answer, each judged by itself.

    Raises:
        ValueError: A row does not say which it is.
    """
    good: list[M] = []
    odd: list[OddRow] = []
    for row in rows:
        try:
            good.append(model.model_validate(row))
        except ValidationError as error:
            odd.append(_odd_row(row, error))
    return RowPage(good, odd)


def id_of(row: Any) -> int | None:
    """Return a row's id, None where it does not say."""
    value = row.get("entity_id", row.get("id")) if isinstance(row, Mapping) else None
    return None if isinstance(value, bool) else _read(_IDS, value)


def changed_at(row: Any) -> datetime | None:
    """Return when a row changed, None where it does not say."""
    return _read(_INSTANTS, row.get(_CHANGED)) if isinstance(row, Mapping) else None


def unserved(entity_id: int) -> OddRow:
    """Return a row for whose sake the shop answers no list that it is in."""
    text = "the shop fails whenever it is asked for it (500): see the shop's exception log"
    return OddRow(entity_id=entity_id, text=text)


def member_of(error: ValidationError) -> str:
    """Return the member that is wrong, the first of several."""
    return next(iter(_told(error)), ("", ""))[0]


def in_words(error: ValidationError) -> str:
    """Return what is wrong, without what stands there."""
    told = list(_told(error))
    more = f" and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return "; ".join(f"{member} {text}" for member, text in told[:_MOST_TOLD]) + more


def _odd_row(row: Any, error: ValidationError) -> OddRow:
    entity_id = id_of(row)
    if entity_id is None:
        raise ValueError("a row that does not say which it is")
    return OddRow(
        entity_id=entity_id,
        number=_read(_NUMBERS, row.get(_NUMBER_MEMBER)) or "",
        member=member_of(error),
        text=in_words(error),
        updated_at=changed_at(row),
    )


def _told(error: ValidationError) -> Iterator[tuple[str, str]]:
    for each in error.errors(include_url=False, include_context=False):
        yield ".".join(map(str, each["loc"])), _problem(each)


def _problem(error: Mapping[str, Any]) -> str:
    if error["type"] == "missing":
        return "is missing"
    if error["input"] is None:
        return "is null"
    said = str(error["msg"])
    if said.startswith(_OWN_WORDS):
        return f"is {said.removeprefix(_OWN_WORDS)}"
    return said.removeprefix("Input ")


def _read(kind: TypeAdapter[Any], value: Any) -> Any:
    try:
        return kind.validate_python(value)
    except ValidationError:
        return None
