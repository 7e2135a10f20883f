"""Say of every row of an item what became of it in a search: which won, and why others lost.

It goes through the rows one by one for one quantity, as a person would, so it is slow; whoever
wants a price asks `PriceList.quote`, which finds the same.
"""

from collections.abc import Sequence
from fractions import Fraction

from pricing_proxy.agreements.fo.checking import CheckedRow
from pricing_proxy.agreements.fo.considered import ConsideredRow, RowVerdict, Sieve
from pricing_proxy.agreements.fo.party_rows import RowSearch
from pricing_proxy.agreements.fo.price_list import PriceList
from pricing_proxy.agreements.fo.price_search import (
    competing,
    is_ignored,
    is_price,
    unit_price_of,
)
from pricing_proxy.agreements.fo.quote import AskedPrice
from pricing_proxy.agreements.fo.rows import PricedCustomer
from pricing_proxy.agreements.fo.rules import FindNextNo, SearchRules
from pricing_proxy.agreements.fo.stages import discount_stages, price_stages


def explained_prices(
    prices: PriceList, customer: PricedCustomer, asked: AskedPrice
) -> list[ConsideredRow]:
    """Return what became of each price row for the customer, its group and everybody."""
    terms, quantity = prices.terms, Fraction(asked.quantity)
    stages = price_stages(prices.item, asked, terms, has_generic=True, quantity=quantity)
    sieve = Sieve(stages, quantity, terms.rules)
    combinations = []
    parties = customer.parties(customer.price_group)
    sieve.note_kept_out(prices.prices, parties)
    for party in parties:
        if party[0] in terms.switches.price:
            combinations.append(sieve.sift(prices.prices, party))
        else:
            sieve.switch_off(prices.prices, party)
    walk = _Walk(terms.rules)
    for number, search in enumerate(stages):
        walk.stage_over = walk.best is not None or walk.ended_by is not None
        for each in combinations:
            walk.prices(each[number], search, quantity * search.unit_factor)
    return [*walk.told(), *sieve.lost]


def explained_discounts(
    prices: PriceList, customer: PricedCustomer, asked: AskedPrice
) -> list[ConsideredRow]:
    """Return what became of each line discount for the customer, its group and everybody."""
    terms, quantity = prices.terms, Fraction(asked.quantity)
    stages = discount_stages(asked, terms, has_generic=True, quantity=quantity)
    sieve = Sieve(stages, quantity, terms.rules)
    active = prices.discount_places(customer)
    combinations = []
    for rows in prices.discounts:
        if rows is not None:
            sieve.note_kept_out(rows, customer.parties(customer.line_discount_group))
    for place in prices.all_discount_places(customer):
        [(held, party)] = prices.places((place,))
        if place in active:
            combinations.append(sieve.sift(held, party))
        else:
            sieve.switch_off(held, party)
    walk = _Walk(terms.rules)
    for number, search in enumerate(stages):
        walk.stage_over = bool(walk.added) or walk.doubt is not None
        walk.ended_by = walk.doubt
        for each in combinations:
            walk.discounts(each[number], search)
    return [*walk.told(), *sieve.lost]


class _Walk:
    """Goes through rows that apply, in their order.

    Attributes:
        stage_over: An earlier search has decided.
        ended_by: The row after which nothing wider is looked at.
        doubt: The row because of which the answer is not known.
    """

    def __init__(self, rules: SearchRules) -> None:
        self._rules = rules
        self._verdicts: list[tuple[CheckedRow, RowVerdict, CheckedRow | None]] = []
        self._candidates: list[CheckedRow] = []
        self._lowest = Fraction(0)
        self.best: CheckedRow | None = None
        self.added: list[CheckedRow] = []
        self.ended_by: CheckedRow | None = None
        self.doubt: CheckedRow | None = None
        self.stage_over = False

    def prices(self, rows: Sequence[CheckedRow], search: RowSearch, quantity: Fraction) -> None:
        """Look at one combination's prices; the quantity is in their unit."""
        looked = competing(rows, self._rules, quantity)
        closed_by: CheckedRow | None = None
        for row in rows:
            if self._is_past(row, closed_by):
                continue
            price = unit_price_of(row, quantity)
            if row not in looked:
                is_zero = is_ignored(row, price)
                self._say(row, RowVerdict.ZERO if is_zero else RowVerdict.LESS_SPECIFIC)
            elif self._is_doubtful(row, search):
                continue
            else:
                self._try(row, price)
                closed_by = self._close(row)

    def discounts(self, rows: Sequence[CheckedRow], search: RowSearch) -> None:
        """Look at one combination's discounts."""
        closed_by: CheckedRow | None = None
        for row in rows:
            if not self._is_past(row, closed_by) and not self._is_doubtful(row, search):
                self.added.append(row)
                closed_by = self._close(row)

    def told(self) -> list[ConsideredRow]:
        """Return what became of all rows that were looked at or passed."""
        known = RowVerdict.UNDECIDED if self.doubt else RowVerdict.ADDED
        self._verdicts += [(row, known, self.doubt) for row in self.added]
        for row in self._candidates:
            if self.doubt is not None:
                self._verdicts.append((row, RowVerdict.UNDECIDED, self.doubt))
            elif row is self.best:
                self._verdicts.append((row, RowVerdict.WON, None))
            else:
                self._verdicts.append((row, RowVerdict.LOWER_PRICE, self.best))
        return [
            ConsideredRow(row.row, verdict, None if by is None else by.row.record_id)
            for row, verdict, by in self._verdicts
        ]

    def _say(self, row: CheckedRow, verdict: RowVerdict, by: CheckedRow | None = None) -> None:
        self._verdicts.append((row, verdict, by))

    def _is_past(self, row: CheckedRow, closed_by: CheckedRow | None) -> bool:
        if self.stage_over:
            self._say(row, RowVerdict.ANOTHER_STAGE, self.best or self.ended_by)
        elif ended := self.ended_by or closed_by:
            self._say(row, RowVerdict.ENDED, ended)
        else:
            return False
        return True

    def _is_doubtful(self, row: CheckedRow, search: RowSearch) -> bool:
        if row.doubt is None and search.currency is not None:
            return False
        self.doubt = self.ended_by = row
        self._say(row, RowVerdict.IN_DOUBT)
        return True

    def _try(self, row: CheckedRow, price: Fraction) -> None:
        if not is_price(row, price, self._rules):
            self._say(row, RowVerdict.ZERO)
            return
        self._candidates.append(row)
        if self.best is None or price < self._lowest:
            self.best, self._lowest = row, price

    def _close(self, row: CheckedRow) -> CheckedRow | None:
        """Return the row as that after which nothing of its combination is looked at."""
        if not row.is_last:
            return None
        if self._rules.find_next_no is FindNextNo.ENDS_SEARCH:
            self.ended_by = row
        return row
