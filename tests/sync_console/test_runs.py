"""Runs of a mirror from planning to undo, through the real store, engine and command line."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from pricing_proxy.clock import SystemClock
from sync.__main__ import app
from sync.engine.database import database
from sync.engine.queue import ComeBackError
from sync.engine.runner import Runner
from sync.mirror.governor import SLOTS, Governor
from sync.mirror.ports import Mirror
from sync.mirroring import Mirroring
from sync.sections import MirrorSection
from sync.store.claims import Claims
from sync.store.lines import Urgency
from sync.store.mirror_notices import MirrorNotices
from sync.store.mirror_pace import MirrorPaces
from sync.store.mirror_plans import MirrorPlans
from sync.store.mirror_records import RowKey
from sync.store.tables import sync_event
from tests.fakes.mirror_world import FLOW, LIMITS, MARKET, SHOP, ToyErp, risks
from tests.fakes.toy_shop import ToyShop
from tests.sync_console.conftest import CommandLine
from tests.sync_engine.engine import Engine
from tests.virtual_time import ManualClock

SKUS = [f"LAMP-{number:02}" for number in range(12)]


@dataclass
class Toys:
    """A mirror whose chunks are carried as they come."""

    store: AsyncEngine
    engine: Engine
    erp: ToyErp
    shop: ToyShop
    mirror: Mirror
    mirroring: Mirroring
    runner: Runner

    @classmethod
    def over(cls, store: AsyncEngine, **settings: Any) -> "Toys":
        engine, clock = Engine(store), SystemClock()
        plans = MirrorPlans(store)
        governor = Governor(
            MirrorPaces(store), Claims(store, SLOTS), shop=SHOP, ceiling=2, clock=clock
        )
        mirroring = Mirroring(
            section=MirrorSection(),
            plans=plans,
            events=engine.events,
            interventions=engine.interventions,
            governor=governor,
            notices=MirrorNotices(store),
            clock=clock,
        )
        erp, shop = ToyErp(ManualClock()), ToyShop()
        mirror = Mirror(
            flow=FLOW,
            market=MARKET,
            shop=SHOP,
            scopes=["global"],
            reader=erp,
            writer=shop,
            risks=risks,
            limits=LIMITS,
            chunk_rows=5,
            batch_rows=2,
            **settings,
        )
        runner = Runner(
            database=store,
            events=engine.events,
            journal=engine.journal,
            flows={FLOW: mirroring.flow(FLOW, [mirror])},
            clock=clock,
            give_up_after=5,
        )
        return cls(store, engine, erp, shop, mirror, mirroring, runner)

    async def read(self) -> int:
        """Read everything and carry what is entered; return the run's number."""
        await self.mirroring.reads(self.mirror).full()
        await self.carry()
        return (await self.mirroring.plans.views.newest(most=1))[0].id

    async def carry(self) -> None:
        """Carry events until none moves."""
        moving = select(sync_event.c.id).where(sync_event.c.state.in_(("received", "waiting")))
        for _ in range(50):
            async with self.store.connect() as connection:
                found = list((await connection.execute(moving.order_by(sync_event.c.id))).scalars())
            if not found:
                return
            for event in found:
                try:
                    await self.runner.carry(event)
                except ComeBackError:
                    continue
        raise AssertionError("events move for ever")

    def prices(self) -> set[object]:
        return {held.values["price"] for held in self.shop.rows.values()}


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[AsyncEngine]:
    async with database(database_url, connections=8) as opened:
        yield opened


async def full_shop(store: AsyncEngine) -> Toys:
    """Return toys of a shop that is full before the first run, which has compared it."""
    toys = Toys.over(store)
    for sku in SKUS:
        toys.erp.rows[sku] = {"name": sku.lower(), "price": "10"}
        toys.shop.put(RowKey("global", sku), name=sku.lower(), price="10", text="by hand")
    toys.shop.put(RowKey("global", SKUS[0]), price="11", name="Lamp, by hand")
    await toys.read()
    assert toys.shop.log == []
    return toys


async def adopted(store: AsyncEngine) -> Toys:
    """Return such toys after somebody has decided."""
    toys = await full_shop(store)
    await toys.mirroring.plans.decisions.adopt(1, by="sam", how="overwrite")
    await toys.mirroring.entries.enter_first(1, toys.mirror, Urgency.FRESH)
    await toys.carry()
    return toys


async def test_a_full_shop_is_adopted_field_by_field_and_undo_takes_a_run_back(
    store: AsyncEngine, d365_sync: CommandLine
) -> None:
    toys = await full_shop(store)
    shown = (await d365_sync("runs", "show", "1")).stdout
    assert "runs approve 1 --adopt keep" in shown
    result = await d365_sync("runs", "approve", "1", "--adopt", "keep", "--field", "name", "--yes")
    assert result.exit_code == 0, result.output
    result = await d365_sync("runs", "approve", "1", "--adopt", "overwrite", "--yes")
    assert result.exit_code == 0, result.output
    await toys.carry()
    first = toys.shop.rows[RowKey("global", SKUS[0])].values
    assert (first["price"], first["name"]) == ("10", "Lamp, by hand")

    for sku in SKUS[:3]:
        toys.erp.rows[sku]["price"] = "12"
    run = await toys.read()
    assert toys.prices() == {"10", "12"}
    listed = await d365_sync.json("runs")
    assert listed[0]["run"]["id"] == run
    assert listed[0]["rows"] == {"written": 3}
    toys.shop.put(RowKey("global", SKUS[1]), price="99")
    result = await d365_sync("runs", "undo", str(run), "--yes")
    assert result.exit_code == 0, result.output
    await toys.carry()
    prices = [toys.shop.rows[RowKey("global", sku)].values["price"] for sku in SKUS[:3]]
    assert prices == ["10", "99", "10"]
    story = await d365_sync.json("runs", "show", str(run + 1), "--state", "kept")
    assert [row["key"] for row in story["sample"]] == [SKUS[1]]


async def test_a_poisoned_export_waits_until_somebody_decides(
    store: AsyncEngine, d365_sync: CommandLine
) -> None:
    toys = await adopted(store)
    for sku in SKUS:
        toys.erp.rows[sku]["price"] = "0"
    written = len(toys.shop.log)
    run = await toys.read()
    assert "0" not in toys.prices()
    assert len(toys.shop.log) == written
    shown = (await d365_sync("runs", "show", str(run))).stdout
    assert "zeroed" in shown
    assert f"runs reject {run}" in shown

    # Nobody can answer here: it says what would be done, and does nothing.
    for word, question in (("approve", "Write 12 rows"), ("reject", "Give up 12 rows")):
        asked = await d365_sync("runs", word, str(run))
        assert asked.exit_code == 1
        assert f"{question} of run {run} ({FLOW} of {MARKET})?" in " ".join(asked.output.split())
        assert "--yes" in asked.output
        assert all(part in asked.stdout for part in ("zeroed", "-100 %", "LAMP-00", "10"))
    assert "0" not in toys.prices()
    result = await d365_sync("runs", "reject", str(run), "--yes")
    assert f"12 rows of run {run} given up" in result.stdout
    await toys.carry()
    assert "0" not in toys.prices()

    for sku in SKUS:
        toys.erp.rows[sku]["price"] = "12"
    run = await toys.read()
    result = await d365_sync("runs", "approve", str(run), "--risk", "repriced", "--yes")
    assert result.exit_code == 0, result.output
    await toys.carry()
    assert toys.prices() == {"12"}

    toys.erp.rows.clear()
    run = await toys.read()
    assert "the ERP has no rows at all" in (await d365_sync("runs")).stdout


async def test_a_refused_row_is_a_held_event_that_replay_brings_over(
    store: AsyncEngine, d365_sync: CommandLine
) -> None:
    toys = await adopted(store)
    toys.shop.bad = {SKUS[4]}
    toys.erp.rows[SKUS[4]]["price"] = "12"
    toys.erp.rows[SKUS[5]]["price"] = "12"
    await toys.read()
    assert toys.shop.rows[RowKey("global", SKUS[5])].values["price"] == "12"
    [held] = await d365_sync.json("failed")
    assert (held["business_key"], held["state"]) == (SKUS[4], "held")
    assert held["trouble"]["text"] == "a name is required"

    toys.shop.bad = set()
    assert (await d365_sync("replay", str(held["id"]))).exit_code == 0
    await toys.carry()
    assert toys.shop.rows[RowKey("global", SKUS[4])].values["price"] == "12"
    assert await d365_sync.json("failed") == []


async def test_help_teaches_and_mistakes_are_told(d365_sync: CommandLine) -> None:
    told = CliRunner().invoke(app, ["runs", "--help"]).stdout
    assert all(name in told for name in ("show", "approve", "reject", "undo"))
    assert "--adopt" in CliRunner().invoke(app, ["runs", "approve", "--help"]).stdout
    assert (await d365_sync("runs", "show", "7")).exit_code == 1
    wrong = await d365_sync("runs", "approve", "7", "--field", "name")
    assert "--adopt" in wrong.output
    assert (await d365_sync("resync", "orders")).exit_code == 1
