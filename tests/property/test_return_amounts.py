"""What a return gives back is the credit memo's amount, or the return is held: never another."""

from decimal import ROUND_HALF_UP, Decimal

import hypothesis.strategies as st
from hypothesis import example, given, settings

from pricing_proxy.money import NumberText
from sync.engine.outcomes import HeldError
from sync.returns.mapping import map_return
from sync.returns.rules import ReturnRules
from tests.orders import recorded
from tests.returns.test_recorded_memos import memos, order_of, sold

MEMO = memos()["documents_excl_tax__goods_discount_5_creditmemos#1"]
ORDER = order_of(MEMO)
(LINE, *_) = ORDER.items
SOLD = sold(ORDER)
CENT = Decimal("0.01")


@settings(max_examples=100, deadline=None)
@given(
    pieces=st.integers(1, 20_000),
    cents=st.integers(1, 2_000_000),
    unit=st.sampled_from([1, 10, 100, 1000]),
    places=st.integers(2, 6),
)
@example(pieces=7000, cents=23_529, unit=1, places=4)
@example(pieces=7000, cents=23_529, unit=100, places=4)
def test_a_return_comes_to_the_memos_amount_in_the_erps_price_unit_or_is_held(
    pieces: int, cents: int, unit: int, places: int
) -> None:
    net, none = Decimal(cents).scaleb(-2), Decimal(0)
    line = LINE.model_copy(update={"qty_ordered": Decimal(pieces)})
    back = MEMO.items[0].model_copy(
        update={
            "order_item_id": line.item_id,
            "qty": Decimal(pieces),
            "row_total": net,
            "discount_amount": none,
            "discount_tax_compensation_amount": none,
        }
    )
    totals = {"grand_total": net, "tax_amount": none, "shipping_amount": none}
    row = SOLD[0].model_copy(update={"SalesPriceQuantity": NumberText(str(unit))})
    rules = ReturnRules(price_decimals=places, price_unit="order_line", line_tolerance=CENT / 2)
    try:
        draft = map_return(
            MEMO.model_copy(update={"items": (back,), **totals}),
            ORDER.model_copy(update={"items": (line,)}),
            [row],
            reference="CM-1",
            account="C-1001",
            splitting=recorded.rules().splitting,
            rules=rules,
        )
    except HeldError:
        # No price of so few decimals comes to it.
        assert Decimal(1).scaleb(-places) * pieces / unit > CENT
        return
    (body,) = draft.lines
    amount = body.ReturnSalesQuantity * (body.SalesPrice or none) / unit
    assert amount.quantize(CENT, ROUND_HALF_UP) == -net
