"""What a real Magento 2.4.7 was asked and answered, one exchange per line of a file.

Copied from the recordings without cookies and without most headers; pages are cut.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "data" / "magento"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One exchange; fractions in `answer` are decimals."""

    name: str
    method: str
    path: str
    body: Any
    status: int
    content_type: str
    answer: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def answer_bytes(self) -> bytes:
        """The answer's body as it came over the wire."""
        if "json" not in self.content_type:
            return str(self.answer).encode()
        return json.dumps(self.answer, default=float).encode()


@cache
def recordings(topic: str) -> dict[str, Recording]:
    """Return the exchanges of a topic, such as "orders" or "order_shapes", by name."""
    lines = (_FOLDER / f"{topic}.jsonl").read_text(encoding="utf-8").splitlines()
    read = (Recording(**json.loads(line, parse_float=Decimal)) for line in lines)
    return {recording.name: recording for recording in read}


@cache
def signing_vectors() -> Any:
    """Return the recorded credentials and, under "vectors", what the server accepted."""
    return json.loads((_FOLDER / "signing_vectors.json").read_bytes())
