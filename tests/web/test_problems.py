"""What a wrong request is told: status, code and pointers, never its own content."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.web.shop import BODY_LIMIT, KEY, Shop, body

LINE = {"sku": "S-1"}
MEMBERS = {"market": "b2b_de", "customer": "C-1", "lines": [LINE]}


def changed(**members: Any) -> dict[str, Any]:
    return {**MEMBERS, **members}


def lines(*several: Any) -> dict[str, Any]:
    return changed(lines=list(several))


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in MEMBERS.items() if key != name}


WRONG_BODIES = [
    (changed(market="nowhere"), 400, "unknown_market", "/market"),
    (changed(mode="brows"), 400, "unknown_mode", "/mode"),
    (changed(mode=None), 400, "unknown_mode", "/mode"),
    (changed(currency="XYZ"), 400, "unknown_currency", "/currency"),
    (changed(lnes=[]), 400, "unknown_member", "/lnes"),
    (lines({"sku": "S-1", "qty": "1"}), 400, "unknown_member", "/lines/0/qty"),
    (changed(**{"a/b~c": 1}), 400, "unknown_member", "/a~1b~0c"),
    (changed(customer={"magento_id": 1, "x": 1}), 400, "unknown_member", "/customer/x"),
    (changed(customer="C-9"), 404, "unknown_customer", "/customer"),
    (changed(customer={"magento_id": 9}), 404, "customer_not_mapped", "/customer/magento_id"),
    (without("market"), 422, "missing_member", "/market"),
    (without("customer"), 422, "missing_member", "/customer"),
    (without("lines"), 422, "missing_member", "/lines"),
    (lines({}), 422, "missing_member", "/lines/0/sku"),
    (lines(), 422, "invalid_value", "/lines"),
    (lines(*[LINE] * 201), 422, "invalid_value", "/lines"),
    (changed(lines={}), 422, "invalid_value", "/lines"),
    (lines("S-1"), 422, "invalid_value", "/lines/0"),
    (lines({"sku": ""}), 422, "invalid_value", "/lines/0/sku"),
    (lines({"sku": "x" * 65}), 422, "invalid_value", "/lines/0/sku"),
    (lines({"sku": "S-1", "unit": "P\x1fS"}), 422, "invalid_value", "/lines/0/unit"),
    (changed(customer="C-\x00"), 422, "invalid_value", "/customer"),
    (changed(customer={}), 422, "missing_member", "/customer/magento_id"),
    (lines({"sku": 7}), 422, "invalid_value", "/lines/0/sku"),
    (lines({"sku": "S-1", "unit": "x" * 11}), 422, "invalid_value", "/lines/0/unit"),
    (changed(customer=""), 422, "invalid_value", "/customer"),
    (changed(customer=7), 422, "invalid_value", "/customer"),
    (changed(customer={"magento_id": "1"}), 422, "invalid_value", "/customer/magento_id"),
    (changed(customer={"magento_id": 0}), 422, "invalid_value", "/customer/magento_id"),
    (changed(customer={"magento_id": 2**70}), 422, "invalid_value", "/customer/magento_id"),
    (changed(wait_ms=5001), 422, "invalid_value", "/wait_ms"),
    (changed(wait_ms=-1), 422, "invalid_value", "/wait_ms"),
    (changed(wait_ms="100"), 422, "invalid_value", "/wait_ms"),
    (changed(wait_ms=1.5), 422, "invalid_value", "/wait_ms"),
    (changed(accept="all"), 422, "invalid_value", "/accept"),
    ([], 422, "invalid_value", ""),
    (b"null", 422, "invalid_value", ""),
    ("text", 422, "invalid_value", ""),
]


@pytest.mark.parametrize(("content", "status", "code", "pointer"), WRONG_BODIES)
async def test_a_wrong_body_is_told_what_is_wrong_and_where(
    shop: Shop, content: Any, status: int, code: str, pointer: str
) -> None:
    answer = await shop.post(content, headers={"Content-Type": "application/json"})

    problem = await answer.json()
    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert (problem["type"], problem["status"]) == (f"/problems/{code}", status)
    assert problem["title"] == answer.reason
    assert problem["detail"]
    [flaw] = problem["errors"]
    assert (flaw["pointer"], flaw["code"]) == (pointer, code)
    assert flaw["detail"]


@pytest.mark.parametrize(
    "quantity",
    ["0", "0.000000", "000", "-1", "+1", "NaN", "Infinity", "1e3", "1E400", "", " 1", "1 ", "1,5",
     "1.", ".5", "1.0000001", "1234567890", "\u0661", "1\n", "0x10", "1_000"],
)  # fmt: skip
async def test_a_quantity_is_a_plain_positive_decimal_text(shop: Shop, quantity: str) -> None:
    answer = await shop.post(lines({"sku": "S-1", "quantity": quantity}))

    problem = await answer.json()
    assert answer.status == 422
    assert [flaw["pointer"] for flaw in problem["errors"]] == ["/lines/0/quantity"]


@pytest.mark.parametrize("number", ["1", "1.5", "1e400", "-1", "NaN", "true", "null", "[]"])
async def test_a_quantity_that_is_no_text_is_refused(shop: Shop, number: str) -> None:
    """As a JSON number it may have lost digits on its way."""
    text = f'{{"market":"b2b_de","customer":"C-1","lines":[{{"sku":"S-1","quantity":{number}}}]}}'

    answer = await shop.post(text.encode(), headers={"Content-Type": "application/json"})

    problem = await answer.json()
    assert answer.status == 422
    assert problem["errors"][0]["pointer"] == "/lines/0/quantity"


@pytest.mark.parametrize("quantity", ["1", "999999999.999999", "0.000001", "010", "10.00"])
async def test_a_quantity_may_have_nine_digits_and_six_decimals(shop: Shop, quantity: str) -> None:
    answer = await shop.ask(lines=[{"sku": "S-1", "quantity": quantity}])

    assert answer["lines"][0]["state"] == "fresh"


@pytest.mark.parametrize("count", [1, 200])
async def test_one_to_two_hundred_lines_are_priced(shop: Shop, count: int) -> None:
    answer = await shop.ask(*[f"S-{number}" for number in range(1, count + 1)])

    assert len(answer["lines"]) == count
    assert answer["complete"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"market":}',
        b"{'market':'b2b_de'}",
        b'{"market":"b2b_de"} trailing',
        b'{"market":"\xff\xfe"}',
        b'{"market":"\\ud800"}',
        b"[" * 4000,
        b'{"a":' * 700,
    ],
)
async def test_what_is_no_json_is_a_400(shop: Shop, content: bytes) -> None:
    answer = await shop.post(content, headers={"Content-Type": "application/json"})

    problem = await answer.json()
    assert answer.status == 400
    assert problem["type"] == "/problems/invalid_json"
    assert problem["detail"] == "The body is not JSON."


async def test_every_mistake_is_told_at_once(shop: Shop) -> None:
    content = {
        "market": "b2b_de",
        "mode": "brows",
        "lines": [{"sku": ""}, {"sku": "S-1", "quantity": 3}],
    }

    answer = await shop.post(content)

    problem = await answer.json()
    assert answer.status == 400
    assert problem["type"] == "/problems/invalid_request"
    assert {flaw["pointer"]: flaw["code"] for flaw in problem["errors"]} == {
        "/customer": "missing_member",
        "/lines/0/sku": "invalid_value",
        "/lines/1/quantity": "invalid_value",
        "/mode": "unknown_mode",
    }


async def test_a_problem_never_repeats_what_was_sent(shop: Shop) -> None:
    secret = "Ludwig-van-B"

    for content in (
        changed(market=secret),
        changed(mode=secret),
        changed(currency=secret),
        changed(customer=secret),
        changed(wait_ms=secret),
        lines({"sku": secret, "quantity": secret}),
        secret,
    ):
        answer = await shop.post(content)
        assert answer.status >= 400
        assert secret not in await answer.text()


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ("customer=C-1&sku=S-1", 422, "/market"),
        ("market=b2b_de&sku=S-1", 422, "/customer"),
        ("market=b2b_de&customer=C-1", 422, "/lines"),
        ("market=b2b_de&customer=C-1&sku=S-1&sort=up", 400, "/sort"),
        ("market=b2b_de&customer=C-1&customer=C-2&sku=S-1", 422, "/customer"),
        ("market=b2b_de&customer=C-1&magento_id=1&sku=S-1", 400, "/magento_id"),
        ("market=b2b_de&magento_id=one&sku=S-1", 422, "/customer/magento_id"),
        ("market=b2b_de&magento_id=9&sku=S-1", 404, "/customer/magento_id"),
        ("market=b2b_de&customer=C-1&sku=S-1&wait_ms=soon", 422, "/wait_ms"),
        (f"market=b2b_de&customer=C-1&sku=S-1&wait_ms={'9' * 400}", 422, "/wait_ms"),
        ("market=b2b_de&customer=C-1&sku=S-1&wait_ms=%D9%A1", 422, "/wait_ms"),
        ("market=b2b_de&customer=C-1&sku=S-1&quantity=0", 422, "/lines/0/quantity"),
        ("market=b2b_de&customer=C-1&sku=S-1&sku=&quantity=1", 422, "/lines/1/sku"),
        ("market=b2b_de&customer=C-1&sku=S-1&sku=S-2&sku=S-3&quantity=1&quantity=2", 422, "/lines"),
        ("market=b2b_de&customer=C-1&sku=S-1&lines=x", 400, "/lines"),
        ("market=b2b_de&customer=C-1&sku=S-1&mode=", 400, "/mode"),
    ],
)
async def test_a_wrong_query_is_told_as_the_body_it_stands_for(
    shop: Shop, query: str, status: int, pointer: str
) -> None:
    answer = await shop.get(query)

    problem = await answer.json()
    assert answer.status == status
    assert pointer in [flaw["pointer"] for flaw in problem["errors"]]


@pytest.mark.parametrize("text", ["%ff", "%ED%A0%80", "%00", "%F0%9F", "%", "%zz", "a%2Fb"])
async def test_odd_bytes_in_an_address_are_no_defect_of_ours(shop: Shop, text: str) -> None:
    by_query = await shop.get(f"market=b2b_de&customer={text}&sku={text}")
    by_path = await shop.post({"market": "b2b_de"}, path=f"/v1/customers/{text}/login")

    assert 400 <= by_query.status < 500
    assert 400 <= by_path.status < 500


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "json"]
)
async def test_a_body_must_say_that_it_is_json(shop: Shop, content_type: str) -> None:
    answer = await shop.post(b"{}", headers={"Content-Type": content_type})

    assert answer.status == 415
    assert (await answer.json())["type"] == "/problems/unsupported_media_type"


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/json;"]
)
async def test_json_is_known_by_its_name_alone(shop: Shop, content_type: str) -> None:
    content = b'{"market":"b2b_de","customer":"C-1","lines":[{"sku":"S-1"}]}'

    answer = await shop.post(content, headers={"Content-Type": content_type})

    assert answer.status == 200


@pytest.mark.parametrize("extra", [1, 100_000])
async def test_a_body_above_the_limit_is_a_413(shop: Shop, extra: int) -> None:
    answer = await shop.post(
        b" " * (BODY_LIMIT + extra), headers={"Content-Type": "application/json"}
    )

    problem = await answer.json()
    assert answer.status == 413
    assert problem["type"] == "/problems/body_too_large"
    assert str(BODY_LIMIT) in problem["detail"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP"])
async def test_a_compressed_body_is_refused_before_it_is_unpacked(
    shop: Shop, encoding: str
) -> None:
    """A few hundred bytes could unpack to gigabytes."""
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}

    answer = await shop.post(b"this is not compressed at all", headers=headers)

    assert answer.status == 415
    assert answer.headers["Accept-Encoding"] == "identity"
    assert (await answer.json())["type"] == "/problems/unsupported_encoding"


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("PUT", "/v1/prices", 405, "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/v1/prices", 405, "GET, HEAD, OPTIONS, POST"),
        ("GET", "/v1/customers/C-1/login", 405, "POST"),
        ("POST", "/health/live", 405, "GET, HEAD"),
        ("GET", "/v1/price", 404, None),
        ("GET", "/", 404, None),
        ("GET", "/v1/prices/", 404, None),
        ("POST", "/v1/invalidations", 404, None),
        ("GET", "/status", 404, None),
        ("GET", "/metrics", 404, None),
    ],
)
async def test_a_wrong_route_or_method_is_told_so(
    shop: Shop, method: str, path: str, status: int, allowed: str | None
) -> None:
    """What is for operators is not on the shop's listener."""
    answer = await shop.public.request(method, path, headers={"X-API-Key": KEY})

    problem = await answer.json()
    assert answer.status == status
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert problem["status"] == status
    if allowed is not None:
        offered = answer.headers["Allow"].split(", ")
        assert set(offered) <= set(allowed.split(", "))
        assert method not in offered


async def test_every_answer_of_every_route_forbids_shared_caches(shop: Shop) -> None:
    asked = [
        (shop.public, path)
        for path in ("/v1/prices", "/health/live", "/health/ready", "/openapi.json", "/nowhere")
    ] + [
        (shop.admin, path)
        for path in ("/status", "/metrics", "/docs", "/openapi.json", "/health/live", "/docs/none")
    ]

    for client, path in asked:
        answer = await client.get(path)
        policy = answer.headers.get("Cache-Control", "")
        assert "no-store" in policy or "no-cache" in policy, path


async def test_a_defect_of_ours_is_a_500_without_details_and_a_log_line_without_content(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(shop.world.service, "quote", broken)

    answer = await shop.post(body("S-77", customer="C-2"))

    assert answer.status == 500
    assert "defect" not in (await answer.text()).replace("defect is logged", "")
    assert "POST /v1/prices broke" in caplog.text
    assert "S-77" not in caplog.text
    assert "C-2" not in caplog.text
    assert quote("C-2") not in caplog.text
