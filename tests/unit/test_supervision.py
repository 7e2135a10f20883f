"""Background work outlives every error, and shows that it had one."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from pricing_proxy.background import Background, Ongoing
from pricing_proxy.supervision import LoopView, Supervision
from pricing_proxy.telemetry.program_metrics import ProgramMetrics
from tests.virtual_time import run_virtual


class Work(Background):
    """Runs what it is given, and notes when it began."""

    def __init__(self, run: Callable[[], object]) -> None:
        self.run = run
        self.began: list[float] = []

    async def _for_ever(self) -> None:
        self.began.append(asyncio.get_running_loop().time())
        self.run()
        await asyncio.Event().wait()


def broken() -> None:
    raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")


def cancelled() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("ending", [broken, cancelled])
def test_work_that_ends_begins_again_after_a_pause_that_doubles(
    ending: Callable[[], None],
) -> None:
    """A library that cancels what the work waits for ends it no more than an error."""

    async def main() -> list[float]:
        async with Work(ending) as work:
            await asyncio.sleep(300)
        return work.began

    began = run_virtual(main())
    pauses = [round(after - before) for before, after in pairwise(began)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_work_that_returns_begins_again_too() -> None:
    class Short(Background):
        times = 0

        async def _for_ever(self) -> None:
            self.times += 1

    async def main() -> int:
        async with Short() as work:
            await asyncio.sleep(10)
        return work.times

    assert run_virtual(main()) == 4


def test_work_is_red_until_it_has_run_well_for_two_minutes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> tuple[LoopView, ...]:
        supervision = Supervision()
        quiet = Work(lambda: None).watched(supervision, "quiet work")
        failing = Work(broken).watched(supervision, "work")
        async with quiet, failing:
            before = supervision.view()[0]
            await asyncio.sleep(10)
            first = supervision.view()[0]
            failing.run = lambda: None
            await asyncio.sleep(110)
            then = supervision.view()[0]
            await asyncio.sleep(20)
            return before, first, then, supervision.view()[1]

    before, first, then, last = run_virtual(main())
    assert (before.failures, before.is_failing) == (0, False)
    assert (first.name, first.failures, first.error) == ("work", 4, "RuntimeError")
    assert (first.is_failing, then.is_failing, last.is_failing) == (True, True, False)
    assert (last.name, last.failures) == ("work", 4)
    assert [record.message for record in caplog.records] == ["work failed, and goes on soon"] * 4
    assert all(record.exc_info for record in caplog.records)


def test_one_loop_that_fails_does_not_hold_up_its_sisters() -> None:
    class Two(Background):
        ticks = 0

        def _ongoing(self) -> Ongoing:
            return [self._for_ever, self._tick]

        async def _for_ever(self) -> None:
            broken()

        async def _tick(self) -> None:
            while True:
                await asyncio.sleep(1)
                self.ticks += 1

    async def main() -> int:
        async with Two() as work:
            await asyncio.sleep(30.5)
        return work.ticks

    assert run_virtual(main()) == 30


def test_what_is_told_to_end_does_not_begin_again() -> None:
    class Stubborn(Background):
        times = 0

        async def _for_ever(self) -> None:
            self.times += 1
            try:
                await asyncio.sleep(3600)
            finally:
                broken()

    async def main() -> int:
        async with Stubborn() as work:
            await asyncio.sleep(1)
        await asyncio.sleep(300)
        return work.times

    assert run_virtual(main()) == 1


def test_something_done_once_is_told_when_it_fails() -> None:
    class Teller(Background):
        async def _for_ever(self) -> None:
            await asyncio.Event().wait()

        def tell(self) -> None:
            self._do(self._fail)

        async def _fail(self) -> None:
            broken()

    async def main() -> LoopView:
        supervision = Supervision()
        async with Teller().watched(supervision, "telling") as teller:
            teller.tell()
            await asyncio.sleep(0.1)
            return supervision.view()[0]

    assert run_virtual(main()).failures == 1


def test_metrics_count_what_failed() -> None:
    async def main() -> str:
        metrics = ProgramMetrics("program_", calls="call")
        async with Work(broken).watched(metrics.watch_background(), "work"):
            await asyncio.sleep(2)
            return metrics.text().decode()

    text = run_virtual(main())
    assert 'program_background_failures_total{work="work"} 2.0' in text
    assert 'program_background_failing{work="work"} 1.0' in text
