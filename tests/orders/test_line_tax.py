"""Each line goes with the rate that the shop charged, or with the reason why it charged none."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders.draft import OrderDraft
from sync.orders.mapping import map_order
from tests.cases import case, case_order
from tests.magento.recordings import recordings
from tests.orders import recorded

Json = dict[str, Any]
NAME = "magento/no_itemized_taxes_000000091-1.order"


def mapped(order: Order, **changes: Any) -> OrderDraft:
    return map_order(
        order,
        account="C-1001",
        products=recorded.products(order),
        selling=recorded.SELLING,
        rules=recorded.rules(**changes),
    )


def held(order: Order, **changes: Any) -> HeldError:
    with pytest.raises(HeldError) as caught:
        mapped(order, **changes)
    return caught.value


def groups(draft: OrderDraft) -> list[tuple[str | None, str | None]]:
    return [(line.body.SalesTaxGroupCode, line.body.SalesTaxItemGroupCode) for line in draft.lines]


def changed(change: Callable[[Json], None]) -> Order:
    """Return the order whose lines say a percentage and no rate, changed as told."""
    row: Json = deepcopy(case(NAME))
    change(row)
    return Order.model_validate(row)


def test_a_line_without_itemized_taxes_has_the_rate_that_its_order_says() -> None:
    """Placed in one go, the order notes taxes without the line's id; it was sent untaxed."""
    draft = mapped(case_order("no_itemized_taxes_000000091-1"), tax_codes={})

    assert groups(draft) == [("DE", "FULL"), ("DE", "FULL")]


def only_additional(row: Json) -> None:
    row["extension_attributes"]["item_applied_taxes"] = []


def only_the_whole(row: Json) -> None:
    only_additional(row)
    row["extension_attributes"]["additional_itemized_taxes"] = []


def only_its_own_id(row: Json) -> None:
    taxes = row["extension_attributes"]["item_applied_taxes"]
    taxes[0]["item_id"] = row["items"][0]["item_id"]
    row["extension_attributes"] |= {"applied_taxes": [], "additional_itemized_taxes": []}


@pytest.mark.parametrize("change", [only_additional, only_the_whole, only_its_own_id])
def test_whichever_member_of_the_order_says_it(change: Callable[[Json], None]) -> None:
    assert groups(mapped(changed(change), tax_codes={}))[0] == ("DE", "FULL")


def nothing_says_it(row: Json) -> None:
    only_the_whole(row)
    row["extension_attributes"]["applied_taxes"] = []
    # So that the shipping need not say anything.
    row["grand_total"] -= row["shipping_amount"] + row["shipping_tax_amount"]
    row["tax_amount"] -= row["shipping_tax_amount"]
    row |= {"shipping_amount": 0, "shipping_tax_amount": 0}


def test_what_no_member_says_is_configured_by_percent() -> None:
    order = changed(nothing_says_it)

    error = held(order, tax_codes={})

    assert error.field == "items[0].tax_percent"
    assert 'sync.markets.b2b_de.orders.tax_codes."19"' in error.advice
    assert groups(mapped(order, tax_codes={"19": "DE-19"})) == [("DE", "FULL")]
    of_germany = {"19": "NL-21", "DE/19": "DE-19"}
    assert groups(mapped(order, tax_codes=of_germany)) == [("DE", "FULL")]


def other_rate(row: Json) -> None:
    row["items"][0]["tax_percent"] = 7


def other_itemized(row: Json) -> None:
    itemized = [{"tax_code": "DE-7", "tax_percent": 7, "amount": 8.1}]
    row["items"][0]["extension_attributes"]["itemized_taxes"] = itemized


def tax_without_percent(row: Json) -> None:
    row["items"][0]["tax_percent"] = 0


def two_rates_of_one_percentage(row: Json) -> None:
    taxes = row["extension_attributes"]["item_applied_taxes"]
    other = deepcopy(taxes[0])
    other["applied_taxes"][0]["code"] = "AT-19"
    taxes.append(other)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (other_rate, ("7", "DE-19 (19 %)")),
        (other_itemized, ("19", "DE-7 (7 %)")),
        (tax_without_percent, ("0", "tax_amount 8.1")),
        (two_rates_of_one_percentage, ("AT-19 (19 %)", "DE-19 (19 %)")),
    ],
)
def test_members_that_contradict_each_other_hold_and_are_both_named(
    change: Callable[[Json], None], told: tuple[str, str]
) -> None:
    error = held(changed(change), tax_codes={"7": "DE-7", "19": "DE-19"})

    assert error.field == "items[0].tax_percent"
    assert all(text in error.text for text in told)


def test_a_tax_on_shipping_of_which_nothing_says_the_rate_is_held() -> None:
    def no_rate(row: Json) -> None:
        only_the_whole(row)
        row["extension_attributes"]["applied_taxes"] = []

    assert held(changed(no_rate)).field == "shipping_tax_amount"


RULES = [
    {
        "reason": "reverse charge",
        "countries": ["NL", "AT"],
        "vat_id": True,
        "sales_tax_group": "EU",
        "item_group": "FULL",
    },
    {"reason": "export", "countries": ["US"], "sales_tax_group": "EXP", "item_group": "FULL"},
    {
        "reason": "exempt",
        "customer_groups": [4],
        "sales_tax_group": "EXEMPT",
        "item_group": "FULL",
    },
    {"reason": "domestic", "countries": ["DE"], "sales_tax_group": "DE", "item_group": "NONE"},
]


def untaxed(country: str, vat_id: str = "", **members: Any) -> Order:
    """Return an order without any tax, delivered to a country."""
    order = Order.model_validate(
        deepcopy(recordings("order_shapes")["tax_excl_total__no_rate_for_country"].answer) | members
    )
    to = order.shipping.model_copy(
        update={
            "address": order.shipping.address
            and order.shipping.address.model_copy(update={"country_id": country})
        }
    )
    (envelope,) = order.extension_attributes.shipping_assignments
    assignments = (envelope.model_copy(update={"shipping": to}),)
    return order.model_copy(
        update={
            "extension_attributes": order.extension_attributes.model_copy(
                update={"shipping_assignments": assignments}
            ),
            "billing_address": order.billing_address
            and order.billing_address.model_copy(update={"vat_id": vat_id}),
        }
    )


COUNTRIES: Mapping[str, str] = {"DE": "DEU", "NL": "NLD", "US": "USA", "AT": "AUT"}


def test_no_tax_has_another_group_for_each_reason() -> None:
    """Reverse charge, export and domestic orders were all sent with one group."""
    found = [
        groups(
            mapped(
                untaxed(order["country"], order.get("vat_id", "")),
                untaxed=RULES,
                countries=COUNTRIES,
            )
        )
        for order in case("orders/zero_tax_countries")["orders"]
    ]

    assert [set(each) for each in found] == [{("EU", "FULL")}, {("EXP", "FULL")}, {("DE", "NONE")}]


def test_no_tax_without_a_reason_is_held_and_the_missing_rule_is_told() -> None:
    for vat_id in ("", "n/a", "-", "DE"):
        error = held(untaxed("NL", vat_id), untaxed=RULES, countries=COUNTRIES)
        assert error.field == "items[0].tax_percent"
        assert "NL, no VAT number" in error.text
        assert "sync.markets.b2b_de.orders.untaxed" in error.advice
    assert "a VAT number" in held(untaxed("NL", "NL001234567B01"), untaxed=[]).text


def test_a_customer_group_is_a_reason_and_the_account_s_number_counts() -> None:
    exempt = mapped(untaxed("AT", customer_group_id=4), untaxed=RULES, countries=COUNTRIES)
    business = mapped(
        untaxed("AT", customer_taxvat="atu 123-456.78"), untaxed=RULES, countries=COUNTRIES
    )

    assert groups(exempt)[0] == ("EXEMPT", "FULL")
    assert groups(business)[0] == ("EU", "FULL")


def test_where_the_erp_alone_decides_no_reason_is_asked() -> None:
    assert set(groups(mapped(untaxed("NL"), tax=None, untaxed=[]))) == {(None, None)}


def test_a_fee_of_an_order_without_tax_has_none_for_the_same_reason() -> None:
    """By its item alone the ERP would have taxed it, or held the order for the difference."""
    order = untaxed("US")
    extra = order.extension_attributes.model_copy(update={"cod": Decimal(4)})
    order = order.model_copy(
        update={"grand_total": order.grand_total + 4, "extension_attributes": extra}
    )
    fee = {"amount": "extension_attributes.cod", "item": "COD"}

    draft = mapped(order, untaxed=RULES, countries=COUNTRIES, fees=[fee])
    own_item = {**fee, "tax_item_group": "SERVICE"}
    other = mapped(order, untaxed=RULES, countries=COUNTRIES, fees=[own_item])

    assert groups(draft)[-1] == ("EXP", "FULL")
    assert groups(other)[-1] == ("EXP", "SERVICE")
