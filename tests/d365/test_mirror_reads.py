"""A set is read whole and once along a field, whatever the ERP takes for equal or for first."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.mirror_reads import Chunk, SetReads
from pricing_proxy.d365.fo.read_along import AlongField
from pricing_proxy.d365.fo.stock import StockReads
from pricing_proxy.d365.fo.stock_models import OnHandRow, RemainingLineRow, WarehouseRow
from pricing_proxy.d365.odata import fitting, is_one_of
from pricing_proxy.names import is_same_name
from pricing_proxy.resilience.call_class import CallClass
from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamDeniedError
from pricing_proxy.resilience.operation import OperationClass
from tests.d365.documents import answers, reply
from tests.d365.loopback import DirectPolicy, Play, transport_to
from tests.d365.sample_files import sample

KEY = ("ItemNumber", "InventoryWarehouseId")
SAMPLED: dict[str, Any] = {
    **json.loads(sample("inventory.warehouses-onhand.json"))["value"][0],
    "AreWarehouseManagementProcessesUsed": "No",
}
# How different databases sort and compare: by code, without case, without accents, backwards.
COLLATIONS: dict[str, Callable[[str], Any]] = {
    "binary": lambda text: text,
    "no case": str.casefold,
    "no accents": lambda text: text.casefold().replace("é", "e").replace("ss", "s"),
    "backwards": lambda text: [-ord(letter) for letter in text.casefold()] + [0],
}


def walk(
    rows: list[dict[str, str]], collation: Callable[[str], Any], chunk_rows: int, after: str = ""
) -> list[list[dict[str, str]]]:
    """Return the chunks of a walk through rows, as an ERP of that collation answers it."""
    read = AlongField(KEY, "ItemNumber", after, chunk_rows=chunk_rows, system="fo")
    ordered = sorted(rows, key=lambda row: (collation(row["ItemNumber"]), *map(row.get, KEY)))
    chunks = []
    while not read.is_over:
        field, word, value = (read.condition.text if read.condition else "ItemNumber ge ").split(
            " ", 2
        )
        bound = collation(value.strip("'"))
        asked = [
            row
            for row in ordered
            if not value
            or collation(row[field]) > bound
            or (word == "ge" and collation(row[field]) == bound)
        ]
        got = read.take(asked[:chunk_rows], len(asked) if read.is_first else None)
        if (alone := read.oversized) is not None:
            got = read.take_alone(
                [row for row in ordered if collation(row[field]) == collation(alone)]
            )
        if got:
            chunks.append(got)
    assert read.brought >= sum(map(len, chunks))
    return chunks


names = st.text("aAbBeéEsSß1", min_size=1, max_size=3)


@given(
    wanted=st.sets(st.tuples(names, st.sampled_from("123456")), max_size=40),
    collation=st.sampled_from(sorted(COLLATIONS)),
    chunk_rows=st.integers(1, 12),
)
@settings(max_examples=150, deadline=None)
def test_each_row_comes_once_whatever_the_collation(
    wanted: set[tuple[str, str]], collation: str, chunk_rows: int
) -> None:
    rows = [dict(zip(KEY, each, strict=True)) for each in wanted]
    chunks = walk(rows, COLLATIONS[collation], chunk_rows)
    came = [tuple(row[name] for name in KEY) for chunk in chunks for row in chunk]
    assert sorted(came) == sorted(wanted)
    # Going on after any chunk, one sees all that had not come: nothing is lost at a restart.
    for number, chunk in enumerate(chunks):
        again = walk(rows, COLLATIONS[collation], chunk_rows, after=chunk[-1]["ItemNumber"])
        rest = [row for later in chunks[number + 1 :] for row in later]
        known = chunk[-1]["ItemNumber"]
        came_again = [row for later in again for row in later]
        assert all(row in came_again for row in rest if not is_same_name(row["ItemNumber"], known))


@given(
    items=st.lists(st.sampled_from(("a", "b", "c", "d")), min_size=1, max_size=30),
    chunk_rows=st.integers(2, 40),
)
@settings(max_examples=50, deadline=None)
def test_all_rows_of_one_value_come_together(items: list[str], chunk_rows: int) -> None:
    rows = [{"ItemNumber": item, "InventoryWarehouseId": str(n)} for n, item in enumerate(items)]
    chunks = walk(rows, COLLATIONS["binary"], chunk_rows)
    where = [{row["ItemNumber"] for row in chunk} for chunk in chunks]
    assert sum(map(len, where)) == len(set(items))


@pytest.mark.parametrize("value", ["", "A*"])
def test_rows_that_no_question_could_tell_apart_end_the_walk(value: str) -> None:
    """An endless walk over rows without a number would be the alternative."""
    read = AlongField(KEY, "ItemNumber", "", chunk_rows=2, system="fo")
    with pytest.raises(UpstreamContractError, match="ItemNumber"):
        read.take([{"ItemNumber": value, "InventoryWarehouseId": n} for n in "12"], 2)


def test_a_row_without_the_field_ends_the_walk() -> None:
    read = AlongField(KEY, "ItemNumber", "", chunk_rows=2, system="fo")
    with pytest.raises(UpstreamContractError, match="without ItemNumber"):
        read.take([{"ItemNumber": None}], 1)


@given(
    values=st.lists(st.text("aö' ", min_size=1, max_size=30), max_size=30),
    longest=st.integers(50, 400),
)
def test_groups_of_values_fit_into_a_url(values: list[str], longest: int) -> None:
    groups = list(fitting("ItemNumber", values, longest=longest))
    assert [value for group in groups for value in group] == values
    for group in groups:
        assert len(group) == 1 or len(is_one_of("ItemNumber", group).text) <= longest


def row(item: str, **more: Any) -> dict[str, Any]:
    return {**SAMPLED, "ItemNumber": item, **more}


def page(*rows: dict[str, Any], **more: Any) -> web.Response:
    return reply({"value": list(rows), **{f"@odata.{name}": told for name, told in more.items()}})


async def read_with(play: Play, *, chunk_rows: int = 2) -> tuple[list[Chunk[OnHandRow]], Any, Any]:
    policy = DirectPolicy()
    async with transport_to(play) as (transport, erp):
        reads = SetReads(transport, policy=policy, clock=SystemClock(), chunk_rows=chunk_rows)
        found = [chunk async for chunk in StockReads(reads).on_hand("usmf", ["13"])]
        return found, erp, policy


async def test_what_goes_over_the_wire() -> None:
    play = answers(page(row("A"), row("B"), row("C"), count=3), page(row("B"), row("C")))
    chunks, erp, policy = await read_with(play, chunk_rows=3)
    assert [[each.ItemNumber for each in chunk.rows] for chunk in chunks] == [["A", "B"], ["C"]]
    asked = [parse_qs(urlsplit(target).query) for target in erp.targets]
    company = "dataAreaId eq 'usmf'"
    warehouse = "(InventoryWarehouseId eq '13')"
    assert asked[0]["$filter"] == [f"({company} and {warehouse})"]
    assert asked[1]["$filter"] == [f"(({company} and {warehouse}) and ItemNumber ge 'B')"]
    assert asked[0]["$orderby"][0].startswith("ItemNumber,dataAreaId,ProductColorId")
    assert (asked[0]["$top"], asked[0]["$count"]) == (["3"], ["true"])
    assert "$count" not in asked[1]
    assert {ticket.klass for ticket in policy.tickets} == {CallClass.MIRROR}
    assert {each.kind for each in policy.operations} == {OperationClass.MIRROR_READ}
    assert chunks[0].total == 3
    assert chunks[0].began_at <= chunks[0].ended_at <= chunks[1].began_at
    assert chunks[1].ended_at - chunks[0].began_at < timedelta(seconds=30)


async def test_a_read_that_broke_off_is_none() -> None:
    with pytest.raises(UpstreamContractError, match="1 of 3 rows"):
        await read_with(answers(page(row("A"), count=3)))


async def test_what_is_not_as_agreed_is_there_all_the_same() -> None:
    odd = row("B", AvailableOnHandQuantity="many")
    [chunk], *_ = await read_with(answers(page(row("A"), odd, count=2)), chunk_rows=3)
    [unreadable] = chunk.unreadable
    assert [each.ItemNumber for each in chunk.rows] == ["A"]
    assert unreadable.key[1] == "B"
    assert unreadable.fields == ("AvailableOnHandQuantity",)


async def test_a_row_of_another_company_ends_the_read() -> None:
    with pytest.raises(UpstreamContractError, match="another company"):
        await read_with(answers(page(row("A", dataAreaId="demf"), count=1)))


async def test_some_items_are_asked_for_in_groups_and_others_warehouses_are_left_out() -> None:
    many = [f"ITEM-{number:03}" for number in range(60)]
    async with transport_to(
        answers(page(row(many[0]), row(many[1], InventoryWarehouseId="14")), page(row(many[59])))
    ) as (transport, erp):
        reads = SetReads(transport, policy=DirectPolicy(), clock=SystemClock())
        chunks = [
            chunk async for chunk in StockReads(reads).on_hand_of("usmf", [*many, "A*"], ["13"])
        ]
    rows = [each.ItemNumber for chunk in chunks for each in chunk.rows]
    assert rows == [many[0], many[59]]
    assert all(len(target.partition("?")[2]) < 2_048 for target in erp.targets)


async def test_what_only_the_erp_takes_for_equal_is_not_believed() -> None:
    async with transport_to(answers(page(row("STRASSE"), row("Straße")))) as (transport, _):
        reads = SetReads(transport, policy=DirectPolicy(), clock=SystemClock())
        [chunk] = [
            chunk
            async for chunk in reads.having(OnHandRow, "ItemNumber", ["straße"], company="usmf")
        ]
    assert {each.ItemNumber for each in chunk.rows} <= {"STRASSE", "Straße"}
    assert "Straße" in {each.ItemNumber for each in chunk.rows}


async def test_a_second_set_is_read_within_a_chunk_of_the_first() -> None:
    async with transport_to(answers(page(row("A"), row("B"), count=2))) as (transport, erp):
        reads = SetReads(transport, policy=DirectPolicy(), clock=SystemClock())
        chunk = await reads.between(OnHandRow, "ItemNumber", "A", "B", company="usmf")
    asked = parse_qs(urlsplit(erp.targets[0]).query)["$filter"]
    assert asked == ["(dataAreaId eq 'usmf' and (ItemNumber ge 'A' and ItemNumber le 'B'))"]
    assert [each.ItemNumber for each in chunk.rows] == ["A", "B"]


async def test_small_sets_and_counts() -> None:
    warehouse = {"dataAreaId": "usmf", "WarehouseId": "13", "WarehouseName": "Main"}
    more = {"OperationalSiteId": "1", "WarehouseType": "Standard"}
    told = page({**warehouse, **more}, count=1)
    async with transport_to(answers(told, page(warehouse, count=7))) as (transport, _):
        reads = SetReads(transport, policy=DirectPolicy(), clock=SystemClock())
        [found] = (await reads.whole(WarehouseRow, company="usmf")).rows
        assert (found.WarehouseId, found.WarehouseType) == ("13", "Standard")
        assert await reads.count(WarehouseRow, company="usmf") == 7


async def test_sets_for_analytics_may_be_missing() -> None:
    replies = answers(reply(status=404), page(), reply(status=403))
    async with transport_to(replies) as (transport, _):
        stock = StockReads(SetReads(transport, policy=DirectPolicy(), clock=SystemClock()))
        assert not await stock.tells_remaining("usmf")
        assert await stock.tells_remaining("usmf")
        with pytest.raises(UpstreamDeniedError):
            await stock.tells_remaining("usmf")
    assert RemainingLineRow.entity_set == "SalesLineBiEntities"
