"""Look after bulks that were given up: what the shop's queue does late is found, and put right.

Whoever followed a bulk has given it up at its deadline, or died; meanwhile its rows were written
one by one, and perhaps again with newer values. When the queue works them off after all, the shop
has the older values, and nothing that is known says so.

    an operation was done late     its values are the known ones now; its key is read again
    it failed                      nothing was written by it
    it is open                     it is looked after again, at growing intervals
    the shop knows the bulk no more   all its keys are read again, and compared with the shop
"""

from collections.abc import Awaitable, Callable, Sequence

from sync.magento.bulk_models import BulkOperation, OperationState
from sync.products.ports import BulkBook, BulkEnds
from sync.store.mirror_bulks import SentBulk


class LateBulks:
    """Those of one market.

    Args:
        bulks: The shop's queue.
        book: The bulks that were sent.
        want: Has keys read again; forced, they are compared with the shop whatever is known.
    """

    def __init__(
        self,
        bulks: BulkEnds,
        book: BulkBook,
        *,
        want: Callable[[Sequence[str], bool], Awaitable[None]],
    ) -> None:
        self._bulks = bulks
        self._book = book
        self._want = want

    async def look(self) -> None:
        """Look after those that are due; raises `UpstreamError`."""
        for sent in await self._book.due():
            operations = await self._bulks.ends(sent.bulk)
            if operations is None:
                await self._want([row.row.key for row in sent.rows], True)
                await self._book.ended(sent.bulk)
            else:
                await self._judge(sent, operations)

    async def _judge(self, sent: SentBulk, operations: Sequence[BulkOperation]) -> None:
        status = {each.id: each.status for each in operations}
        done = [row for row in sent.rows if status.get(row.number) == OperationState.COMPLETE]
        left = [row for row in sent.rows if _is_open(status.get(row.number))]
        if done:
            await self._book.know([row for row in done if row.values])
            # A product that was made late has all that it was made with, whoever wrote since.
            await self._want([row.row.key for row in done], sent.makes)
        if left:
            await self._book.keep(sent, left)
        else:
            await self._book.ended(sent.bulk)


def _is_open(status: OperationState | None) -> bool:
    return status is None or status is OperationState.OPEN
