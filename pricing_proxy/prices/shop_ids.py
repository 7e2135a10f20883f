"""Whose a customer of the shop is: asked of Redis, and remembered for when it cannot tell.

All accounts of the shop's ids are in memory, read anew with the maps. Redis says who was linked
or unlinked since. While it is away, or has lost the ids (which `IdsState` tells from a customer
without an account), memory answers for up to a day, and that is said; the sync fills Redis again
within seconds, and the ids of the configuration are written again here.
"""

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.clock import Clock
from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.prices.ports import KeptMaps
from pricing_proxy.shared_state.maps import IdsState, SharedStateError

_log = logging.getLogger(__name__)

# A customer who was linked to another account, or to none, is followed within this.
_BELIEVED_US = 5 * SECOND_US
# While Redis cannot tell, memory stands in as long as a price may: who was unlinked meanwhile
# is not known here.
_STANDS_IN_US = 86_400 * SECOND_US
# And Redis is asked again after this.
_ASKED_AGAIN_US = SECOND_US
_MICROSECOND = timedelta(microseconds=1)
# Far above what a few seconds bring.
_MOST_BELIEVED = 10_000


@dataclass(slots=True)
class _Believed:
    """An answer of Redis: when it was read, and until when it need not be asked again."""

    account: str
    read_us: int
    until_us: int


class ShopIds:
    """The accounts of one market's shop customers.

    Args:
        market: Code of the market.
        kept: Where they are kept.
        clock: Time.
        seeds: Accounts of shop ids to write at start, for trying things out.
    """

    def __init__(
        self, market: str, *, kept: KeptMaps, clock: Clock, seeds: Mapping[int, str]
    ) -> None:
        self._market = market
        self._kept = kept
        self._clock = clock
        self._seeds = seeds
        self._all: dict[int, str] = {}
        self._all_read_us = 0
        self._believed: OrderedDict[int, _Believed] = OrderedDict()
        self._best = IdsState.NONE
        self._is_new = True
        self._is_lost = False

    @property
    def count(self) -> int:
        """How many are in memory."""
        return len(self._all)

    @property
    def is_lost(self) -> bool:
        """Whether Redis has lost them, so that memory answers."""
        return self._is_lost

    async def account_of(self, shop_id: int) -> str | None:
        """Return the account of an id; raises `SharedStateError` where nobody can tell.

        A change reaches this within five seconds.
        """
        now_us = self._clock.monotonic_us()
        believed = self._believed.get(shop_id)
        if believed is not None and now_us < believed.until_us:
            return believed.account
        try:
            answer = await self._kept.account_of(self._market, shop_id)
        except SharedStateError:
            return self._remembered(shop_id, now_us)
        self._judge(answer.state)
        if answer.account is not None:
            self._all[shop_id] = answer.account
            self._believe(shop_id, _Believed(answer.account, now_us, now_us + _BELIEVED_US))
            return answer.account
        if self._is_lost:
            return self._remembered(shop_id, now_us)
        self._believed.pop(shop_id, None)
        self._all.pop(shop_id, None)
        return None

    async def follow(self, every: timedelta) -> None:
        """Read all of them now and then, and while some are lost; raises `SharedStateError`."""
        now_us = self._clock.monotonic_us()
        if self._is_new or self._is_lost or now_us - self._all_read_us >= every // _MICROSECOND:
            await self._read_all()

    async def _read_all(self) -> None:
        found = await self._kept.all_accounts(self._market)
        fresh = {one: account for one, account in self._seeds.items() if one not in found.accounts}
        if fresh and (self._is_new or found.state is IdsState.NONE):
            # Of ids that nobody has mapped: the sync's links are newer.
            await self._kept.map_accounts(self._market, fresh)
            found.accounts.update(fresh)
        if self._seeds and found.state is IdsState.NONE:
            await self._kept.note_ids_state(self._market, IdsState.SEEDED)
            found = found._replace(state=IdsState.SEEDED)
        self._is_new = False
        self._judge(found.state)
        if self._is_lost:
            self._all.update(found.accounts)
            return
        self._all, self._all_read_us = found.accounts, self._clock.monotonic_us()

    def _judge(self, state: IdsState) -> None:
        """Take note of how complete Redis is: less than it was means that it has lost ids."""
        is_lost = state < self._best
        self._best = max(self._best, state)
        if is_lost and not self._is_lost:
            _log.warning(
                "market %s: Redis has lost the accounts of the shop's customers (evicted, or "
                "emptied); %d of them are answered from memory until d365-sync has written them "
                "again",
                self._market,
                len(self._all),
            )
        elif self._is_lost and not is_lost:
            _log.info("market %s: the accounts of the shop's customers are back", self._market)
        self._is_lost = is_lost

    def _remembered(self, shop_id: int, now_us: int) -> str:
        known = self._believed.get(shop_id)
        if known is None and shop_id in self._all:
            known = _Believed(self._all[shop_id], self._all_read_us, now_us)
        if known is None or now_us >= known.read_us + _STANDS_IN_US:
            raise SharedStateError("Redis cannot tell whose a customer of the shop is")
        known.until_us = now_us + _ASKED_AGAIN_US
        self._believe(shop_id, known)
        return known.account

    def _believe(self, shop_id: int, known: _Believed) -> None:
        self._believed[shop_id] = known
        if len(self._believed) > _MOST_BELIEVED:
            self._believed.popitem(last=False)
