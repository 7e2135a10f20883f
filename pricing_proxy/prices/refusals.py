"""Remember which lines the ERP refused, for the customers it refused them to and no others.

A line is remembered by its whole context: customer, currency, unit and SKU. The first refusal
only pauses it, as any failure does. After the second one, with something accepted in between,
the line is kept out, for a minute at first and ten at most. What was refused that way to several
customers is asked for alone from then on: it takes no other line down with it, and whoever
it was never refused to still gets a price. Nothing here is told by an error that passes.

In this process only, bounded, and forgotten some time after the last refusal. Logs and views
name SKU and reason, never a customer.
"""

import logging
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.prices.query import Context, Failure, Key

_log = logging.getLogger(__name__)

REFUSED = "refused_by_erp"

# An ERP that is mended is found out within a minute, one that is not costs six calls an hour.
_FIRST_KEPT_OUT_US = 60 * SECOND_US
_LONGEST_KEPT_OUT_US = 600 * SECOND_US
# So that lines that were refused together do not come back together; jitter only shortens.
_SPREAD = 0.2
# Four times the longest keep-out: a refusal of this morning is not the first of this evening's.
FORGOTTEN_AFTER_US = 2400 * SECOND_US
# Some 400 bytes each; those whose last refusal is longest ago are forgotten.
_MOST_REMEMBERED = 20_000
# So many refusals of one context keep its line out ...
_PROOF = 2
# ... and so many customers' lines make the SKU itself suspect.
_SEVERAL_CUSTOMERS = 2


class KeptOut(NamedTuple):
    """One SKU of which the ERP refused lines, as operators see it.

    Attributes:
        market: Code of the market.
        sku: The SKU.
        reason: The word that answers give.
        customers: To how many customers it was refused, as far as is remembered.
        lines: How many of their lines are kept out right now; the others are asked for alone.
        is_alone: Whether it is asked for alone for every customer.
        longest_us: When the last of those lines may be asked for again (monotonic).
    """

    market: str
    sku: str
    reason: str
    customers: int
    lines: int
    is_alone: bool
    longest_us: int


class _Line(NamedTuple):
    """What a refusal is remembered by; not the quantity."""

    context: Context
    sku: str
    unit: str


@dataclass(slots=True)
class _Record:
    """What was refused to one customer.

    Attributes:
        times: Refusals that count.
        began_us: When the search that ended in the first of them began.
        noted_us: When the last one came.
        length_us: For how long the line was kept out last.
        until_us: Until when it is.
    """

    times: int
    began_us: int
    noted_us: int
    length_us: int = 0
    until_us: int = 0


class Refusals:
    """What the ERP refused to whom, in one process.

    Args:
        now_us: The monotonic clock.
        draw: Returns a random number in [0, 1).
    """

    def __init__(self, *, now_us: Callable[[], int], draw: Callable[[], float]) -> None:
        self._now_us = now_us
        self._draw = draw
        self._records: OrderedDict[_Line, _Record] = OrderedDict()
        self._kept: dict[tuple[str, str], Counter[str]] = {}
        self._accepted_us: dict[str, int] = {}

    def note_accepted(self, market: str) -> None:
        """Note that the ERP accepted a call: what it refuses now is the line's own affair."""
        self._accepted_us[market] = self._now_us()

    def note(self, context: Context, key: Key, *, began_us: int) -> Failure | None:
        """Note that a line was refused when asked for alone; return whether it is kept out.

        Args:
            context: To whom.
            key: What.
            began_us: When the search that ended in this refusal began (monotonic).
        """
        self._forget_old()
        line, now_us = _Line(context, key.sku, key.unit), self._now_us()
        record = self._records.get(line)
        if record is None:
            self._records[line] = _Record(1, began_us, now_us)
            return None
        is_other_search = began_us >= record.noted_us
        # Without a word of anything else accepted, the call as such may be at fault.
        is_the_lines_fault = (
            record.times >= _PROOF
            or self._accepted_us.get(context.market, record.began_us - 1) >= record.began_us
        )
        if not is_other_search or not is_the_lines_fault:
            return self.standing(context, key)
        record.noted_us = now_us
        self._records.move_to_end(line)
        self._keep_out(line, record)
        return Failure(REFUSED, record.until_us)

    def standing(self, context: Context, key: Key) -> Failure | None:
        """Return the failure of a line that is kept out; it holds for every mode."""
        record = self._records.get(_Line(context, key.sku, key.unit)) if self._records else None
        if record is None or self._now_us() >= record.until_us:
            return None
        return Failure(REFUSED, record.until_us)

    def is_suspect(self, context: Context, key: Key) -> bool:
        """Return whether a line must be asked for alone, so as to harm no other."""
        customers = self._kept.get((context.market, key.sku)) if self._kept else None
        if customers is None:
            return False
        return len(customers) >= _SEVERAL_CUSTOMERS or self._is_proven(context, key)

    def note_success(self, context: Context, key: Key) -> None:
        """Forget what was refused: it is accepted now."""
        line, name = _Line(context, key.sku, key.unit), (context.market, key.sku)
        if line not in self._records:
            return
        was_kept_out = name in self._kept
        self._drop(line)
        if was_kept_out and name not in self._kept:
            _log.info("market %s: SKU %r is accepted again", *name)

    def clear(self, is_meant: Callable[[str, str], bool]) -> None:
        """Forget what was refused; `is_meant` is asked about each market and SKU."""
        for line in list(self._records):
            if is_meant(line.context.market, line.sku):
                self._drop(line)

    def view(self) -> list[KeptOut]:
        """Return the SKUs of which lines are kept out or asked for alone, by market and SKU."""
        self._forget_old()
        now_us = self._now_us()
        ends: dict[tuple[str, str], list[int]] = {}
        for line, record in self._records.items():
            if record.times >= _PROOF:
                ends.setdefault((line.context.market, line.sku), []).append(record.until_us)
        return [
            KeptOut(
                *name,
                reason=REFUSED,
                customers=len(self._kept[name]),
                lines=sum(until_us > now_us for until_us in ends[name]),
                is_alone=len(self._kept[name]) >= _SEVERAL_CUSTOMERS,
                longest_us=max(ends[name]),
            )
            for name in sorted(ends)
        ]

    @property
    def count(self) -> int:
        """How many SKUs have lines that are kept out or asked for alone."""
        return len(self._kept)

    def _is_proven(self, context: Context, key: Key) -> bool:
        record = self._records.get(_Line(context, key.sku, key.unit))
        return record is not None and record.times >= _PROOF

    def _keep_out(self, line: _Line, record: _Record) -> None:
        record.times += 1
        length_us = record.length_us * 2 or _FIRST_KEPT_OUT_US
        record.length_us = min(length_us, _LONGEST_KEPT_OUT_US)
        record.until_us = record.noted_us + round(record.length_us * (1 - _SPREAD * self._draw()))
        if record.times > _PROOF:
            return
        market = line.context.market
        customers = self._kept.setdefault((market, line.sku), Counter())
        customers[line.context.account] += 1
        if customers.total() == 1:
            _log.warning("market %s: SKU %r is kept out: %s", market, line.sku, REFUSED)
        elif len(customers) == _SEVERAL_CUSTOMERS and customers[line.context.account] == 1:
            _log.warning(
                "market %s: SKU %r is asked for alone: %s to several customers",
                market,
                line.sku,
                REFUSED,
            )

    def _drop(self, line: _Line) -> None:
        record, name = self._records.pop(line), (line.context.market, line.sku)
        if record.times < _PROOF:
            return
        customers = self._kept[name]
        customers[line.context.account] -= 1
        if not customers[line.context.account]:
            del customers[line.context.account]
        if not customers:
            del self._kept[name]

    def _forget_old(self) -> None:
        oldest_us = self._now_us() - FORGOTTEN_AFTER_US
        while self._records:
            line, record = next(iter(self._records.items()))
            if record.noted_us >= oldest_us and len(self._records) <= _MOST_REMEMBERED:
                return
            self._drop(line)
