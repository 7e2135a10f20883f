"""One order on its way: who pays, when it is its turn, what the ERP says, cancellations."""

from decimal import Decimal
from typing import Any

import pytest

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow
from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamRejectedError
from sync.engine.outcomes import HeldError, RetryLaterError, SkippedError, WaitForError
from tests.orders.selling_one import ORDER, OneSale


def refused(field: str, *, status: int = 400) -> UpstreamRejectedError:
    reason = f"The property '{field}' does not exist on the type."
    return UpstreamRejectedError(
        "refused", system="fo", status=status, reasons=(reason,), field=field
    )


async def test_the_erps_number_is_given_back_to_the_shop() -> None:
    sale = OneSale()

    done = await sale.carry()

    assert sale.shop.written == [(ORDER.entity_id, "SO-000001")]
    assert sale.work.links.keys["order", str(ORDER.entity_id)] == "SO-000001"
    assert not sale.header["IsSalesProcessingStopped"]
    assert "SO-000001" in done.note


async def test_an_order_with_a_number_is_left_alone() -> None:
    sale = OneSale()
    await sale.carry()
    sale.erp.calls.clear()

    done = await sale.carry()

    assert not sale.erp.calls
    assert "SO-000001" in done.note


async def test_a_number_that_somebody_typed_in_other_letters_is_the_number() -> None:
    sale = OneSale()
    await sale.carry()
    sale.change(ext_order_id="so-000001 ")
    sale.erp.calls.clear()

    await sale.carry()

    assert not sale.erp.calls


async def test_a_guest_needs_an_account_for_guests() -> None:
    sale = OneSale(rules={})

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == "customer_is_guest"
    assert "sync.markets.b2b_de.orders.guest_account" in caught.value.advice


async def test_a_customer_without_an_account_is_waited_for() -> None:
    sale = OneSale()
    sale.change(customer_id=7)

    with pytest.raises(WaitForError) as caught:
        await sale.carry()

    assert (caught.value.flow, caught.value.business_key) == ("customers", "7")
    await sale.work.links.remember("customer", "7", "C-1001")
    await sale.carry()
    assert sale.header["OrderingCustomerAccountNumber"] == "C-1001"


async def test_a_customer_whom_the_shop_deleted_is_no_guest() -> None:
    """Booked on the guests' account, the order lost its own prices and its own debtor."""
    sale = OneSale()
    sale.change(customer_id=None, customer_is_guest=False)

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == "customer_id"
    assert sale.erp.headers == {}
    await sale.carry(account=" C-1001 ")
    assert sale.header["OrderingCustomerAccountNumber"] == "C-1001"


@pytest.mark.parametrize("named", [1001, "", " ", "C-*", ["C-1001"]])
async def test_an_account_that_a_person_named_wrongly_holds_the_order(named: Any) -> None:
    """Passed over, it would be booked on the account that the person did not mean."""
    sale = OneSale()
    sale.change(customer_id=7)
    await sale.work.links.remember("customer", "7", "C-1002")

    with pytest.raises(HeldError, match="as a text") as caught:
        await sale.carry(account=named)

    assert (caught.value.field, sale.erp.headers) == ("account", {})


async def test_what_is_typed_in_an_order_chooses_no_account() -> None:
    sale = OneSale()
    sale.change(
        customer_id=None,
        customer_is_guest=True,
        customer_email="buyer1@c-1001.example",
        customer_taxvat="DE100000001",
    )

    await sale.carry()

    assert sale.header["OrderingCustomerAccountNumber"] == "WEB"


async def test_an_order_from_before_the_start_is_skipped_unless_exported_by_hand() -> None:
    sale = OneSale(rules={"guest_account": "WEB", "start_at": "2030-01-01T00:00:00Z"})

    with pytest.raises(SkippedError, match="d365-sync export"):
        await sale.carry()

    await sale.carry(is_forced=True)
    assert len(sale.erp.headers) == 1


@pytest.mark.parametrize("state", ["holded", "payment_review", "pending_payment"])
async def test_an_order_that_the_shop_holds_back_waits(state: str) -> None:
    sale = OneSale()
    sale.change(state=state)

    with pytest.raises(RetryLaterError) as caught:
        await sale.carry()

    assert caught.value.after is not None
    assert not sale.erp.calls


async def test_an_order_refunded_in_full_is_skipped() -> None:
    sale = OneSale()
    rows = [row.model_copy(update={"qty_refunded": row.qty_ordered}) for row in ORDER.items]
    sale.change(state="closed", items=tuple(rows), total_refunded=ORDER.grand_total)

    with pytest.raises(SkippedError):
        await sale.carry()


async def test_an_order_cancelled_before_it_was_sent_is_skipped() -> None:
    sale = OneSale()
    sale.change(state="canceled")

    with pytest.raises(SkippedError, match="cancelled before"):
        await sale.carry()

    assert not sale.erp.headers


async def test_cancelled_in_part_invoiced_and_never_sent_needs_a_person() -> None:
    sale = OneSale()
    (first, *others) = ORDER.items
    rows = (first.model_copy(update={"qty_invoiced": first.qty_ordered}), *others)
    sale.change(state="canceled", items=rows)

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == "items[0].qty_invoiced"


async def test_an_order_cancelled_afterwards_is_stopped_and_stays_visible_until_cancelled() -> None:
    sale = OneSale()
    await sale.carry()
    sale.change(state="canceled")

    with pytest.raises(HeldError, match="is stopped in the ERP"):
        await sale.carry(task="cancel")

    assert sale.header["IsSalesProcessingStopped"]
    sale.header["SalesOrderStatus"] = "Canceled"
    assert "both sides" in (await sale.carry(task="cancel")).note


async def test_cancelled_after_what_was_invoiced_went_back_is_skipped() -> None:
    """The shop calls it cancelled, though money moved."""
    sale = OneSale()
    (first, *others) = ORDER.items
    back = {"qty_invoiced": Decimal(1), "qty_refunded": Decimal(1)}
    sale.change(state="canceled", items=(first.model_copy(update=back), *others))

    with pytest.raises(SkippedError, match="cancelled before"):
        await sale.carry()


async def test_an_order_that_the_shop_does_not_have_is_held() -> None:
    sale = OneSale()
    sale.shop.orders.clear()

    with pytest.raises(HeldError, match="has no order"):
        await sale.carry()


async def test_an_order_is_found_by_its_number_when_its_id_is_anothers() -> None:
    sale = OneSale()

    await sale.carry(entity_id=999)

    assert sale.header["CustomersOrderReference"] == ORDER.increment_id


async def test_a_store_view_of_no_market_is_held() -> None:
    sale = OneSale(store_ids=frozenset({2}))

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == "store_id"


async def test_a_renamed_field_holds_with_a_diff_that_names_it_and_later_orders_too() -> None:
    sale = OneSale()
    sale.erp.refusal = refused("DeliveryModeCode")

    for _ in range(2):
        with pytest.raises(HeldError) as caught:
            await sale.carry()
        assert caught.value.field == "DeliveryModeCode"
        assert caught.value.diff[0][:2] == ("DeliveryModeCode", "10")

    assert not sale.erp.headers
    sale.erp.refusal = None
    await sale.carry()
    assert len(sale.erp.headers) == 1


async def test_a_label_in_a_refusal_is_told_by_the_fields_own_name() -> None:
    sale = OneSale()
    sale.erp.refusal = UpstreamRejectedError(
        "refused", system="fo", status=400, reasons=("Mode of delivery",), field="currency code"
    )

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == "CurrencyCode"


async def test_a_refusal_is_no_doubt() -> None:
    """Nothing was written, so a replay need not wait until an earlier write cannot arrive."""
    sale = OneSale()
    sale.erp.refusal = refused("Email")
    with pytest.raises(HeldError):
        await sale.carry()

    assert sale.work.open_entries == []
    assert sale.work.acks == [("order header create", 400)]


async def test_a_server_error_of_the_application_is_tried_again() -> None:
    """Such as an update conflict, which F&O answers with 500 and its own message."""
    sale = OneSale()
    sale.erp.refusal = refused("Email", status=500)

    with pytest.raises(RetryLaterError):
        await sale.carry()


async def test_a_row_without_an_agreed_field_holds_and_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sale = OneSale()

    async def find(company: str, reference: str) -> list[object]:
        del company, reference
        try:
            SalesOrderHeaderRow.model_validate({"dataAreaId": "demf"})
        except ValueError as exc:
            raise UpstreamContractError("an unexpected row", system="fo") from exc
        return []

    monkeypatch.setattr(sale.erp, "find", find)

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == "SalesOrderNumber"
    assert ("SalesOrderNumber", "expected", "(none)") in caught.value.diff


@pytest.mark.parametrize(
    ("field", "echo"),
    [("DeliveryModeCode", "99"), ("CurrencyCode", "USD"), ("DeliveryAddressCity", "")],
)
async def test_an_order_that_the_erp_keeps_differently_is_not_released(
    field: str, echo: str
) -> None:
    sale = OneSale()
    sale.erp.header_changes = {field: echo}

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == field
    assert [name for name, _, _ in caught.value.diff] == [field]
    assert sale.header["IsSalesProcessingStopped"]


async def test_a_line_of_another_amount_is_not_released() -> None:
    sale = OneSale()
    sale.erp.header_changes = {"CurrencyCode": "USD"}
    with pytest.raises(HeldError):
        await sale.carry()
    sale.header["CurrencyCode"] = "EUR"
    line = sale.erp.order_lines["SO-000001"][0]
    line["LineAmount"] += 1

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == f"line {line['OrderLineReference']} LineAmount"


async def test_a_line_that_nobody_sent_is_not_released() -> None:
    sale = OneSale()
    sale.erp.header_changes = {"CurrencyCode": "USD"}
    with pytest.raises(HeldError):
        await sale.carry()
    sale.header["CurrencyCode"] = "EUR"
    lines = sale.erp.order_lines["SO-000001"]
    lines.append({**lines[0], "OrderLineReference": ""})

    with pytest.raises(HeldError, match="differs") as caught:
        await sale.carry()

    assert caught.value.diff == (("line (without a reference)", "(none)", "1 lines"),)


async def test_another_tax_in_the_erp_warns_or_holds_before_the_release() -> None:
    sale = OneSale(rules={"guest_account": "WEB", "tax_difference": "hold"})
    sale.erp.tax = ORDER.tax_amount + 1

    with pytest.raises(HeldError) as caught:
        await sale.carry()
    assert caught.value.field == "OrderTotalTaxAmount"
    assert sale.header["IsSalesProcessingStopped"]

    sale.rules["tax_difference"] = "warn"
    assert f"tax: {ORDER.tax_amount} in the shop" in (await sale.carry()).note


async def test_the_erps_tax_is_not_read_where_that_costs_too_much() -> None:
    sale = OneSale(rules={"guest_account": "WEB", "reads_tax": False})

    await sale.carry()

    assert sale.erp.calls["totals"] == 0


async def test_a_doubled_line_of_a_stopped_order_is_written_anew() -> None:
    sale = OneSale()
    sale.erp.header_changes = {"CurrencyCode": "USD"}
    with pytest.raises(HeldError):
        await sale.carry()
    sale.erp.header_changes = {}
    lines = sale.erp.order_lines["SO-000001"]
    lines.append(lines[0])

    with pytest.raises(RetryLaterError):
        await sale.carry()
    await sale.carry()

    assert list(sale.erp.headers) == ["SO-000002"]


async def test_two_released_orders_are_a_persons_business() -> None:
    sale = OneSale()
    for _ in range(2):
        sale.erp.put_header(ORDER.increment_id, IsSalesProcessingStopped=False)

    with pytest.raises(HeldError, match="several released"):
        await sale.carry()


async def test_a_number_that_the_shop_would_cut_is_refused_before_the_release() -> None:
    sale = OneSale()
    long = "SO-" + "0" * 30
    sale.erp.put_header(ORDER.increment_id)
    header = sale.erp.headers.pop("SO-000001")
    sale.erp.headers[long] = {**header, "SalesOrderNumber": long}

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == "SalesOrderNumber"
    assert sale.header["IsSalesProcessingStopped"]


async def test_tidying_leaves_an_order_alone_that_is_not_released() -> None:
    sale = OneSale()
    for _ in range(2):
        sale.erp.put_header(ORDER.increment_id)

    done = await sale.carry(task="tidy")

    assert done.note == "0 stopped doubles deleted"
    assert len(sale.erp.headers) == 2


async def test_an_erp_that_spells_references_in_its_own_way_gets_each_line_once() -> None:
    """Compared letter by letter, an attempt after a lost call would add the shipping again."""
    sale = OneSale()
    sale.erp.spells = str.upper
    await sale.carry()
    sale.erp.headers["SO-000001"]["IsSalesProcessingStopped"] = True
    sale.change(ext_order_id="")
    sale.erp.calls.clear()

    await sale.carry()

    lines = [line["OrderLineReference"] for line in sale.erp.order_lines["SO-000001"]]
    assert f"{ORDER.increment_id}-SHIPPING" in lines
    assert len(lines) == len(set(lines))
    assert sale.erp.calls["add_line"] == 0
    assert not sale.header["IsSalesProcessingStopped"]
