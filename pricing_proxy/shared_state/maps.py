"""What Redis keeps of all markets' items and customers, as one store with its errors translated.

The maps come from the ERP and are written whole, by one replica of the price service for all: the
one whose turn it is. An account that is newer than its map is told of beside it, for as long as
any map may be without it. The shop's ids for accounts come from the sync as customers are linked
and unlinked, a few at first from the configuration; how complete they are stands among them, so
that an emptied or evicted hash is not taken for customers without accounts.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import astuple
from datetime import timedelta
from enum import IntEnum, StrEnum
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

from redis.asyncio import Redis

from pricing_proxy.configuration.addresses import in_one_spelling
from pricing_proxy.names import same_name_key
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.customer_map import CUSTOMERS, Customer
from pricing_proxy.shared_state.guard import RedisGuard
from pricing_proxy.shared_state.kept_map import HEAD_BYTES, KeptMap, MapHead, MapKind
from pricing_proxy.shared_state.lost_connections import REDIS_FAILURES
from pricing_proxy.shared_state.shop_claim import owner_of

R = TypeVar("R")

# The longest time between two readings of the whole map that can be configured.
_NEWS_LIVE = timedelta(days=1)
# No customer of a shop has this id; in whose place stands how complete the ids are.
_STATE_FIELD = "0"
_IDS_AT_ONCE = 1000


class Turn(StrEnum):
    """Whose turn it is to read a market's maps from the ERP."""

    MINE = "mine"
    """The caller's."""
    READING = "reading"
    """Another one's, which reads it now."""
    RESTING = "resting"
    """Nobody's for a while: it was read or tried lately."""


class IdsState(IntEnum):
    """How complete the shop's ids of a market are in Redis, from the least to the most."""

    NONE = 0
    """Nobody wrote any; or Redis has lost them."""
    SEEDED = 1
    """Those of the configuration are there."""
    FILLING = 2
    """The sync is writing all it knows."""
    COMPLETE = 3
    """The sync wrote all it knows."""


class IdAnswer(NamedTuple):
    """What Redis says of one shop id: its account, or None; and how complete the ids are."""

    account: str | None
    state: IdsState


class AllIds(NamedTuple):
    """The accounts of all shop ids, and how complete they are."""

    accounts: dict[int, str]
    state: IdsState


class SharedStateError(Exception):
    """Redis did not answer, so what both programs share is not known right now."""


class SharedMaps:
    """Reads and writes the maps; every method raises `SharedStateError`.

    Args:
        redis: A client.
        provenances: By market, what its maps are read from.
        guard: Redis' breaker, where nobody may wait for each call of a Redis that is lost.
        shop: The shop whose customers' ids are written; empty where none are but from the file.
    """

    def __init__(
        self,
        redis: Redis,
        provenances: Mapping[str, str],
        guard: RedisGuard | None = None,
        *,
        shop: str = "",
    ) -> None:
        self._redis = redis
        self._provenances = provenances
        self._guard = guard
        self._shop = in_one_spelling(shop) if shop else ""

    async def head(self, kind: MapKind[R], market: str) -> MapHead | None:
        """Return what is said of a market's kept map, None when there is none."""
        key = kind.key(self._provenances[market])
        return kind.head(await self._call(lambda: self._redis.getrange(key, 0, HEAD_BYTES)))

    async def read(
        self, kind: MapKind[R], market: str, held: Mapping[str, R] | None = None
    ) -> KeptMap[R] | None:
        """Return a market's kept map, None when there is none; `held` rows where they are equal."""
        name = kind.key(self._provenances[market])
        return await kind.decode(await self._call(lambda: self._redis.get(name)), held)

    async def keep(self, kind: MapKind[R], market: str, kept: KeptMap[R]) -> None:
        """Replace a market's kept map."""
        name, value = kind.key(self._provenances[market]), await kind.encode(kept)
        await self._call(lambda: self._redis.set(name, value))

    async def take_turn(self, market: str, hold: timedelta) -> Turn:
        """Return whose turn it is to read the ERP; when it is the caller's, for `hold` only."""
        name, value = self._turn(market), _turn_text(Turn.READING, hold)
        mine = await self._call(lambda: self._redis.set(name, value, nx=True, px=hold))
        if mine:
            return Turn.MINE
        standing = await self._call(lambda: self._redis.get(name))
        turn, _, held_ms = (standing or b"").decode().partition("|")
        if held_ms.isdigit() and await self._call(lambda: self._redis.pttl(name)) > int(held_ms):
            # Redis' clock stepped back: nobody would read anything until it has caught up.
            await self._call(lambda: self._redis.pexpire(name, int(held_ms)))
        return Turn.RESTING if turn == Turn.RESTING else Turn.READING

    async def hold_turn(self, market: str, turn: Turn, hold: timedelta) -> None:
        """Let nobody else read the ERP within `hold`, and say whether it is read or has been."""
        text = _turn_text(turn, hold)
        await self._call(lambda: self._redis.set(self._turn(market), text, px=hold))

    async def account_of(self, market: str, shop_id: int) -> IdAnswer:
        """Return the ERP account of a shop's customer id."""
        names = [str(shop_id), _STATE_FIELD]
        account, state = await self._call(lambda: self._redis.hmget(self._ids(market), names))
        return IdAnswer(None if account is None else str(account, "utf-8"), _state(state))

    async def all_accounts(self, market: str) -> AllIds:
        """Return the ERP accounts of all shop ids, read some at a time."""
        found: dict[bytes, bytes] = {}
        cursor: Any = None
        while cursor != 0:
            scan = partial(self._redis.hscan, self._ids(market), cursor or 0, count=_IDS_AT_ONCE)
            cursor, some = await self._call(scan)
            found.update(some)
        state = _state(found.pop(_STATE_FIELD.encode(), None))
        return AllIds({int(one): str(account, "utf-8") for one, account in found.items()}, state)

    async def ids_state(self, market: str) -> IdsState:
        """Return how complete the shop's ids are."""
        return _state(await self._call(lambda: self._redis.hget(self._ids(market), _STATE_FIELD)))

    async def note_ids_state(self, market: str, state: IdsState) -> None:
        """Say how complete the shop's ids are."""
        await self._require_own(market)
        name = self._ids(market)
        await self._call(lambda: self._redis.hset(name, _STATE_FIELD, str(int(state))))

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Add or replace the accounts of shop ids."""
        if accounts:
            await self._require_own(market)
            mapping = {str(shop_id): account for shop_id, account in accounts.items()}
            await self._call(lambda: self._redis.hset(self._ids(market), mapping=mapping))
            # Last: what is not confirmed is published again, in both.
            await self._call(lambda: self._redis.hset(former_ids_key(market), mapping=mapping))

    async def unmap_accounts(self, market: str, shop_ids: Collection[int]) -> None:
        """Remove the accounts of shop ids."""
        if shop_ids:
            await self._require_own(market)
            ids = [*map(str, shop_ids)]
            await self._call(lambda: self._redis.hdel(self._ids(market), *ids))
            await self._call(lambda: self._redis.hdel(former_ids_key(market), *ids))

    async def mapped_ids(self, market: str) -> set[int]:
        """Return the shop ids that have an account."""
        names = await self._call(lambda: self._redis.hkeys(self._ids(market)))
        return {*map(int, names)} - {int(_STATE_FIELD)}

    async def note_customer(self, market: str, customer: Customer) -> None:
        """Tell of an account that the kept customer map may not hold yet."""
        name = news_key(self._provenances[market], customer.account)
        text = [CUSTOMERS.version, astuple(customer)]
        await self._call(lambda: self._redis.set(name, json.dumps(text), ex=_NEWS_LIVE))

    async def noted_customer(self, market: str, account: str) -> Customer | None:
        """Return an account that was told of, None without word."""
        name = news_key(self._provenances[market], account)
        text = await self._call(lambda: self._redis.get(name))
        version, members = (None, ()) if text is None else json.loads(text)
        return Customer(*members) if version == CUSTOMERS.version else None

    async def _require_own(self, market: str) -> None:
        """Write no ids beside those of another shop."""
        if self._shop:
            provenance = self._provenances[market]
            owner = await self._call(lambda: owner_of(self._redis, provenance, self._shop))
            if owner != self._shop:
                raise SharedStateError(f"the ids of market {market} in Redis are those of {owner}")

    def _ids(self, market: str) -> str:
        """Return the Redis key of the hash from the shop's customer id to the ERP account."""
        return f"customer_ids:{{{self._provenances[market]}}}"

    def _turn(self, market: str) -> str:
        """Return the Redis key that stands while nobody else needs to read a market's maps."""
        return f"maps_turn:{{{self._provenances[market]}}}"

    # redis-py's types serve its blocking client too: what they say of an answer is of no use.
    async def _call(self, send: Callable[[], Awaitable[Any] | Any]) -> Any:
        try:
            return await (send() if self._guard is None else self._guard.call(send))
        except REDIS_FAILURES as error:
            raise SharedStateError(f"Redis failed: {type(error).__name__}") from error
        except UpstreamError as error:
            raise SharedStateError(str(error)) from error


def former_ids_key(market: str) -> str:
    """Return the key of the shop's ids that version 0.1 read at first; it goes with version 0.2."""
    return f"customer_ids:{{{market}}}"


def news_key(provenance: str, account: str) -> str:
    """Return the Redis key of one account, however it is spelled, that the map may not hold yet.

    Hashed: keys show up in monitoring, where no customer's number belongs.
    """
    digest = blake2b(same_name_key(account).encode(), digest_size=16).hexdigest()
    return f"customer_news:{{{provenance}}}:{digest}"


def _state(value: bytes | None) -> IdsState:
    try:
        return IdsState(int(value or 0))
    except ValueError:
        return IdsState.NONE


def _turn_text(turn: Turn, hold: timedelta) -> str:
    """Return what stands for a turn: whose it is, and for how many milliseconds it was given."""
    return f"{turn}|{hold // timedelta(milliseconds=1)}"
