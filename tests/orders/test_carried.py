"""What customers write on an order: in a field that the rules name, told, or held."""

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pricing_proxy.d365.fo.order_models import header_row
from pricing_proxy.d365.fo.schema_contract import (
    Change,
    EntityMetadata,
    FieldMetadata,
    compare_entity,
)
from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders.contracts import contracts
from sync.orders.draft import OrderDraft
from sync.orders.mapping import map_order
from tests.cases import case
from tests.magento.recordings import recordings
from tests.orders import recorded
from tests.orders.selling_one import ORDER, OneSale

Json = dict[str, Any]
PLAIN = "tax_excl_row__mixed_rates"
VIRTUAL = "types_downloadable_only"
EVERYTHING = [
    {"path": "customer_note", "field": "ContosoNote"},
    {"path": "gift_message", "field": "ContosoGift"},
    {"path": "billing_address", "field": "ContosoBilling"},
    {"path": "payment.po_number", "field": "CustomerRequisitionNumber"},
    {"path": "extension_attributes.delivery.day", "field": "RequestedReceiptDate"},
    {"path": "extension_attributes.instructions", "field": "ContosoDriver"},
]
GIFT = {"sender": " Ada ", "recipient": "Charles", "message": "Count on me\n\n"}


def body(name: str = PLAIN, **members: Any) -> Json:
    """Return a recorded order's JSON, of a guest, with further members."""
    row: Json = deepcopy(recordings("order_shapes")[name].answer)
    return row | {"customer_id": None, "customer_is_guest": 1} | members


def mapped(row: Json, **rules: Any) -> OrderDraft:
    order = Order.model_validate(row)
    return map_order(
        order,
        account="WEB",
        products=recorded.products(order),
        selling=recorded.SELLING,
        rules=recorded.rules(**rules),
    )


def held(row: Json, **rules: Any) -> HeldError:
    with pytest.raises(HeldError) as caught:
        mapped(row, **rules)
    return caught.value


def written() -> Json:
    """Return an order on which everything is written."""
    row = body(customer_note=" Ring twice \n\n by the gate ")
    row["payment"]["po_number"] = " PO-4711 "
    row["extension_attributes"] |= {
        "gift_message": GIFT,
        "delivery": {"day": "2026-12-24 00:00:00"},
        "instructions": ["Fragile", "Keep upright"],
    }
    row["items"][0]["extension_attributes"] |= {"gift_message": {"message": "For the kitchen"}}
    return row


def test_everything_goes_where_the_rules_say() -> None:
    row = written()

    draft = mapped(row, carried=EVERYTHING)

    sent = draft.header.members()
    assert sent["ContosoNote"] == "Ring twice\nby the gate"
    assert sent["ContosoGift"] == (
        f"Ada / Charles: Count on me\n{row['items'][0]['sku']}: For the kitchen"
    )
    assert sent["CustomerRequisitionNumber"] == "PO-4711"
    assert sent["RequestedReceiptDate"] == "2026-12-24T12:00:00Z"
    assert sent["ContosoDriver"] == "Fragile\nKeep upright"
    billing = str(sent["ContosoBilling"])
    for part in ("city", "postcode", "lastname", "country_id"):
        assert row["billing_address"][part] in billing
    assert draft.notes == ()


def test_a_purchase_orders_number_has_a_field_unasked() -> None:
    row = body()
    row["payment"]["po_number"] = "PO-4711"

    assert mapped(row).header.CustomerRequisitionNumber == "PO-4711"
    elsewhere = [{"path": "payment.po_number", "field": "ContosoNumber"}]
    sent = mapped(row, carried=elsewhere).header.members()
    assert "CustomerRequisitionNumber" not in sent
    assert sent["ContosoNumber"] == "PO-4711"


def test_what_has_no_place_is_told_or_holds_the_order() -> None:
    row = written()
    row["billing_address"]["city"] = "Elsewhere"

    told = mapped(row).notes

    assert [note.partition(" ")[0] for note in told] == [
        "customer_note",
        "gift_message",
        "billing_address",
    ]
    assert all("orders.carried" in note for note in told)
    error = held(row, without_place="hold")
    assert error.field == "customer_note"
    assert "orders.carried" in error.advice
    assert mapped(row, carried=EVERYTHING, without_place="hold").notes == ()


def test_a_customers_billing_address_is_the_accounts() -> None:
    row = body(customer_id=7, customer_is_guest=0)
    row["billing_address"]["city"] = "Elsewhere"

    assert mapped(row).notes == ()


def test_a_guests_virtual_order_has_the_address_that_there_is() -> None:
    """The guests' account is everybody's: without it the ERP's order said nothing of who buys."""
    row = body(VIRTUAL)
    address = row["billing_address"]

    header = mapped(row).header

    assert header.IsDeliveryAddressOrderSpecific
    assert header.DeliveryAddressCity == address["city"]
    assert header.DeliveryAddressName in (
        address.get("company"),
        f"{address['firstname']} {address['lastname']}",
    )
    assert mapped(row).notes == ()
    row["billing_address"]["country_id"] = "XX"
    assert held(row).field == "billing_address.country_id"
    of_customer = mapped(row | {"customer_id": 7, "customer_is_guest": 0})
    assert of_customer.header.DeliveryAddressCity is None


def test_a_customer_whom_the_shop_deleted_is_no_guest() -> None:
    order = Order.model_validate(body(VIRTUAL, **case("orders/customer_deleted")["order"]))

    assert not order.is_of_guest


def test_texts_of_one_field_stand_below_each_other() -> None:
    row = written()
    both = [
        {"path": path, "field": "ContosoNote"}
        for path in ("customer_note", "extension_attributes.instructions", "customer_note")
    ]

    sent = mapped(row, carried=both).header.members()

    assert sent["ContosoNote"] == "Ring twice\nby the gate\nFragile\nKeep upright"


@pytest.mark.parametrize("day", ["24.12.2026", "soon", "2026-13-01", "2026-12-24\n2026-12-25", 7])
def test_a_date_that_is_none_is_never_guessed(day: Any) -> None:
    row = body()
    row["extension_attributes"]["day"] = day

    error = held(
        row, carried=[{"path": "extension_attributes.day", "field": "RequestedShippingDate"}]
    )

    assert error.field == "extension_attributes.day"


@pytest.mark.parametrize("nothing", [None, "", " ", "0000-00-00", "1900-01-01 00:00:00", [], {}])
def test_no_date_is_none(nothing: Any) -> None:
    row = body()
    row["extension_attributes"]["day"] = nothing

    draft = mapped(
        row, carried=[{"path": "extension_attributes.day", "field": "RequestedShippingDate"}]
    )

    assert draft.header.RequestedShippingDate is None


@pytest.mark.parametrize("thing", [{"value": "x"}, True, [{"x": 1}]])
def test_what_is_no_text_holds_the_order_and_says_so(thing: Any) -> None:
    row = body()
    row["extension_attributes"]["thing"] = thing

    error = held(row, carried=[{"path": "extension_attributes.thing", "field": "ContosoThing"}])

    assert error.field == "extension_attributes.thing"


def test_too_long_a_text_holds_the_order_or_is_cut_and_told() -> None:
    row = written()
    row["payment"]["po_number"] = "PO-" + "7" * 40
    row["items"][0]["product_option"] = {
        "extension_attributes": {"custom_options": [{"option_id": 1, "option_value": "y" * 1200}]}
    }
    row["billing_address"]["company"] = "x" * 99 + "  GmbH"

    described = len(row["items"][0]["name"]) + len("; 1: ") + 1200
    error = held(row)
    cut = ["CustomerRequisitionNumber", "LineDescription", "SalesOrderName"]
    draft = mapped(row, cut=cut, carried=EVERYTHING)

    assert "or name it in orders.cut" in error.advice
    assert draft.header.CustomerRequisitionNumber == "PO-" + "7" * 17
    assert draft.header.SalesOrderName == "x" * 99
    assert len(draft.lines[0].body.LineDescription or "") == 1000
    assert sorted(note.rpartition(": ")[2] for note in draft.notes) == [
        "CustomerRequisitionNumber was cut to 20 of 43 characters",
        f"LineDescription was cut to 1000 of {described} characters",
        "SalesOrderName was cut to 100 of 105 characters",
    ]


_TEXTS: st.SearchStrategy[str] = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), max_size=40
)


@settings(max_examples=40, phases=(Phase.explicit, Phase.generate))
@given(note=_TEXTS, message=_TEXTS, number=_TEXTS.filter(lambda text: len(text) <= 20))
def test_nothing_is_dropped_without_a_word(note: str, message: str, number: str) -> None:
    """Each text is in the ERP's order, or named on the event."""
    row = body(customer_note=note)
    row["payment"]["po_number"] = number
    row["extension_attributes"]["gift_message"] = {"message": message}

    sent, told = mapped(row, carried=EVERYTHING[:3]), mapped(row)

    values = [str(value) for value in sent.header.members().values()]
    for text, name in ((note, "customer_note"), (message, "gift_message")):
        words = text.split()
        assert not words or any(words == value.split() for value in values)
        assert bool(words) is any(one.startswith(name) for one in told.notes)
    if words := number.split():
        assert any(words == value.split() for value in values)


def _dropped(sale: OneSale) -> None:
    sale.erp.header_changes["ContosoNote"] = ""


def _cut(sale: OneSale) -> None:
    sale.erp.header_changes["ContosoNote"] = "Ring"


def _moved(sale: OneSale) -> None:
    sale.erp.header_changes["RequestedReceiptDate"] = date(2026, 12, 28)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (None, ""),
        (_dropped, "ContosoNote"),
        (_cut, "ContosoNote"),
        (_moved, "RequestedReceiptDate"),
    ],
)
async def test_what_was_written_is_read_back(
    changes: Callable[[OneSale], None] | None, field: str
) -> None:
    sale = OneSale(rules={"guest_account": "WEB", "carried": EVERYTHING})
    sale.erp.row = header_row([each["field"] for each in EVERYTHING])
    extension = ORDER.extension_attributes.model_copy(update={})
    assert extension.model_extra is not None
    sale.change(
        customer_note="Ring twice",
        extension_attributes=type(extension).model_validate(
            {**extension.model_dump(), "delivery": {"day": "2026-12-24"}}
        ),
    )
    if changes is None:
        note = (await sale.carry()).note
        assert sale.header["ContosoNote"] == "Ring twice"
        assert sale.header["RequestedReceiptDate"] == date(2026, 12, 24)
        assert "stays in the shop" not in note
        return
    changes(sale)

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == field
    assert all(header["IsSalesProcessingStopped"] for header in sale.erp.headers.values())


async def test_what_stays_in_the_shop_is_said_on_the_event() -> None:
    sale = OneSale()
    sale.change(customer_note="Ring twice")

    assert "customer_note stays in the shop" in (await sale.carry()).note


def test_check_knows_the_fields_that_the_rules_name() -> None:
    header, _ = contracts(recorded.rules(carried=EVERYTHING))
    fields = {
        name: FieldMetadata(type_name=next(iter(types), "Edm.String"), is_key=name in header.key)
        for name, types in header.types.items()
    }

    assert compare_entity(header, EntityMetadata(fields=fields)) == []
    wrong = {**fields, "ContosoGift": FieldMetadata(type_name="Edm.Int32")}
    del wrong["ContosoNote"]
    found = compare_entity(header, EntityMetadata(fields=wrong))
    assert [(each.change, each.name) for each in found] == [
        (Change.FIELD_GONE, "ContosoNote"),
        (Change.TYPE_CHANGED, "ContosoGift"),
    ]
