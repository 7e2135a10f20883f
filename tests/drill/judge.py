"""Judge a drill by what was written down: `python -m tests.drill.judge FOLDER`.

A program of its own, which shares nothing with the service: it knows whose a price is and
how old from the price's digits, and when each version was posted from the drill's log.

A price that is marked as current may be old only for G seconds after its invalidation was
accepted, counted to the instant the request was due, before which nothing was decided; at
checkout only for two seconds after the new version was in the ERP.
"""

import json
import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.drill.digits import read_price
from tests.drill.records import MODES, Answer, Calls, Change, Phase, read

LEASE_SECONDS = 5.0
_CHECKOUT_SECONDS = 2.0
DEADLINE_SECONDS: Mapping[str, float] = {"browse": 0.150, "cart": 1.5, "checkout": 4.0}
LEAST_ANSWERS = 1000
_LEAST_OWN = 0.99
ERP_DEAD = "ERP dead"
# A ramp's first second has 5 starts, each further one twice as many.
_FIRST_STARTS = 5
_RAMP_SECONDS = 3
_HTTP_OK, _UNAVAILABLE, _SERVER_ERRORS = 200, 503, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One phase and mode of the table."""

    phase: str
    mode: str
    answers: int
    p50_ms: float
    p99_ms: float
    states: Mapping[str, int]


@dataclass(slots=True)
class Verdict:
    """The table, and every promise that was broken."""

    rows: list[Row] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    own_share: float = 0.0


def judge(
    answers: Sequence[Answer],
    changes: Sequence[Change],
    calls: Sequence[Calls],
    phases: Sequence[Phase],
) -> Verdict:
    """Return the verdict."""
    verdict = Verdict()
    groups: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[answer.phase, answer.mode].append(answer)
    verdict.rows = [
        _row(phase.name, mode, groups[phase.name, mode]) for phase in phases for mode in MODES
    ]
    verdict.broken += _wrong_prices(answers, changes)
    verdict.broken += _bad_statuses(answers)
    verdict.broken += _slow_or_few(verdict.rows)
    verdict.own_share = _own_share(answers)
    if verdict.own_share < _LEAST_OWN:
        verdict.broken.append(f"own prices while the ERP was dead: {verdict.own_share:.2%}")
    verdict.broken += _stampede(calls, phases)
    return verdict


def _row(phase: str, mode: str, mine: Sequence[Answer]) -> Row:
    seconds = sorted(answer.received - answer.due for answer in mine) or [0.0]
    states = Counter(line["state"] for answer in mine for line in answer.lines)
    states.update(str(answer.status) for answer in mine if answer.status != _HTTP_OK)
    return Row(
        phase=phase,
        mode=mode,
        answers=len(mine),
        p50_ms=seconds[len(seconds) // 2] * 1000,
        p99_ms=seconds[len(seconds) * 99 // 100] * 1000,
        states=dict(states),
    )


def _wrong_prices(answers: Sequence[Answer], changes: Sequence[Change]) -> Iterable[str]:
    told, posted, began = _instants(changes)
    for answer in answers:
        for line in answer.lines:
            if line["price"] is None:
                continue
            pair = (answer.customer, line["sku"])
            price = read_price(line["price"])
            if price is None or price[:2] != pair:
                yield f"{pair} was shown {line['price']}: another's price"
                continue
            if price.version > bisect_right(began[pair], answer.received):
                yield f"{pair} was shown version {price.version} before it was posted"
            if not line["current"]:
                continue
            newest = bisect_right(told[pair], answer.due - LEASE_SECONDS)
            if answer.mode == "checkout":
                newest = max(newest, bisect_right(posted[pair], answer.due - _CHECKOUT_SECONDS))
            if price.version < newest:
                yield f"{pair} was shown version {price.version} as current: {newest} was known"


_Instants = Mapping[tuple[str, str], list[float]]


def _instants(changes: Sequence[Change]) -> tuple[_Instants, _Instants, _Instants]:
    """Return when each pair's versions 1, 2, ... were told, were posted, and were begun.

    A version whose invalidation was not accepted counts as told with the next one.
    """
    told: dict[tuple[str, str], list[float]] = defaultdict(list)
    posted: dict[tuple[str, str], list[float]] = defaultdict(list)
    began: dict[tuple[str, str], list[float]] = defaultdict(list)
    for change in sorted(changes, key=lambda change: change.version):
        pair = (change.customer, change.sku)
        began[pair].append(change.began)
        posted[pair].append(change.posted)
        if change.told is not None:
            told[pair] += [change.told] * (change.version - len(told[pair]))
    return told, posted, began


def _bad_statuses(answers: Sequence[Answer]) -> Iterable[str]:
    bad: Counter[str] = Counter()
    for answer in answers:
        is_refusal = answer.mode == "checkout" and answer.status == _UNAVAILABLE
        if answer.status == _HTTP_OK or (is_refusal and answer.retry_after):
            continue
        bad[f"{answer.phase}, {answer.mode}: status {answer.status}"] += 1
    return [f"{what}, {count} times" for what, count in bad.items()]


def _slow_or_few(rows: Sequence[Row]) -> Iterable[str]:
    for row in rows:
        limit_ms = DEADLINE_SECONDS[row.mode] * 1000
        if row.p99_ms > limit_ms:
            yield f"{row.phase}, {row.mode}: p99 is {row.p99_ms:.0f} ms, over {limit_ms:.0f} ms"
        if row.answers < LEAST_ANSWERS:
            yield f"{row.phase}, {row.mode}: only {row.answers} answers"


def _own_share(answers: Sequence[Answer]) -> float:
    """Return how often a page got the customer's own price while the ERP was dead."""
    seen: set[tuple[str, str]] = set()
    asked = priced = 0
    for answer in sorted(answers, key=lambda answer: answer.received):
        for line in answer.lines:
            pair = (answer.customer, line["sku"])
            if answer.phase == ERP_DEAD and answer.mode != "checkout" and pair in seen:
                asked += 1
                priced += line["price"] is not None
            if line["price"] is not None:
                seen.add(pair)
    return priced / asked if asked else 0.0


def _stampede(calls: Sequence[Calls], phases: Sequence[Phase]) -> Iterable[str]:
    restored = next((phase.ended for phase in phases if phase.name == ERP_DEAD), None)
    if restored is None:
        return
    before = max((call.count for call in calls if call.at <= restored), default=0)
    first = next((call.at for call in calls if call.count > before), None)
    if first is None:
        yield "the ERP was not called again after it was back"
        return
    for seconds in range(1, _RAMP_SECONDS + 1):
        made = max(call.count for call in calls if call.at <= first + seconds) - before
        # One second more than the ramp allows, for its seconds and ours begin apart.
        allowed = _FIRST_STARTS * (2 ** (seconds + 1) - 1)
        if made > allowed:
            yield f"{made} calls within {seconds} s of the ERP's return, over {allowed}"


def main(folder: Path) -> int:
    """Judge a folder's records; write `verdict.json` and return the exit code."""
    verdict = judge(
        [Answer(**members) for members in read(folder / "answers.jsonl")],
        [Change(**members) for members in read(folder / "changes.jsonl")],
        [Calls(**members) for members in read(folder / "calls.jsonl")],
        [Phase(**members) for members in read(folder / "phases.jsonl")],
    )
    (folder / "verdict.json").write_text(json.dumps(asdict(verdict), indent=1), encoding="utf-8")
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
