"""Send quantities to the shop's sources: together where it takes them, else source by source.

A batch is written whole or not at all, so one source item that the shop refuses keeps all others
from being written. Batches of several SKUs go in halves (`sync.mirror.batches`); a SKU alone goes
source by source here, what is lowered first, since a source that stays too high oversells:

    the shop takes it                              it is written
    the shop refuses it, or breaks at it while     it is refused, and its source keeps what it has
        it takes others
    nobody answers, or it takes none at all        raised: the chunk comes back, and looks first

What the shop could not keep exactly is never sent: its column has eight digits before the point
and four after it, and a larger number is stored as the largest, without a word.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from pricing_proxy.resilience.errors import UpstreamError, UpstreamRejectedError, words_of
from sync.engine.blame import Blame, blame_of
from sync.engine.flow import Work
from sync.engine.writes import written
from sync.magento.source_items import IN_STOCK, SourceQuantity
from sync.magento.stock_ports import ShopSources
from sync.mirror.batches import is_of_rows
from sync.mirror.keys import folded
from sync.stock.mapping import plain

MOST = Decimal("99999999.9999")
"""The largest quantity that the shop keeps: `decimal(12,4)`."""
_SHOP, _WRITE = "magento", "source items"


class SourceKey(NamedTuple):
    """What a source item is of: a SKU, as all its spellings share it, and a source."""

    folded: str
    source: str


Refused = Mapping[SourceKey, str]
"""The shop's words about source items that it does not take."""


class SourceSending:
    """Sends what a batch writes.

    Args:
        shop: The shop's sources.
    """

    def __init__(self, shop: ShopSources) -> None:
        self._shop = shop

    async def send(
        self, quantities: Sequence[SourceQuantity], held: Mapping[SourceKey, Decimal], work: Work
    ) -> dict[SourceKey, str]:
        """Write quantities; return those that the shop refused. Raises `UpstreamError`.

        Args:
            quantities: What is to be there; of one SKU alone, each source is judged by itself.
            held: What is there.
            work: The event at work.
        """
        fitting = [each for each in quantities if each.quantity <= MOST]
        refused = {key_of(each): _too_much(each) for each in quantities if each.quantity > MOST}
        if not fitting:
            return refused
        try:
            await self._sent(fitting, work)
        except UpstreamError as error:
            left = await self._left(fitting)
            if not left:
                return refused
            if not is_of_rows(error) or len({folded(each.sku) for each in fitting}) > 1:
                raise
            if len(fitting) > 1:
                return refused | await self._one_by_one(left, held, work, total=len(fitting))
            if not _is_refusal(error):
                raise
            return refused | {key_of(left[0]): _words(error)}
        return refused

    async def _one_by_one(
        self,
        quantities: Sequence[SourceQuantity],
        held: Mapping[SourceKey, Decimal],
        work: Work,
        *,
        total: int,
    ) -> dict[SourceKey, str]:
        errors: dict[SourceKey, UpstreamError] = {}
        for each in sorted(quantities, key=partial(_rise, held)):
            try:
                await self._sent([each], work)
            except UpstreamError as error:
                if not is_of_rows(error):
                    raise
                if await self._left([each]):
                    errors[key_of(each)] = error
        if len(errors) == total:
            # None was taken: unless the shop says that it is for what they are, it is its fault.
            for unclear in errors.values():
                if not _is_refusal(unclear):
                    raise unclear
        return {key: _words(each) for key, each in errors.items()}

    async def _sent(self, quantities: Sequence[SourceQuantity], work: Work) -> None:
        sent = {"sourceItems": [[row.sku, row.source, plain(row.quantity)] for row in quantities]}
        send = partial(self._shop.write_source_items, quantities)
        await written(work, _SHOP, _WRITE, sent, send)

    async def _left(self, quantities: Sequence[SourceQuantity]) -> Sequence[SourceQuantity]:
        """Return what has not arrived: Magento may have stored some, and failed afterwards."""
        skus, sources = {row.sku for row in quantities}, {row.source for row in quantities}
        there = {
            SourceKey(folded(item.sku), item.source_code): item.quantity
            for item in await self._shop.source_items(skus, sources=sorted(sources))
            if item.status == IN_STOCK
        }
        return [row for row in quantities if there.get(key_of(row)) != row.quantity]


def key_of(quantity: SourceQuantity) -> SourceKey:
    """Return what a quantity is of."""
    return SourceKey(folded(quantity.sku), quantity.source)


def _rise(held: Mapping[SourceKey, Decimal], quantity: SourceQuantity) -> Decimal:
    return quantity.quantity - held.get(key_of(quantity), Decimal(0))


def _is_refusal(error: UpstreamError) -> bool:
    return is_of_rows(error) and blame_of(error) is Blame.DOCUMENT


def _words(error: UpstreamError) -> str:
    reasons = error.reasons if isinstance(error, UpstreamRejectedError) else ()
    return "; ".join(reasons) or words_of(error)


def _too_much(quantity: SourceQuantity) -> str:
    return f"{plain(quantity.quantity)} is more than the shop can keep ({plain(MOST)})"
