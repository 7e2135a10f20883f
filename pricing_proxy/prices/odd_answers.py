"""Judge each line of an answer for itself, and remember the odd ones for operators.

What is not in the answer, cannot be read, has a price that cannot be right or comes with a
code of the ERP's is that line's own affair. Each kind is said in the log at most once in ten
minutes, with a line to look at, and counted always.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.domain.price import NoPrice, NoPriceReason, Price, Unusable
from pricing_proxy.money import NumberText
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.ports import Wanted

_log = logging.getLogger(__name__)

# One word is enough to have it looked at; a catalog of odd lines would fill the log.
_SAID_AGAIN_US = 600 * SECOND_US


class Oddity(StrEnum):
    """How a line can be answered oddly."""

    CODE = "code"
    """With a code that is no reason why there is no price."""
    UNREADABLE = "unreadable"
    """So that nothing can be read, or not at all."""
    IMPLAUSIBLE = "implausible"
    """With a price that cannot be right."""


@dataclass(slots=True)
class OddLines:
    """The odd lines of one kind in one market.

    Attributes:
        lines: How many there were.
        reason: The last one's.
        sku: The last one's.
        seen_us: When it came (monotonic).
        said_us: When one was last said in the log; None for never.
    """

    lines: int
    reason: str
    sku: str
    seen_us: int
    said_us: int | None = None


class OddAnswers:
    """The odd lines of every market, in one process.

    Args:
        now_us: The monotonic clock.
    """

    def __init__(self, *, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._seen: dict[tuple[str, Oddity], OddLines] = {}

    def judged(
        self, answer: Price | NoPrice | Unusable | None, wanted: Wanted, market: Market
    ) -> Price | NoPrice | Unusable:
        """Return what to make of what the source said of a line; None when it said nothing."""
        if answer is None and market.source.absence_is_no_price:
            return NoPrice(NoPriceReason.NOT_PRICED)
        said = Unusable("missing_in_answer", is_stated=False) if answer is None else answer
        if isinstance(said, Price) and not _is_plausible(said, wanted, market):
            said = NoPrice(NoPriceReason.IMPLAUSIBLE_PRICE)
        kind = _kind(said)
        if kind is not None and not isinstance(said, Price):
            self._note(market.code, kind, said.reason, wanted.key.sku)
        return said

    def of_market(self, market: str) -> dict[Oddity, OddLines]:
        """Return what was seen of a market, by kind."""
        return {kind: seen for (code, kind), seen in self._seen.items() if code == market}

    def _note(self, market: str, kind: Oddity, reason: str, sku: str) -> None:
        now_us = self._now_us()
        seen = self._seen.setdefault((market, kind), OddLines(0, reason, sku, now_us))
        seen.lines, seen.reason, seen.sku, seen.seen_us = seen.lines + 1, reason, sku, now_us
        if seen.said_us is None or now_us - seen.said_us >= _SAID_AGAIN_US:
            seen.said_us = now_us
            _log.warning(
                "market %s: the ERP answers lines oddly: %s for %s (%d so far)",
                market,
                reason,
                sku,
                seen.lines,
            )


def _is_plausible(price: Price, wanted: Wanted, market: Market) -> bool:
    return market.limits.admit(
        price=price.price.value,
        price_unit=price.price_unit.value,
        line_total=price.line_total.value,
        quantity=NumberText(wanted.key.quantity).value,
    )


def _kind(said: Price | NoPrice | Unusable) -> Oddity | None:
    if isinstance(said, Unusable):
        return Oddity.CODE if said.is_stated else Oddity.UNREADABLE
    is_implausible = said == NoPrice(NoPriceReason.IMPLAUSIBLE_PRICE)
    return Oddity.IMPLAUSIBLE if is_implausible else None
