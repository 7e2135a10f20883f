"""Refusals in another language, as of a shop with a language pack: no word of them is as known.

Placeholders and what stands in quotes stay, so that people can still read what is meant.
"""

import re
from collections.abc import Mapping
from typing import Any

_KEPT = re.compile(r'(%\w+|"[^"]*")')
_LETTERS = str.maketrans("aeiouy", "äéîöüÿ")


def translated(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the envelope of a refusal with its message in another language; rows keep theirs."""
    parts = _KEPT.split(str(body["message"]))
    return {
        **body,
        "message": "".join(
            part if place % 2 else part.translate(_LETTERS) for place, part in enumerate(parts)
        ),
    }
