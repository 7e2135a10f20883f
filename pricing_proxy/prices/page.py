"""One request's lines on their way to an answer: what is settled, and what still waits for what.

Every decision about showing a stored price is read from `domain.freshness.TABLE`; this
module only applies it, first to what is in memory, then to what loads bring, and to all of it
once more when nothing is waited for any more: an answer holds what may be shown as it leaves.
"""

from collections.abc import Sequence

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import (
    SECOND_US,
    TABLE,
    Fallback,
    Mode,
    Ruling,
    State,
    classify,
    may_serve,
)
from pricing_proxy.names import ByName
from pricing_proxy.prices.basis import Knowledge
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.modes import ModePolicy
from pricing_proxy.prices.open_line import OpenLine, open_again
from pricing_proxy.prices.ports import Entries
from pricing_proxy.prices.query import (
    Failure,
    Key,
    Line,
    PriceQuery,
    Quote,
    QuotedLine,
    canonical_quantity,
)
from pricing_proxy.prices.unpriced import without_price
from pricing_proxy.shared_state.item_map import Item

# Named tuples made without their constructor's call: it is half of their cost.
_new = tuple.__new__
_RULES: dict[Mode, dict[State, Ruling]] = {
    mode: {state: rulings[mode] for state, rulings in TABLE.items()} for mode in Mode
}
# Nobody gains from asking again sooner, and nobody should be told to wait longer.
_RETRY_AFTER_SECONDS = (1, 120)
# Below every instant, also those of entries that are older than this machine's start.
_ANY_TIME_US = -(2**62)


class Page:
    """The lines of one query.

    Args:
        query: What was asked.
        market: Its market.
        policy: Its mode's times.
        arrived_us: When it arrived (monotonic).
        slept_us: For how long the machine had slept by then, all in all.

    Attributes:
        loading_since_us: When the last of the loads began that go on without lines which have no
            price to show; None without any.
    """

    def __init__(
        self,
        query: PriceQuery,
        *,
        market: Market,
        policy: ModePolicy,
        arrived_us: int,
        slept_us: int,
    ) -> None:
        self.query = query
        self.policy = policy
        self.open_lines: list[OpenLine] = []
        self.to_refresh: dict[Key, Item] = {}
        self._market = market
        self._arrived_us = arrived_us
        self._slept_us = slept_us
        self.max_us = market.lifetimes.max_us
        self._rules = _RULES[query.mode]
        self._quoted: list[QuotedLine | None] = [None] * len(query.lines)
        self._decided_us = arrived_us
        self._retry_at_us = arrived_us
        self._is_from_memory = False
        self.loading_since_us: int | None = None
        self._spelled_otherwise: list[int] = []
        self._items = market.master.items()
        self._closed: dict[int, OpenLine] = {}

    @property
    def floor_us(self) -> int:
        """A load must have begun since then to be joined."""
        fresh = self._rules[State.FRESH]
        return self._arrived_us - fresh.recent_us if fresh.only_recent else _ANY_TIME_US

    def accepts(self, state: State, entry: Entry) -> bool:
        """Return whether an entry spares the ERP call that the page came for, as of `decide`."""
        is_unsure = self.query.mode is Mode.CHECKOUT and state is State.UNVERIFIED
        if is_unsure and entry.loaded_us < self._decided_us - self._market.lease_us:
            return False  # a very patient caller: what changed since it was read may be missing
        return may_serve(self._rules[state], entry, arrived_us=self._arrived_us)

    @property
    def deadline_us(self) -> int:
        """When a load that lives as long as this request ends.

        A short wait of the caller's does not count: others may join the load.
        """
        return self._arrived_us + max(self.policy.answer_us, self.query.wait_us or 0)

    def load_until_us(self, now_us: int) -> int:
        """Return when a load that is begun now for this page ends."""
        flight_us = self.policy.flight_us
        return self.deadline_us if flight_us is None else now_us + flight_us

    def look_in_memory(self, shelf: Entries, known: Knowledge) -> None:
        """Settle what this process remembers; the rest becomes `open_lines`."""
        items = self._items
        if items is None:
            for index, line in enumerate(self.query.lines):
                self._refuse(index, line, line.unit, "starting")
            return
        rules, quoted, max_us = self._rules, self._quoted, self.max_us
        common = 0
        now_us, marks, is_verified = known
        for index, line in enumerate(self.query.lines):
            sku, quantity, unit = line
            item = items.get(sku)
            if item is None:
                item = items.find(sku)
                if item is not None:
                    sku = item.sku
                    self._spelled_otherwise.append(index)
            if item is None or not item.is_sold:
                quoted[index] = without_price(line, item, is_verified=is_verified)
                continue
            key = _new(Key, (sku, unit or item.sales_unit, canonical_quantity(quantity)))
            entry = shelf.get(key)
            invalidated = None if marks is None else known.invalidated(entry, item)
            state = classify(entry, now_us, max_us, is_verified, invalidated)
            ruling = rules[state]
            if ruling.serve and not ruling.refresh:
                # What nearly every line of a busy shop is: nothing to decide, nothing to do.
                common += 1
                quoted[index] = _new(
                    QuotedLine, (line, key[1], entry, state, True, None, "l1", is_verified)
                )
            elif not self._serve(index, line, key, item, entry, "l1", state, known):
                until_us = self._wait_until_us(ruling)
                self.open_lines.append(OpenLine(index, line, key, item, entry, "l1", until_us))
        self._is_from_memory = common == len(quoted)

    def decide(self, known: Knowledge) -> None:
        """Settle the open lines that can be by now, with a new price or a fallback."""
        self._decided_us = known.now_us
        lines, self.open_lines = self.open_lines, []
        for line in lines:
            if self._is_settled(line, known):
                self._closed[line.index] = line
            else:
                self.open_lines.append(line)

    def review(self, known: Knowledge) -> None:
        """Judge again what was settled while others were waited for; some of it may open again.

        Meanwhile a price may have been invalidated, and the lease have ended that verified it.
        """
        items = self._items or ByName({})
        settled = [each for each in self._quoted if each is not None]  # all: none is open
        for index, quoted in enumerate(settled):
            if quoted.entry is None:
                is_verified = quoted.is_served and known.is_verified
                self._quoted[index] = quoted._replace(is_verified=is_verified)
                continue
            item = items[quoted.line.sku]
            state = known.state(quoted.entry, item, self.max_us)
            is_as_before = state is quoted.state and quoted.is_verified <= known.is_verified
            if is_as_before and self.accepts(state, quoted.entry):
                continue
            line = self._closed.get(index) or open_again(index, quoted, item)
            line.entry = quoted.entry
            if not self._is_settled(line, known):
                self._quoted[index] = None
                self.open_lines.append(line)

    def take_sleep(self, slept_us: int) -> None:
        """Have all prices here be older by what the machine slept since, `slept_us` all in all."""
        by_us, self._slept_us = slept_us - self._slept_us, slept_us
        if not by_us:
            return
        for line in self.open_lines:
            line.entry = line.entry and line.entry.older(by_us)
        for index, quoted in enumerate(self._quoted):
            if quoted is not None and quoted.entry is not None:
                self._quoted[index] = quoted._replace(entry=quoted.entry.older(by_us))

    @property
    def settled(self) -> Sequence[QuotedLine | None]:
        """What is decided so far, None for each line that is still open."""
        for index in self._spelled_otherwise:
            quoted = self._quoted[index]
            if quoted is not None and quoted.entry is not None:
                entry = quoted.entry.spelled(quoted.line.sku)
                self._quoted[index] = quoted._replace(entry=entry)
        return self._quoted

    def give_up(self, reason: str) -> None:
        """Settle every open line as unavailable."""
        for open_line in self.open_lines:
            self._refuse(open_line.index, open_line.line, open_line.key.unit, reason)
        self.open_lines = []

    def quote(self) -> Quote:
        """Return the answer; no line may be open any more."""
        shortest, longest = _RETRY_AFTER_SECONDS
        seconds = -(-(self._retry_at_us - self._decided_us) // SECOND_US)
        return Quote(
            lines=[line for line in self.settled if line is not None],
            decided_us=self._decided_us,
            retry_after_seconds=min(max(seconds, shortest), longest),
            is_from_memory=self._is_from_memory,
        )

    def _serve(  # noqa: PLR0917 -- the hot path: passing by keyword costs there
        self,
        index: int,
        line: Line,
        key: Key,
        item: Item,
        entry: Entry | None,
        level: str,
        state: State,
        known: Knowledge,
    ) -> bool:
        """Settle the line with the entry if its ruling allows; return whether it does."""
        ruling = self._rules[state]
        if entry is None or not self.accepts(state, entry):
            return False
        if self.query.mode is Mode.CHECKOUT and state is State.UNVERIFIED:
            # Read after this request arrived: no invalidation from before can be missing.
            state = State.FRESH
        is_verified = state is State.FRESH or (
            known.is_verified and state in (State.STALE_SOFT, State.NO_PRICE)
        )
        self._quoted[index] = QuotedLine(
            line, key.unit, entry, state, True, None, level, is_verified
        )
        # Younger than the lease is as verified as a price can be: no need to read it again.
        if ruling.refresh and entry.loaded_us < known.now_us - self._market.lease_us:
            self.to_refresh[key] = item
        return True

    def _is_settled(self, line: OpenLine, known: Knowledge) -> bool:
        is_over = line.take_news(self._slept_us)
        state = known.state(line.entry, line.item, self.max_us)
        if self._serve(
            line.index, line.line, line.key, line.item, line.entry, line.level, state, known
        ):
            return True
        ruling = self._rules[state]
        line.wait_until_us = self._wait_until_us(ruling)
        if line.failure is not None or known.now_us >= line.wait_until_us:
            self._settle_for_less(line, ruling.fallback, known)
            return True
        if is_over:
            # Loaded, but out of date again or not recent enough: it needs another load.
            line.flight = None
        return False

    def _settle_for_less(self, line: OpenLine, fallback: Fallback, known: Knowledge) -> None:
        failure = line.failure or Failure("too_slow", known.now_us)
        self._retry_at_us = max(self._retry_at_us, failure.retry_after_us)
        if fallback is Fallback.NOTHING:
            if line.failure is None:
                began_us = known.now_us if line.flight is None else line.flight.began_us
                self.loading_since_us = max(self.loading_since_us or began_us, began_us)
            self._refuse(line.index, line.line, line.key.unit, failure.reason)
            return
        is_served = fallback is Fallback.FLAGGED
        state = known.state(line.entry, line.item, self.max_us)
        self._quoted[line.index] = QuotedLine(
            line.line,
            line.key.unit,
            line.entry,
            state,
            is_served,
            None if is_served else failure.reason,
            line.level,
            known.is_verified and state is State.STALE_SOFT,
        )

    def _refuse(self, index: int, line: Line, unit: str | None, reason: str) -> None:
        self._quoted[index] = QuotedLine(
            line, unit, None, State.ABSENT, False, reason, "source", False
        )

    def _wait_until_us(self, ruling: Ruling) -> int:
        return self._arrived_us + self.policy.wait_us(ruling.wait, self.query.wait_us)
