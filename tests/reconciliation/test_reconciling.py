"""What becomes of a comparison: healed, kept, told, and over; by the clock, and by hand."""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.engine.database import database
from sync.reconciliation.causes import Clues
from sync.reconciliation.comparing import ComparedPage, Deviation
from sync.reconciliation.healing import Reconciled
from sync.reconciling import Reconciling
from sync.store.mirror_notices import MirrorNotices
from sync.store.reconciliations import Reconciliations
from tests.virtual_time import ManualClock

DAY = timedelta(days=1)


@dataclass
class Shelf:
    """A comparison of so many SKUs, some of which somebody edited, or nobody can explain."""

    edited: int = 0
    unexplained: int = 0
    kind: str = "stock"
    market: str = "b2b_de"
    healed: list[str] = field(default_factory=list)
    is_ready: bool = True

    async def pages(
        self, keys: Collection[str] | None = None
    ) -> AsyncGenerator[ComparedPage, None]:
        del keys
        found = [
            Deviation(
                key=f"LAMP-{number}",
                field="source berlin",
                evidence=Clues(erp="7", shop="9", known="7", is_known=number >= self.unexplained),
            )
            for number in range(self.edited + self.unexplained)
        ]
        yield ComparedPage(1000, found)

    async def heal(self, keys: Sequence[str]) -> None:
        self.healed += keys

    async def ready(self) -> bool:
        return self.is_ready

    @property
    def reconciled(self) -> Reconciled:
        return Reconciled(
            comparison=self, every=DAY, heal=self.heal, by_hand="resync", is_ready=self.ready
        )


@pytest.fixture
async def store(database_url: str) -> AsyncGenerator[AsyncEngine, None]:
    async with database(database_url, connections=2) as opened:
        yield opened


@pytest.fixture
def reconciling(store: AsyncEngine) -> Reconciling:
    return Reconciling(
        kept=Reconciliations(store),
        notices=MirrorNotices(store),
        clock=ManualClock(),
        quiet=lambda every: every / 2,
        apart=timedelta(minutes=1),
    )


async def test_a_plan_does_nothing_and_a_run_heals_keeps_and_tells(
    reconciling: Reconciling,
) -> None:
    shelf = Shelf(edited=3, unexplained=1)
    report = await reconciling.reconcile(shelf.reconciled, is_plan=True)
    assert [each.action for each in report.found] == ["would be read and written again"] * 4
    assert (shelf.healed, await reconciling.kept.last_of_each()) == ([], [])
    assert await reconciling.notices.lasting() == []

    await reconciling.reconcile(shelf.reconciled, is_plan=False)
    assert shelf.healed == ["LAMP-0", "LAMP-1", "LAMP-2", "LAMP-3"]
    [kept] = await reconciling.kept.last_of_each()
    assert (kept.kind, kept.market, kept.compared, kept.differed) == ("stock", "b2b_de", 1000, 4)
    [notice] = await reconciling.notices.lasting()
    assert notice.title == "stock of b2b_de differ between ERP and shop: 1 unexplained"
    assert "LAMP-0" in notice.text

    # The next one finds nothing that matters: the alert ends.
    await reconciling.reconcile(Shelf(edited=3).reconciled, is_plan=False)
    assert await reconciling.notices.lasting() == []


async def test_many_are_left_to_people_and_told(reconciling: Reconciling) -> None:
    shelf = Shelf(edited=201)
    report = await reconciling.reconcile(shelf.reconciled, is_plan=False)
    assert shelf.healed == []
    assert report.why == "201 differ in all"
    assert report.found[0].action == "more than is mended unasked: resync"


async def test_old_comparisons_are_forgotten(reconciling: Reconciling) -> None:
    await reconciling.reconcile(Shelf(edited=3).reconciled, is_plan=False)
    assert await reconciling.kept.forget(DAY) == 0
    assert await reconciling.kept.forget(timedelta(seconds=-1)) == 1
    assert await reconciling.kept.last_of_each() == []


async def test_by_the_clock_it_waits_for_the_quiet_hours_and_for_what_is_to_compare(
    reconciling: Reconciling,
) -> None:
    shelf = Shelf(edited=1, is_ready=False)
    schedule = reconciling.schedule(shelf.reconciled)
    assert (schedule.name, schedule.every) == ("reconcile stock of b2b_de", 2 * DAY)
    assert schedule.pace is not None
    assert await schedule.pace() == DAY / 2
    await schedule.run()
    assert shelf.healed == []
    shelf.is_ready = True
    await schedule.run()
    assert shelf.healed == ["LAMP-0"]
