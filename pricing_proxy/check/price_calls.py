"""Ask the price service for the probe lines, and name those that make it refuse a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from pricing_proxy.check.side_by_side import side_by_side
from pricing_proxy.d365.fo.models import PriceLine
from pricing_proxy.d365.fo.price_calls import PriceRequest, PriceRequestLine
from pricing_proxy.diagnosis.direct_calls import DirectErp
from pricing_proxy.resilience.errors import UpstreamRejectedError


@dataclass(frozen=True, slots=True)
class Answered:
    """What the price service said.

    Attributes:
        lines: By SKU.
        silent: SKUs it left out.
        odd: SKUs of whose lines nothing can be made, and why.
    """

    lines: Mapping[str, PriceLine]
    silent: tuple[str, ...]
    odd: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RefusedBatch:
    """It refused a batch.

    Attributes:
        skus: Those it refuses alone too.
        error: Its reason.
    """

    skus: tuple[str, ...]
    error: UpstreamRejectedError


async def ask_prices(
    erp: DirectErp, request: PriceRequest, *, max_lines: int
) -> Answered | RefusedBatch:
    """Return the answer to all lines; raises `UpstreamError` for other failures than refusals.

    Args:
        erp: Calls to F&O.
        request: All lines.
        max_lines: Lines of one call.
    """
    lines = request.lines
    batches = [lines[start : start + max_lines] for start in range(0, len(lines), max_lines)]
    answers = await side_by_side(_ask(erp, request, batch) for batch in batches)
    refusals = [answer for answer in answers if isinstance(answer, RefusedBatch)]
    if refusals:
        skus = tuple(sku for refused in refusals for sku in refused.skus)
        return RefusedBatch(skus, refusals[0].error)
    answered = [answer for answer in answers if isinstance(answer, Answered)]
    found = {sku: line for answer in answered for sku, line in answer.lines.items()}
    odd = {sku: why for answer in answered for sku, why in answer.odd.items()}
    return Answered(found, tuple(sku for answer in answered for sku in answer.silent), odd)


async def _ask(
    erp: DirectErp, request: PriceRequest, batch: Sequence[PriceRequestLine]
) -> Answered | RefusedBatch:
    try:
        priced = await erp.prices(replace(request, lines=tuple(batch)))
    except UpstreamRejectedError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise  # no service at all, whatever the lines
        if len(batch) == 1:
            return RefusedBatch((batch[0].ref,), error)
        return await _halve(erp, request, batch, error)
    return Answered(priced.lines, priced.missing, priced.odd)


async def _halve(
    erp: DirectErp,
    request: PriceRequest,
    batch: Sequence[PriceRequestLine],
    error: UpstreamRejectedError,
) -> RefusedBatch:
    middle = len(batch) // 2
    halves = await side_by_side(
        _ask(erp, request, half) for half in (batch[:middle], batch[middle:])
    )
    refusals = [half for half in halves if isinstance(half, RefusedBatch)]
    if not refusals:
        # Each half is accepted, the whole is not: nobody alone is to blame.
        return RefusedBatch(tuple(line.ref for line in batch), error)
    return RefusedBatch(tuple(sku for half in refusals for sku in half.skus), refusals[0].error)
