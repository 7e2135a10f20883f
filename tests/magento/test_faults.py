"""What Magento says is filled in and sorted by what to do next, for every recorded refusal."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.http_replies import Reply
from pricing_proxy.resilience.errors import (
    UpstreamConflictError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamThrottledError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.evidence import Evidence, weigh
from sync.magento.answers import MagentoRejectedError, error_of
from sync.magento.fault_messages import for_people, read_fault, read_faults
from tests.magento.recordings import Recording, recordings

# Of the last two the shop says no more than of the loser of a deadlock.
PASSING = {
    "11_deadlock_between_two_base_price_batches",
    "61b_ship_unknown_source",
    "61d_ship_track_missing_field",
}
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
OTHER_STATUS = (
    'Unable to add comment: The status "processing" is not part of the order status history.'
)
OTHER_SOURCE = (
    'Validation Failed: Not able to assign "wh2" to product "OS-STD", as it is part of bundle '
    'product "OS-BD-T" with shipment type "Ship Together" and has multiple sources or different '
    "source as other bundle selections."
)
REFUSALS = [
    recording
    for topic in ("auth", "catalog", "customers", "errors", "order_shapes", "orders")
    for recording in recordings(topic).values()
    if recording.status >= 400
]


def reply_of(recording: Recording) -> Reply:
    headers = {"Content-Type": recording.content_type}
    body = recording.answer_bytes
    return Reply(system="magento", status=recording.status, headers=headers, body=body)


def error(topic: str, name: str) -> Any:
    return error_of(reply_of(recordings(topic)[name]), now=NOW)


@pytest.mark.parametrize("recording", REFUSALS, ids=lambda recording: recording.name)
def test_every_recorded_refusal_becomes_an_error_that_fits(recording: Recording) -> None:
    raised = error_of(reply_of(recording), now=NOW)
    if recording.status >= 500:
        assert isinstance(raised, UpstreamUnavailableError)
    elif recording.status == 401:
        assert isinstance(raised, UpstreamDeniedError)
    elif recording.name in PASSING:
        assert isinstance(raised, UpstreamConflictError)
    else:
        assert isinstance(raised, MagentoRejectedError)
        if "json" in recording.content_type:
            assert raised.reasons
            assert not any("%fieldName" in reason or "%1" in reason for reason in raised.reasons)


def test_more_than_a_hundred_refusals_were_recorded() -> None:
    assert len(REFUSALS) > 100


@pytest.mark.parametrize(
    ("topic", "name", "reasons"),
    [
        (
            "errors",
            "03_missing_required_parameter",
            ('"prices" is required. Enter and try again.',),
        ),
        (
            "errors",
            "03d_two_missing_required_parameters",
            (
                "One or more input exceptions have occurred.",
                '"email" is required. Enter and try again.',
                '"template" is required. Enter and try again.',
            ),
        ),
        ("errors", "09_limits_on_page_size_301", ("Maximum SearchCriteria pageSize is 300",)),
        (
            "orders",
            "10c_comment_add_with_status_of_another_state",
            (OTHER_STATUS,),
        ),
        ("customers", "14_customer_get_missing", ("No such entity with customerId = 9999",)),
        ("orders", "cart_unknown", ("No such entity with cartId =",)),
        (
            "order_shapes",
            "inventory_second_source_refused_for_ship_together_bundle_part",
            (OTHER_SOURCE,),
        ),
    ],
)
def test_placeholders_are_filled(topic: str, name: str, reasons: tuple[str, ...]) -> None:
    assert error(topic, name).reasons == reasons


@pytest.mark.parametrize(
    "told",
    [
        "Database deadlock found when trying to get lock",
        "Could not save a shipment, see error log for details",
    ],
)
def test_what_a_deadlock_refused_may_succeed_later(told: str) -> None:
    """Said by a real shop of a product, and of one of two shipments that reserved at once."""
    body = json.dumps({"message": told}).encode()
    reply = Reply(system="magento", status=400, headers={}, body=body)
    raised = error_of(reply, now=NOW)
    assert isinstance(raised, UpstreamConflictError)
    assert (raised.status, str(raised)) == (400, f"magento answered 400: {told}")


def test_parameters_are_kept_beside_the_text() -> None:
    (fault,) = error("customers", "14_customer_get_missing").faults
    assert fault.template == "No such entity with %fieldName = %fieldValue"
    assert fault.parameters == {"fieldName": "customerId", "fieldValue": "9999"}


def test_an_access_refusal_names_the_resource() -> None:
    raised = error("errors", "05_acl_denied_write")
    assert str(raised).endswith("isn't authorized to access Magento_Catalog::catalog.")
    assert raised.status == 401


def test_row_errors_name_their_placeholders_and_number_their_parameters() -> None:
    row = {"message": "Invalid attribute %fieldName = %fieldValue.", "parameters": ["SKU", "NOPE"]}
    fault = read_fault(row)
    assert fault is not None
    assert fault.text == "Invalid attribute SKU = NOPE."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Use <strong>another</strong> SKU.<br/>Or <a href='/x'>none</a>.",
            "Use another SKU. Or none.",
        ),
        ("<ul><li>one</li><li>two</li></ul>", "one two"),
        ('SKU "3<x<5" and <Lamp> stay', 'SKU "3<x<5" and <Lamp> stay'),
    ],
)
def test_tags_of_the_shops_own_pages_are_left_out_and_names_are_not(text: str, told: str) -> None:
    assert for_people(text) == told


def test_what_a_customer_typed_stays_out_of_the_message() -> None:
    raised = error("customers", "14_customer_get_missing")
    assert str(raised) == "magento answered 404"


def test_a_missing_entity_is_told_from_a_missing_route() -> None:
    assert error("orders", "04_get_missing").is_missing_entity
    assert not error("errors", "01_route_missing").is_missing_entity
    assert error("errors", "01_route_missing").is_missing_route
    assert not error("errors", "01d_not_rest_path").is_missing_entity


def test_a_deadlock_says_nothing_of_the_health_of_the_shop() -> None:
    """It is the one 400 that means "try again", and must neither be held nor open the breaker."""
    assert weigh(error("errors", "11_deadlock_between_two_base_price_batches")) is Evidence.NONE


def test_a_server_error_names_its_report() -> None:
    raised = error("orders", "03d_list_unknown_field")
    assert str(raised) == "magento answered 500 (report webapi-6b03e6064bcc5 in its log)"


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (429, {"Retry-After": "7"}, UpstreamThrottledError),
        (429, {}, UpstreamThrottledError),
        (503, {"Retry-After": "7"}, UpstreamThrottledError),
        (503, {}, UpstreamUnavailableError),
        (408, {}, UpstreamUnavailableError),
        (403, {}, UpstreamDeniedError),
        (414, {}, MagentoRejectedError),
        (302, {"Location": "/maintenance"}, UpstreamContractError),
    ],
)
def test_what_a_server_in_front_answers(status: int, headers: dict[str, str], kind: type) -> None:
    reply = Reply(system="magento", status=status, headers=headers, body=b"<html>")
    assert type(error_of(reply, now=NOW)) is kind


@given(values=st.lists(st.text(alphabet="%1ab", max_size=5), min_size=1, max_size=12))
def test_what_a_parameter_says_is_not_filled_again(values: list[str]) -> None:
    template = "|".join(f"%{number}" for number in range(1, len(values) + 1))
    fault = read_fault({"message": template, "parameters": values})
    assert fault is not None
    assert fault.text == "|".join(values)


@given(body=st.binary(max_size=60))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    read_faults(body)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'"x"', b'{"message": 3}', b'{"message": ""}', b'{"a": 1}', b"[" * 100_000],
)
def test_a_body_of_another_shape_says_nothing(body: bytes) -> None:
    assert read_faults(body) == ()


def test_odd_parameters_become_texts() -> None:
    fault = read_fault({"message": "%a %b %c %d", "parameters": {"a": 1, "b": [1], "c": None}})
    assert fault is not None
    assert fault.text == "1 [1]  %d"
