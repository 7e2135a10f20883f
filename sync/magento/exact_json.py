"""Write JSON for Magento: decimals as numbers with the digits they have. Pure."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def exact_json(value: Any) -> bytes:
    """Return `value` as JSON.

    Raises:
        ValueError: A decimal that is no number.
        TypeError: A float, whose digits are not the ones somebody meant, or another type.
    """
    return _text(value).encode()


def _text(value: Any) -> str:
    match value:
        case Decimal():
            if not value.is_finite():
                raise ValueError(f"{value} is no number that JSON has")
            return f"{value:f}"
        case Mapping():
            members = (f"{json.dumps(str(name))}:{_text(one)}" for name, one in value.items())
            return "{" + ",".join(members) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_text, value)) + "]"
        case float():
            raise TypeError("a float has other digits than somebody meant")
        case _:
            return json.dumps(value)
