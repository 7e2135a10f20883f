"""Texts without the characters that PostgreSQL, XML or UTF-8 refuse. Pure.

A shopper's browser sends them, and JSON can write them all: U+0000, halves of surrogate pairs, and
control characters. One of them would keep a whole document from being written anywhere, so each is
replaced where a text comes in: never left out, as two names that differ must not become one.
"""

import re
from collections.abc import Mapping
from typing import Any

# What XML 1.0 takes besides tab and line ends, PostgreSQL and UTF-8 take as well.
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f]")
_NO_CHARACTER = re.compile("[\x00\ud800-\udfff\ufffe\uffff]")
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def plain(text: str) -> str:
    """Return a text with a blank for each control character, and U+FFFD for what is none at all."""
    if text.isprintable():
        return text
    return _NO_CHARACTER.sub(_UNKNOWN, _CONTROL.sub(" ", text))


def plain_json(value: Any) -> Any:
    """Return a JSON value whose texts are plain, its members' names among them."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {plain(str(name)): plain_json(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(each) for each in value]
    return value
