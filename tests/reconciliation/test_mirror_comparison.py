"""Fields of a mirror's rows: what differs, what is nobody's, and what is healed of it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from pricing_proxy.clock import Clock
from sync.engine.flow import Work
from sync.mirror.keys import folded
from sync.mirror.ports import Mirror, MirrorPage, PlannedRow
from sync.reconciliation.causes import Cause, Clues
from sync.reconciliation.comparing import ComparedPage, Deviation, DriftReport, compared
from sync.reconciliation.healing import Treatment, treat
from sync.reconciliation.mirror_comparison import MirrorComparison
from sync.store.mirror_known import KnownRows, RowOfMirror, RowPlace, RunWrote
from sync.store.mirror_records import DesiredRow, HeldRow, MirrorChange, RowKey, RowOutcome, Values
from tests.fakes.known_rows import FakeKnownRows
from tests.virtual_time import ManualClock

GLOBAL, AT = "global", datetime(2026, 11, 29, tzinfo=UTC)
LAMP: Values = {"name": "Lamp", "weight": "2", "price": "19.9"}


@dataclass
class Catalog:
    """An ERP, a shop and what is known of it, alike for so many SKUs."""

    count: int = 3
    erp: dict[str, Values] = field(default_factory=dict)
    shop: dict[str, Values] = field(default_factory=dict)
    known: FakeKnownRows = field(default_factory=FakeKnownRows)

    def __post_init__(self) -> None:
        for number in range(self.count):
            sku = f"LAMP-{number:04}"
            self.erp[sku] = self.shop[sku] = LAMP
            self.known.rows[GLOBAL, folded(sku)] = RowOfMirror(
                scope=GLOBAL,
                folded=folded(sku),
                key=sku,
                values=LAMP,
                shop_id="1",
                run=9,
                read_at=AT,
                changed_at=AT,
                stays=(),
            )

    async def expected(self) -> int | None:
        return None

    async def pages(
        self, *, keys: Sequence[str] | None = None, after: str = ""
    ) -> AsyncGenerator[MirrorPage, None]:
        del after
        rows = [
            DesiredRow(scope=GLOBAL, key=sku, values=values)
            for sku, values in self.erp.items()
            if keys is None or sku in keys
        ]
        yield MirrorPage(rows=rows, odd=(), after="", began_at=AT, ended_at=AT)

    async def read(self, rows: Sequence[MirrorChange]) -> Mapping[RowKey, HeldRow]:
        return {
            row.row: HeldRow(shop_id="1", values=self.shop[row.key])
            for row in rows
            if row.key in self.shop
        }

    async def write(self, batch: Sequence[PlannedRow], work: Work) -> Sequence[RowOutcome]:
        raise AssertionError(f"a comparison writes nothing: {batch}, {work}")

    def edit(self, sku: str, **values: str) -> None:
        self.shop[sku] = {**self.shop[sku], **values}

    async def report(self, **more: Any) -> DriftReport:
        mirror = Mirror(
            flow="products",
            market="b2b_de",
            shop="https://shop.example.com",
            scopes=[GLOBAL],
            reader=self,
            writer=self,
            risks=lambda *_: (),
            policies={"weight": "keep"},
            absent={"name": "gone"},
        )
        known = cast("KnownRows", self.known)
        its = MirrorComparison("products", mirror, known, **more)
        return await compared(its, clock=cast("Clock", ManualClock()))


def treated(report: DriftReport) -> Treatment:
    return treat(report, by_hand="d365-sync resync products --plan", is_plan=False)


async def test_each_field_has_its_own_cause_and_others_are_left_alone() -> None:
    catalog = Catalog()
    catalog.edit("LAMP-0000", name="Lamb", description="Nobody's but the shop's")
    catalog.erp["LAMP-0001"] = {**LAMP, "price": "21.9"}
    catalog.edit("LAMP-0002", weight="3")
    catalog.known.runs[GLOBAL, "lamp-0002"] = [RunWrote(4, {"weight": "3.0"})]
    report = await catalog.report()

    assert [(each.key, each.field, each.names) for each in report.found] == [
        ("LAMP-0000", "name of global", [Cause.EDITED]),
        ("LAMP-0001", "price of global", [Cause.ERP_CHANGED]),
        ("LAMP-0002", "weight of global", [Cause.OTHER_RUN]),
    ]
    done = treated(report)
    assert done.healed == ["LAMP-0000", "LAMP-0001"]
    assert [each.action for each in done.report.found] == [
        "read and written again",
        "read and written again",
        "left as it is",
    ]
    assert not done.report.is_significant
    assert report.compared == 9


async def test_prices_are_compared_alone_and_products_without_them() -> None:
    catalog = Catalog()
    catalog.edit("LAMP-0000", price="7", name="Lamb")
    prices = await catalog.report(only={"price"})
    others = await catalog.report(without={"price"})
    assert [each.field for each in prices.found] == ["price of global"]
    assert [each.field for each in others.found] == ["name of global"]


async def test_what_one_system_does_not_have_is_for_a_person() -> None:
    catalog = Catalog()
    del catalog.erp["LAMP-0000"]
    del catalog.shop["LAMP-0001"]
    report = await catalog.report()
    assert [(each.key, each.field, each.names) for each in report.found] == [
        ("LAMP-0000", "name of global", [Cause.UNKNOWN_SKU]),
        ("LAMP-0001", "product", [Cause.UNKNOWN_SKU]),
    ]
    assert treated(report).healed == []


async def test_what_a_person_let_be_is_no_difference_and_what_is_planned_is_told() -> None:
    catalog = Catalog()
    place = (GLOBAL, "lamp-0000")
    catalog.known.rows[place] = replace(catalog.known.rows[place], stays=("name",))
    catalog.edit("LAMP-0000", name="Lamb")
    catalog.erp["LAMP-0001"] = {**LAMP, "price": "1"}
    catalog.known.open[GLOBAL, "lamp-0001"] = 12
    done = treated(await catalog.report())
    [waiting] = done.report.found
    assert waiting.action == "in a plan: d365-sync runs show 12"
    assert done.healed == []


async def test_more_than_a_few_are_left_to_a_person_and_told() -> None:
    catalog = Catalog(count=400)
    for number in range(201):
        catalog.edit(f"LAMP-{number:04}", name="Lamb")
    done = treated(await catalog.report())
    assert done.healed == []
    assert done.report.is_significant
    assert done.report.found[0].action.startswith("more than is mended unasked: d365-sync resync")
    few = replace(done.report, found=done.report.found[:200])
    assert len(treated(few).healed) == 200


async def test_many_edits_that_are_kept_as_configured_are_no_drift() -> None:
    catalog = Catalog(count=100)
    for number in range(50):
        catalog.edit(f"LAMP-{number:04}", weight="3")
    done = treated(await catalog.report())
    assert len(done.report.found) == 50
    assert not done.report.is_significant


async def test_without_a_cause_one_row_is_enough_to_be_told() -> None:
    catalog = Catalog()
    del catalog.known.rows[GLOBAL, "lamp-0000"]
    catalog.edit("LAMP-0000", name="Lamb")
    done = treated(await catalog.report())
    assert done.report.why == "1 unexplained"
    assert done.healed == ["LAMP-0000"]


class Copy:
    """Another system with the same prices, one of them its own; or one that is away."""

    def __init__(self, own: str, note: str = "") -> None:
        self.own, self.note = own, note
        self.keys: list[str] = []

    async def compare(
        self, rows: Sequence[DesiredRow], known: Mapping[RowPlace, RowOfMirror]
    ) -> ComparedPage:
        assert {folded(row.key) for row in rows} == {key for _, key in known}
        self.keys += [row.key for row in rows]
        if self.note:
            return ComparedPage(0, (), notes=[self.note])
        own = [row for row in rows if row.key == self.own]
        clues = Clues(erp="1", shop="2")
        return ComparedPage(
            len(rows), [Deviation(key=row.key, field="copy", evidence=clues) for row in own]
        )


async def test_what_else_has_the_fields_is_compared_with_the_same_rows_twice() -> None:
    copy = Copy("LAMP-0001")
    report = await Catalog().report(only={"price"}, copy=copy)
    assert [(each.key, each.field, each.names) for each in report.found] == [
        ("LAMP-0001", "copy", [Cause.UNEXPLAINED])
    ]
    assert (report.compared, report.notes) == (6, [])
    assert copy.keys == ["LAMP-0000", "LAMP-0001", "LAMP-0002", "LAMP-0001"]


async def test_a_copy_that_is_away_is_told_once_and_the_rest_is_compared() -> None:
    catalog = Catalog(count=500)
    catalog.edit("LAMP-0000", price="7")
    report = await catalog.report(only={"price"}, copy=Copy("", note="it is away"))
    assert (report.compared, report.notes) == (500, ["it is away"])
    assert [each.field for each in report.found] == ["price of global"]


async def test_what_passes_between_two_looks_is_none() -> None:
    catalog = Catalog()
    catalog.edit("LAMP-0000", name="Lamb")
    looked = catalog.read

    async def once(rows: Sequence[MirrorChange]) -> Mapping[RowKey, HeldRow]:
        held = await looked(rows)
        catalog.shop["LAMP-0000"] = LAMP
        return held

    catalog.read = once  # type: ignore[method-assign]
    assert (await catalog.report()).found == []
