"""When a write is journalled, and when it is sent again."""

from datetime import timedelta

import pytest

from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamConflictError,
    UpstreamError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
)
from sync.engine.writes import written
from tests.fakes.order_shop import FakeWork, event_of
from tests.orders.selling_one import ORDER
from tests.virtual_time import ManualClock

MOMENT, LONG = timedelta(seconds=1), timedelta(seconds=30)


class Wire:
    """Fails with the errors it was given, then answers; a refused call stays off it."""

    def __init__(self, *errors: UpstreamError) -> None:
        self.errors = list(errors)
        self.sendings = 0

    async def send(self, *, guard: Guard) -> str:
        error = self.errors.pop(0) if self.errors else None
        if not isinstance(error, CallRefusedError):
            await guard()
            self.sendings += 1
        if error is not None:
            raise error
        return "000697"


def throttled(wait: timedelta | None) -> UpstreamThrottledError:
    return UpstreamThrottledError("slow down", system="fo", retry_after=wait)


@pytest.fixture
def work() -> FakeWork:
    return FakeWork(event_of(ORDER), ManualClock())


async def write(work: FakeWork, wire: Wire) -> str:
    return await written(work, "fo", "create", {"n": 1}, wire.send)


async def test_a_write_that_is_throttled_for_a_moment_goes_again_with_an_entry_of_its_own(
    work: FakeWork,
) -> None:
    """Left to the queue, the order would be read anew from its beginning."""
    wire = Wire(throttled(MOMENT), throttled(MOMENT))

    assert await write(work, wire) == "000697"

    assert wire.sendings == 3
    assert work.acks == [("create", 0), ("create", 0), ("create", 200)]
    assert not work.open_entries


@pytest.mark.parametrize(
    ("waits", "sendings"), [([LONG], 1), ([None], 1), ([MOMENT, LONG], 2), ([MOMENT] * 9, 4)]
)
async def test_a_long_throttling_goes_to_the_queue(
    work: FakeWork, waits: list[timedelta | None], sendings: int
) -> None:
    wire = Wire(*map(throttled, waits))

    with pytest.raises(UpstreamThrottledError):
        await write(work, wire)

    assert wire.sendings == sendings
    assert not work.open_entries


async def test_what_waits_for_its_turn_and_never_goes_is_in_no_doubt(work: FakeWork) -> None:
    """Else everything that waits in a worker that dies would have to be waited out."""
    with pytest.raises(CallRefusedError):
        await write(work, Wire(CallRefusedError("closed", system="fo", retry_after=LONG)))

    assert not work.open_entries
    assert not work.acks


async def test_what_was_answered_is_in_no_doubt_though_it_passes(work: FakeWork) -> None:
    """Else the loser of a deadlock would be looked for until no write can arrive any more."""
    conflict = UpstreamConflictError("a deadlock", system="magento", status=400)
    with pytest.raises(UpstreamConflictError):
        await write(work, Wire(conflict))

    assert not work.open_entries
    assert work.acks == [("create", 400)]


async def test_what_may_have_been_done_is_sent_once_and_stays_open(work: FakeWork) -> None:
    wire = Wire(UpstreamTimeoutError("no answer in time", system="fo"))

    with pytest.raises(UpstreamTimeoutError):
        await write(work, wire)

    assert wire.sendings == 1
    assert [entry.operation for entry in work.open_entries] == ["create"]
