"""Make a fragment small for Redis, where a price costs memory a million times.

The names of a fragment's members are the same for all prices, so only the values are
stored, with the number of the form they fill in again. A fragment of any other form is
stored as it is. Packing is checked by unpacking, when a price is written; nothing is parsed
when it is read.
"""

import json
from itertools import chain, product

_SEPARATOR = "\x1f"  # JSON text never holds it: control characters are escaped there
_AS_IT_IS = 0

# Members in the order of `domain.price`.
_FIRST = (
    *("sku", "unit", "unit_price", "line_total", "price", "price_unit"),
    *("discount_percent", "charges", "list_price"),
)
# Those that are not always there.
_OPTIONS = ("discount_amount", "breaks", "valid_until")
_LAST = ("source", "loaded_at")
# Their values are stored as JSON: null or a text, and a list.
_AS_JSON = ("list_price", "breaks")


def _forms() -> tuple[tuple[str, ...], ...]:
    choices = product(*(((), (name,)) for name in _OPTIONS))
    return tuple((*_FIRST, *chain.from_iterable(chosen), *_LAST) for chosen in choices)


def _template(form: tuple[str, ...]) -> str:
    parts = (f'"{name}":%s' if name in _AS_JSON else f'"{name}":"%s"' for name in form)
    return "{" + ",".join(parts)


_FORMS = _forms()
# Never reorder: the numbers are stored.
_TEMPLATES = (None, *map(_template, _FORMS))
_NUMBERS = {form: number for number, form in enumerate(_FORMS, 1)}


def pack(fragment: str) -> str:
    """Return the fragment in its small form; `unpack` gives it back as it was."""
    as_it_is = f"{chr(_AS_IT_IS)}{fragment}"
    try:
        members = json.loads(f"{fragment}}}")
    except ValueError:
        return as_it_is
    number = _NUMBERS.get(tuple(members)) if isinstance(members, dict) else None
    if number is None:
        return as_it_is
    packed = chr(number) + _SEPARATOR.join(_value(*member) for member in members.items())
    return packed if unpack(packed) == fragment else as_it_is


def unpack(packed: str) -> str:
    """Return the fragment; raises `ValueError` for what was not packed by this version."""
    number = ord(packed[:1] or "\xff")
    if number >= len(_TEMPLATES):
        raise ValueError(number)
    template = _TEMPLATES[number]
    if template is None:
        return packed[1:]
    try:
        return template % tuple(packed[1:].split(_SEPARATOR))
    except TypeError as error:  # too few or too many values
        raise ValueError(number) from error


def _value(name: str, value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if name in _AS_JSON else text[1:-1]
