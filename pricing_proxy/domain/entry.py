"""One stored price, or one stored "there is no price", of one customer and item.

An entry is written once and never changed; a named tuple, because the hot path makes and
reads many. It carries the line of the answer as
JSON that is already encoded, so that reading a price never touches money again.
"""

import json
from enum import IntEnum
from typing import NamedTuple

# A fragment begins with the SKU; no SKU's text can hold what ends it, for quotes are escaped there.
_AFTER_THE_SKU = ',"unit":'
# It ends with `"loaded_at":"2026-11-23T07:30:11Z"`.
_LOADED_AT = slice(-21, -1)


class Kind(IntEnum):
    """What the ERP said. The numbers are stored in Redis: never reuse one."""

    PRICE = 1
    NO_PRICE = 2


class Entry(NamedTuple):
    """What the ERP said about one (customer, item, unit, quantity), and when it was asked.

    Attributes:
        kind: A price, or the statement that there is none.
        fragment: The answer's line as JSON object text without its closing brace, and without
            quantity, state and age, which differ from one reading to the next; its first members
            are `sku`, as the ERP spells it, and `unit`, its last one is `loaded_at`.
        loaded_us: Monotonic instant at which the read from the ERP began; stamping the end would
            hide a change made meanwhile. Negative for entries older than this machine's start.
        position: Position of the invalidation ledger known when the read began.
        soft_us: Age from which the price is refreshed.
        hard_us: Age from which the price may only stand in while the ERP fails.
    """

    kind: Kind
    fragment: str
    loaded_us: int
    position: int
    soft_us: int
    hard_us: int

    def spelled(self, sku: str) -> "Entry":
        """Return the entry of the same item for a caller who spells its SKU so."""
        rest = self.fragment[self.fragment.index(_AFTER_THE_SKU) :]
        text = json.dumps(sku, ensure_ascii=False)
        return self._replace(fragment=f'{{"sku":{text}{rest}')

    def older(self, by_us: int) -> "Entry":
        """Return the entry as of a read that began so much earlier, by the monotonic clock."""
        return self._replace(loaded_us=self.loaded_us - by_us)

    @property
    def loaded_at(self) -> str:
        """The instant of `loaded_us` on the wall clock, as shown: RFC 3339, UTC, whole seconds."""
        return self.fragment[_LOADED_AT]
