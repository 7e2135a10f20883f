"""Which changes of products a person should see before many of them are written. Pure.

What is not known to be disabled counts as shown: after an adoption, which disables nothing, that is
what the shop sells.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from sync.products.mapping import BLOCKED, DISABLED, PRICE, STATUS
from sync.products.rules import ChangeLimits
from sync.store.mirror_records import MirrorLimit, Risk, Values

REPRICED, ZERO_PRICE, WITHDRAWN = "repriced", "price to zero", "withdrawn"
_UP, _DOWN = "up", "down"


def dangers(known: Values | None, wanted: Values, limits: ChangeLimits) -> list[Risk]:
    """Return the classes of danger that a change is in."""
    return [*_of_price(known or {}, wanted, limits), *_of_status(known or {}, wanted)]


def mirror_limits(limits: ChangeLimits) -> Mapping[str, MirrorLimit]:
    """Return how many SKUs may be in each class."""
    return {
        REPRICED: MirrorLimit(per_cent=limits.repriced, count=limits.repriced_count),
        ZERO_PRICE: MirrorLimit(per_cent=limits.zero_price, count=limits.zero_price_count),
        WITHDRAWN: MirrorLimit(per_cent=Decimal(0), count=limits.withdrawn_count),
    }


def _of_price(known: Values, wanted: Values, limits: ChangeLimits) -> Iterator[Risk]:
    new, old = _amount(wanted, PRICE), _amount(known, PRICE)
    if new is None or new == old:
        return
    if new == 0:
        yield Risk(ZERO_PRICE, _DOWN, is_alone=bool(old))
        return
    if old is None:
        return
    # From nothing, any price is a large move.
    moved = abs(new - old) * 100 > old * limits.moved_price
    yield Risk(REPRICED, _UP if new > old else _DOWN, is_alone=moved)


def _of_status(known: Values, wanted: Values) -> Iterator[Risk]:
    is_off = wanted.get(BLOCKED) == "1" or wanted.get(STATUS) == DISABLED
    was_off = known.get(BLOCKED) == "1" or known.get(STATUS) == DISABLED
    if is_off and not was_off:
        yield Risk(WITHDRAWN, _DOWN)


def _amount(values: Values, name: str) -> Decimal | None:
    value = values.get(name)
    return None if value is None else Decimal(str(value))
