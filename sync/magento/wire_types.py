"""How Magento writes values: absent for zero, 0 and 1 for flags, UTC without a zone.

The field types of all models of this package. Amounts are exact decimals; a member that
is absent or null is empty, zero or None, as its type says.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

# As older databases write a date that is none.
_NO_DATE = "0000-00-00"


def _text(value: Any) -> Any:
    if value is None:
        return ""
    # Ids come as numbers in one place and as texts in the next.
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if is_number else value


def _amount(value: Any) -> Any:
    return Decimal(0) if value is None else value


def _flag(value: Any) -> Any:
    return False if value is None else value


def _members(value: Any) -> Any:
    # PHP's empty array has no keys, so it comes as a list.
    return {} if value is None or value == [] else value


def _rows(value: Any) -> Any:
    return () if value is None else value


def _instant(value: Any) -> Any:
    # What stands there is not quoted: the text of an error ends up in logs.
    if not isinstance(value, str):
        raise ValueError("an instant is a text")  # noqa: TRY004 - pydantic collects ValueErrors only
    if value.startswith(_NO_DATE):
        raise ValueError("a date of zeros")
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("no instant such as 2026-11-29 02:29:40") from None


def _instant_or_none(value: Any) -> Any:
    return None if value is None or str(value).startswith(_NO_DATE) else _instant(value)


def _option_text(value: Any) -> Any:
    """Return an option's value; date options come as two texts, of which the second was chosen.

    The first has lost the half of the day: half past two becomes two in the morning.
    """
    if isinstance(value, list) and value:
        return _text(value[-1])
    return _text(value)


Text = Annotated[str, BeforeValidator(_text)]
"""A text or an id, empty when there is none."""

Number = Annotated[str, Field(min_length=1)]
"""What people call a document."""

StateName = Annotated[str, Field(min_length=1)]
"""How far a document has come, by the shop's own name."""

Amount = Annotated[Decimal, BeforeValidator(_amount)]
"""An amount, a quantity or a rate; 0 when there is none."""

Flag = Annotated[bool, BeforeValidator(_flag)]
"""0 or 1."""

Instant = Annotated[datetime, BeforeValidator(_instant)]
"""An instant in UTC, whole seconds."""

InstantOrNone = Annotated[datetime | None, BeforeValidator(_instant_or_none)]
"""An instant, None where the database has a date of zeros: of rows that somebody imported."""

OptionText = Annotated[str, BeforeValidator(_option_text)]
"""What was chosen for an option: an id, ids with commas, or the text that was typed."""

Members = BeforeValidator(_members)
"""For a model whose members may all be missing."""

Rows = BeforeValidator(_rows)
"""For a tuple that may be null."""


class ShopModel(BaseModel):
    """What all have in common: fixed once read, and blind to members nobody asked for."""

    # Inputs are hidden because validation errors end up in logs, and orders are customer data.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class OpenMembers(ShopModel):
    """Extension attributes, those of the shop's own modules included, in `model_extra`."""

    model_config = ConfigDict(extra="allow")


class CustomAttribute(ShopModel):
    """An attribute that the shop added; its value may be a text, a number or a list."""

    attribute_code: str
    value: Any = None
