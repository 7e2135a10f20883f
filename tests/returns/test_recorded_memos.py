"""Every recorded credit memo becomes a return with the memo's own net, or is held by name."""

from decimal import Decimal

import pytest

from pricing_proxy.d365.fo.order_models import SalesOrderLineRow
from pricing_proxy.money import NumberText
from sync.engine.outcomes import HeldError
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.order_models import Order
from sync.orders.mapping import map_order
from sync.returns.mapping import ReturnDraft, map_return
from sync.returns.rules import ReturnRules
from tests.cases import case
from tests.magento.recordings import recordings
from tests.orders import recorded


def memos() -> dict[str, CreditMemo]:
    """Return the recorded credit memos by recording and number."""
    return {
        f"{name}#{place}": CreditMemo.model_validate(row)
        for name, exchange in recordings("order_shapes").items()
        if "creditmemo" in name
        for place, row in enumerate(exchange.answer["items"], start=1)
        if any(order.entity_id == row["order_id"] for order in recorded.orders().values())
    }


def order_of(memo: CreditMemo) -> Order:
    """Return the order as it was before anything of it was cancelled or refunded."""
    found = [order for order in recorded.orders().values() if order.entity_id == memo.order_id]
    order = min(found, key=lambda one: one.updated_at)
    lines = tuple(line.model_copy(update={"qty_canceled": Decimal(0)}) for line in order.items)
    return order.model_copy(update={"items": lines})


def sold(
    order: Order, *, status: str = "Invoiced", bundle: str = "parent"
) -> list[SalesOrderLineRow]:
    """Return the lines that the order became in the ERP."""
    draft = map_order(
        order,
        account="C-1001",
        products=recorded.products(order),
        selling=recorded.SELLING,
        rules=recorded.rules(tax_difference="warn", bundle=bundle),
    )
    rows = []
    for place, line in enumerate(draft.lines, start=1):
        values = dict.fromkeys(SalesOrderLineRow.fields()) | {
            name: NumberText("0")
            for name, field in SalesOrderLineRow.model_fields.items()
            if field.annotation is NumberText
        }
        known = {
            "dataAreaId": "demf",
            "InventoryLotId": f"LOT-{place}",
            "SalesOrderNumber": "SO-1",
            "OrderLineReference": line.body.OrderLineReference,
            "ItemNumber": line.body.ItemNumber,
            "SalesUnitSymbol": line.body.SalesUnitSymbol,
            "SalesOrderLineStatus": status,
            "SalesPriceQuantity": NumberText(str(line.body.SalesPriceQuantity)),
        }
        rows.append(SalesOrderLineRow.model_validate(values | known))
    return rows


def mapped(memo: CreditMemo, *, status: str = "Invoiced", **rules: object) -> ReturnDraft:
    order = order_of(memo)
    return map_return(
        memo,
        order,
        sold(order, status=status),
        reference="CM-" + memo.increment_id,
        account="C-1001",
        splitting=recorded.rules().splitting,
        rules=ReturnRules.model_validate(rules),
    )


def amount(draft: ReturnDraft) -> Decimal:
    return sum(
        (-line.ReturnSalesQuantity * (line.SalesPrice or Decimal(0)) for line in draft.lines),
        Decimal(0),
    )


@pytest.mark.parametrize("name", sorted(memos()))
def test_a_recorded_memo_gives_its_own_net_back(name: str) -> None:
    """Partial, discounted both ways, of bundles, in a second currency, adjustments alone."""
    memo = memos()[name]

    draft = mapped(memo, adjustment_item="ADJUST")

    assert draft.net == memo.grand_total - memo.tax_amount
    assert abs(amount(draft) - draft.net) <= Decimal("0.01")
    assert all(line.ReturnSalesQuantity < 0 for line in draft.lines)
    goods = [line for line in draft.lines if line.ItemNumber != "ADJUST"]
    assert all((line.ReturningInventoryLotId or "").startswith("LOT-") for line in goods)


def test_one_of_three_is_one() -> None:
    draft = mapped(memos()["documents_excl_tax__goods_discount_5_creditmemos#1"])

    assert [line.ReturnSalesQuantity for line in draft.lines] == [-1, -1]


def test_refunds_beside_goods_need_an_item() -> None:
    """An adjustment, and what the shop gives too much when part of a discounted shipping stays."""
    for name in ("excl_tax__12_creditmemos#2", "excl_tax__shipping_discount_5_creditmemos#1"):
        with pytest.raises(HeldError, match="beside its lines") as caught:
            mapped(memos()[f"documents_{name}"])
        assert "returns.adjustment_item" in caught.value.advice


@pytest.mark.parametrize(
    ("name", "discount", "compensation"),
    [
        ("documents_excl_tax__goods_discount_5_creditmemos#2", "3", "0"),
        ("documents_incl_tax__goods_discount_5_creditmemos#2", "3", "0.48"),
    ],
)
def test_a_discounted_shipping_is_given_back_for_what_it_cost(
    name: str, discount: str, compensation: str
) -> None:
    """Its discount is in the memo's totals alone, and the memo was held for it."""
    memo, off, tax = memos()[name], Decimal(discount), Decimal(compensation)
    cheaper = memo.model_copy(
        update={
            "discount_amount": memo.discount_amount - off,
            "discount_tax_compensation_amount": memo.discount_tax_compensation_amount + tax,
            "grand_total": memo.grand_total - off + tax,
        }
    )

    [*goods, shipping] = mapped(cheaper).lines

    assert [*goods] == [*mapped(memo).lines[:-1]]
    assert shipping.SalesPrice == memo.shipping_amount - off + tax
    assert shipping.ReturningInventoryLotId


@pytest.mark.parametrize("kept", ["5", "0.01", "1.23"])
def test_a_restocking_fee_is_a_line_of_its_own(kept: str) -> None:
    """Goods go back at their price, and what is kept is to be seen beside them."""
    memo = memos()["documents_excl_tax__goods_discount_5_creditmemos#1"]
    fee = Decimal(kept)
    less = memo.model_copy(
        update={"adjustment_negative": fee, "grand_total": memo.grand_total - fee}
    )

    draft = mapped(less, fee_item="RESTOCK")

    assert [line for line in draft.lines if line.ItemNumber != "RESTOCK"] == [*mapped(memo).lines]
    [line] = [line for line in draft.lines if line.ItemNumber == "RESTOCK"]
    assert (line.ReturnSalesQuantity, line.SalesPrice) == (Decimal(-1), -fee)
    assert amount(draft) == amount(mapped(memo)) - fee
    with pytest.raises(HeldError, match=f"keeps {kept} back") as caught:
        mapped(less, adjustment_item="ADJUST")
    assert "returns.fee_item" in caught.value.advice


def test_a_refund_and_a_fee_of_one_memo_are_two_lines() -> None:
    """Set off against each other, both would be gone from the books."""
    memo = memos()["documents_excl_tax__goods_discount_5_creditmemos#1"]
    both = {"adjustment_positive": Decimal(3), "adjustment_negative": Decimal(3)}

    draft = mapped(memo.model_copy(update=both), fee_item="RESTOCK", adjustment_item="ADJUST")

    assert [(line.ItemNumber, line.SalesPrice) for line in draft.lines[-2:]] == [
        ("ADJUST", Decimal(3)),
        ("RESTOCK", Decimal(-3)),
    ]


@pytest.mark.parametrize(
    "member", ["customer_balance_amount", "gift_cards_amount", "reward_currency_amount"]
)
def test_what_goes_back_to_store_credit_counts_where_finance_settles_it(member: str) -> None:
    memo = memos()["documents_excl_tax__goods_discount_5_creditmemos#1"]
    partly = CreditMemo.model_validate(
        memo.model_dump(mode="json", exclude={"created_at", "updated_at", "grand_total"})
        | {"created_at": "2026-11-20 00:00:00", "updated_at": "2026-11-20 00:00:00"}
        | {"grand_total": memo.grand_total - 4, "extension_attributes": {member: 4}}
    )

    with pytest.raises(HeldError, match="store credit") as caught:
        mapped(partly)

    assert "returns.credits" in caught.value.advice
    assert mapped(partly, credits="payment").lines == mapped(memo).lines


def test_goods_that_are_not_delivered_hold_the_return() -> None:
    memo = memos()["documents_excl_tax__goods_discount_5_creditmemos#1"]

    with pytest.raises(HeldError, match="not delivered yet") as caught:
        mapped(memo, status="Backorder")

    assert caught.value.field == "items[0]"
    assert mapped(memo, status="Backorder", undelivered="send").lines


def test_a_line_that_the_erp_does_not_have_is_named() -> None:
    memo = memos()["documents_excl_tax__goods_discount_5_creditmemos#1"]
    order = order_of(memo)

    with pytest.raises(HeldError, match="has no line"):
        map_return(
            memo,
            order,
            [],
            reference="CM-" + memo.increment_id,
            account="C-1001",
            splitting=recorded.rules().splitting,
            rules=ReturnRules(),
        )


def test_more_taken_than_given_back_is_a_persons_business() -> None:
    memo = memos()["documents_excl_tax__goods_discount_5_creditmemos#1"]
    less = memo.model_copy(update={"grand_total": memo.grand_total - 5})

    with pytest.raises(HeldError) as caught:
        mapped(less, adjustment_item="ADJUST")

    assert caught.value.field == "grand_total"


def test_a_memo_that_gives_nothing_back_is_held() -> None:
    memo = memos()["documents_excl_tax__goods_discount_5_creditmemos#1"]
    empty = memo.model_copy(
        update={"items": (), "grand_total": Decimal(0), "tax_amount": Decimal(0)}
    )

    with pytest.raises(HeldError, match="gives nothing back"):
        mapped(empty)


def test_parts_of_a_bundle_with_one_price_go_back_in_proportion() -> None:
    name = "documents_bundle_fixed_ship_together__10_creditmemos#1"
    memo = memos()[name]
    order = order_of(memo)
    rules = recorded.rules(bundle="parts")
    rows = sold(order, bundle="parts")

    draft = map_return(
        memo,
        order,
        rows,
        reference="CM-" + memo.increment_id,
        account="C-1001",
        splitting=rules.splitting,
        rules=ReturnRules(),
    )

    assert len(draft.lines) > 1
    assert abs(amount(draft) - draft.net) <= Decimal("0.01")


def many_cheap_ones() -> tuple[CreditMemo, Order]:
    """Return a memo of all pieces of a line whose price for one has more decimals than the ERP."""
    told = case("orders/return_unit_price")
    memo = memos()["documents_excl_tax__goods_discount_5_creditmemos#1"]
    order = order_of(memo)
    sold_line, back = told["order_item"], told["credit_memo_item"]
    none = {"discount_amount": Decimal(0), "discount_tax_compensation_amount": Decimal(0)}
    line = order.items[0].model_copy(
        update={
            "qty_ordered": Decimal(sold_line["qty_ordered"]),
            "row_total_incl_tax": sold_line["row_total"],
            "tax_amount": Decimal(0),
            **none,
        }
    )
    order = order.model_copy(
        update={
            "items": (line,),
            "grand_total": sold_line["row_total"],
            "tax_amount": Decimal(0),
            "shipping_amount": Decimal(0),
            "shipping_tax_amount": Decimal(0),
            "shipping_discount_amount": Decimal(0),
            "shipping_discount_tax_compensation_amount": Decimal(0),
        }
    )
    returned = memo.items[0].model_copy(
        update={
            "order_item_id": line.item_id,
            "qty": Decimal(back["qty"]),
            "row_total": back["row_total"],
            **none,
        }
    )
    totals = {"grand_total": back["row_total"], "tax_amount": 0, "shipping_amount": 0}
    return memo.model_copy(update={"items": (returned,), **totals}), order


def test_a_return_gives_the_very_amount_back_or_is_held() -> None:
    """7,000 pieces for 235.29 came back as 235.20, four decimals being too few for one."""
    memo, order = many_cheap_ones()

    def back(**rules: object) -> ReturnDraft:
        return map_return(
            memo,
            order,
            sold(order),
            reference="CM-1",
            account="C-1001",
            splitting=recorded.rules().splitting,
            rules=ReturnRules.model_validate(rules),
        )

    with pytest.raises(HeldError) as caught:
        back()
    assert caught.value.field == "items[0]"
    assert "235.29" in caught.value.text
    assert "returns.price_unit" in caught.value.advice
    (line,) = sold(order)
    (as_sold,) = back(price_unit="order_line").lines
    assert line.SalesPriceQuantity.value == 100
    assert as_sold.SalesPrice == Decimal("3.3613")
    (finer,) = back(price_decimals=6).lines
    assert finer.SalesPrice == Decimal("0.033613")
