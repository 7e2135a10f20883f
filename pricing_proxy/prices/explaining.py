"""Say why a line would be answered as it would be, at this instant, without answering it.

It walks the way of `prices.service`, with the same page, the same table and the same look
into Redis, up to the point where the ERP would be asked; there it stops. It loads nothing,
joins nothing and remembers nothing, so that looking changes nothing. What it says and what
the service then answers are compared by a property test.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import TABLE, Fallback, Level, Ruling, State
from pricing_proxy.names import ByName
from pricing_proxy.prices.basis import Basis, Knowledge
from pricing_proxy.prices.boarding import board
from pricing_proxy.prices.flights import Flight
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.open_line import OpenLine
from pricing_proxy.prices.page import Page
from pricing_proxy.prices.query import Key, Line, PriceQuery, QuotedLine, canonical_quantity
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item

Refusal = Callable[[str, Ticket, Deadline], UpstreamError | None]


class LineVerdict(StrEnum):
    """What the service would do with a line."""

    SERVE = "serve"
    """Answer at once with what is stored."""
    REFRESH = "serve_and_refresh"
    """The same, and load a new price behind the answer."""
    LOAD = "load"
    """Ask the ERP and wait."""
    JOIN = "join"
    """Wait for a load that is under way."""
    SETTLE = "settle"
    """Ask nobody, for `reason`, and answer with what the table leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineExplanation:
    """Why one line would be answered so.

    Attributes:
        line: As asked.
        unit: The unit it is priced in; None for an unknown item without one.
        item: The item behind the SKU; None for an unknown one.
        entry: The newest price known; None when nothing is stored.
        level: Where it was found: "l1" or "l2"; None when nothing is stored.
        invalidated: The strictest invalidation newer than the entry.
        newest: Position of the newest invalidation that touches the line, -1 for none.
        state: The row of the freshness table that decides.
        ruling: What that row says for the mode.
        verdict: What comes of it.
        reason: Why there is no price, or why nobody is asked.
        wait_us: How long the answer would wait for a load, 0 when it does not.
        quoted: The answer, where it does not depend on a load.
    """

    line: Line
    unit: str | None
    item: Item | None
    entry: Entry | None
    level: str | None
    invalidated: Level | None
    newest: int
    state: State
    ruling: Ruling
    verdict: LineVerdict
    reason: str | None
    wait_us: int
    quoted: QuotedLine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a page would be answered so, at one instant.

    Attributes:
        known: What the decision rests on besides the entries.
        position: The ledger position at which a load would begin.
        ask_again_ms: What the answer would say if it did not wait for its loads; 0 for none.
        lines: One for each line asked, in the same order.
    """

    known: Knowledge
    position: int
    ask_again_ms: int
    lines: list[LineExplanation]


class Explainer:
    """Explains pages.

    Args:
        basis: What finding a price rests on.
        loader: Knows the loads under way, and what stands in the way of one.
        refusal: Returns what a call for a market's prices would be refused with at once, before
            it is sent, None when it would not.
    """

    def __init__(self, basis: Basis, *, loader: Loader, refusal: Refusal) -> None:
        self._basis = basis
        self._loader = loader
        self._refusal = refusal

    async def explain(self, query: PriceQuery) -> Explanation:
        """Return why each line would be answered as it would be."""
        known = self._basis.known(query.context, query.customer)
        page = Page(
            query,
            market=self._basis.markets[query.market],
            policy=self._basis.modes[query.mode],
            arrived_us=known.now_us,
            slept_us=self._basis.watch.slept_us(),
        )
        page.look_in_memory(self._basis.memory.shelf(query.context), known)
        opened = {line.index: line for line in page.open_lines}
        verdicts: dict[int, LineVerdict] = {}
        if opened and query.customer is None:
            page.give_up("customer_not_checked")
        elif opened and query.customer is not None:
            verdicts = await self._look_further(page, query.customer)
            known = self._basis.known(query.context, query.customer)
            page.decide(known)
        return Explanation(
            known=known,
            position=self._basis.invalidations.position(query.market),
            ask_again_ms=self._ask_again_ms(page, [opened[index] for index in verdicts], known),
            lines=list(self._explained(page, opened, verdicts, known)),
        )

    async def _look_further(self, page: Page, customer: Customer) -> dict[int, LineVerdict]:
        """Do what the service does with open lines, but for the load; return what would load."""
        query, context = page.query, page.query.context

        def find(line: OpenLine) -> Flight | None:
            return self._loader.find(context, customer, line.key, line.item, floor_us=page.floor_us)

        claimed = board(page, self._loader, find)
        joined = [line for line in page.open_lines if line.flight is not None]
        asked: set[Key] = set()
        if claimed:
            now_us = self._basis.clock.monotonic_us()
            flight = Flight(
                context=context,
                customer=customer,
                items={line.key: line.item for line in claimed},
                began_us=now_us,
                position=self._basis.invalidations.position(query.market),
                accepts=page.accepts,
                deadline_us=page.load_until_us(now_us),
                ticket=Ticket(page.policy.klass),
            )
            deadline = Deadline(flight.deadline_us)
            refusal = self._refusal(query.market, flight.ticket, deadline)
            asked = await self._loader.foresee(flight, refusal)
            for line in claimed:
                line.flight = flight
        return dict.fromkeys((line.index for line in joined), LineVerdict.JOIN) | {
            line.index: LineVerdict.LOAD for line in claimed if line.key in asked
        }

    def _ask_again_ms(self, page: Page, waiting: Iterable[OpenLine], known: Knowledge) -> int:
        """Return when to ask again for lines that wait for a load and have nothing to show."""
        query, began_us = page.query, list[int]()
        for line in waiting:
            state = known.state(line.entry, line.item, page.max_us)
            if TABLE[state][query.mode].fallback is Fallback.NOTHING and line.flight is not None:
                began_us.append(line.flight.began_us)
        if not began_us:
            return 0
        times, now_us = self._loader.times, known.now_us
        return times.ask_again_ms(query.market, began_us=max(began_us), now_us=now_us)

    def _explained(
        self,
        page: Page,
        opened: Mapping[int, OpenLine],
        verdicts: Mapping[int, LineVerdict],
        known: Knowledge,
    ) -> Iterator[LineExplanation]:
        items = self._basis.markets[page.query.market].master.items() or ByName({})
        for index, (line, quoted) in enumerate(zip(page.query.lines, page.settled, strict=True)):
            was_open, item = opened.get(index), items.find(line.sku)
            unit = line.unit or (None if item is None else item.sales_unit)
            sight = _sight(page, was_open, quoted, known)
            ruling = TABLE[sight.state][page.query.mode]
            sku = line.sku if item is None else item.sku
            key = Key(sku, unit or "", canonical_quantity(line.quantity))
            verdict = _verdict(page, was_open, sight, key, awaited=verdicts.get(index))
            waits = verdict in (LineVerdict.LOAD, LineVerdict.JOIN)
            newest, invalidated = _invalidations(known, item, sight.entry)
            yield LineExplanation(
                line=line,
                unit=unit,
                item=item,
                entry=sight.entry,
                level=None if sight.entry is None else sight.level,
                invalidated=invalidated,
                newest=newest,
                state=sight.state,
                ruling=ruling,
                verdict=verdict,
                reason=None if waits else _reason(was_open, sight),
                wait_us=page.policy.wait_us(ruling.wait, page.query.wait_us) if waits else 0,
                quoted=None if waits else quoted,
            )


def _sight(
    page: Page, was_open: OpenLine | None, quoted: QuotedLine | None, known: Knowledge
) -> QuotedLine:
    """Return what is known of a line, in the form of an answer also while it is open."""
    if quoted is not None:
        return quoted
    assert was_open is not None  # noqa: S101 -- a line is either settled or open
    return QuotedLine(
        was_open.line,
        was_open.key.unit,
        was_open.entry,
        known.state(was_open.entry, was_open.item, page.max_us),
        False,
        None,
        was_open.level,
        known.is_verified,
    )


def _invalidations(
    known: Knowledge, item: Item | None, entry: Entry | None
) -> tuple[int, Level | None]:
    """Return the newest position that touches an item, and what it means for the entry."""
    if known.marks is None or item is None:
        return -1, None
    return known.marks.newest(item.item_number), known.invalidated(entry, item)


def _verdict(
    page: Page,
    was_open: OpenLine | None,
    sight: QuotedLine,
    key: Key,
    *,
    awaited: LineVerdict | None,
) -> LineVerdict:
    """Return what becomes of a line; `awaited` says how it gets a load, None when it gets none."""
    if awaited is not None:
        is_enough = sight.entry is not None and page.accepts(sight.state, sight.entry)
        # Redis held what may be shown although the load goes on.
        return LineVerdict.REFRESH if is_enough else awaited
    if not sight.is_served or (was_open is not None and was_open.failure is not None):
        return LineVerdict.SETTLE
    return LineVerdict.REFRESH if key in page.to_refresh else LineVerdict.SERVE


def _reason(was_open: OpenLine | None, sight: QuotedLine) -> str | None:
    if sight.reason is None and was_open is not None and was_open.failure is not None:
        # A stored price stands in: the answer hides why, the explanation does not.
        return was_open.failure.reason
    return sight.reason
