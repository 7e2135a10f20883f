"""Queries are what F&O reads, and no value can break out of its literal."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.d365.odata import (
    EnumMember,
    Query,
    Value,
    action_target,
    equals,
    is_one_of,
    matches,
    row_target,
)


def test_a_query_names_everything_and_is_encoded() -> None:
    query = Query(
        entity_set="CustomersV3",
        select=("dataAreaId", "CustomerAccount"),
        where=equals("dataAreaId", "demf") & equals("CustomerAccount", "O'Hara & Söhne #1"),
        order_by=("dataAreaId", "CustomerAccount"),
        top=2,
        counted=True,
    )
    assert query.target() == (
        "/data/CustomersV3?cross-company=true"
        "&$filter=%28dataAreaId%20eq%20'demf'%20and%20"
        "CustomerAccount%20eq%20'O''Hara%20%26%20S%C3%B6hne%20%231'%29"
        "&$select=dataAreaId,CustomerAccount"
        "&$orderby=dataAreaId,CustomerAccount&$top=2&$count=true"
    )


@given(value=st.text().filter(lambda text: "*" not in text))
def test_a_text_stays_inside_its_quotes(value: str) -> None:
    literal = equals("Name", value).text.removeprefix("Name eq ")
    assert literal[0] == literal[-1] == "'"
    assert "'" not in literal[1:-1].replace("''", "")
    assert literal[1:-1].replace("''", "'") == value


@given(value=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_key_survives_the_url(value: str) -> None:
    target = row_target("CustomersV3", {"dataAreaId": "demf", "CustomerAccount": value})
    path, _, query = target.partition("?")
    assert query == "cross-company=true"
    assert target.isascii()
    assert not set(target) & set(' "<>\\^`{|}#\n')
    doubled = value.replace("'", "''")
    assert unquote(path) == f"/data/CustomersV3(dataAreaId='demf',CustomerAccount='{doubled}')"


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (EnumMember("NoYes", "Yes"), "Microsoft.Dynamics.DataEntities.NoYes'Yes'"),
        (date(2026, 11, 23), "2026-11-23T12:00:00Z"),
        (datetime(2026, 11, 23, 7, 30, tzinfo=UTC), "2026-11-23T07:30:00Z"),
        (
            datetime(2026, 11, 23, 7, 30, tzinfo=timezone(timedelta(hours=1))),
            "2026-11-23T06:30:00Z",
        ),
        (Decimal("10.50"), "10.50"),
        (Decimal("1E+3"), "1000"),
        (7, "7"),
        ("7", "'7'"),
    ],
)
def test_each_kind_of_value_has_its_literal(value: Value, literal: str) -> None:
    assert equals("Field", value).text == f"Field eq {literal}"


def test_conditions_combine_with_their_brackets() -> None:
    found = (equals("A", 1) & equals("B", 2)) & matches("C", "x*")
    assert found.text == "((A eq 1 and B eq 2) and C eq 'x*')"
    found = equals("A", 1) & is_one_of("B", ["x", "y", "z"])
    assert found.text == "(A eq 1 and (B eq 'x' or B eq 'y' or B eq 'z'))"


def test_a_wildcard_is_used_on_purpose_only() -> None:
    assert matches("Name", "*retail*").text == "Name eq '*retail*'"
    with pytest.raises(ValueError, match="wildcard"):
        equals("Name", "C-1*")
    with pytest.raises(ValueError, match="wildcard"):
        is_one_of("Name", ["C-1", "*"])


@pytest.mark.parametrize("name", ["", "a b", "x eq 1 or y", "Näme", "1st", "a/b"])
def test_a_name_cannot_smuggle_in_a_condition(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        equals(name, "x")
    with pytest.raises(ValueError, match="not a name"):
        Query(entity_set=name, select=("A",)).target()
    with pytest.raises(ValueError, match="not a name"):
        Query(entity_set="Set", select=(name,)).target()
    with pytest.raises(ValueError, match="not a name"):
        equals("Field", EnumMember("NoYes", name))


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity")])
def test_a_number_that_is_none_is_refused(value: Decimal) -> None:
    with pytest.raises(ValueError, match="not a number"):
        equals("Field", value)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        equals("Field", datetime(2026, 11, 23))  # noqa: DTZ001 - the mistake under test


def test_a_row_is_addressed_by_its_whole_key() -> None:
    assert row_target("Currencies", {"CurrencyCode": "EUR"}) == (
        "/data/Currencies(CurrencyCode='EUR')?cross-company=true"
    )
    with pytest.raises(ValueError, match="key"):
        row_target("Currencies", {})


def test_an_action_of_a_set_has_its_full_name() -> None:
    assert action_target("DataManagementEntities", "GetApplicationVersion") == (
        "/data/DataManagementEntities/Microsoft.Dynamics.DataEntities.GetApplicationVersion"
    )
