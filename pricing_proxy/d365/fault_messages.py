"""What the ERP's application said when it refused, out of its error envelope.

F&O wraps an exception as `error.innererror.message`, in the language of its user,
often after `Infolog:` and as a list parted by semicolons. The texts are for
operators only; whether to try again is decided by the status, never by wording.
The field at fault is read out of them where a pattern fits, for operators too.
A body of any other shape yields no reason. Pure; raises nothing.
"""

import re
from dataclasses import dataclass
from typing import Any

from pricing_proxy.d365.json_numbers import read_json

_INFOLOG = "Infolog:"
_LABEL = re.compile(r"^(Warning|Error|Info):\s*")
# These two follow every refusal and say nothing that the other texts do not.
_ECHOES = ("validateWrite failed", "Update has been canceled")
# "… in field 'Customer account' …" and its kin in the languages of our users; OData's own
# front says "property named 'X'"; inventory dimensions are named without quotes.
_FIELD = re.compile(
    r"\b(?:field|feld|champ|campo|veld|felt|property(?:\s+named)?)\s*(['\"])(?P<quoted>.{1,80}?)\1"
    r"|\binventory dimension (?P<dimension>\w{1,40}) is mandatory\b",
    re.IGNORECASE,
)
# An infolog grows with the document; this much explains one, and journals keep it.
_MAX_REASONS = 20
_MAX_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """An error body, read.

    Attributes:
        reasons: The application's messages, without labels; empty when there are none.
        is_application: The ERP's application itself refused, rather than something before it.
        field: The field at fault as the text calls it: a label or a name; empty when none is told.
    """

    reasons: tuple[str, ...]
    is_application: bool
    field: str = ""


NO_FAULT = Fault(reasons=(), is_application=False)


def read_fault(body: bytes) -> Fault:
    """Return what an error body says; `NO_FAULT` when it is empty, HTML or anything else."""
    try:
        envelope = read_json(body)
    except ValueError:
        return NO_FAULT
    error = _member(envelope, "error")
    inner = _message(_member(error, "innererror"))
    text = inner or _message(error)
    reasons = _reasons(text)
    return Fault(reasons=reasons, is_application=bool(inner), field=_field(reasons))


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _message(value: Any) -> str:
    message = _member(value, "message")
    return message.strip() if isinstance(message, str) else ""


def _reasons(text: str) -> tuple[str, ...]:
    _, marker, infolog = text.partition(_INFOLOG)
    parts = [_LABEL.sub("", part.strip()) for part in infolog.split(";")] if marker else [text]
    told = [part[:_MAX_CHARACTERS] for part in parts if part and not part.startswith(_ECHOES)]
    if not told and text:
        told = [text[:_MAX_CHARACTERS]]  # better an echo than a refusal without any reason
    return tuple(told[:_MAX_REASONS])


def _field(reasons: tuple[str, ...]) -> str:
    found = next(filter(None, map(_FIELD.search, reasons)), None)
    return "" if found is None else found["quoted"] or found["dimension"]
