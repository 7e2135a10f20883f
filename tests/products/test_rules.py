"""Who owns a field is known at start, and what is dangerous before it is written."""

from decimal import Decimal
from typing import Any

import pytest

from sync.products.dangers import dangers, mirror_limits
from sync.products.rule_mistakes import mistakes
from sync.products.rules import ChangeLimits, ProductRules

NAMES = {"languages": {"1": "en-us"}}


def document(**markets: Any) -> dict[str, Any]:
    return {
        "sync": {
            "markets": {
                code: {"store_ids": [1, 2], "flows": ["orders", "products"], "products": rules}
                for code, rules in markets.items()
            }
        }
    }


def told(of: str, **markets: Any) -> list[tuple[str, str]]:
    return [(each.path, each.expected) for each in mistakes(document(**markets), of)]


def test_one_market_alone_is_master_and_all_is_well() -> None:
    assert told("de", de=NAMES) == []
    assert told("de", de=NAMES | {"fields": ["name", "price", "weight"]}) == []


def test_two_owners_of_what_all_websites_share_are_an_error() -> None:
    both = {"de": NAMES | {"master": True}, "nl": NAMES | {"master": True}}
    (found,) = told("de", **both)
    assert found[0] == "sync.markets.de.products.master"
    assert "nl is master too" in found[1]
    assert len(told("nl", **both)) == 1


def test_several_markets_need_one_that_owns_what_they_share() -> None:
    (found,) = told("de", de=NAMES, nl=NAMES)
    assert found[0] == "sync.markets.de.products.master"


@pytest.mark.parametrize("field", ["weight", "tax_class", "barcode", "price", "variants"])
def test_a_field_of_the_master_in_another_market_has_two_owners(field: str) -> None:
    other = NAMES | {"fields": ["name", "status", field]}
    (found,) = told("nl", de=NAMES | {"master": True}, nl=other)
    assert found[0] == "sync.markets.nl.products.fields"
    assert "de owns it for all" in found[1]


def test_a_price_of_each_website_has_an_owner_in_each() -> None:
    scope = {"price_scope": "website"}
    master = NAMES | scope | {"master": True}
    assert told("nl", de=master, nl=NAMES | scope | {"fields": ["price", "name"]}) == []
    (found,) = told("nl", de=NAMES | {"master": True}, nl=NAMES | scope)
    assert found[0] == "sync.markets.nl.products.price_scope"


@pytest.mark.parametrize(
    "rules",
    [
        {"unit_attribute": "ean", "barcode_attribute": "ean"},
        {"dimensions": {"color": "color", "style": "color"}},
        {"attributes": {"color": "Colour"}, "dimensions": {"color": "color"}},
    ],
)
def test_two_fields_in_one_attribute_are_an_error(rules: dict[str, Any]) -> None:
    (found,) = told("de", de=NAMES | rules)
    assert "is written there too" in found[1]


def test_an_attribute_that_has_a_field_of_its_own_is_an_error() -> None:
    (found,) = told("de", de=NAMES | {"attributes": {"price": "ListPrice"}})
    assert found[0] == "sync.markets.de.products.attributes.price"


def test_names_need_languages_of_the_markets_own_store_views() -> None:
    assert [path for path, _ in told("de", de={})] == ["sync.markets.de.products.languages"]
    assert told("de", de={"fields": ["price"]}) == []
    (found,) = told("de", de={"languages": {"7": "de"}})
    assert "store views of this market" in found[1]


def test_a_market_without_products_is_not_looked_at() -> None:
    other = {"sync": {"markets": {"de": {"flows": ["orders"], "products": {"master": True}}}}}
    assert list(mistakes(other, "de")) == []


def test_what_is_owned_follows_the_maps() -> None:
    bare = ProductRules.model_validate(NAMES)
    assert bare.owned(is_master=True) == {"name", "status", "weight", "price"}
    assert bare.owned(is_master=False) == {"name", "status"}
    mapped = ProductRules.model_validate({"tax_classes": {"A": 2}, "dimensions": {"color": "c"}})
    assert mapped.owned(is_master=True) >= {"tax_class", "variants"}
    assert mapped.owned(is_master=False) == {"name", "status"}


LIMITS = ChangeLimits()


@pytest.mark.parametrize(
    ("known", "wanted", "expected"),
    [
        ({"price": "10"}, {"price": "11"}, [("repriced", "up", False)]),
        ({"price": "10"}, {"price": "7"}, [("repriced", "down", False)]),
        ({"price": "10"}, {"price": "13"}, [("repriced", "up", False)]),
        ({"price": "10"}, {"price": "13.01"}, [("repriced", "up", True)]),
        ({"price": "10"}, {"price": "0"}, [("price to zero", "down", True)]),
        (None, {"price": "0"}, [("price to zero", "down", False)]),
        (None, {"price": "5"}, []),
        ({"price": "0"}, {"price": "5"}, [("repriced", "up", True)]),
        ({"blocked": "0"}, {"blocked": "1"}, [("withdrawn", "down", False)]),
        ({"status": "1"}, {"status": "2"}, [("withdrawn", "down", False)]),
        ({"blocked": "1"}, {"blocked": "0"}, []),
        (None, {"blocked": "1"}, [("withdrawn", "down", False)]),
        ({"blocked": "1"}, {"blocked": "1"}, []),
        ({"name": "a"}, {"name": "b"}, []),
    ],
)
def test_dangers_of_a_change(known: Any, wanted: Any, expected: Any) -> None:
    found = dangers(known, wanted, LIMITS)
    assert [(each.name, each.direction, each.is_alone) for each in found] == expected


def test_limits_are_the_larger_of_count_and_per_cent() -> None:
    limits = mirror_limits(LIMITS)
    assert limits["repriced"].allowed(100_000) == 5_000
    assert limits["repriced"].allowed(100) == 200
    assert limits["withdrawn"].allowed(100_000) == 20
    assert limits["price to zero"].per_cent == Decimal(5)
