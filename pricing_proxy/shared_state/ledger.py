"""The ledger of invalidations: one Redis stream per market, written by whoever knows of a change.

A market's stream is named after what its prices are read from (`provenance`), as they are.

The stream's own ids are the positions: Redis keeps them rising even when its clock steps
back. As an integer, a position is the id's milliseconds times 2**20 plus its sequence number,
so that positions compare as ids do and fit the 64 bits that a stored price has for one.
`ledger_reader` reads it.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from pricing_proxy.shared_state.lost_connections import REDIS_FAILURES
from pricing_proxy.shared_state.maps import SharedStateError

# A million invalidations within one millisecond; 43 bits are left for it: until the year 2248.
_SEQUENCE_BITS = 20


class ScopeKind(StrEnum):
    """What an invalidation is about."""

    CUSTOMER = "customer"
    ITEM = "item"
    PRICE_GROUP = "price_group"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an invalidation is about; `code` is empty for all."""

    kind: ScopeKind
    code: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One invalidation as the ledger holds it.

    Attributes:
        position: Where it stands.
        scope: What changed.
        is_hard: The old price must not be shown again; else it may stand in while the ERP fails.
    """

    position: int
    scope: Scope
    is_hard: bool


class LedgerWriter:
    """Appends to the ledgers of markets.

    Args:
        redis: A client.
        provenances: By market, what its prices are read from.
        keep: By market, how long a price may live: what is older is trimmed.
    """

    def __init__(
        self, redis: Redis, *, provenances: Mapping[str, str], keep: Mapping[str, timedelta]
    ) -> None:
        self._redis = redis
        self._provenances = provenances
        self._keep = keep

    async def append(self, market: str, scope: Scope, *, is_hard: bool, reason: str) -> int:
        """Append one invalidation; return its position once Redis applied it.

        Replicas of the version before still read another stream: they are told as well.

        Raises:
            SharedStateError: It is not known to be applied; append it again.
        """
        fields = cast("Any", _fields(scope, is_hard, reason))
        name, former = key(self._provenances[market]), former_key(market)
        try:
            position = position_of(await self._redis.xadd(name, fields))
            # Where nobody reads it there is none, and none is made.
            is_read = await self._redis.xadd(former, fields, nomkstream=True)
        except REDIS_FAILURES as error:
            raise SharedStateError(f"Redis failed: {type(error).__name__}") from error
        for stream in (name, former) if is_read else (name,):
            await self._trim(stream, position, self._keep[market])
        return position

    async def _trim(self, name: str, newest: int, keep: timedelta) -> None:
        oldest_ms = milliseconds_of(newest) - keep // timedelta(milliseconds=1)
        if oldest_ms > 0:
            # The next append trims as well: a failure here costs nothing.
            with suppress(*REDIS_FAILURES):
                await self._redis.xtrim(name, minid=f"{oldest_ms}-0", approximate=True)


async def append_beginning(redis: Redis, name: str, *, after: int, reason: str) -> None:
    """Append a soft invalidation of all past `after` to a stream; raises `redis.RedisError`."""
    fields = _fields(Scope(ScopeKind.ALL), is_hard=False, reason=reason)
    added = await redis.xadd(name, cast("Any", fields))
    if position_of(added) <= after:
        # Redis fell back behind positions that prices already carry, and its clock as well.
        with suppress(ResponseError):  # somebody else got past it: the next read tells
            await redis.xadd(name, cast("Any", fields), id=id_of(after + 1))


def key(provenance: str) -> str:
    """Return the Redis key of the ledger of prices that are read from there."""
    return f"i:{{{provenance}}}"


def former_key(market: str) -> str:
    """Return the Redis key that version 0.1 read at first; it goes with version 0.2."""
    return f"i:{{{market}}}"


def position_of(stream_id: bytes | str) -> int:
    """Return the integer form of a stream id."""
    text = stream_id.decode() if isinstance(stream_id, bytes) else stream_id
    milliseconds, _, sequence = text.partition("-")
    return (int(milliseconds) << _SEQUENCE_BITS) + int(sequence)


def id_of(position: int) -> str:
    """Return the stream id of a position."""
    return f"{milliseconds_of(position)}-{position & ((1 << _SEQUENCE_BITS) - 1)}"


def milliseconds_of(position: int) -> int:
    """Return when Redis gave out the position, in milliseconds on its clock."""
    return position >> _SEQUENCE_BITS


def positions_within(duration: timedelta) -> int:
    """Return how far positions of that many milliseconds lie apart."""
    return duration // timedelta(milliseconds=1) << _SEQUENCE_BITS


def decode(stream_id: bytes, fields: Mapping[bytes, bytes]) -> LedgerEntry:
    """Return an entry as it was written; one that is not understood is about everything.

    A newer program may know scopes that this one does not: then no price is safe.
    """
    position = position_of(stream_id)
    is_hard = fields.get(b"level") == b"hard"
    try:
        scope = Scope(ScopeKind(fields[b"scope"].decode()), fields.get(b"code", b"").decode())
    except (KeyError, ValueError):
        scope = Scope(ScopeKind.ALL)
    return LedgerEntry(position, scope, is_hard)


def _fields(scope: Scope, is_hard: bool, reason: str) -> dict[str, str]:  # noqa: FBT001
    level = "hard" if is_hard else "soft"
    return {"scope": scope.kind.value, "code": scope.code, "level": level, "reason": reason}
