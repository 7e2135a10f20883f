"""Rows are read as F&O writes them, and only fields that F&O has are asked for."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pricing_proxy.d365.fo.models import (
    CurrencyRow,
    CustomerRow,
    LegalEntityRow,
    LineError,
    OrderSettingsRow,
    PriceAnswer,
    PriceLine,
    ReleasedProductRow,
    ReleasedProductVariantRow,
    Row,
    date_or_none,
)
from pricing_proxy.d365.json_numbers import read_json
from tests.d365.sample_files import sample

ROWS = (
    CurrencyRow,
    CustomerRow,
    LegalEntityRow,
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
)
METADATA = json.loads(sample("metadata.excerpt.json"))


def _first(name: str) -> Any:
    return read_json(sample(name))["value"][0]


@pytest.mark.parametrize("row", ROWS)
def test_only_fields_of_the_real_metadata_are_selected(row: type[Row]) -> None:
    entity_set = METADATA[row.entity_set]
    assert set(row.fields()) <= entity_set["fields"].keys()
    assert list(row.key) == entity_set["key"]
    assert row.company_field is None or row.company_field in row.fields()


@pytest.mark.parametrize("row", ROWS)
def test_numbers_are_read_as_texts_where_the_metadata_says_number(row: type[Row]) -> None:
    fields = METADATA[row.entity_set]["fields"]
    for name, info in row.model_fields.items():
        is_number = fields[name] in {"Edm.Decimal", "Edm.Int32", "Edm.Int64"}
        is_text_of_number = "NumberText" in repr(info)
        assert is_number == is_text_of_number, name


def test_a_product_keeps_the_digits_of_its_price() -> None:
    product = ReleasedProductRow.model_validate(_first("product.released.rows.json"))
    assert (product.SalesPrice, product.SalesPriceQuantity) == ("74.99", "1")
    assert product.SalesPriceDate is None
    assert product.WillTotalSalesDiscountCalculationIncludeProduct is True
    assert not product.is_master


def test_a_customer_is_read_without_personal_data() -> None:
    customer = CustomerRow.model_validate(read_json(sample("customer.get.response.json")))
    assert (customer.CustomerAccount, customer.DiscountPriceGroupId) == ("US-050", "B2B")
    assert "Fabrikam" not in repr(customer)


def test_variants_and_settings_are_read() -> None:
    variant = ReleasedProductVariantRow.model_validate(_first("product.variants.rows.json"))
    settings = OrderSettingsRow.model_validate(_first("product.ordersettings.rows.json"))
    assert (variant.ProductVariantNumber, variant.ProductSizeId) == ("T0020 : : M : Black :", "M")
    assert not settings.IsSalesProcessingStopped


@pytest.mark.parametrize(("wire", "read"), [("Yes", True), ("No", False), (None, False)])
def test_no_yes_is_a_claim(wire: str | None, read: bool) -> None:  # noqa: FBT001 - the expectation
    row = {"dataAreaId": "demf", "ItemNumber": "A", "IsSalesProcessingStopped": wire}
    assert OrderSettingsRow.model_validate(row).IsSalesProcessingStopped is read


@pytest.mark.parametrize("wire", ["Maybe", "", 1, True, []])
def test_another_member_of_no_yes_is_no_claim(wire: Any) -> None:
    row = {"dataAreaId": "demf", "ItemNumber": "A", "IsSalesProcessingStopped": wire}
    with pytest.raises(ValidationError):
        OrderSettingsRow.model_validate(row)


def test_a_missing_text_is_empty() -> None:
    row = _first("product.variants.rows.json") | {"ProductSizeId": None}
    assert ReleasedProductVariantRow.model_validate(row).ProductSizeId == ""


@pytest.mark.parametrize("price", ["74.99", 74.99, None, True])
def test_a_price_that_is_not_a_json_number_is_refused(price: Any) -> None:
    with pytest.raises(ValidationError):
        ReleasedProductRow.model_validate(
            _first("product.released.rows.json") | {"SalesPrice": price}
        )


def test_a_refusal_does_not_repeat_the_row() -> None:
    with pytest.raises(ValidationError) as caught:
        CustomerRow.model_validate({"dataAreaId": "demf", "CustomerAccount": {"secret": "C-77"}})
    assert "C-77" not in str(caught.value)


@given(day=st.dates(date(1900, 1, 2), date(2154, 12, 30)), hour=st.integers(0, 23))
def test_a_day_is_the_same_whatever_its_hour_and_zone(day: date, hour: int) -> None:
    assert date_or_none(f"{day.isoformat()}T{hour:02}:00:00Z") == day
    assert date_or_none(f"{day.isoformat()}T{hour:02}:00:00-11:00") == day


@pytest.mark.parametrize(
    "text",
    [
        "1900-01-01T12:00:00Z",
        "1900-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "2154-12-31T23:59:59Z",
    ],
)
def test_no_date_has_two_spellings(text: str) -> None:
    assert date_or_none(text) is None


@pytest.mark.parametrize("value", ["", "soon", "2026-13-01T12:00:00Z", None, timedelta(1)])
def test_what_is_no_date_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        date_or_none(value)


def _line(**members: Any) -> dict[str, Any]:
    line: dict[str, Any] = read_json(sample("pricing.custom-service.response.json"))["lines"][0]
    return line | members


def test_the_recorded_price_answer_is_read() -> None:
    body = read_json(sample("pricing.custom-service.response.json")) | {"$id": "1"}
    (line,) = map(PriceLine.model_validate, PriceAnswer.model_validate(body).lines)
    assert (line.ref, line.unitPrice, line.lineDiscPercent, line.netAmount) == (
        "1",
        "15",
        "6.9",
        "139.65",
    )
    assert line.error is None


@pytest.mark.parametrize("code", list(LineError))
def test_a_line_may_say_why_it_has_no_price(code: LineError) -> None:
    line = PriceLine.model_validate({"ref": "1", "error": str(code)})
    assert line.error == code


def test_a_code_from_the_future_is_kept() -> None:
    assert PriceLine.model_validate(_line(error="MoonInWrongPhase")).error == "MoonInWrongPhase"


def test_an_empty_code_is_none() -> None:
    """X++ texts have no null."""
    assert PriceLine.model_validate(_line(error="")).error is None


@pytest.mark.parametrize("member", ["unitPrice", "priceUnit", "netAmount"])
def test_a_line_with_neither_price_nor_reason_is_refused(member: str) -> None:
    with pytest.raises(ValidationError):
        PriceLine.model_validate(_line(**{member: None}))
