"""Only planned fields are written, each where it belongs; what is refused says why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sync.engine.flow import Event
from sync.mirror.ports import PlannedRow
from sync.products.linking import Linking
from sync.products.making import Making
from sync.products.mapped import Born
from sync.products.options import OptionBook
from sync.products.page_names import page_name
from sync.products.patches import ProductPatches
from sync.products.pricing import Pricing
from sync.products.shop_reading import ShopReading
from sync.products.writer import ProductWriter
from sync.store.mirror_records import HeldRow, MirrorChange, RowEnd, RowKey, RowOutcome, Values
from tests.fakes.bulk_book import FakeBulkBook
from tests.fakes.order_shop import FakeWork
from tests.fakes.product_shop import FakeShopCatalog
from tests.products.test_mapping import market
from tests.virtual_time import ManualClock

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
EVENT = Event(
    id=1,
    flow="products",
    market="de",
    business_key="run 1",
    source_key="mirror/products/run/1/first",
    payload={"run": 1},
    attempts=0,
    fence=1,
)


@dataclass
class FakeBirths:
    """Knows what all products are made with, but for some."""

    unknown: Sequence[str] = ()
    name: str = "Name of {sku}"

    async def born(self, skus: Sequence[str]) -> Mapping[str, Born]:
        return {
            sku: Born(self.name.format(sku=sku), "9.5", sku.endswith("-RED"))
            for sku in skus
            if sku not in self.unknown
        }


class World:
    """A writer over a shop, as the core of mirrors uses it."""

    def __init__(self, births: FakeBirths | None = None, **rules: Any) -> None:
        self.shop = shop = FakeShopCatalog()
        self.clock = ManualClock()
        self.work = FakeWork(EVENT, self.clock)
        of = market(attribute_set=4, **rules)
        options = OptionBook(
            shop, locks=shop, clock=self.clock, makes=of.rules.new_options == "create"
        )
        reading = ShopReading(shop, shop, options=options, market=of)
        self.overdue: list[str] = []
        self.book = FakeBulkBook()
        self.wanted: list[str] = []
        patches = ProductPatches(
            shop,
            shop,
            book=self.book,
            clock=self.clock,
            wait=timedelta(seconds=60),
            overdue=self._overdue,
        )
        self.writer = ProductWriter(
            reading,
            patches=patches,
            making=Making(births or FakeBirths(), patches=patches, options=options, market=of),
            linking=Linking(
                shop, reading=reading, options=options, clock=self.clock, want=self._want
            ),
            pricing=Pricing(shop, reading=reading, market=of),
            options=options,
        )

    async def run(self, *changes: MirrorChange) -> dict[RowKey, RowOutcome]:
        """Read, take off what is equal, and write: as the core does."""
        held = await self.writer.read(changes)
        batch = [planned(change, held.get(change.row)) for change in changes]
        outcomes = await self.writer.write([row for row in batch if row.values], self.work)
        assert not self.work.open_entries
        return {each.row: each for each in outcomes}

    async def _want(self, keys: Sequence[str]) -> None:
        self.wanted += keys

    async def _overdue(self, text: str) -> None:
        self.overdue.append(text)

    async def one(self, change: MirrorChange) -> RowOutcome:
        return (await self.run(change))[change.row]


def wanted(scope: str, key: str, known: Values | None = None, **values: Any) -> MirrorChange:
    return MirrorChange(
        run=1,
        scope=scope,
        key=key,
        wanted=values,
        known=known,
        before=None,
        is_noted=False,
        edited=(),
        shop_id=None,
        began_at=NOW,
        ended_at=NOW,
    )


def planned(change: MirrorChange, held: HeldRow | None) -> PlannedRow:
    has = {} if held is None else held.values
    values = {
        name: value
        for name, value in change.wanted.items()
        if name not in has or has[name] != value
    }
    return PlannedRow(change=change, held=held, values=values)


async def test_a_name_is_written_through_its_own_store_view_alone() -> None:
    world = World()
    world.shop.put("LAMP-1", name="Lamp")
    outcome = await world.one(wanted("view/3", "LAMP-1", name="Lampe"))
    assert (outcome.end, outcome.values) == (RowEnd.WRITTEN, {"name": "Lampe"})
    assert world.shop.sent == [{"store": "de", "name": "Lampe"}]
    assert world.shop.seen("LAMP-1", "de")["name"] == "Lampe"
    for other in ("all", "default", "b2b"):
        assert world.shop.seen("LAMP-1", other)["name"] == "Lamp"


async def test_a_status_goes_to_one_view_and_is_read_back() -> None:
    world = World()
    world.shop.put("LAMP-1")
    outcome = await world.one(wanted("website/1", "LAMP-1", {"blocked": "0"}, blocked="1"))
    assert outcome.end is RowEnd.WRITTEN
    assert world.shop.asked == ["PUT default LAMP-1"]
    assert world.shop.seen("LAMP-1", "de")["status"] == 2
    assert world.shop.seen("LAMP-1", "b2b")["status"] == 1


async def test_a_status_that_does_not_stay_is_refused() -> None:
    world = World()
    world.shop.put("LAMP-1")
    world.shop.loses_status = True
    outcome = await world.one(wanted("website/1", "LAMP-1", blocked="1"))
    assert (outcome.end, outcome.field) == (RowEnd.REFUSED, "status")


@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 2)])
async def test_the_end_of_a_block_gives_back_what_was_before_it(before: int, after: int) -> None:
    """A product that no person ever enabled stays disabled."""
    world = World()
    world.shop.put("LAMP-1", status=before)
    blocked = wanted("website/1", "LAMP-1", {"blocked": "0"}, blocked="1")
    outcomes = await world.run(blocked)
    # The core acknowledges what is equal by itself.
    known = outcomes[blocked.row].values if outcomes else {"blocked": "1"}
    assert world.shop.seen("LAMP-1", "default")["status"] == 2
    outcome = (await world.run(wanted("website/1", "LAMP-1", known, blocked="0"))).popitem()[1]
    assert outcome.values == {"blocked": "0", "status_before": None}
    assert world.shop.seen("LAMP-1", "default")["status"] == after


async def test_what_a_person_disabled_is_nobodys_block() -> None:
    world = World()
    world.shop.put("LAMP-1", status=2)
    assert await world.run(wanted("website/1", "LAMP-1", {"blocked": "0"}, blocked="0")) == {}
    assert world.shop.asked == []


async def test_only_planned_members_are_sent_and_in_bulk() -> None:
    world = World()
    world.shop.offer("brand", "Acme", kind="text")
    rows = []
    for number in range(6):
        world.shop.put(f"LAMP-{number}", weight=Decimal(1), attributes={"description": "Old"})
        change: dict[str, Any] = {"weight": "1.5", "tax_class_id": "2", "brand": "Acme"}
        rows.append(wanted("global", f"LAMP-{number}", **change))
    outcomes = await world.run(*rows)
    assert {each.end for each in outcomes.values()} == {RowEnd.WRITTEN}
    assert world.shop.asked == ["bulk PUT all x6"]
    attributes = [
        {"attribute_code": "brand", "value": "Acme"},
        {"attribute_code": "tax_class_id", "value": "2"},
    ]
    assert world.shop.sent[0] == {
        "store": "all",
        "sku": "LAMP-0",
        "weight": Decimal("1.5"),
        "custom_attributes": attributes,
    }
    assert world.shop.products["lamp-0"].attributes["description"] == "Old"
    assert await world.run(*rows) == {}


async def test_the_shops_own_letters_of_a_sku_stay() -> None:
    world = World()
    world.shop.put("lamp-1")
    outcome = await world.one(wanted("view/3", "LAMP-1", name="Lampe"))
    assert outcome.end is RowEnd.WRITTEN
    assert world.shop.seen("LAMP-1")["sku"] == "lamp-1"


async def test_prices_go_by_the_batch_route_sorted_and_row_errors_are_told_by_sku() -> None:
    world = World()
    world.shop.put("LAMP-2")
    world.shop.put("LAMP-1")
    world.shop.put("SHADE", type_id="configurable")
    outcomes = await world.run(
        wanted("global", "SHADE", price="3"),
        wanted("global", "LAMP-2", price="2.5"),
        wanted("global", "LAMP-1", price="1.25"),
    )
    assert [each.sku for each in world.shop.sent[-3:]] == ["LAMP-1", "LAMP-2", "SHADE"]
    assert {row.key: each.end.value for row, each in outcomes.items()} == {
        "LAMP-1": "written",
        "LAMP-2": "written",
        "SHADE": "refused",
    }
    assert "SHADE" in outcomes[RowKey("global", "SHADE")].text


async def test_a_refused_price_that_names_no_sku_is_found_by_a_look() -> None:
    world = World()
    for sku in ("LAMP-1", "LAMP-2"):
        world.shop.put(sku)
    outcomes = await world.run(
        wanted("global", "LAMP-1", price="-1"), wanted("global", "LAMP-2", price="2")
    )
    assert outcomes[RowKey("global", "LAMP-1")].end is RowEnd.REFUSED
    assert outcomes[RowKey("global", "LAMP-2")].end is RowEnd.WRITTEN


async def test_one_bad_row_of_a_bulk_is_refused_and_the_others_are_written() -> None:
    world = World()
    rows = []
    for number in range(5):
        world.shop.put(f"LAMP-{number}")
        rows.append(wanted("view/1", f"LAMP-{number}", name=f"Lamp {number}"))
    world.shop.bad.add("LAMP-3")
    outcomes = await world.run(*rows)
    ends = {row.key: each.end for row, each in outcomes.items()}
    assert ends.pop("LAMP-3") is RowEnd.REFUSED
    assert set(ends.values()) == {RowEnd.WRITTEN}
    assert outcomes[RowKey("view/1", "LAMP-3")].text == "The shop refuses this product."


async def test_a_row_that_is_refused_in_part_keeps_what_arrived() -> None:
    world = World()
    world.shop.put("SHADE", type_id="configurable")
    outcome = await world.one(wanted("global", "SHADE", weight="2", price="3"))
    assert (outcome.end, outcome.values) == (RowEnd.REFUSED, {"weight": "2"})


async def test_a_queue_that_nobody_works_off_is_done_without() -> None:
    world = World()
    rows = []
    for number in range(5):
        world.shop.put(f"LAMP-{number}")
        rows.append(wanted("view/1", f"LAMP-{number}", name=f"Lamp {number}"))
    world.shop.is_dead = True
    outcomes = await world.run(*rows)
    assert {each.end for each in outcomes.values()} == {RowEnd.WRITTEN}
    assert world.shop.asked == ["bulk PUT default x5", *(f"PUT default LAMP-{n}" for n in range(5))]
    assert world.overdue == ["bulk bulk-0 has 5 of 5 rows open, and none ended for 60 s"]
    world.shop.asked.clear()
    again = [wanted("view/3", row.key, name="Lampe") for row in rows]
    await world.run(*again)
    assert world.shop.asked == [f"PUT de LAMP-{n}" for n in range(5)]


@pytest.mark.parametrize("losses", [1, 2, 3])
async def test_the_loser_of_a_deadlock_is_written_though_its_operation_has_failed(
    losses: int,
) -> None:
    """As a real shop ends it: failed for good, by its state."""
    world = World()
    rows = []
    for number in range(5):
        world.shop.put(f"LAMP-{number}")
        rows.append(wanted("view/1", f"LAMP-{number}", name=f"Lamp {number}"))
    world.shop.conflicts["LAMP-3"] = losses
    outcomes = await world.run(*rows)
    assert {each.end for each in outcomes.values()} == {RowEnd.WRITTEN}
    assert world.shop.asked == ["bulk PUT default x5", *["PUT default LAMP-3"] * losses]


async def test_products_are_made_disabled_with_what_the_shop_demands() -> None:
    world = World()
    world.shop.offer("color", "Red")
    values: dict[str, Any] = {
        "type": "simple",
        "weight": "1.5",
        "tax_class_id": "2",
        "price": "19.9",
    }
    outcome = await world.one(wanted("global", "SHADE-RED", **values, color="Red"))
    assert outcome.end is RowEnd.WRITTEN
    assert outcome.values == {**values, "color": "Red"}
    assert outcome.shop_id == str(world.shop.products["shade-red"].id)
    (sent,) = world.shop.sent
    assert sent == {
        "store": "all",
        "sku": "SHADE-RED",
        "name": "Name of SHADE-RED",
        "attribute_set_id": 4,
        "type_id": "simple",
        "status": 2,
        "visibility": 1,
        "price": Decimal("19.9"),
        "weight": Decimal("1.5"),
        "custom_attributes": [
            {"attribute_code": "color", "value": "4"},
            {"attribute_code": "tax_class_id", "value": "2"},
        ],
        "extension_attributes": {"website_ids": [1, 2]},
    }


@pytest.mark.parametrize("products", [2, 7])
async def test_products_of_one_name_are_all_made_each_with_a_page_of_its_own(products: int) -> None:
    """The shop names pages by products' names, and takes no second one, in its own language."""
    world = World(FakeBirths(name="Schraube M6 x 20 €"))
    skus = [f"BOLT/{number}" for number in range(products)]
    ends = await world.run(*(wanted("global", sku, type="simple", price="1") for sku in skus))
    assert {each.end for each in ends.values()} == {RowEnd.WRITTEN}
    assert world.shop.pages == {
        "Schraube M6 x 20 €",
        *(f"schraube-m6-x-20-bolt-{number}" for number in range(1, products)),
    }
    assert all(each.values.keys() == {"type", "price"} for each in ends.values())


async def test_what_is_refused_for_another_reason_is_told_with_it() -> None:
    world = World()
    world.shop.bad.add("LAMP-3")
    outcome = await world.one(wanted("global", "LAMP-3", type="simple", price="1"))
    assert (outcome.end, outcome.text) == (RowEnd.REFUSED, "The shop refuses this product.")
    assert world.shop.asked == ["POST LAMP-3"] * 2


@pytest.mark.parametrize(
    ("name", "sku", "page"),
    [
        ("Stehlampe „Öland“", "ÖL/1 +", "stehlampe-oland-ol-1"),
        ("Λάμπα", "GR-1", "gr-1"),
        ("x" * 255, "A" * 64, f"{'x' * 180}-{'a' * 64}"),
    ],
)
def test_the_name_of_a_page_is_plain_and_not_too_long(name: str, sku: str, page: str) -> None:
    assert page_name(name, sku) == page


async def test_a_configurable_is_made_in_stock() -> None:
    """Made without a word of it, it is never sold, though its variants have stock."""
    world = World()
    await world.one(wanted("global", "SHADE", type="configurable"))
    (sent,) = world.shop.sent
    assert sent["extension_attributes"]["stock_item"] == {"is_in_stock": True}
    assert "price" not in sent


async def test_a_new_product_and_its_names_may_be_in_one_batch() -> None:
    world = World()
    outcomes = await world.run(
        wanted("global", "LAMP-9", type="simple", price="5"),
        wanted("view/3", "LAMP-9", name="Lampe 9"),
        wanted("website/1", "LAMP-9", blocked="1"),
    )
    assert {each.end for each in outcomes.values()} == {RowEnd.WRITTEN}
    made = world.shop.products["lamp-9"]
    assert {each.shop_id for each in outcomes.values()} == {str(made.id)}
    assert world.shop.seen("LAMP-9", "de") == {**made.values, "name": "Lampe 9"}


async def test_an_unknown_sku_is_missing_where_nothing_is_made() -> None:
    world = World(create=False)
    outcome = await world.one(wanted("global", "NOPE", type="simple", price="5"))
    assert (outcome.end, world.shop.asked) == (RowEnd.MISSING, [])
    assert "attribute_set" in outcome.advice
    named = await world.one(wanted("view/1", "NOPE", name="x"))
    assert named.end is RowEnd.MISSING


async def test_what_has_no_name_or_price_is_not_made() -> None:
    world = World(FakeBirths(unknown=["LAMP-9"]))
    outcome = await world.one(wanted("global", "LAMP-9", type="simple"))
    assert (outcome.end, world.shop.asked) == (RowEnd.MISSING, [])


async def test_an_option_is_made_once_under_a_lock() -> None:
    world = World()
    world.shop.offer("color", "Red")
    rows = []
    for number in range(3):
        world.shop.put(f"LAMP-{number}")
        rows.append(wanted("global", f"LAMP-{number}", color="Green"))
    outcomes = await world.run(*rows)
    assert {each.end for each in outcomes.values()} == {RowEnd.WRITTEN}
    assert [each for each in world.shop.asked if each.startswith("option")] == [
        "option color Green"
    ]
    assert world.shop.held == ["attribute color"]
    assert await world.run(*rows) == {}


async def test_an_option_in_other_letters_is_the_same() -> None:
    world = World()
    world.shop.offer("color", "green ")
    world.shop.put("LAMP-1")
    await world.run(wanted("global", "LAMP-1", color="Green"))
    assert world.shop.asked == ["PUT all LAMP-1"]


async def test_an_option_label_that_is_there_twice_is_refused() -> None:
    world = World()
    world.shop.offer("color", "Red", "Red")
    world.shop.put("LAMP-1")
    outcome = await world.one(wanted("global", "LAMP-1", color="Red"))
    assert (outcome.end, outcome.field) == (RowEnd.REFUSED, "color")
    assert 'several options "Red"' in outcome.text
    assert world.shop.asked == []


async def test_an_unknown_option_is_held_by_rule_and_never_guessed() -> None:
    world = World(new_options="hold")
    world.shop.offer("color", "Red", "Dark green")
    world.shop.put("LAMP-1")
    outcome = await world.one(wanted("global", "LAMP-1", color="Green"))
    assert (outcome.end, outcome.field) == (RowEnd.REFUSED, "color")
    assert world.shop.asked == []


async def test_an_attribute_that_the_shop_does_not_have_is_refused() -> None:
    """It would be dropped without a word."""
    world = World()
    world.shop.put("LAMP-1")
    outcome = await world.one(wanted("global", "LAMP-1", ean="4006381333931"))
    assert (outcome.end, outcome.field, world.shop.asked) == (RowEnd.REFUSED, "ean", [])


async def test_one_odd_field_of_a_row_stops_none_of_the_others() -> None:
    world = World(unit_attribute="sales_unit")
    world.shop.offer("color", "Red", "Red")
    world.shop.put("LAMP-1")
    outcome = await world.one(
        wanted("global", "LAMP-1", ean="42", color="Red", weight="2", price="3")
    )
    assert (outcome.end, outcome.field) == (RowEnd.REFUSED, "color")
    assert outcome.values == {"weight": "2", "price": "3"}
    assert world.shop.seen("LAMP-1")["price"] == Decimal(3)

    # A price for a box must not stand beside "piece".
    outcome = await world.one(wanted("global", "LAMP-1", sales_unit="box", price="30"))
    assert (outcome.field, outcome.values) == ("sales_unit", {})
    assert world.shop.seen("LAMP-1")["price"] == Decimal(3)


async def test_an_option_label_that_is_the_id_of_another_is_still_a_label() -> None:
    """Of a select with the labels "5" and "6", whose ids are 4 and 5."""
    world = World()
    world.shop.offer("color", "5", "6")
    world.shop.put("LAMP-1")
    outcome = await world.one(wanted("global", "LAMP-1", color="5"))
    assert (outcome.end, outcome.values) == (RowEnd.WRITTEN, {"color": "5"})
    assert world.shop.products["lamp-1"].attributes["color"] == "4"
    outcome = await world.one(wanted("global", "LAMP-1", color="4"))
    assert "option color 4" in world.shop.asked


async def test_an_option_id_of_no_option_is_never_equal() -> None:
    world = World()
    world.shop.offer("color", "Red")
    world.shop.put("LAMP-1", attributes={"color": "99999"})
    change = wanted("global", "LAMP-1", color="Red")
    held = await world.writer.read([change])
    assert held[change.row].values["color"] == "#99999"


async def test_variants_are_added_as_they_come_and_never_removed() -> None:
    world = World()
    shop = world.shop
    shop.offer("color", "Red", "Blue")
    shop.put("SHADE", type_id="configurable")
    change = wanted("links", "SHADE", axes=["color"], variants=["SHADE-BLUE", "SHADE-RED"])
    assert (await world.one(change)).end is RowEnd.MISSING
    shop.put("SHADE-RED", attributes={"color": "4"})
    outcome = await world.one(change)
    assert outcome.values == {"axes": ["color"], "variants": ["SHADE-RED"]}
    assert shop.asked == ["axis SHADE color Color 0 [4]", "variant SHADE SHADE-RED"]
    shop.put("SHADE-BLUE", attributes={"color": "5"})
    shop.products["shade"].linked.append("BY-HAND")
    outcome = await world.one(change)
    assert outcome.values["variants"] == ["SHADE-BLUE", "SHADE-RED"]
    fewer = wanted("links", "SHADE", outcome.values, variants=["SHADE-RED"])
    await world.run(fewer)
    assert shop.products["shade"].linked == ["SHADE-RED", "BY-HAND", "SHADE-BLUE"]


async def test_what_one_attempt_has_no_time_for_is_wanted_again() -> None:
    """A real shop takes seconds for each variant, and the attempt's lease ends."""
    world = World()
    world.shop.offer("color", "Red")
    rows = []
    for name in ("SHADE", "SHELF"):
        world.shop.put(name, type_id="configurable")
        skus = [f"{name}-{number}" for number in range(4)]
        for sku in skus:
            world.shop.put(sku, attributes={"color": "4"})
        rows.append(wanted("links", name, axes=["color"], variants=skus))
    world.shop.each_variant = lambda: world.clock.advance(timedelta(seconds=40))
    outcomes = await world.run(*rows)
    assert outcomes[rows[0].row].values["variants"] == ["SHADE-0", "SHADE-1", "SHADE-2"]
    assert outcomes[rows[1].row].end is RowEnd.MISSING
    assert world.wanted == ["SHADE", "SHELF"]
    world.wanted.clear()
    rest = wanted(
        "links", "SHADE", outcomes[rows[0].row].values, variants=rows[0].wanted["variants"]
    )
    assert (await world.one(rest)).values["variants"] == rows[0].wanted["variants"]
    assert world.wanted == []


async def test_a_variant_without_its_dimension_refuses_the_link_and_says_so() -> None:
    world = World()
    world.shop.offer("color", "Red")
    world.shop.put("SHADE", type_id="configurable")
    world.shop.put("SHADE-RED")
    outcome = await world.one(wanted("links", "SHADE", axes=["color"], variants=["SHADE-RED"]))
    assert (outcome.end, outcome.field) == (RowEnd.REFUSED, "variants")
    assert outcome.values["axes"] == ["color"]


async def test_order_quantities_are_settings_and_zero_gives_them_back_to_the_shop() -> None:
    world = World()
    world.shop.put("LAMP-1")
    change = wanted("global", "LAMP-1", min_sale_qty="6", max_sale_qty="0", qty_increments="6")
    assert (await world.one(change)).end is RowEnd.WRITTEN
    item = world.shop.products["lamp-1"].stock_item
    assert item == {
        "use_config_min_sale_qty": 0,
        "min_sale_qty": 6,
        "use_config_qty_increments": False,
        "use_config_enable_qty_inc": False,
        "enable_qty_increments": True,
        "qty_increments": 6,
    }
    assert await world.run(change) == {}
    await world.run(wanted("global", "LAMP-1", min_sale_qty="0", qty_increments="0"))
    assert (item["use_config_min_sale_qty"], item["use_config_qty_increments"]) == (1, True)


async def test_another_kind_of_product_under_the_sku_is_refused() -> None:
    world = World()
    world.shop.put("SET-1", type_id="bundle")
    outcome = await world.one(wanted("global", "SET-1", type="simple", weight="2"))
    assert (outcome.end, outcome.field, world.shop.asked) == (RowEnd.REFUSED, "type", [])
    world.shop.put("SERVICE", type_id="virtual")
    assert await world.run(wanted("global", "SERVICE", type="simple")) == {}


async def test_a_product_of_another_letter_is_never_written_over() -> None:
    """The shop's database takes ü for u: what is made as LAMPE-Ü would rename LAMPE-U."""
    world = World()
    world.shop.put("LAMPE-U", name="a plain lamp")
    outcome = await world.one(wanted("global", "LAMPE-Ü", name="a lamp"))
    assert (outcome.end, outcome.field) == (RowEnd.REFUSED, "sku")
    assert outcome.text == "LAMPE-Ü is one to the shop with its product LAMPE-U"
    assert world.shop.asked == []

    outcome = await world.one(wanted("global", "lampe-u", weight="2"))
    assert outcome.end is RowEnd.WRITTEN
    assert world.shop.seen("LAMPE-U")["sku"] == "LAMPE-U"
