"""Whether the ERP holds the order that was sent: the document read back, field by field.

This is how a changed ERP is caught on the first order and not by a customer. Every field
that was sent and can be read is compared. Pure.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from unicodedata import normalize

from pydantic import BaseModel

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.money import NumberText
from pricing_proxy.names import same_name_key
from sync.engine.outcomes import Difference
from sync.orders.draft import DraftLine, OrderDraft

_ABSENT = "(none)"


def differences(
    draft: OrderDraft,
    header: SalesOrderHeaderRow,
    lines: Sequence[SalesOrderLineRow],
    *,
    line_tolerance: Decimal,
) -> list[Difference]:
    """Return what differs between the order sent and the one in the ERP.

    Args:
        draft: What was sent.
        header: The ERP's header.
        lines: All its lines.
        line_tolerance: How far a line's net amount may differ.
    """
    found = {same_name_key(line.OrderLineReference): line for line in lines}
    return [
        *header_differences(draft, header),
        *_lines_missing_or_strange(draft, lines),
        *(
            difference
            for reference, sent in draft.by_reference.items()
            if (key := same_name_key(reference)) in found
            for difference in _line(sent, found[key], line_tolerance)
        ),
    ]


def field_differences(expected: Mapping[str, object], found: BaseModel) -> list[Difference]:
    """Return what differs between fields and those of a row, as far as the row has them."""
    return [
        (name, str(value) or _ABSENT, str(echoed) or _ABSENT)
        for name, value in expected.items()
        if (echoed := getattr(found, name, value)) is not value and not _is_same(value, echoed)
    ]


def header_differences(draft: OrderDraft, header: SalesOrderHeaderRow) -> list[Difference]:
    """Return what differs between the header sent and the one in the ERP."""
    return list(_fields("", draft.header, header))


def _lines_missing_or_strange(
    draft: OrderDraft, lines: Sequence[SalesOrderLineRow]
) -> Iterator[Difference]:
    counts = Counter(same_name_key(line.OrderLineReference) for line in lines)
    sent = {same_name_key(reference): line for reference, line in draft.by_reference.items()}
    for reference in sent.keys() - counts.keys():
        yield f"line {reference}", "1 line", _ABSENT
    for reference, count in counts.items():
        if reference not in sent:
            yield f"line {reference or '(without a reference)'}", _ABSENT, f"{count} lines"
        elif count > 1:
            yield f"line {reference}", "1 line", f"{count} lines"


def _line(sent: DraftLine, found: SalesOrderLineRow, tolerance: Decimal) -> Iterator[Difference]:
    name = f"line {sent.body.OrderLineReference}"
    yield from _fields(f"{name} ", sent.body, found)
    if abs(found.LineAmount.value - sent.net) > tolerance:
        yield f"{name} LineAmount", str(sent.net), str(found.LineAmount)


def _fields(prefix: str, sent: BaseModel, found: BaseModel) -> Iterator[Difference]:
    readable = type(found).model_fields
    for name, value in sent:
        if value is not None and name in readable:
            echoed = getattr(found, name)
            if not _is_same(value, echoed):
                yield f"{prefix}{name}", str(value), str(echoed) or _ABSENT


def _is_same(sent: object, found: object) -> bool:
    if isinstance(sent, Decimal | int) and isinstance(found, NumberText):
        return Decimal(sent) == found.value
    if isinstance(sent, str) and isinstance(found, str):
        return _words(sent) == _words(found)
    return sent == found


def _words(text: str) -> list[str]:
    """Return what counts of a text.

    The ERP spells codes in its own way, trims, and composes letters; a word more or less is a
    difference.
    """
    return normalize("NFC", text).casefold().split()
