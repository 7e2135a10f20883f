"""Find the total discount of a cart, and share it between its lines.

Rows of the customer, its group and everybody add up, each tested on what the lines that take part
cost after line and multiline discounts. The percentage is taken of every such line, the amount
shared by what they cost.
"""

from collections.abc import Sequence
from fractions import Fraction

from pricing_proxy.agreements.fo.cart_lines import AskedCart, LocalCartLine
from pricing_proxy.agreements.fo.discount_search import DiscountRows, added_up
from pricing_proxy.agreements.fo.ladder import START
from pricing_proxy.agreements.fo.line_terms import refused, summed
from pricing_proxy.agreements.fo.net import NO_DISCOUNT, SummedDiscount, rounded
from pricing_proxy.agreements.fo.party_rows import RowSearch
from pricing_proxy.agreements.fo.quote import LocalRefusal
from pricing_proxy.agreements.fo.rows import NO_DIMENSIONS
from pricing_proxy.agreements.fo.rules import PricingTerms, SearchRules, TotalRest
from pricing_proxy.names import same_name_key

_NOTHING = Fraction(0)


def total_discount(
    asked: AskedCart, rows: DiscountRows | None, terms: PricingTerms, nets: Sequence[Fraction]
) -> SummedDiscount | LocalRefusal:
    """Return what total discounts add up to.

    Args:
        asked: The cart.
        rows: The total discounts; their brackets are amounts of money.
        terms: What holds for the legal entity.
        nets: What each line costs, before the total discount.
    """
    subtotal = sum(_of_counted(asked.lines, nets), _NOTHING)
    if rows is None or subtotal <= 0:
        return NO_DISCOUNT
    currency = same_name_key(asked.currency)
    search = RowSearch(
        on=asked.on,
        currency=currency,
        document_currency=currency,
        unit="",
        dimensions=NO_DIMENSIONS,
        quantity=subtotal,
    )
    step = added_up(0)(
        [
            rows.ladder(party, search).at(START)
            for party in asked.customer.parties(asked.customer.total_discount_group)
            if party[0] in terms.switches.total_discount
        ]
    )
    return refused(step.doubt) if step.doubt is not None else summed(step, (search,), terms)


def shares_of(
    total: SummedDiscount,
    lines: Sequence[LocalCartLine],
    nets: Sequence[Fraction],
    rules: SearchRules,
) -> list[Fraction]:
    """Return each line's part of a total discount; it is rounded where line amounts are."""
    counted = _of_counted(lines, nets)
    subtotal = sum(counted, _NOTHING)
    if total == NO_DISCOUNT:
        return [_NOTHING for _ in nets]
    amount = Fraction(total.amount)
    shares = [rounded(amount * net / subtotal, rules.line_rounding) for net in counted]
    shares[_rest_line(lines, nets, rules.total_rest)] += amount - sum(shares, _NOTHING)
    return [
        rounded(net * (1 - total.left), rules.line_rounding) + share
        for net, share in zip(counted, shares, strict=True)
    ]


def _of_counted(lines: Sequence[LocalCartLine], nets: Sequence[Fraction]) -> list[Fraction]:
    """Return what lines cost, but 0 for those that take no part."""
    pairs = zip(lines, nets, strict=True)
    return [net if line.item.counts_for_total else _NOTHING for line, net in pairs]


def _rest_line(lines: Sequence[LocalCartLine], nets: Sequence[Fraction], rest: TotalRest) -> int:
    """Return the place of the line that gets what rounding leaves: the last of several."""
    places = [place for place, line in enumerate(lines) if line.item.counts_for_total]
    if rest is TotalRest.LARGEST_LINE:
        return max(places, key=lambda place: (nets[place], place))
    return places[-1]
