"""JSON in and out with every number kept as the text it was written in.

The decoders for ERP bodies: a number never becomes a float, so its digits and its
trailing zeros reach the answer unchanged. `read_json` refuses a body that holds what is
no number; `read_odd_json` leaves that to whoever reads the member it stands in, so that
one line of an answer fails no other. `write_json` refuses what cannot be said exactly.
They do no I/O.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NoReturn

from pricing_proxy.money import ImplausibleNumber, NumberText, number_text

# As much of a long number as anybody wants to read.
_SHOWN = 40
# RFC 8259, section 6; stricter than Decimal, which also takes "007", ".5" and "NaN".
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
# Longer bodies are read in a thread, beside a loop that must not wait for all of it.
_PAUSING_BYTES = 128 * 1024


class NotANumber:
    """What stands where a body says NaN or Infinity; no member of ours can be one."""


NOT_A_NUMBER: Final = NotANumber()


def read_json(body: bytes) -> Any:
    """Return the body's value, each number as a `NumberText`.

    Raises:
        ValueError: Not JSON, nested too deeply, or holding NaN or an implausible number.
    """
    return _read(body, number=number_text, constant=_refuse)


def read_odd_json(body: bytes) -> Any:
    """Return the body's value as `read_json` does, also where it holds what is no number.

    NaN and Infinity are `NOT_A_NUMBER`, a number that is no amount an `ImplausibleNumber`.

    Raises:
        ValueError: Not JSON, or nested too deeply.
    """
    return _read(body, number=_any_number, constant=lambda _: NOT_A_NUMBER)


def _pausing(row: dict[str, Any]) -> dict[str, Any]:
    """Return the object; while this runs another thread may take over, which C code allows none."""
    return row


def write_json(value: Any) -> bytes:
    """Return `value` as JSON, a `NumberText` or `Decimal` as the raw text of a number.

    Raises:
        ValueError: A number that JSON cannot say, such as NaN.
        TypeError: A float, whose digits are not the ones somebody meant, or another type.
    """
    return _text(value).encode()


def _read(body: bytes, *, number: Callable[[str], Any], constant: Callable[[str], Any]) -> Any:
    try:
        return json.loads(
            body,
            parse_float=number,
            parse_int=number,
            parse_constant=constant,
            object_hook=_pausing if len(body) > _PAUSING_BYTES else None,
        )
    except RecursionError as exc:
        raise ValueError("JSON nested too deeply") from exc


def _any_number(text: str) -> NumberText | ImplausibleNumber:
    try:
        return number_text(text)
    except ValueError:
        return ImplausibleNumber(text[:_SHOWN])


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _text(value: Any) -> str:
    match value:
        case None | bool():
            return json.dumps(value)
        case NumberText() | Decimal() | int():
            return _number(value)
        case str():
            return json.dumps(value)
        case Mapping():
            members = (f"{json.dumps(str(name))}:{_text(item)}" for name, item in value.items())
            return "{" + ",".join(members) + "}"
        case Sequence() if not isinstance(value, bytes):
            return "[" + ",".join(map(_text, value)) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written exactly")


def _number(value: NumberText | Decimal | int) -> str:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if _JSON_NUMBER.fullmatch(text) is None:
        raise ValueError(f"not a JSON number: {text[:40]!r}")
    return text
