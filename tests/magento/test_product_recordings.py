"""Every recorded exchange about products, prices and bulks is played, or said to be none of ours.

The route of a recording says which call of a client has it. Played, that sends what was recorded,
and reads the answer whole or refuses it in the shop's words. A recording whose route is in neither
table, as one of a route that begins to be asked, fails here.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from aiohttp import web

from pricing_proxy.resilience.errors import UpstreamDeniedError, UpstreamError
from pricing_proxy.sandbox.shop.criteria import parse_criteria
from sync.magento.answers import MagentoRejectedError
from sync.magento.base_prices import BasePrice, PriceFaults
from sync.magento.shop import Shop
from sync.magento.wire_types import ShopModel
from tests.magento.loopback import playing
from tests.magento.recordings import Recording, recordings

TOPICS = ("catalog", "prices", "async_bulk")
ALL = {name: each for topic in TOPICS for name, each in recordings(topic).items()}
Ask = Callable[[Shop, Recording], Awaitable[Any]]

NOT_ASKED = {
    r"POST /rest/all/V1/products/attributes": "attributes are made by people",
    r"POST /rest/all/V1/products/attribute-sets/attributes": "so are their sets",
    r"POST /rest/all/V1/categories": "and categories",
    r"DELETE /rest/all/V1/products/[^/]+": "nothing is deleted",
    r"(POST|PUT) /rest/V1/products/tier-prices(-\w+)?": "group prices are not written",
    r"(POST|GET) /rest/V1/products/[^/]+/group-prices/.+": "nor one by one",
    r"POST /rest/V1/products/(special-price(-\w+)?|cost)": "nor these",
    r"PUT /rest/V1/products/[^/]+": "without a store code it writes one view's own values",
    r"POST /rest/async/bulk/V1/products": "likewise",
    r"POST /rest/all/async/V1/products": "one product is not written by a bulk",
    r"POST /rest/all/async/bulk/V1/products/\w+-prices": "prices are written at once",
    r"POST /rest/all/async/bulk/V1/(inventory|order|orders)/.+": "as these are",
    r"GET /rest/all/async/bulk/V1/products": "there is no such route",
    r"GET /rest/V1/bulk": "bulks are found by their ids",
    r"GET /rest/V1/bulk/[^/]+/operation-status/\d": "rows tell their own state",
}
"""Routes that the clients do not ask, and why."""
NOT_SO = {
    "31_post_missing_product": "body of another shape",
    "05_bulk_one_malformed_item_at_post": "body of another shape",
    "05d_bulk_object_body": "body of another shape",
    "07_bulk_put_by_sku": "the consumer dies of a SKU that is not inside",
    "18_tier_prices_via_product_put": "group prices are not written",
    "43_list_no_search_criteria": "a list has criteria",
    "sku_plus_get_raw": "SKU not escaped",
    "sku_slash_get_raw": "SKU not escaped",
    "sku_plus_get_double": "SKU escaped twice",
    "sku_slash_get_double": "SKU escaped twice",
}
"""Recordings of what the clients ask otherwise, and why."""


def store_of(recording: Recording) -> str:
    """Return the store code in a path; reads may be recorded without one."""
    code = recording.path.split("/")[2]
    return "all" if code == "V1" else code


def sku_of(recording: Recording) -> str:
    found = re.search(r"products/([^/?]+)", recording.path)
    assert found
    return unquote(found[1])


def skus_of(recording: Recording) -> list[str]:
    """Return the SKUs that a list was asked for; one that nobody has where it was for none."""
    pairs = parse_qsl(recording.path.partition("?")[2], keep_blank_values=True)
    found = [one for group in parse_criteria(pairs).groups for one in group]
    named = [one.value for one in found if (one.field, one.condition) == ("sku", "in")]
    return named[0].split(",") if named else ["NOBODY"]


def bulk_of(recording: Recording) -> str:
    return recording.path.split("/")[4]


def rows_of(recording: Recording) -> list[Mapping[str, Any]]:
    return [row["product"] for row in recording.body]


async def add_axis(shop: Shop, recording: Recording) -> str:
    option = recording.body["option"]
    return await shop.configurables.add_axis(
        sku_of(recording),
        int(option["attribute_id"]),
        label=option["label"],
        position=option["position"],
        values=[each["value_index"] for each in option["values"]],
    )


async def set_prices(shop: Shop, recording: Recording) -> PriceFaults:
    return await shop.base_prices.set_prices([BasePrice(**row) for row in recording.body["prices"]])


ASKED: Mapping[str, Ask] = {
    r"GET /rest/all/V1/products": lambda shop, one: shop.catalog.listed(skus_of(one)),
    r"GET /rest/(\w+/)?V1/products/[^/]+": lambda shop, one: shop.catalog.product(
        sku_of(one), store=store_of(one)
    ),
    r"POST /rest/all/V1/products": lambda shop, one: shop.catalog.create(one.body["product"]),
    r"PUT /rest/\w+/V1/products/[^/]+": lambda shop, one: shop.catalog.save(
        sku_of(one), one.body["product"], store=store_of(one)
    ),
    r"GET /rest/all/V1/products/attributes/lab_color/options": lambda shop, _: (
        shop.attributes.options("lab_color")
    ),
    r"POST /rest/all/V1/products/attributes/lab_color/options": lambda shop, one: (
        shop.attributes.add_option("lab_color", one.body["option"]["label"])
    ),
    r"GET /rest/all/V1/configurable-products/[^/]+/children": lambda shop, one: (
        shop.configurables.variants(sku_of(one))
    ),
    r"POST /rest/all/V1/configurable-products/[^/]+/options": add_axis,
    r"POST /rest/all/V1/configurable-products/[^/]+/child": lambda shop, one: (
        shop.configurables.add_variant(sku_of(one), one.body["childSku"])
    ),
    r"POST /rest/V1/products/base-prices": set_prices,
    r"POST /rest/V1/products/base-prices-information": lambda shop, one: shop.base_prices.prices(
        one.body["skus"]
    ),
    r"POST /rest/all/async/bulk/V1/products": lambda shop, one: shop.bulks.create_products(
        rows_of(one)
    ),
    r"PUT /rest/all/async/bulk/V1/products/bySku": lambda shop, one: shop.bulks.change_products(
        rows_of(one), store="all"
    ),
    r"GET /rest/V1/bulk/[^/]+/status": lambda shop, one: shop.bulks.has(bulk_of(one)),
    r"GET /rest/V1/bulk/[^/]+/detailed-status": lambda shop, one: shop.bulks.operations(
        bulk_of(one)
    ),
}
"""Routes that the clients ask, with the call that does."""


def fitting(routes: Mapping[str, object], recording: Recording) -> list[str]:
    """Return the routes of a table that a recording is of."""
    asked = f"{recording.method} {recording.path.partition('?')[0]}"
    return [each for each in routes if re.fullmatch(each, asked)]


OURS = {
    name: each
    for name, each in ALL.items()
    if name not in NOT_SO and not fitting(NOT_ASKED, each) and fitting(ASKED, each)
}


PRODUCTS = [
    name for name, each in OURS.items() if fitting({r"GET .+/V1/products/[^/]+": None}, each)
]


def test_every_recording_is_played_or_said_to_be_none_of_ours() -> None:
    assert len(ALL) == sum(len(recordings(topic)) for topic in TOPICS)
    nobodys = [
        name
        for name, each in ALL.items()
        if not (name in OURS or name in NOT_SO or fitting(NOT_ASKED, each))
    ]
    assert nobodys == [], "add its route to one of the tables"
    assert all(len(fitting(ASKED, each)) == 1 for each in OURS.values())
    assert {*NOT_SO} <= {*ALL}
    for table in (ASKED, NOT_ASKED):
        used = {each for recording in ALL.values() for each in fitting(table, recording)}
        assert used == {*table}, "nobody recorded it"


@pytest.mark.parametrize("name", OURS)
async def test_what_is_asked_is_what_was_recorded_and_its_answer_is_read_whole(name: str) -> None:
    recording = with_ids(OURS[name])
    [which] = fitting(ASKED, recording)
    async with playing(recording) as (client, shop):
        try:
            read: Any = await ASKED[which](client, recording)
        except UpstreamError as error:
            read = error
    check_request(recording, shop.requests[0], shop.bodies[0])
    if recording.status < 400:
        check_answer(recording, read)
    elif recording.status == 401:
        assert isinstance(read, UpstreamDeniedError)
    elif recording.status == 404:
        assert not isinstance(read, UpstreamError)
        assert not read
    else:
        assert isinstance(read, MagentoRejectedError)
        assert read.reasons
        assert not re.search(r"%\w", read.reasons[0])


@pytest.mark.parametrize("name", PRODUCTS)
async def test_orders_and_mirrors_read_the_same_of_a_product(name: str) -> None:
    recording = with_ids(OURS[name])
    async with playing(recording) as (client, shop):
        product = await client.products.product(sku_of(recording))
    assert shop.requests[0].raw_path.startswith("/rest/all/V1/products/")
    if recording.status == 404:
        assert product is None
    else:
        assert_same(product, recording.answer)


def with_ids(recording: Recording) -> Recording:
    """Return a recording with the ids that our calls ask for and this one left out."""
    answer = recording.answer
    if isinstance(answer, dict) and "sku" in answer:
        answer = {"id": 1, **answer}
    elif isinstance(answer, dict) and answer.get("items"):
        answer = {**answer, "items": [{"id": 1, **row} for row in answer["items"]]}
    return replace(recording, answer=answer)


def check_request(recording: Recording, request: web.Request, body: bytes) -> None:
    """Compare what was sent with what was recorded, but for what we send always or never."""
    assert request.method == recording.method
    asked, told = request.raw_path.partition("?")[0], recording.path.partition("?")[0]
    if recording.method == "GET":
        assert asked == re.sub("^/rest/V1/products/", "/rest/all/V1/products/", told)
        if "searchCriteria" in recording.path:
            assert skus_of(replace(recording, path=request.raw_path)) == skus_of(recording)
        return
    assert asked == told
    check_body(recording, body)


def check_body(recording: Recording, body: bytes) -> None:
    told = recording.body
    if recording.method == "PUT" and isinstance(told, dict):
        told = {"product": {"sku": sku_of(recording), **told["product"]}}
    elif isinstance(told, dict) and "sort_order" in told.get("option", ()):
        told = {"option": {"label": told["option"]["label"]}}
    assert json.loads(body, parse_float=Decimal) == told


def check_answer(recording: Recording, read: Any) -> None:
    """Compare what a call returned with what was answered."""
    answer = recording.answer
    match read:
        case None | True:
            assert answer
        case str():
            assert read == (answer["bulk_uuid"] if isinstance(answer, dict) else answer)
        case PriceFaults():
            told = [*read.rows.values(), *read.nameless]
            assert len(told) == len(answer)
            assert not any(re.search(r"%\w", each.text) for each in told)
        case [str(), *_]:
            assert read == [row["sku"] for row in answer]
        case ShopModel():
            assert_same(read, answer)
        case _:
            rows = answer if isinstance(answer, list) else answer.get("operations_list")
            assert_same(tuple(read), (answer["items"] or []) if rows is None else rows)


def assert_same(value: Any, told: Any) -> None:
    """Compare a value with what was answered, member by member."""
    if isinstance(value, ShopModel):
        for name in type(value).model_fields:
            # PHP writes an empty object as an empty list.
            if told and name in told:
                assert_same(getattr(value, name), told[name])
    elif isinstance(value, tuple):
        rows: Sequence[Any] = told or ()
        assert len(value) == len(rows)
        for each, row in zip(value, rows, strict=True):
            assert_same(each, row)
    else:
        assert value == ("" if told is None else told)
