"""What F&O's error envelopes say, by the parser rule."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.d365.fault_messages import NO_FAULT, read_fault
from tests.d365.sample_files import sample


def _envelope(message: str) -> bytes:
    return json.dumps({"error": {"message": "…", "innererror": {"message": message}}}).encode()


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        (
            "error.400.validation.line.json",
            ("Inventory dimension Site is mandatory and must consequently be specified.",),
        ),
        (
            "error.400.validation.header.json",
            (
                (
                    "The value 'XX-999' in field 'Customer account' is not found in the related"
                    " table 'Customers'."
                ),
            ),
        ),
        ("error.500.action.json", ("Exception occurred while executing action …",)),
    ],
)
def test_the_infolog_is_taken_apart_and_echoes_are_dropped(
    name: str, reasons: tuple[str, ...]
) -> None:
    fault = read_fault(sample(name))
    assert fault.reasons == reasons
    assert fault.is_application


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (
            "Infolog: Warning: The value 'X' in field 'Customer account' is not found.",
            "Customer account",
        ),
        ("Infolog: Error: Field 'Currency' must be filled in.", "Currency"),
        ('Infolog: Fehler: Das Feld "Debitorenkonto" muss ausgefüllt werden.', "Debitorenkonto"),
        ("Infolog: Info: Read.; Warning: Inventory dimension Site is mandatory and …", "Site"),
        ("Could not find a property named 'XYZ'.", "XYZ"),
        ("The property 'XYZ' does not exist on type 'SalesOrderHeaderV3'.", "XYZ"),
        ("Item 'D0001' is blocked for 'Sales order'.", ""),
        ("The field of use is unknown.", ""),
    ],
)
def test_the_field_at_fault_is_read_out_of_the_text(message: str, field: str) -> None:
    assert read_fault(_envelope(message)).field == field


def test_the_reason_of_an_update_conflict_is_kept_whole() -> None:
    (reason,) = read_fault(sample("error.update-conflict.json")).reasons
    assert reason.startswith("Cannot edit a record in Sales orders (SalesTable).")


def test_a_message_without_an_inner_error_is_no_application_fault() -> None:
    """F&O's front also says "An error has occurred." when the application never ran."""
    fault = read_fault(b'{"error": {"code": "", "message": "An error has occurred."}}')
    assert fault.reasons == ("An error has occurred.",)
    assert not fault.is_application


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"[]", b'"x"', b'{"error": "x"}', b'{"error": []}']
)
def test_another_shape_says_nothing(body: bytes) -> None:
    assert read_fault(body) == NO_FAULT


def test_a_refusal_that_only_echoes_still_has_a_reason() -> None:
    fault = read_fault(_envelope("Infolog: Error: Update has been canceled."))
    assert fault.reasons == ("Infolog: Error: Update has been canceled.",)


@given(body=st.binary(max_size=200))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    assert read_fault(body).reasons == () or not read_fault(body).is_application


@given(message=st.text(max_size=3000))
def test_reasons_are_few_and_short(message: str) -> None:
    reasons = read_fault(_envelope(f"Infolog: {message}")).reasons
    assert 1 <= len(reasons) <= 20
    assert all(0 < len(reason) <= 500 for reason in reasons)
