"""Find out which lines were in the ERP while on-hand was read, and keep what is found.

The journal knows of what we bring over. Another order, from before the start or brought over by
somebody else, is looked up in the ERP once, and once more when it gets a number there.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from pricing_proxy.clock import Clock
from sync.stock.ports import ErpLookup, KeptLines, OrderTraces
from sync.stock.presence import LinePresence, OnHandWindow, presence, present_since
from sync.store.order_writes import OrderTrace
from sync.store.shop_line_records import ShopLine


class Judging:
    """Judges lines.

    Args:
        lines: Where they are kept.
        traces: What the journal says.
        lookup: Looks for single orders in the ERP.
        clock: Time.
    """

    def __init__(
        self, lines: KeptLines, traces: OrderTraces, lookup: ErpLookup, *, clock: Clock
    ) -> None:
        self._lines = lines
        self._traces = traces
        self._lookup = lookup
        self._clock = clock

    async def judge(
        self, lines: Sequence[ShopLine], window_of: Callable[[ShopLine], OnHandWindow]
    ) -> Mapping[int, LinePresence]:
        """Return what is known of each line, by its id; raises `UpstreamError`."""
        unknown = {line.order_id for line in lines if line.present_since is None}
        traces = await self._traces.of(unknown)
        found = await self._looked_up(lines, traces)
        since = {
            line.item_id: instant
            for line in lines
            if line.present_since is None
            and (
                instant := found.get(line.order_id)
                or present_since(line, traces.get(line.order_id))
            )
        }
        await self._lines.note_present(since)
        return {
            line.item_id: presence(
                line,
                window_of(line),
                traces.get(line.order_id),
                since=since.get(line.item_id, line.present_since),
            )
            for line in lines
        }

    async def _looked_up(
        self, lines: Sequence[ShopLine], traces: Mapping[int, OrderTrace]
    ) -> Mapping[int, datetime]:
        """Return since when orders are known that nobody but the ERP can tell of."""
        asked: dict[int, str] = {}
        found: dict[int, datetime] = {}
        for line in lines:
            order = line.order_id
            if order in asked or order in traces or not _is_to_be_asked(line):
                continue
            asked[order] = line.erp_number
            began_at = self._clock.utc()
            if await self._lookup.has(line):
                found[order] = began_at
        await self._lines.note_asked(asked)
        return found


def _is_to_be_asked(line: ShopLine) -> bool:
    is_known = line.present_since is not None or line.asked_as == line.erp_number
    is_others = not line.is_expected or bool(line.erp_number)
    return is_others and not is_known
