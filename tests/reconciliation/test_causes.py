"""Seven causes and pairs of them, planted and named; and nothing is said of what is equal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.reconciliation.causes import (
    Cause,
    Clues,
    OtherWrite,
    Paper,
    Share,
    explain,
    unit_ratio,
)

PLANTED = 50
LEAST_PER_CENT = 95
# What lacks a SKU, and what a setting shows whatever is there, hide all else of it.
ALONE = (Cause.UNKNOWN_SKU, Cause.SETTING, Cause.UNEXPLAINED)
TOGETHER = [cause for cause in Cause if cause not in ALONE]


@dataclass
class Case:
    """One number of a row, as long as nothing is planted alike in both systems."""

    erp: Decimal
    shop: Decimal
    known: Decimal
    others: Sequence[OtherWrite] = ()
    papers: Sequence[Paper] = ()
    ratio: Fraction | None = None
    lacks: str = ""

    @property
    def evidence(self) -> Clues:
        """As it is told."""
        numbers = {name: str(getattr(self, name)) for name in ("erp", "shop", "known")}
        return Clues(
            **numbers,
            is_known=True,
            others=self.others,
            papers=self.papers,
            ratio=self.ratio,
            lacks=self.lacks,
        )


def clean(random: Random) -> Case:
    number = Decimal(random.randint(20, 500))
    return Case(erp=number, shop=number, known=number)


def _lack(case: Case, random: Random) -> None:
    case.lacks, case.shop = random.choice(["the shop", "the ERP"]), Decimal(0)


def _unit(case: Case, random: Random) -> None:
    ratio = Fraction(random.choice([2, 4, 6, 12]))
    case.shop *= int(ratio)
    case.papers = [replace(each, amount=each.amount * int(ratio)) for each in case.papers]
    case.ratio = ratio


def _paper(cause: Cause) -> Callable[[Case, Random], None]:
    def plant(case: Case, random: Random) -> None:
        amount = Decimal(random.choice([-1, 1]) * random.randint(1, 9))
        case.papers = [*case.papers, Paper(cause=cause, name=f"{cause} 7", amount=amount)]
        case.shop += amount

    return plant


def _erp(case: Case, random: Random) -> None:
    case.erp += random.choice([-1, 1]) * random.randint(11, 17)


def _other(case: Case, random: Random) -> None:
    written = case.known + random.randint(20, 30)
    case.others = [OtherWrite(4, str(written)), OtherWrite(3, str(case.known))]
    case.shop += written - case.known


def _edit(case: Case, random: Random) -> None:
    case.shop += random.randint(31, 90)


PLANT: dict[Cause, Callable[[Case, Random], None]] = {
    Cause.UNKNOWN_SKU: _lack,
    Cause.IN_FLIGHT: _paper(Cause.IN_FLIGHT),
    Cause.NOT_POSTED: _paper(Cause.NOT_POSTED),
    Cause.ERP_CHANGED: _erp,
    Cause.OTHER_RUN: _other,
    Cause.EDITED: _edit,
    # A unit takes with it what happened before.
    Cause.UNIT: _unit,
}


def planted(causes: Sequence[Cause], random: Random) -> Case:
    case = clean(random)
    for cause, plant in PLANT.items():
        if cause in causes:
            plant(case, random)
    return case


def named(case: Case) -> list[Cause]:
    return [share.cause for share in explain(case.evidence)]


def test_each_of_seven_causes_is_named_where_it_was_planted() -> None:
    random = Random(1)
    for cause in PLANT:
        right = sum(named(planted([cause], random)) == [cause] for _ in range(PLANTED))
        assert right * 100 >= PLANTED * LEAST_PER_CENT, (cause, right)


# A run's write is a state of the row: with an edit over it, the edit alone is there.
PAIRS = [
    pair
    for pair in combinations(TOGETHER, 2)
    if set(pair) != {Cause.OTHER_RUN, Cause.EDITED} and set(pair) != {Cause.UNIT, Cause.OTHER_RUN}
]


def test_two_causes_at_once_are_both_named() -> None:
    random = Random(2)
    right = total = 0
    wrong = []
    for number in range(PLANTED * 4):
        pair = PAIRS[number % len(PAIRS)]
        found = named(planted(pair, random))
        total += 1
        right += found == list(pair)
        if found != list(pair):
            wrong.append((pair, found))
    assert right * 100 >= total * LEAST_PER_CENT, wrong


@pytest.mark.parametrize("times", [1, 12])
def test_a_paper_from_before_or_after_a_change_of_units_is_named(times: int) -> None:
    """Two pieces were shipped, and then somebody took pieces for boxes; or the other way round."""
    paper = Paper(cause=Cause.NOT_POSTED, name="shipment 7", amount=Decimal(-2))
    shop = 98 * 12 if times == 12 else 100 * 12 - 2
    case = Case(Decimal(100), Decimal(shop), Decimal(100), papers=[paper], ratio=Fraction(12))
    assert named(case) == [Cause.UNIT, Cause.NOT_POSTED]


def test_nothing_is_said_of_a_thousand_clean_rows() -> None:
    random = Random(3)
    for _ in range(1000):
        case = clean(random)
        # Papers are there on clean rows, too, and so are writes of other runs.
        case.papers = [Paper(cause=Cause.IN_FLIGHT, name="order 7", amount=Decimal(3))]
        case.others = [OtherWrite(2, "7")]
        assert named(case) == []


numbers = st.integers(-50, 500).map(lambda number: Decimal(number) / 4)
papers = st.lists(
    st.builds(
        Paper,
        cause=st.sampled_from([Cause.IN_FLIGHT, Cause.NOT_POSTED]),
        name=st.just("order 7"),
        amount=numbers,
    ),
    max_size=4,
)
evidences = st.builds(
    Clues,
    erp=numbers.map(str),
    shop=numbers.map(str),
    known=numbers.map(str),
    is_known=st.booleans(),
    papers=papers,
    ratio=st.sampled_from([None, Fraction(12), Fraction(1, 4)]),
    others=st.lists(st.builds(OtherWrite, st.integers(1, 9), numbers.map(str)), max_size=2),
)


@given(evidence=evidences)
def test_shares_add_up_and_nothing_is_named_without_its_evidence(evidence: Clues) -> None:
    shares = explain(evidence)
    gap = Decimal(str(evidence.shop)) - Decimal(str(evidence.erp))
    assert sum((share.amount or Decimal(0) for share in shares), Decimal(0)) == gap
    found = [share.cause for share in shares]
    assert found == sorted(found, key=list(Cause).index)
    for cause in (Cause.IN_FLIGHT, Cause.NOT_POSTED):
        assert cause not in found or any(paper.cause is cause for paper in evidence.papers)
    assert Cause.OTHER_RUN not in found or evidence.others
    if not evidence.is_known and evidence.ratio is None:
        assert not {Cause.EDITED, Cause.ERP_CHANGED, Cause.OTHER_RUN} & set(found)


def test_what_was_never_written_and_no_paper_explains_is_unexplained() -> None:
    [share] = explain(Clues(erp="7", shop="9"))
    assert share == Share(cause=Cause.UNEXPLAINED, amount=Decimal(2))
    two = explain(
        Clues(
            erp="7",
            shop="9",
            papers=[Paper(cause=Cause.IN_FLIGHT, name="order 7", amount=Decimal(-3))],
        )
    )
    assert [share.cause for share in two] == [Cause.IN_FLIGHT, Cause.UNEXPLAINED]


@pytest.mark.parametrize(
    ("shop", "known", "erp", "causes"),
    [
        ("Lamp", "Lamp", "Lamp", []),
        ("Lamp", "Lamp", "Light", [Cause.ERP_CHANGED]),
        ("Lamb", "Lamp", "Lamp", [Cause.EDITED]),
        ("Old lamp", "Lamp", "Lamp", [Cause.OTHER_RUN]),
        ("Lamb", "Lamp", "Light", [Cause.ERP_CHANGED, Cause.EDITED]),
    ],
)
def test_texts_have_causes_without_amounts(
    shop: str, known: str, erp: str, causes: list[Cause]
) -> None:
    others = [OtherWrite(3, "Old lamp")]
    shares = explain(Clues(erp=erp, shop=shop, known=known, is_known=True, others=others))
    assert [share.cause for share in shares] == causes
    assert all(share.amount is None for share in shares)


@pytest.mark.parametrize(
    ("pairs", "conversions", "ratio"),
    [
        ([("120", "10"), ("24", "2")], [], Fraction(12)),
        ([("10", "120"), ("2", "24")], [], Fraction(1, 12)),
        # One place differs for a reason of its own.
        ([("120", "10"), ("24", "2"), ("7", "5")], [], Fraction(12)),
        # A single place proves nothing, but by a conversion of the ERP.
        ([("120", "10")], [], None),
        ([("120", "10")], [Fraction(12)], Fraction(12)),
        ([("15", "10"), ("30", "20")], [], None),
        ([("10", "10"), ("2", "2")], [Fraction(12)], None),
        ([("0", "10"), ("0", "0")], [], None),
    ],
)
def test_a_constant_ratio_is_a_units_where_something_proves_it(
    pairs: list[tuple[str, str]], conversions: list[Fraction], ratio: Fraction | None
) -> None:
    told = [(Decimal(shop), Decimal(erp)) for shop, erp in pairs]
    assert unit_ratio(told, conversions) == ratio
