"""A request that is wrong in thousands of places is answered in a few lines."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pricing_proxy.problem_details import MOST_FLAWS
from pricing_proxy.web import schemas
from pricing_proxy.web.schemas import flaws_problem
from tests.web.shop import KEY, Shop, body

# Of the answer: 20 pointers with names of 64 characters, each of which JSON writes as six.
MOST_BYTES = 16_000

ADAPTERS = [
    *(schemas.PRICES, schemas.SHOPPER_PRICES, schemas.CART, schemas.LOGIN, schemas.INVALIDATION),
    *(schemas.BREAKER_ORDER, schemas.GATE_ORDER, schemas.CLEARING),
]
WRONG_LINES = [{"sku": "S-1", "quantity": "x", f"u{number}": 1} for number in range(200)]
MANY_WRONG = [
    {**body("S-1"), **{f"unknown-{number}": 1 for number in range(5000)}},
    body("S-1", lines=WRONG_LINES),
]


@pytest.mark.parametrize("content", MANY_WRONG, ids=["members", "lines"])
def test_the_errors_end_after_twenty_and_the_detail_says_so(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        schemas.PRICES.validate_json(json.dumps(content))

    problem = flaws_problem(refused.value).document()

    assert len(problem["errors"]) == MOST_FLAWS
    assert f"first {MOST_FLAWS} of " in problem["detail"]
    assert len(json.dumps(problem)) < MOST_BYTES


async def test_zeros_in_many_lines_end_after_twenty(shop: Shop) -> None:
    answer = await shop.post(body("S-1", lines=[{"sku": "S", "quantity": "0"}] * 60))

    problem = await answer.json()
    assert (answer.status, len(problem["errors"])) == (422, MOST_FLAWS)
    assert "first 20 of 60 mistakes" in problem["detail"]


async def test_the_errors_of_a_query_end_after_twenty(shop: Shop) -> None:
    unknown = "&".join(f"u{number}=1" for number in range(300))

    answer = await shop.public.get(
        f"/v1/prices?market=b2b_de&customer=C-1&sku=S-1&{unknown}", headers={"X-API-Key": KEY}
    )

    problem = await answer.json()
    assert (answer.status, len(problem["errors"])) == (400, MOST_FLAWS)


async def test_a_refused_checkout_names_every_line(shop: Shop) -> None:
    """The shop has to take them out of the cart, all of them."""
    content = body(*(f"NOT-{number}" for number in range(30)), mode="checkout")

    problem = await (await shop.post(content)).json()

    assert problem["type"] == "/problems/no_price"
    assert len(problem["errors"]) == 30


@example(names=[f"{number}{'long' * 500}" for number in range(30)], adapter=schemas.PRICES)
@given(
    names=st.lists(st.text(max_size=2000), unique=True, max_size=60),
    adapter=st.sampled_from(ADAPTERS),
)
def test_no_body_is_answered_with_more_than_a_few_lines(
    names: list[str], adapter: TypeAdapter[Any]
) -> None:
    content = {name: [name] for name in names}
    try:
        adapter.validate_python({**content, "lines": [content], "scope": content})
    except ValidationError as error:
        answer = flaws_problem(error).response().body
        assert isinstance(answer, bytes)
        assert len(answer) < MOST_BYTES
