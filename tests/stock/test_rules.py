"""What would be counted twice is an error at start, which names the entry."""

from typing import Any

import pytest
from pydantic import ValidationError

from sync.stock.building import STOCK
from sync.stock.rules import StockRules, mistakes

BASE = {"stock_id": 1, "sources": {"berlin": ["11"], "hamburg": ["21"]}}


def document(**markets: Any) -> dict[str, Any]:
    return {"sync": {"markets": {code: {"stock": rules} for code, rules in markets.items()}}}


def found(market: str = "de", **markets: Any) -> list[tuple[str, str]]:
    return [(mistake.path, mistake.expected) for mistake in mistakes(document(**markets), market)]


def test_one_stock_with_two_sources_is_right() -> None:
    assert found(de=BASE) == []


def test_a_warehouse_in_two_sources_of_one_stock_is_named() -> None:
    [(where, text)] = found(de={**BASE, "sources": {"berlin": ["11"], "hamburg": ["21", "11"]}})
    assert where == "sync.markets.de.stock.sources.hamburg"
    assert "it is also in berlin" in text


def test_a_warehouse_may_fill_a_source_of_each_of_two_stocks() -> None:
    other = {"stock_id": 2, "sources": {"trade": ["11"]}}
    assert found("b2b", de=BASE, b2b=other) == []


def test_a_source_of_two_markets_is_told_of_once() -> None:
    other = {"stock_id": 2, "sources": {"berlin": ["31"]}}
    assert found("de", de=BASE, b2b=other) == []
    [(where, text)] = found("b2b", de=BASE, b2b=other)
    assert where == "sync.markets.b2b.stock.sources.berlin"
    assert "of market de" in text


def test_two_owners_of_one_stock_are_told_how_to_share_it() -> None:
    [(where, text)] = found("b2b", de=BASE, b2b={"stock_id": 1, "sources": {"trade": ["31"]}})
    assert where == "sync.markets.b2b.stock.stock_id"
    assert "sync.markets.de.stock.also_sold_by" in text


def test_a_default_source_is_one_of_the_sources() -> None:
    [(where, text)] = found(de={**BASE, "default_source": "munich"})
    assert where == "sync.markets.de.stock.default_source"
    assert text == "expected one of berlin, hamburg"


@pytest.mark.parametrize("other", ["nowhere", "de"])
def test_a_stock_is_sold_by_other_markets(other: str) -> None:
    [(where, _)] = found(de={**BASE, "also_sold_by": [other]})
    assert where == "sync.markets.de.stock.also_sold_by"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sources": {}},
        {"sources": {"berlin": []}},
        {"sources": {"two words": ["11"]}},
        {"safety_stock": "-1"},
        {"measure": ["SomethingElse"]},
        {"measure": []},
    ],
)
def test_rules_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        StockRules.model_validate({**BASE, **wrong})


def test_business_events_are_those_that_the_rules_name() -> None:
    events = {"XYZOnHandChangedBusinessEvent": "ItemNumber"}
    rules = StockRules.model_validate({**BASE, "events": events})
    assert list(STOCK.erp_hints(rules)) == ["XYZOnHandChangedBusinessEvent"]
