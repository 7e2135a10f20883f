"""Which lines are to blame when the price service refuses a batch."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.check.price_calls import Answered, RefusedBatch, ask_prices
from pricing_proxy.d365.fo.price_calls import PricedLines, PriceRequest, PriceRequestLine
from pricing_proxy.diagnosis.direct_calls import DirectErp
from pricing_proxy.resilience.errors import UpstreamRejectedError
from tests.virtual_time import run_virtual

SKUS = st.integers(1, 40).map(lambda count: [f"S{number}" for number in range(count)])


@dataclass
class Picky:
    """A price service that refuses some batches and leaves every line of the others out."""

    refuses: Callable[[list[str]], bool]
    calls: list[list[str]] = field(default_factory=list)

    async def prices(self, request: PriceRequest) -> PricedLines:
        skus = [line.ref for line in request.lines]
        self.calls.append(skus)
        if self.refuses(skus):
            raise UpstreamRejectedError("no", system="fo", status=500, reasons=("no",))
        return PricedLines(lines={}, odd={}, missing=tuple(skus))


def ask(erp: Picky, skus: list[str], *, max_lines: int = 100) -> Answered | RefusedBatch:
    lines = tuple(
        PriceRequestLine(ref=sku, item_number=sku, unit="PCS", quantity=Decimal(1)) for sku in skus
    )
    day = date(2026, 11, 23)
    request = PriceRequest(company="demf", customer="C", currency="EUR", day=day, lines=lines)
    return run_virtual(ask_prices(cast("DirectErp", erp), request, max_lines=max_lines))


@given(st.data(), SKUS, st.integers(1, 50))
def test_exactly_the_bad_lines_are_named(
    data: st.DataObject, skus: list[str], max_lines: int
) -> None:
    bad = data.draw(st.sets(st.sampled_from(skus)))
    erp = Picky(lambda batch: bool(bad & set(batch)))
    answer = ask(erp, skus, max_lines=max_lines)

    assert all(len(call) <= max_lines for call in erp.calls)
    if bad:
        assert isinstance(answer, RefusedBatch)
        assert set(answer.skus) == bad
    else:
        assert isinstance(answer, Answered)
        assert answer.silent == tuple(skus)


def test_batch_whose_halves_are_accepted_is_named_as_a_whole() -> None:
    answer = ask(Picky(lambda batch: {"A", "D"} <= set(batch)), ["A", "B", "C", "D"])

    assert isinstance(answer, RefusedBatch)
    assert answer.skus == ("A", "B", "C", "D")
