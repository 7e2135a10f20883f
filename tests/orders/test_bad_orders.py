"""Whatever cannot be sold is held: the message names the field and what to do about it."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders.mapping import map_order, products_of
from sync.orders.rules import OrderRules
from sync.orders.selling import Sellable, SoldThing
from tests.magento.recordings import recordings
from tests.orders import recorded

Json = dict[str, Any]
SHIPPING = "extension_attributes.shipping_assignments[0].shipping"


def body(name: str = "tax_excl_row__mixed_rates") -> Json:
    answer: Json = deepcopy(recordings("order_shapes")[name].answer)
    return answer


def held(row: Mapping[str, Any], rules: OrderRules | None = None, **item: Any) -> HeldError:
    order = Order.model_validate(row)
    with pytest.raises(HeldError) as caught:
        map_order(
            order,
            account="C-1001",
            products=recorded.products(order, **item),
            selling=recorded.SELLING,
            rules=rules or recorded.rules(),
        )
    return caught.value


def shipping(row: Json) -> Json:
    found: Json = row["extension_attributes"]["shipping_assignments"][0]["shipping"]
    return found


def payment_code(row: Json) -> None:
    row["payment"]["method"] = "bitcoin"


def carrier(row: Json) -> None:
    shipping(row)["method"] = "owls_express"


def country(row: Json) -> None:
    shipping(row)["address"]["country_id"] = "FR"


def tax_rate(row: Json) -> None:
    row["items"][0]["extension_attributes"]["itemized_taxes"][0]["tax_code"] = "DE-16"


def currency(row: Json) -> None:
    row["order_currency_code"] = "CHF"


@pytest.mark.parametrize(
    ("change", "field", "advice"),
    [
        (payment_code, "payment.method", 'sync.markets.b2b_de.orders.payment."bitcoin"'),
        (carrier, f"{SHIPPING}.method", 'sync.markets.b2b_de.orders.shipping."owls_express"'),
        (country, f"{SHIPPING}.address.country_id", 'sync.markets.b2b_de.orders.countries."FR"'),
        (tax_rate, "items[0].tax_percent", 'sync.markets.b2b_de.orders.tax."DE-16"'),
        (currency, "order_currency_code", "markets.b2b_de.currencies"),
    ],
)
def test_an_unknown_code_names_the_missing_map_entry(
    change: Callable[[Json], None], field: str, advice: str
) -> None:
    row = body()
    change(row)

    error = held(row)

    assert error.field == field
    assert advice in error.advice


def negative_line(row: Json) -> None:
    row["items"][0]["row_total_incl_tax"] = -5


def no_quantity(row: Json) -> None:
    row["items"][0]["qty_ordered"] = 0


def long_city(row: Json) -> None:
    shipping(row)["address"]["city"] = "x" * 61


def no_address(row: Json) -> None:
    del shipping(row)["address"]


def orphan(row: Json) -> None:
    row["items"][1]["parent_item_id"] = 1


def wrong_total(row: Json) -> None:
    row["grand_total"] += 1


def wrong_tax(row: Json) -> None:
    row["tax_amount"] += 1


def strange_parts(row: Json) -> None:
    row["items"][1]["parent_item_id"] = row["items"][0]["item_id"]


def gift_card(row: Json) -> None:
    row["extension_attributes"]["gift_cards_amount"] = 5


def negative_shipping(row: Json) -> None:
    row["grand_total"] -= row["shipping_amount"] + 1
    row["shipping_amount"] = -1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (negative_line, "items[0].row_total_incl_tax"),
        (no_quantity, "items[0].qty_ordered"),
        (long_city, f"{SHIPPING}.address.city"),
        (no_address, f"{SHIPPING}.address"),
        (orphan, "items[1].parent_item_id"),
        (wrong_total, "grand_total"),
        (wrong_tax, "tax_amount"),
        (strange_parts, "items[0].product_type"),
        (gift_card, "extension_attributes.gift_cards_amount"),
        (negative_shipping, "shipping_amount"),
    ],
)
def test_what_cannot_be_sold_names_its_field(change: Callable[[Json], None], field: str) -> None:
    row = body()
    change(row)

    assert held(row).field == field


def test_a_line_of_no_price_is_held_unless_the_shop_gives_things_away() -> None:
    error = held(body("zero_price_item_among_others"), recorded.rules(free_lines="hold"))

    assert error.field.endswith(".price")
    assert "free_lines" in error.text


def unsold(row: Json, sellable: Sellable, named: Mapping[int, str] | None = None) -> HeldError:
    """Return how an order is held whose first line is so."""
    order = Order.model_validate(row)
    first = order.items[0]
    known = recorded.products(order)
    asked = SoldThing(first.product_id, first.sku, (named or {}).get(first.item_id))
    with pytest.raises(HeldError) as caught:
        map_order(
            order,
            account="C-1001",
            products={**known, asked: sellable},
            selling=recorded.SELLING,
            rules=recorded.rules(),
            named=named or {},
        )
    return caught.value


def item_called(sku: str) -> Sellable:
    """Return what a product of this name is."""
    order = Order.model_validate(body())
    known = next(iter(recorded.products(order).values()))
    return replace(known, shop_sku=sku)


def test_a_product_that_the_company_does_not_sell_is_named() -> None:
    sku = body()["items"][0]["sku"]
    error = unsold(body(), Sellable(None, sku))

    assert error.field == "items[0].product_id"
    assert sku in error.text
    assert "stopped for sales" in held(body(), is_sold=False).text


def test_a_line_whose_product_was_renamed_is_held_and_both_are_named() -> None:
    """Sold as what the product is called now, another article would be delivered."""
    line = body()["items"][0]
    error = unsold(body(), item_called("LAMP-99"))

    assert error.field == "items[0].sku"
    assert line["sku"] in error.text
    assert "LAMP-99" in error.text
    assert f'"items": {{"{line["item_id"]}": "ITEM"}}' in error.advice


def test_a_product_that_was_deleted_in_the_shop_is_told_and_can_be_named() -> None:
    line = body()["items"][0]
    error = unsold(body(), Sellable(None, None))

    assert error.text == (
        f"product {line['product_id']} was deleted in the shop, and {line['sku']} is no item of "
        "demf"
    )
    assert "d365-sync edit" in error.advice


def test_an_item_that_was_named_is_sold_whatever_the_product_is_called() -> None:
    order = Order.model_validate(body())
    first = order.items[0]
    named = {first.item_id: "LAMP-17"}
    plain = next(iter(recorded.products(order).values())).item
    assert plain is not None
    asked = SoldThing(first.product_id, first.sku, "LAMP-17")
    sellable = Sellable(replace(plain, item_number="LAMP-17"), "LAMP-99")

    draft = map_order(
        order,
        account="C-1001",
        products={**recorded.products(order), asked: sellable},
        selling=recorded.SELLING,
        rules=recorded.rules(),
        named=named,
    )

    assert asked in products_of(order, recorded.rules(), named)
    assert draft.lines[0].body.ItemNumber == "LAMP-17"


def test_an_item_that_was_named_and_is_none_and_a_line_that_is_none_are_told() -> None:
    order = Order.model_validate(body())
    key = order.items[0].item_id

    error = unsold(body(), Sellable(None, "x"), {key: "LMAP"})
    with pytest.raises(HeldError) as strange:
        products_of(order, recorded.rules(), {424242: "LAMP"})

    assert error.text == f"LMAP, named for line {key}, is no item of demf"
    assert "424242" in strange.value.text
    assert str(key) in strange.value.advice


def test_skus_of_options_follow_the_products_and_of_nothing_else() -> None:
    row = body("types_custom_options_select_and_text")
    line = row["items"][0]
    product = line["sku"].partition("-")[0]
    order = Order.model_validate(row)
    known = recorded.products(order)[SoldThing(line["product_id"], line["sku"])]
    assert known.item is not None

    sellable = Sellable(known.item, product.lower())
    map_order(
        order,
        account="C-1001",
        products={SoldThing(line["product_id"], line["sku"]): sellable},
        selling=recorded.SELLING,
        rules=recorded.rules(),
    )
    row["items"][0]["sku"] = f"{product}X"
    assert unsold(row, sellable).field == "items[0].sku"


def test_a_part_of_a_bundle_is_called_by_its_own_sku_alone() -> None:
    """Of the bundle itself, the SKUs of its parts may follow."""
    order = recorded.orders()["types_bundle_fixed_price_ship_together_excl_tax"]
    parent, part = order.items[:2]
    known = recorded.products(order)
    asked = SoldThing(part.product_id, part.sku)
    rules = recorded.rules(bundle="parts")

    def sell(sku: str) -> None:
        sellable = replace(known[asked], shop_sku=sku)
        map_order(
            order,
            account="C-1001",
            products={**known, asked: sellable},
            selling=recorded.SELLING,
            rules=rules,
        )

    assert parent.product_type == "bundle"
    sell(part.sku.lower())
    with pytest.raises(HeldError, match="is now"):
        sell(part.sku.rpartition("-")[0])


def test_a_state_is_asked_only_where_the_country_needs_one() -> None:
    name = "address_region_free_text_unknown"
    rules = recorded.rules(states_of=["DE"])

    assert held(body(name), rules).field == f"{SHIPPING}.address.region_code"


def test_a_unit_of_the_shop_needs_its_map_entry() -> None:
    rules = recorded.rules(unit_attribute="sales_unit", units={"piece": "PCS"})

    error = held(body(), rules)

    assert error.field == "items[0].sales_unit"


def test_custom_options_hold_where_the_rule_says_so() -> None:
    error = held(body("types_custom_options_select_and_text"), recorded.rules(options="hold"))

    assert error.field == "items[0].product_option"


def test_a_longer_field_of_a_customized_erp_is_believed() -> None:
    row = body()
    long_city(row)
    order = Order.model_validate(row)

    draft = map_order(
        order,
        account="C-1001",
        products=recorded.products(order),
        selling=recorded.SELLING,
        rules=recorded.rules(field_lengths={"DeliveryAddressCity": 100}),
    )

    assert draft.header.DeliveryAddressCity == "x" * 61


@pytest.mark.parametrize(
    ("field", "longest"), [("CustomersOrderReference", 18), ("ShopReference", 18)]
)
def test_a_reference_is_never_longer_than_its_field(field: str, longest: int) -> None:
    """Cut by the ERP it would never be found again, and the order be sent at each attempt."""
    row = body() | {"increment_id": "3000000001"}
    rules = {"reference_field": field, "field_lengths": {field: longest}}

    error = held(row, recorded.rules(reference_prefix={"*": "NORTH-SHOP"}, **rules))

    assert error.field == "increment_id"
    assert f"20 characters, and {field} in the ERP takes {longest}" in error.text
    fits = Order.model_validate(row)
    draft = map_order(
        fits,
        account="C-1001",
        products=recorded.products(fits),
        selling=recorded.SELLING,
        rules=recorded.rules(reference_prefix={"*": "N-SHOP-"}, **rules),
    )
    assert draft.reference == "N-SHOP-3000000001"


def test_fees_of_a_module_become_service_lines() -> None:
    row = body()
    row["extension_attributes"]["cod"] = {"fee": 4, "tax": 0.76}
    row["grand_total"] += 4
    row["grand_total"] = float(row["grand_total"]) + 0.76
    row["tax_amount"] = float(row["tax_amount"]) + 0.76
    fee = {"amount": "extension_attributes.cod.fee", "tax": "extension_attributes.cod.tax"}
    order = Order.model_validate(row)

    draft = map_order(
        order,
        account="C-1001",
        products=recorded.products(order),
        selling=recorded.SELLING,
        rules=recorded.rules(fees=[{**fee, "item": "COD"}]),
    )

    line = draft.lines[-1]
    assert line.body.ItemNumber == "COD"
    assert (line.net, line.rate.percent) == (Decimal(4), Decimal(19))
    assert held(row).field == "tax_amount"


def test_gift_cards_may_count_as_payment() -> None:
    row = body()
    row["extension_attributes"]["gift_cards_amount"] = 5
    row["grand_total"] -= 5
    order = Order.model_validate(row)

    draft = map_order(
        order,
        account="C-1001",
        products=recorded.products(order),
        selling=recorded.SELLING,
        rules=recorded.rules(credits="payment"),
    )

    assert draft.net + draft.tax == order.grand_total + 5


def test_shipping_is_left_to_the_erps_charges_without_an_item() -> None:
    order = Order.model_validate(body())

    draft = map_order(
        order,
        account="C-1001",
        products=recorded.products(order),
        selling=recorded.SELLING,
        rules=recorded.rules(shipping_item=None),
    )

    assert draft.header.SkipCreateAutoCharges is False
    assert draft.charges == order.shipping_amount
    assert draft.erp_net == draft.net


def test_the_products_asked_for_are_those_sold() -> None:
    order = recorded.orders()["types_configurable_with_custom_options_excl_tax"]
    parent, child = order.items

    assert products_of(order, recorded.rules(), {}) == {SoldThing(child.product_id, child.sku)}
    assert parent.product_id != child.product_id


@pytest.mark.parametrize("start", ["2026-01-01", "soon", "2026-01-01T00:00:00", 17, ""])
def test_a_start_is_an_instant_with_a_zone_or_an_increment_id(start: object) -> None:
    with pytest.raises(ValueError, match="start_at"):
        recorded.rules(start_at=start)
