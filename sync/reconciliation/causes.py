"""Why the shop has something otherwise than the ERP: what fits first, and no guess. Pure.

    unknown SKU                   one of the two systems does not have it
    unit of measure               the shop has a constant multiple of what the ERP says
    order in flight               an order of the shop that the ERP does not have, or did not have
    shipment or memo not posted   goods moved in the shop by a paper that the ERP does not have
    ERP changed since the last    the shop has what was read last
      read
    another run's write           the shop has what another of our runs wrote
    setting of the shop           it is set to show something else, whatever it has
    edited in the shop            it has what no write of ours and no paper explains
    unexplained                   none of these, and that is said

What the ERP said when we wrote last divides a difference in two: what the shop has otherwise than
we wrote it, and what the ERP says otherwise than it did. Each half has causes of its own, so two
that happened together are both named, each with its share; the shares add up to the difference.
Where nothing was written before, papers alone can explain it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from itertools import product

from sync.store.mirror_records import Value


class Cause(StrEnum):
    """Why; the first that fits counts."""

    UNKNOWN_SKU = "unknown SKU"
    UNIT = "unit of measure"
    IN_FLIGHT = "order in flight"
    NOT_POSTED = "shipment or memo not posted"
    ERP_CHANGED = "ERP changed since the last read"
    OTHER_RUN = "another run's write"
    SETTING = "setting of the shop"
    EDITED = "edited in the shop"
    UNEXPLAINED = "unexplained"


# Quantities and prices of the shop have four decimals.
_SMALLEST = Decimal("0.0001")
_ORDER = {cause: place for place, cause in enumerate(Cause)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """An order, a shipment or a credit memo that moves one side before the other.

    Attributes:
        cause: `IN_FLIGHT` or `NOT_POSTED`.
        name: For people, such as "order 3000000001".
        amount: By how much more the shop has for it.
    """

    cause: Cause
    name: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OtherWrite:
    """What another run than the last one has written."""

    run: int
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """All that is known of one field of one row.

    Attributes:
        erp: What the shop should have by what the ERP says now.
        shop: What it has.
        known: What we wrote last, with what it says by itself since, as orders shipped.
        is_known: Whether we ever wrote it.
        lacks: Which system does not have the SKU at all; empty where both do.
        setting: Which setting of the shop explains it all; empty for none.
        ratio: What the shop has per what it should have, if that is a unit's; see `unit_ratio`.
        papers: Those that move one side before the other.
        others: What other runs wrote.
    """

    erp: Value
    shop: Value
    known: Value = None
    is_known: bool = False
    lacks: str = ""
    setting: str = ""
    ratio: Fraction | None = None
    papers: Sequence[Paper] = ()
    others: Sequence[OtherWrite] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A cause, and its share of the difference.

    Attributes:
        cause: Which.
        amount: How much more the shop has for it; None for what is no number.
        text: What tells of it, for people; empty where the cause says it all.
    """

    cause: Cause
    amount: Decimal | None
    text: str = ""


def explain(evidence: Clues) -> Sequence[Share]:
    """Return the causes of a difference in the order of the list; none where there is none."""
    erp, shop = _number(evidence.erp), _number(evidence.shop)
    if erp is None or shop is None:
        return () if evidence.erp == evidence.shop else _of_texts(evidence)
    if erp == shop:
        return ()
    if evidence.lacks:
        return (_lacking(evidence, shop - erp),)
    if evidence.setting:
        return (Share(cause=Cause.SETTING, amount=shop - erp, text=evidence.setting),)
    if evidence.ratio is not None:
        return _of_units(evidence, erp, shop, evidence.ratio)
    return _of_numbers(evidence, erp, shop)


def unit_ratio(
    pairs: Sequence[tuple[Decimal, Decimal]], conversions: Collection[Fraction] = ()
) -> Fraction | None:
    """Return the unit's ratio between shop and ERP, None where nothing proves one.

    A ratio is a unit's where all places of a SKU have the very same one and the ERP converts by
    it, or where two places or more have it, of which one may differ for a reason of its own, and it
    is a whole number or one of a whole number.

    Args:
        pairs: Of each place, what the shop has and what it should have.
        conversions: The ratios by which the ERP converts this product's units.
    """
    ratios = [Fraction(shop) / Fraction(erp) for shop, erp in pairs if shop > 0 and erp > 0]
    for ratio in dict.fromkeys(ratios):
        count = ratios.count(ratio)
        is_converted = count == len(ratios) and ratio in conversions
        is_repeated = count > 1 and count >= len(ratios) - 1 and 1 in ratio.as_integer_ratio()
        if ratio != 1 and (is_converted or is_repeated):
            return ratio
    return None


def _lacking(evidence: Clues, amount: Decimal | None) -> Share:
    return Share(
        cause=Cause.UNKNOWN_SKU, amount=amount, text=f"{evidence.lacks} does not have this SKU"
    )


def _of_texts(evidence: Clues) -> Sequence[Share]:
    """Explain what is no number: nothing adds up there."""
    if evidence.lacks:
        return (_lacking(evidence, None),)
    if not evidence.is_known:
        return (Share(cause=Cause.UNEXPLAINED, amount=None),)
    found = []
    if evidence.known != evidence.erp:
        found.append(Share(cause=Cause.ERP_CHANGED, amount=None))
    if evidence.shop != evidence.known:
        run = next((each.run for each in evidence.others if each.value == evidence.shop), None)
        found.append(_written(None, run))
    return found


def _of_units(evidence: Clues, erp: Decimal, shop: Decimal, ratio: Fraction) -> Sequence[Share]:
    """Explain the ratio, and what is left once both sides are in one unit."""
    converted, times = _divided(shop, ratio), " times" if ratio.denominator == 1 else ""
    unit = Share(
        cause=Cause.UNIT,
        amount=shop - converted,
        text=f"the shop has {ratio}{times} of what the ERP says",
    )
    if converted == erp:
        return (unit,)
    # What was written last, and what papers moved, may be in either unit: what needs fewer causes
    # is believed.
    divided = [replace(each, amount=_divided(each.amount, ratio)) for each in evidence.papers]
    known, bare = _number(evidence.known), replace(evidence, ratio=None, others=())
    readings = [
        _of_numbers(replace(bare, papers=papers, known=_plain(each)), erp, converted)
        for papers in (evidence.papers, divided)
        for each in ([known, _divided(known, ratio)] if known is not None else [None])
    ]
    return (unit, *min(readings, key=len))


def _of_numbers(evidence: Clues, erp: Decimal, shop: Decimal) -> Sequence[Share]:
    known = _number(evidence.known) if evidence.is_known else None
    readings = (
        _unknown_readings(evidence, shop - erp)
        if known is None
        else _readings(evidence, shop - known, known - erp, known)
    )
    best = min(readings, key=lambda reading: reading.cost)
    return sorted(best.shares, key=lambda share: _ORDER[share.cause])


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to explain a difference."""

    cost: tuple[int, ...]
    shares: Sequence[Share]


def _readings(
    evidence: Clues, of_shop: Decimal, of_erp: Decimal, known: Decimal
) -> Iterator[_Reading]:
    """Yield the ways to lay the papers to the two halves of a difference.

    What leaves fewer unexplained halves is better, then what leaves no edit, then what leaves out
    fewer papers: each of them did move something.
    """
    written = {
        value - known: each.run
        for each in reversed(evidence.others)
        if (value := _number(each.value)) is not None
    }
    for chosen in product(*(_choices(evidence, cause) for cause in _OF_PAPERS)):
        left_out = len(evidence.papers) - sum(len(papers) for papers in chosen)
        for sides in product((True, False), repeat=len(chosen)):
            shop, erp = of_shop, of_erp
            for papers, is_of_shop in zip(chosen, sides, strict=True):
                amount = sum((each.amount for each in papers), Decimal(0))
                shop, erp = (shop - amount, erp) if is_of_shop else (shop, erp - amount)
            shares = [_of_papers(papers) for papers in chosen if papers]
            run = written.get(shop)
            if shop:
                shares.append(_written(shop, run))
            if erp:
                shares.append(Share(cause=Cause.ERP_CHANGED, amount=erp))
            is_edited = bool(shop) and run is None
            yield _Reading((bool(shop) + bool(erp), is_edited, left_out), shares)


def _unknown_readings(evidence: Clues, gap: Decimal) -> Iterator[_Reading]:
    """Yield the ways to explain a difference of what we never wrote."""
    for chosen in product(*(_choices(evidence, cause) for cause in _OF_PAPERS)):
        shares = [_of_papers(papers) for papers in chosen if papers]
        left = gap - sum((share.amount or Decimal(0) for share in shares), Decimal(0))
        if left:
            shares.append(Share(cause=Cause.UNEXPLAINED, amount=left))
        left_out = len(evidence.papers) - sum(len(papers) for papers in chosen)
        yield _Reading((bool(left), left_out), shares)


_OF_PAPERS = (Cause.IN_FLIGHT, Cause.NOT_POSTED)
# Of more papers of one SKU than this, single ones are not tried.
_MOST_SINGLE = 8


def _choices(evidence: Clues, cause: Cause) -> Sequence[Sequence[Paper]]:
    """Return which papers may explain a difference together: all of them, one, or none."""
    papers = [each for each in evidence.papers if each.cause is cause and each.amount]
    if not papers:
        return ([],)
    single = [[each] for each in papers] if 1 < len(papers) <= _MOST_SINGLE else []
    return ([], papers, *single)


def _of_papers(papers: Sequence[Paper]) -> Share:
    return Share(
        cause=papers[0].cause,
        amount=sum((each.amount for each in papers), Decimal(0)),
        text=", ".join(each.name for each in papers),
    )


def _written(amount: Decimal | None, run: int | None) -> Share:
    if run is None:
        return Share(cause=Cause.EDITED, amount=amount)
    return Share(cause=Cause.OTHER_RUN, amount=amount, text=f"as run {run} wrote it")


def _number(value: Value) -> Decimal | None:
    if not isinstance(value, str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _divided(number: Decimal, ratio: Fraction) -> Decimal:
    return (number * ratio.denominator / ratio.numerator).quantize(_SMALLEST)


def _plain(number: Decimal | None) -> Value:
    return None if number is None else str(number)
