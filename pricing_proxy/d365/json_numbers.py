"""JSON in and out with every number kept as the text it was written in.

The one decoder for ERP bodies: a number never becomes a float, so its digits and
its trailing zeros reach the answer unchanged. Both functions raise `ValueError`
for what cannot be said exactly; they do no I/O.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from pricing_proxy.money import NumberText, number_text

# RFC 8259, section 6; stricter than Decimal, which also takes "007", ".5" and "NaN".
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
# Longer bodies are read in a thread, beside a loop that must not wait for all of it.
_PAUSING_BYTES = 128 * 1024


def read_json(body: bytes) -> Any:
    """Return the body's value, each number as a `NumberText`.

    Raises:
        ValueError: Not JSON, nested too deeply, or holding NaN or an implausible number.
    """
    try:
        return json.loads(
            body,
            parse_float=number_text,
            parse_int=number_text,
            parse_constant=_refuse,
            object_hook=_pausing if len(body) > _PAUSING_BYTES else None,
        )
    except RecursionError as exc:
        raise ValueError("JSON nested too deeply") from exc


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
