"""What Magento says when it refuses: its message with the placeholders filled in.

`{"message": "text with %1 or %name", "parameters": [..] or {..}, "errors": [..]?}`.
Filling in is the client's work. Row errors of the batch routes name their placeholders
and give a positional list all the same. A body of any other shape yields no fault.
Some messages are written for the shop's own pages: for people their tags are left out.
Pure; raises nothing.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_PLACEHOLDER = re.compile(r"%(\d+|[A-Za-z_]\w*)", re.ASCII)
# Refusals that pass by themselves: of a database that was in its own way, and of documents whose
# saving was rolled back, as where two of them reserve at once. Of the latter the shop tells its log
# alone why; a reason that stays is told once the attempts are used up.
_PASSING = frozenset(
    {
        "Could not save Prices.",
        "Database connection error",
        "Database deadlock found when trying to get lock",
        "Database lock wait timeout exceeded",
        "Could not save a shipment, see error log for details",
        "Could not save an invoice, see error log for details",
        "Could not save a Creditmemo, see error log for details",
    }
)
# So ends what a product's parts say that could not be saved, for whatever reason.
_ASKS_AGAIN = "Please try again."
# What its own messages use; "<" in a name or a SKU is no tag of theirs.
_TAG = re.compile(
    r"</?(?:a|b|em|i|span|strong|u|(?P<breaks>br|li|ol|p|ul))(?:\s[^<>]*)?/?>",
    re.ASCII | re.IGNORECASE,
)
_NO_ROUTE = "Request does not match any route."
# A batch may refuse every row; this much explains one call, and journals keep it.
_MAX_FAULTS = 20
_MAX_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class ShopFault:
    """One message of Magento.

    Attributes:
        template: The message as it came, in the language of the store view.
        parameters: By position ("1", "2") or name; texts, empty for null.
    """

    template: str
    parameters: Mapping[str, str]

    @property
    def text(self) -> str:
        """The message with its placeholders filled; those without a parameter stay."""
        return _fill(self.template, self.parameters)[:_MAX_CHARACTERS]

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later, although the status says it is wrong."""
        return self.template in _PASSING

    @property
    def asks_again(self) -> bool:
        """Whether it says to try again: that may help, and a second refusal stands."""
        return self.template.endswith(_ASKS_AGAIN)

    @property
    def is_missing_route(self) -> bool:
        """Whether no such route exists here, as opposed to no such entity."""
        return self.template == _NO_ROUTE


def read_faults(body: bytes) -> tuple[ShopFault, ...]:
    """Return what an error body says, the general message first; empty for HTML and plain text."""
    try:
        envelope = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        return ()
    fault = read_fault(envelope)
    if fault is None:
        return ()
    errors = envelope.get("errors")
    rows = errors if isinstance(errors, list) else []
    found = [fault, *(row for row in map(read_fault, rows) if row is not None)]
    return tuple(found[:_MAX_FAULTS])


def read_fault(value: Any) -> ShopFault | None:
    """Return one `{message, parameters}`, such as a row error of a batch; None if it is none."""
    message = value.get("message") if isinstance(value, dict) else None
    if not isinstance(message, str) or not message:
        return None
    return ShopFault(message, _parameters(value.get("parameters")))


def told_by(faults: Iterable[ShopFault]) -> tuple[str, ...]:
    """Return what faults say, for people: what an earlier one says already is left out.

    A refused row is told twice: "Validation Failed: " and its words, and these by themselves.
    """
    told: list[str] = []
    for fault in faults:
        words = for_people(fault.text)
        if not any(words in earlier for earlier in told):
            told.append(words)
    return tuple(told)


def for_people(text: str) -> str:
    """Return a text of the shop as its pages would show it: without tags, in one line."""
    return " ".join(_TAG.sub(lambda tag: " " if tag["breaks"] else "", text).split())


def _parameters(value: Any) -> Mapping[str, str]:
    if isinstance(value, dict):
        return {name: _text(item) for name, item in value.items()}
    if isinstance(value, list):
        return {str(number): _text(item) for number, item in enumerate(value, start=1)}
    return {}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | Decimal) else json.dumps(value, default=str)


def _fill(template: str, parameters: Mapping[str, str]) -> str:
    """Fill each placeholder once: what a parameter says is not looked through for more."""
    names = dict.fromkeys(name for name in _PLACEHOLDER.findall(template) if name not in parameters)
    # A positional list under named placeholders: they are meant in the order of the text.
    by_position = {
        name: parameters[str(number)]
        for number, name in enumerate(names, start=1)
        if not name.isdigit() and str(number) in parameters
    }
    values = {**by_position, **parameters}
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)
