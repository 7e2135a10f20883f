"""The walks of a page and of an order that README tells, beside what pages and orders pass."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.code.layout import ROOT, rooms, walk
from tests.integration.running import running_service
from tests.integration.sync_running import running_sync

# Composition passes functions on, which are called on the way; the sandbox is the other side;
# returns are polled meanwhile.
_BESIDE = ("pricing_proxy/serve", "pricing_proxy/sandbox", "sync/serve", "sync/returns", "tests")
# Their own modules are in no room.
_HOUSES = {"pricing_proxy", "sync"}


@contextmanager
def walking() -> Iterator[set[str]]:
    """Yield the rooms whose functions this thread's calls come through."""
    passed: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            passed.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        yield passed
    finally:
        sys.setprofile(None)


def rooms_of(files: set[str]) -> set[str]:
    """Return the rooms of the programs that files are in."""
    inside = (Path(file) for file in files if file.startswith(f"{ROOT}/"))
    found = {file.relative_to(ROOT).parent.as_posix() for file in inside}
    return {room for room in (found & rooms()) - _HOUSES if not room.startswith(_BESIDE)}


async def test_the_walk_of_a_page_names_every_room_it_passes(tmp_path: Path) -> None:
    async with running_service(tmp_path) as running:
        with walking() as passed:
            await running.warm(["LAMP-01"])
            await running.warm(["LAMP-01"])

    assert rooms_of(passed) - {step.room for step in walk("A page")} == set()


async def test_the_walk_of_an_order_names_every_room_it_passes(
    tmp_path: Path, database_url: str
) -> None:
    async with running_sync(tmp_path, database_url) as world:
        with walking() as passed:
            await world.arrived(*await world.place(customer=1))

    assert rooms_of(passed) - {step.room for step in walk("An order")} == set()
