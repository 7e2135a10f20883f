"""Every recorded order becomes an ERP order with the shop's totals, or is held by name."""

from decimal import Decimal

import pytest

from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders.draft import OrderDraft
from sync.orders.mapping import map_order
from sync.orders.rules import OrderRules
from sync.sales.amounts import line_amount
from tests.orders import recorded

CENT = Decimal("0.01")
# Names by what the recordings show, and the fields that hold them under the test's rules.
HELD = {
    "address_city_company_street_255": "billing_address.company",
    "address_names_255": "billing_address.company",
    "address_names_256": "billing_address.company",
    "address_street_two_lines_of_200": (
        "extension_attributes.shipping_assignments[0].shipping.address.street"
    ),
    "discount_excl_tax__tax_before_discount": "tax_amount",
    "discount_incl_tax__tax_before_discount": "tax_amount",
    "documents_excl_tax__15_order_after_cancel": "items[0].qty_canceled",
    "documents_excl_tax__18_order_at_the_end": "items[0].qty_canceled",
    "documents_excl_tax__refund_all_then_cancel_rest_2_order_after_cancel": "items[0].qty_canceled",
    "documents_incl_tax__15_order_after_cancel": "items[0].qty_canceled",
    "documents_incl_tax__18_order_at_the_end": "items[0].qty_canceled",
}


def mapped(order: Order, rules: OrderRules) -> OrderDraft:
    return map_order(
        order,
        account="C-1001",
        products=recorded.products(order),
        selling=recorded.SELLING,
        rules=rules,
    )


def outcomes(rules: OrderRules) -> tuple[dict[str, OrderDraft], dict[str, str]]:
    drafts, held = {}, {}
    for name, order in recorded.orders().items():
        try:
            drafts[name] = mapped(order, rules)
        except HeldError as error:
            held[name] = error.field
    return drafts, held


def test_every_recorded_order_is_sent_with_the_shops_totals_or_held_by_name() -> None:
    """137 orders of a real shop: tax both ways, discounts, bundles, fractions, currencies."""
    rules = recorded.rules()

    drafts, held = outcomes(rules)

    assert len(recorded.orders()) == 137
    assert held == HELD
    for name, draft in drafts.items():
        order = recorded.orders()[name]
        lines = [
            line_amount(
                line.body.SalesPrice or Decimal(0),
                line.body.OrderedSalesQuantity or Decimal(0),
                unit=int(line.body.SalesPriceQuantity or 0),
                decimals=2,
            )
            for line in draft.lines
        ]
        net = order.grand_total - order.tax_amount
        # Half a cent for each line that the shop does not round: fractional quantities only.
        assert abs(sum(lines) - net) <= CENT / 2 * len(lines), name
        assert (draft.net, draft.tax) == (net, order.tax_amount), name


def test_nearly_all_recorded_lines_reach_the_very_cent() -> None:
    drafts, _ = outcomes(recorded.rules())

    off = {name for name, draft in drafts.items() if draft.erp_net != draft.net}

    assert off == {
        "qty_fractional",
        "qty_fractional_five_decimals",
        "qty_fractional_three_decimals",
    }


def test_a_pick_up_is_sent_without_an_address() -> None:
    """The address on it is the shop's own store under the customer's name."""
    draft = mapped(recorded.orders()["pickup_in_store"], recorded.rules())

    assert draft.header.DeliveryModeCode == "PICK"
    assert draft.header.DefaultShippingWarehouseId == "14"
    assert not [name for name in draft.header.members() if name.startswith("DeliveryAddress")]


def test_a_second_currency_is_sent_as_the_whole_set_of_its_amounts() -> None:
    draft = mapped(recorded.orders()["currency_base_EUR_order_USD_excl_tax"], recorded.rules())

    assert draft.header.CurrencyCode == "USD"
    assert draft.net + draft.tax == Decimal("105.9")


def test_a_hundred_percent_off_is_sent_with_lines_of_zero_and_their_rates() -> None:
    """No member of such an order says its rates, only each line its percentage."""
    order = recorded.orders()["discount_excl_tax__hundred_percent_free_payment"]

    draft = mapped(order, recorded.rules(free_lines="hold"))

    assert draft.header.CustomerPaymentMethodName == "FREE"
    assert {line.net for line in draft.lines} == {Decimal(0)}
    groups = [line.body.SalesTaxItemGroupCode for line in draft.lines]
    assert groups == ["FULL", "RED"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("types_configurable_with_custom_options_excl_tax", {"child": 1, "lines": 2}),
        ("types_bundle_dynamic_price_ship_together_excl_tax", {"child": 3, "lines": 4}),
        ("types_bundle_fixed_price_ship_together_excl_tax", {"child": 0, "lines": 2}),
    ],
)
def test_value_and_product_come_from_the_rows_that_carry_them(
    name: str, expected: dict[str, int]
) -> None:
    order = recorded.orders()[name]
    children = {f"ITEM-{row.product_id}" for row in order.items if row.parent_item_id}

    draft = mapped(order, recorded.rules())

    sold = [line.body.ItemNumber for line in draft.lines]
    assert len(sold) == expected["lines"]
    assert len([item for item in sold if item in children]) == expected["child"]


def test_the_parts_of_a_bundle_with_one_price_share_it_to_the_cent() -> None:
    order = recorded.orders()["types_bundle_fixed_price_ship_together_incl_tax"]

    whole = mapped(order, recorded.rules())
    parts = mapped(order, recorded.rules(bundle="parts"))

    assert len(parts.lines) > len(whole.lines)
    assert parts.erp_net == whole.erp_net


def test_dates_among_custom_options_are_what_the_customer_chose() -> None:
    """The shop's first text of a date is twelve hours off in the afternoon."""
    draft = mapped(recorded.orders()["types_custom_option_date_time"], recorded.rules())

    texts = [str(line.body.LineDescription) for line in draft.lines]
    assert any("2027-01-15 14:30:00" in text for text in texts)


def test_a_file_among_custom_options_leaves_without_path_and_key() -> None:
    order = recorded.orders()["types_custom_option_file_image"]

    text = str(mapped(order, recorded.rules()).lines[0].body.LineDescription)

    assert "/" not in text
    assert len(text) < 60
