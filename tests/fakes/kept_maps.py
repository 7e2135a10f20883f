"""What Redis keeps of one market's maps, for all replicas of a test."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.kept_map import KeptMap, MapHead, MapKind
from pricing_proxy.shared_state.maps import AllIds, IdAnswer, IdsState, SharedStateError, Turn

R = TypeVar("R")


@dataclass
class FakeKept:
    """A `prices.ports.KeptMaps`.

    Attributes:
        maps: By kind.
        accounts: By the shop's id.
        state: How complete these are.
        noted: Customers that the sync told of.
        is_cut: Makes every call fail.
        takes_nothing: Makes every write fail, as a full Redis does.
        account_reads: How often single ids were asked for.
        map_reads: How often whole maps were.
    """

    maps: dict[str, KeptMap[Any]] = field(default_factory=dict)
    accounts: dict[int, str] = field(default_factory=dict)
    state: IdsState = IdsState.NONE
    noted: dict[str, Customer] = field(default_factory=dict)
    is_cut: bool = False
    takes_nothing: bool = False
    account_reads: int = 0
    map_reads: int = 0
    turn: tuple[Turn, float] = (Turn.MINE, 0.0)

    async def head(self, kind: MapKind[R], market: str) -> MapHead | None:
        self._check(market)
        kept = self.maps.get(kind.name)
        return None if kept is None else MapHead(kept.as_of, kept.sizes, len(kept.rows))

    async def read(
        self, kind: MapKind[R], market: str, held: Mapping[str, R] | None = None
    ) -> KeptMap[R] | None:
        del held
        self._check(market)
        self.map_reads += 1
        return self.maps.get(kind.name)

    async def keep(self, kind: MapKind[R], market: str, kept: KeptMap[R]) -> None:
        self._check(market, is_write=True)
        self.maps[kind.name] = kept

    async def take_turn(self, market: str, hold: timedelta) -> Turn:
        self._check(market, is_write=True)
        turn, until = self.turn
        if asyncio.get_running_loop().time() < until:
            return turn
        await self.hold_turn(market, Turn.READING, hold)
        return Turn.MINE

    async def hold_turn(self, market: str, turn: Turn, hold: timedelta) -> None:
        self._check(market, is_write=True)
        self.turn = turn, asyncio.get_running_loop().time() + hold.total_seconds()

    async def account_of(self, market: str, shop_id: int) -> IdAnswer:
        self._check(market)
        self.account_reads += 1
        return IdAnswer(self.accounts.get(shop_id), self.state)

    async def all_accounts(self, market: str) -> AllIds:
        self._check(market)
        return AllIds(dict(self.accounts), self.state)

    async def note_ids_state(self, market: str, state: IdsState) -> None:
        self._check(market, is_write=True)
        self.state = state

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        self._check(market, is_write=True)
        self.accounts.update(accounts)

    async def noted_customer(self, market: str, account: str) -> Customer | None:
        self._check(market)
        return self.noted.get(account)

    def lose_ids(self) -> None:
        """Be without the ids, as when their key was evicted."""
        self.accounts, self.state = {}, IdsState.NONE

    def _check(self, market: str, *, is_write: bool = False) -> None:
        assert market == "b2b_de"
        if self.is_cut or (is_write and self.takes_nothing):
            raise SharedStateError("cut")
