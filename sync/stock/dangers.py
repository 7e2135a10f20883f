"""Which changes of stock may be a mistake of whoever gave them: many SKUs lowered at once. Pure.

Lower numbers are what orders do, so only a large share of all SKUs waits for a person, and that
at once with an alert: while it waits, the shop sells what is not there. What the shop's own
orders take as they enter the ERP surprises nobody: only a fall beyond that counts.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from sync.store.mirror_records import MirrorLimit, Risk, Values

LOWERED, EMPTIED, _DOWN = "lowered", "emptied", "down"
ORDERED = "ordered"
"""Names, beside what is known of a SKU, what open orders take that was free at its last write."""
# So many are lowered by a day of a small shop's orders, however few SKUs it has.
_FEW = 20


def risks(known: Values | None, wanted: Values) -> list[Risk]:
    """Return the classes of danger of a change; `known` may say what is `ORDERED` as well."""
    if known is None:
        return []
    before, after = _total(known, wanted), _total(wanted, wanted)
    if before - after <= Decimal(str(known.get(ORDERED) or 0)):
        return []
    return [Risk(EMPTIED if after <= 0 else LOWERED, _DOWN)]


def limits(lowered_per_cent: int) -> Mapping[str, MirrorLimit]:
    """Return how many SKUs may be lowered, and emptied, within a day."""
    limit = MirrorLimit(per_cent=Decimal(lowered_per_cent), count=_FEW)
    return {LOWERED: limit, EMPTIED: limit}


def _total(values: Values, fields: Iterable[str]) -> Decimal:
    """Return what is free in all sources whose number changes; less than nothing is nothing."""
    return sum(
        (max(Decimal(0), Decimal(str(values.get(name) or 0))) for name in fields), Decimal(0)
    )
