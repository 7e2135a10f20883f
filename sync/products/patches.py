"""Write members of many products through the shop's queue, or of few one by one.

What the queue's database was in its own way at, and what is open past the deadline, is written
alone, and again where the database is so once more: of products that were to be made, those that
are not there. A queue of which nothing more is worked off is a dead consumer, and so all is written
one by one for a while. It may still do later what is open, and then writes what was wanted before:
so a bulk is kept from its sending until each of its ends is known, and `late_bulks` looks after
those that nobody follows any more.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from pricing_proxy.clock import Clock
from pricing_proxy.http_exchange import Guard
from pricing_proxy.names import same_name_key
from sync.engine.flow import Work
from sync.engine.writes import written
from sync.magento.answers import MagentoRejectedError
from sync.magento.bulk_models import BulkOperation, OperationState
from sync.magento.catalog import ALL
from sync.mirror.conflicts import past_conflicts
from sync.mirror.ports import PlannedRow
from sync.products.options import FieldFaultError
from sync.products.ports import BulkBook, ShopBulks, ShopCatalog
from sync.store.mirror_bulks import BulkRow

_MAGENTO = "magento"
_CREATE = "create products"
# As long as a handful takes one by one, a queue that is asked every few seconds has not begun.
_FEW = 3
ALONE_FOR = timedelta(minutes=10)
"""How long products are written one by one after a bulk that was not worked off."""

_ALONE_FOR_US = ALONE_FOR // timedelta(microseconds=1)
_ADVICE = "correct what the shop refuses, in the ERP or by the rules; then replay"


@dataclass(frozen=True, slots=True)
class Patch:
    """Members of one product, which fields of a row become.

    Attributes:
        row: The row.
        sku: In the shop's spelling.
        members: What is sent beside it.
        fields: Which of the row's fields these are.
    """

    row: PlannedRow
    sku: str
    members: Mapping[str, Any]
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class Patched:
    """What came of a patch.

    Attributes:
        product: As the shop answered; None where it is not known.
        fault: Why it was refused.
    """

    product: Mapping[str, Any] | None = None
    fault: FieldFaultError | None = None


class ProductPatches:
    """Writes products of one shop.

    Args:
        catalog: Its products.
        bulks: Its queue.
        book: The bulks that were sent.
        clock: Time.
        wait: For how long the queue may work off nothing more of a batch.
        overdue: Told of a bulk that the queue then has not worked off.
    """

    def __init__(
        self,
        catalog: ShopCatalog,
        bulks: ShopBulks,
        *,
        book: BulkBook,
        clock: Clock,
        wait: timedelta,
        overdue: Callable[[str], Awaitable[None]],
    ) -> None:
        self._catalog = catalog
        self._bulks = bulks
        self._book = book
        self._clock = clock
        self._wait = wait
        self._overdue = overdue
        self._alone_until_us = 0

    async def change(
        self, patches: Sequence[Patch], *, store: str, work: Work
    ) -> Sequence[Patched]:
        """Change products as one store view has them; what came of each is in the same order.

        Raises:
            UpstreamError: The shop took none of it, or perhaps all.
        """
        if self._is_alone(patches):
            return [await self._changed_alone(each, store, work) for each in patches]
        rows = [{"sku": each.sku, **each.members} for each in patches]

        async def send(*, guard: Guard) -> str:
            return await self._bulks.change_products(rows, store=store, guard=guard)

        ends = await self._followed("change products", store, patches, send, work)
        return [
            await self._changed_alone(patch, store, work) if end is None else end
            for patch, end in zip(patches, ends, strict=True)
        ]

    async def create(self, patches: Sequence[Patch], *, work: Work) -> Sequence[Patched]:
        """Create products; what came of each is in the same order."""
        if self._is_alone(patches):
            return [await self._created_alone(each, work) for each in patches]
        rows = [{"sku": each.sku, **each.members} for each in patches]

        async def send(*, guard: Guard) -> str:
            return await self._bulks.create_products(rows, guard=guard)

        ends = await self._followed(_CREATE, ALL, patches, send, work)
        open_ones = [patch.sku for patch, end in zip(patches, ends, strict=True) if end is None]
        listed = await self._catalog.listed(open_ones, store=ALL) if open_ones else ()
        there = {same_name_key(product.sku): product.id for product in listed}
        return [
            end or await self._looked_up(patch, there.get(same_name_key(patch.sku)), work)
            for patch, end in zip(patches, ends, strict=True)
        ]

    async def _looked_up(self, patch: Patch, number: int | None, work: Work) -> Patched:
        if number is not None:
            return Patched(product={"id": number})
        return await self._created_alone(patch, work)

    def _is_alone(self, patches: Sequence[Patch]) -> bool:
        return len(patches) <= _FEW or self._clock.monotonic_us() < self._alone_until_us

    async def _followed(
        self,
        operation: str,
        store: str,
        patches: Sequence[Patch],
        send: Callable[..., Awaitable[str]],
        work: Work,
    ) -> Sequence[Patched | None]:
        """Return what came of each row; None where that is not known."""
        about = {"store": store, "skus": [each.sku for each in patches]}
        bulk = await written(work, _MAGENTO, operation, about, send)
        rows = [_bulk_row(number, patch) for number, patch in enumerate(patches)]
        await self._book.sent(bulk, rows, makes=operation == _CREATE, within=self._wait)
        end = await self._bulks.follow(bulk, rows=len(patches), wait=self._wait)
        if not end.is_overdue:
            await self._book.ended(bulk)
        else:
            self._alone_until_us = self._clock.monotonic_us() + _ALONE_FOR_US
            left = len(patches) - len(end.ended)
            seconds = round(self._wait.total_seconds())
            still = f"bulk {bulk} has {left} of {len(patches)} rows open"
            told = f"{still}, and none ended for {seconds} s"
            await self._overdue(told)
        return [_of_operation(end.ended.get(number)) for number in range(len(patches))]

    async def _changed_alone(self, patch: Patch, store: str, work: Work) -> Patched:
        async def send(*, guard: Guard) -> str:
            saved = await self._catalog.save(patch.sku, patch.members, store=store, guard=guard)
            return str(saved.id)

        return await self._alone("change product", store, patch, send, work)

    async def _created_alone(self, patch: Patch, work: Work) -> Patched:
        async def send(*, guard: Guard) -> str:
            made = await self._catalog.create({"sku": patch.sku, **patch.members}, guard=guard)
            return str(made.id)

        return await self._alone("create product", ALL, patch, send, work)

    async def _alone(
        self,
        operation: str,
        store: str,
        patch: Patch,
        send: Callable[..., Awaitable[str]],
        work: Work,
    ) -> Patched:
        about = {"store": store, "sku": patch.sku, "fields": list(patch.fields)}
        try:
            number = await past_conflicts(partial(written, work, _MAGENTO, operation, about, send))
        except MagentoRejectedError as error:
            if error.concerns_all:
                raise
            return Patched(fault=_refused("; ".join(error.reasons) or str(error)))
        return Patched(product={"id": number})


def _bulk_row(number: int, patch: Patch) -> BulkRow:
    values = {name: patch.row.values[name] for name in patch.fields}
    return BulkRow(number=number, row=patch.row.change.row, values=values)


def _of_operation(operation: BulkOperation | None) -> Patched | None:
    """Return what came of a row; None where that is not known."""
    if operation is None:
        return None
    match operation.status:
        case OperationState.OPEN | OperationState.PASSING:
            return None
        case OperationState.FAILED if operation.passes:
            return None
        case OperationState.FAILED | OperationState.REJECTED:
            return Patched(fault=_refused(operation.words or "refused without a word"))
        case OperationState.COMPLETE:
            if operation.row_faults:
                texts = [fault.text for fault in operation.row_faults]
                return Patched(fault=_refused("; ".join(texts)))
            result = operation.result
            return Patched(product=result if isinstance(result, dict) else {})


def _refused(text: str) -> FieldFaultError:
    return FieldFaultError("sku", text, _ADVICE)
