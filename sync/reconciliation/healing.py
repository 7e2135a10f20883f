"""What is done about differences: by the flow's own way, within limits, or by a person. Pure.

    in a plan of the flow                     it is on its way, or waits there for a person
    kept as configured, or nobody's field     nothing
    a paper that the ERP does not have        nothing: it ends when it is posted
    unknown SKU, unit of measure              a person: written over, a mistake would be hidden
    anything else, of few keys                the flow reads the key again and writes it
    anything else, of many                    a person: much at once is more than drift

Drift is significant, and somebody is told, where a cause is lacking, a unit is wrong, or many keys
differ for causes that do not pass by themselves.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sync.reconciliation.causes import Cause
from sync.reconciliation.comparing import Comparison, Discrepancy, DriftReport

# A night's edits by hand; of large catalogs a share.
_FEW, _FEW_PER_CENT = 200, 5
# Fewer are mended without a word; the page lists them.
_MANY, _MANY_PER_CENT = 20, 1
_PASSING = frozenset({Cause.IN_FLIGHT, Cause.NOT_POSTED})
_OF_PERSONS = frozenset({Cause.UNKNOWN_SKU, Cause.UNIT})
_HEALED = "read and written again"
_POSTED = "ends by itself when the ERP has it"
_KEPT = "left as it is"
_ADVICE = {
    Cause.UNKNOWN_SKU: "create it where it is missing, or let it be withdrawn",
    Cause.UNIT: "compare the units and their conversion in both systems",
}


async def always() -> bool:
    """Return that a comparison makes sense at any time."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What is compared, and how its flow mends it.

    Attributes:
        comparison: Compares.
        every: How often, by the clock.
        heal: Has the flow read keys again, and write what they should be.
        by_hand: The command by which a person has many written.
        is_ready: Whether there is anything to compare yet.
    """

    comparison: Comparison
    every: timedelta
    heal: Callable[[Sequence[str]], Awaitable[object]]
    by_hand: str
    is_ready: Callable[[], Awaitable[bool]] = always


@dataclass(frozen=True, slots=True)
class Treatment:
    """A report with what is done about it, and the keys that are healed."""

    report: DriftReport
    healed: Sequence[str]


def treat(report: DriftReport, *, by_hand: str, is_plan: bool) -> Treatment:
    """Return what is done about each difference.

    Args:
        report: What was found.
        by_hand: The command by which a person has many written.
        is_plan: Whether nothing is done, and only told what would be.
    """
    healable = {each.key for each in report.found if _is_healed(each)}
    # A key of which something else is wrong is left to a person as a whole.
    healable -= {each.key for each in report.found if set(each.names) & _OF_PERSONS}
    is_few = len(healable) <= max(_FEW, report.compared * _FEW_PER_CENT // 100)
    healed = f"would be {_HEALED}" if is_plan else _HEALED
    mended = healed if is_few else f"more than is mended unasked: {by_hand}"
    found = [replace(each, action=_action(each, healable, mended)) for each in report.found]
    why = _why(report)
    told = replace(report, found=found, is_significant=bool(why), why=why)
    return Treatment(told, sorted(healable) if is_few and not is_plan else [])


def _is_healed(each: Discrepancy) -> bool:
    is_passing = bool(set(each.names) & _PASSING)
    return not each.is_fixed and each.waiting is None and not is_passing


def _action(each: Discrepancy, healable: set[str], mended: str) -> str:
    if each.action:
        return each.action
    for cause, advice in _ADVICE.items():
        if cause in each.names:
            return advice
    if each.waiting is not None:
        return f"in a plan: d365-sync runs show {each.waiting}"
    if set(each.names) & _PASSING:
        return _POSTED
    if each.is_fixed:
        return _KEPT
    return mended if each.key in healable else "see to the rest of it first"


def _why(report: DriftReport) -> str:
    """Return why somebody is told; empty where nothing is significant."""
    told = []
    for cause in (Cause.UNEXPLAINED, Cause.UNIT):
        count = len({each.key for each in report.found if cause in each.names})
        if count:
            told.append(f"{count} {cause}")
    lasting = {
        each.key
        for each in report.found
        # What is kept as configured is no drift, and what is in a plan is told of there.
        if not each.is_fixed
        and each.waiting is None
        and not set(each.names) <= _PASSING | {Cause.UNKNOWN_SKU}
    }
    if len(lasting) > max(_MANY, report.compared * _MANY_PER_CENT // 100):
        told.append(f"{len(lasting)} differ in all")
    return ", ".join(told)
