"""How F&O's database compares texts, and what it does not keep apart."""

import pytest

from tests.sandbox.conftest import Client
from tests.sandbox.documents import LINE, judged, order


@pytest.mark.parametrize("asked", ["3000000001-b", "3000000001-B", "3000000001-B  "])
async def test_a_reference_is_found_in_other_letters_and_with_blanks(
    client: Client, asked: str
) -> None:
    """Whoever asks for "A" is given "a" as well, and has to look which it is."""
    numbers = [
        await order(client, CustomersOrderReference=reference)
        for reference in ("3000000001-B", "3000000001-b", "3000000001")
    ]
    rows = await client.rows("SalesOrderHeadersV3", filter=f"CustomersOrderReference eq '{asked}'")
    assert [row["SalesOrderNumber"] for row in rows["value"]] == numbers[:2]
    assert [row["CustomersOrderReference"] for row in rows["value"]] == [
        "3000000001-B",
        "3000000001-b",
    ]


async def test_many_orders_may_carry_one_reference(client: Client) -> None:
    """The reference is the customer's business; F&O only numbers."""
    for _ in range(3):
        await order(client, CustomersOrderReference="000000001")
    told = await judged(client)
    assert [one["reference"] for one in told] == ["000000001"] * 3
    assert len({one["number"] for one in told}) == 3


async def test_accounts_and_items_are_taken_in_any_letters_and_kept_as_typed(
    client: Client,
) -> None:
    await order(
        client,
        {**LINE, "ItemNumber": "lamp-01"},
        OrderingCustomerAccountNumber="c-1001",
    )
    (told,) = await judged(client)
    assert told["customer"] == "c-1001"
    assert told["lines"][0]["ItemNumber"] == "lamp-01"
    rows = await client.rows("CustomersV3", filter="CustomerAccount eq 'c-1001 '")
    assert [row["CustomerAccount"] for row in rows["value"]] == ["C-1001"]
