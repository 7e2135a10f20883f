"""One test order shows whether an ERP's measure is the one that stock relies on."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from sync.stock.proving import Free, NotProvableError, ProvenSku, Stage, prove

ORDERED = {"LAMP": Decimal(2)}


async def proven(
    *free: int, stages: str = "placed entered delivered"
) -> tuple[ProvenSku, list[str]]:
    reads: Iterator[int] = iter(free)
    seen = iter([Stage(each) for each in stages.split()])
    told: list[str] = []

    async def read() -> Free:
        return {"LAMP": Decimal(next(reads))}

    async def stage() -> Stage:
        return next(seen)

    async def pause() -> None:
        told.append("waits")

    [only] = await prove(ORDERED, free=read, stage=stage, pause=pause, tell=told.append)
    return only, told


async def test_a_measure_that_falls_at_entry_and_stays_at_the_slip_is_right() -> None:
    stages = "placed placed entered entered delivered"
    only, told = await proven(10, 8, 8, stages=stages)

    assert only.is_right
    assert [each.partition(" ")[0] for each in told] == ["Read.", "waits", "Entered,", "waits"]


async def test_demand_that_does_not_show_is_told() -> None:
    only, _ = await proven(10, 10, 8)
    assert only.fault == "fell by 0 and not by 2 when the order entered"


async def test_a_measure_that_falls_again_at_the_slip_is_told() -> None:
    only, _ = await proven(10, 8, 6)
    assert only.fault == "moved by -2 when it was delivered"


async def test_an_order_that_is_in_the_erp_already_proves_nothing() -> None:
    with pytest.raises(NotProvableError, match="in the ERP already"):
        await proven(10, 8, 8, stages="entered")
