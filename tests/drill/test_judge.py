"""The judge finds every planted wrong answer, and nothing in a good drill."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.drill.digits import CUSTOMERS, SKUS, Told, price_text, read_price
from tests.drill.judge import ERP_DEAD, judge, main
from tests.drill.picture import draw
from tests.drill.records import MODES, Answer, Calls, Change, Phase, write

MINE, OTHER, SKU = CUSTOMERS[0], CUSTOMERS[1], SKUS[0]
PHASES = [
    Phase(name="healthy", began=100.0, ended=130.0),
    Phase(name=ERP_DEAD, began=130.0, ended=160.0),
    Phase(name="recovery", began=160.0, ended=190.0),
]
CHANGES = [Change(customer=MINE, sku=SKU, version=1, began=109.8, posted=109.9, told=110.0)]
CALLS = [
    Calls(at=100.0, count=50),
    Calls(at=160.5, count=50),
    Calls(at=161.0, count=55),
    Calls(at=163.5, count=70),
]


def line(version: int, *, customer: str = MINE, current: bool = True) -> dict[str, Any]:
    price = price_text(Told(customer, SKU, version))
    return {"sku": SKU, "state": "fresh", "price": price, "current": current}


def answer(at: float, *lines: dict[str, Any], mode: str = "browse", **changes: Any) -> Answer:
    phase = next(phase.name for phase in PHASES if phase.began <= at < phase.ended)
    plain = Answer(
        phase=phase,
        mode=mode,
        customer=MINE,
        due=at,
        received=at + 0.01,
        status=200,
        retry_after=False,
        lines=list(lines),
    )
    return replace(plain, **changes)


def good_drill() -> list[Answer]:
    answers = []
    for phase in PHASES:
        for mode in MODES:
            for number in range(1000):
                at = phase.began + number * 0.03
                answers.append(answer(at, line(0 if at < 109.8 else 1), mode=mode))
    return answers


@pytest.fixture(scope="module")
def good() -> list[Answer]:
    return good_drill()


def verdict_with(good: list[Answer], *planted: Answer) -> list[str]:
    return judge([*good, *planted], CHANGES, CALLS, PHASES).broken


def test_a_good_drill_breaks_no_promise(good: list[Answer]) -> None:
    assert verdict_with(good) == []


@pytest.mark.parametrize(
    "allowed",
    [
        answer(114.9, line(0)),
        answer(140.0, line(0, current=False)),
        answer(111.0, line(0), mode="checkout"),
        answer(140.0, mode="checkout", status=503, retry_after=True),
    ],
    ids=["within the lease", "flagged", "read just before", "refused"],
)
def test_what_is_allowed_is_not_blamed(good: list[Answer], allowed: Answer) -> None:
    assert verdict_with(good, allowed) == []


@pytest.mark.parametrize(
    ("planted", "word"),
    [
        (answer(120.0, line(1, customer=OTHER)), "another's price"),
        (answer(120.0, line(1, customer=OTHER, current=False)), "another's price"),
        (answer(120.0, {**line(1), "price": "19.90"}), "another's price"),
        (answer(115.1, line(0)), "as current"),
        (answer(112.0, line(0), mode="checkout"), "as current"),
        (answer(105.0, line(1)), "before it was posted"),
        (answer(120.0, status=500), "status 500"),
        (answer(120.0, status=503, retry_after=True), "status 503"),
        (answer(120.0, mode="checkout", status=503), "status 503"),
        (answer(120.0, status=0), "status 0"),
    ],
)
def test_a_planted_wrong_answer_is_found(good: list[Answer], planted: Answer, word: str) -> None:
    (broken,) = verdict_with(good, planted)
    assert word in broken


def test_an_invalidation_that_was_not_accepted_holds_nobody(good: list[Answer]) -> None:
    """A later one of the same pair holds for the earlier version too."""
    untold = [replace(CHANGES[0], told=None)]
    assert judge([*good, answer(120.0, line(0))], untold, CALLS, PHASES).broken == []
    later = [*untold, replace(CHANGES[0], version=2, began=140.0, posted=140.1, told=140.2)]
    broken = judge([answer(150.0, line(0))], later, CALLS, PHASES).broken
    assert any("2 was known" in text for text in broken)


def test_slow_and_few_answers_are_found(good: list[Answer]) -> None:
    slow = [replace(good[0], received=good[0].due + 0.2)] * 100
    assert any("p99 is 200 ms" in broken for broken in verdict_with(good, *slow))
    assert any("only 999 answers" in broken for broken in verdict_with(good[1:]))


def test_a_page_without_a_price_that_was_seen_is_found(good: list[Answer]) -> None:
    nothing = {"sku": SKU, "state": "unavailable", "price": None, "current": False}
    missing = [answer(140.0, nothing)] * 100
    assert any("while the ERP was dead" in broken for broken in verdict_with(good, *missing))


def test_a_stampede_after_the_return_is_found(good: list[Answer]) -> None:
    burst = [*CALLS[:2], Calls(at=161.0, count=51), Calls(at=161.9, count=90)]
    assert any("calls within 1 s" in text for text in judge(good, CHANGES, burst, PHASES).broken)
    silent = judge(good, CHANGES, CALLS[:2], PHASES).broken
    assert silent == ["the ERP was not called again after it was back"]


def test_prices_tell_whose_they_are() -> None:
    for told in (Told(MINE, SKU, 0), Told(CUSTOMERS[-1], SKUS[-1], 9999)):
        assert read_price(price_text(told)) == told
    assert read_price("0.000001") is None


def test_the_judge_is_a_program(tmp_path: Path, good: list[Answer]) -> None:
    for name, records in (("calls", CALLS), ("phases", PHASES), ("changes", CHANGES)):
        write(tmp_path / f"{name}.jsonl", records)
    write(tmp_path / "answers.jsonl", good)
    assert main(tmp_path) == 0
    write(tmp_path / "answers.jsonl", [*good, answer(120.0, line(1, customer=OTHER))])
    assert main(tmp_path) == 1
    assert len(json.loads((tmp_path / "verdict.json").read_text())["broken"]) == 1


def test_the_picture_shows_every_phase_and_mode(good: list[Answer]) -> None:
    texts = [node.text for node in ET.fromstring(draw(good, PHASES)).iter()]  # noqa: S314 -- our own
    for wanted in (*(phase.name for phase in PHASES), *(f"■ p99 of {mode}" for mode in MODES)):
        assert wanted in texts
