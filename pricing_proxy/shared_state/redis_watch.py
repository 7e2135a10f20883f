"""Know whether Redis keeps what is written: may it evict, does it refuse writes?

It is asked with a command that would write but finds nothing to change (`SET … XX` of a key that
nobody has): Redis refuses it exactly when it refuses others. Of a Cluster every primary is asked.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

from pricing_proxy.background import Background
from pricing_proxy.shared_state.cluster import BoundedCluster
from pricing_proxy.shared_state.lost_connections import REDIS_FAILURES

_log = logging.getLogger(__name__)

# An operator who changes Redis' settings sees soon whether that helped.
_EVERY = timedelta(seconds=10)
# Among the keys that both programs write, for those whom Redis allows certain names only.
_GATE = "gate:"
_NOBODYS_KEY = _GATE + "{{nobody's{}}}"
SERVICE_KEYS = (
    *("i:", "items:", "customers:", "customer_ids:", "maps_turn:", "shop:"),
    *("p1:", "w:", "b1:", "clock:"),
)
"""How the names of keys begin that the price service writes, beside those of gates."""
SYNC_KEYS = ("customer_ids:", "customer_news:", "seen:", "shop:")
"""The same of the sync."""
# Each primary keeps one name in as many as there are primaries: none of 100 is missed by these.
_NAMES = 10_000

_CODES = {
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
    NoPermissionError: "NOPERM",
    AuthenticationError: "NOAUTH",
}
# Of these redis-py has no class of its own.
_CODES_IN_TEXT = ("MISCONF", "NOREPLICAS")
_REFUSED = (
    "refuses writes ({code}): invalidations are answered 503 and reach one replica only, each "
    "keeps its prices to itself, throttling is not shared, accounts of customers are not published"
)
_FORBIDDEN = (
    "forbids keys that begin with {names} (NOPERM): what belongs there is neither kept nor shared, "
    "such as maps, whose customers' ids these are, and how old kept prices are"
)
_REMEDIES = {
    "OOM": "Raise maxmemory: it is full, and its maxmemory-policy finds nothing that may go",
    "READONLY": "Name the primary in redis.url, or its Sentinels: this one is a replica",
    "NOPERM": "Allow its user (ACL) to read and write all keys of these programs",
    "NOAUTH": "Set redis.password, or the variable that holds it",
    "MISCONF": "See Redis' own log: it cannot save to disk, mostly as that is full",
    "NOREPLICAS": "Bring back its replicas, or lower min-replicas-to-write",
}
_EVICTS_ALL = (
    "may evict anything ({policy}): a ledger of invalidations that goes makes all prices of its "
    "market doubtful, a map that goes leaves Magento's ids unknown until it is read again"
)
_EVICTS_SOME = (
    "may evict what expires ({policy}): prices are read from the ERP again, "
    "and a gate that throttling closed may open for other replicas"
)
_SILENT = (
    "has a node that does not answer: what that one keeps is not known, such as the prices of some "
    "customers or a market's ledger"
)
_BRING_BACK = "Start that node, or let the Cluster fail over to its replica"
_KEEP_ALL = "Set maxmemory-policy to noeviction or a volatile one, and maxmemory to what is needed"


class RedisTrouble(NamedTuple):
    """Something about Redis that breaks promises.

    Attributes:
        told: What it is and what that breaks.
        next_step: What to do about it.
        refuses: The code with which writes are refused; empty where they are not.
        is_bad: Whether more is at stake than speed.
    """

    told: str
    next_step: str
    refuses: str = ""
    is_bad: bool = True


def code_of(error: BaseException) -> str:
    """Return by which code Redis refuses to write; empty for any other failure."""
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return code
    first = str(error).partition(" ")[0]
    return first if isinstance(error, ResponseError) and first in _CODES_IN_TEXT else ""


def refuses_writes(error: BaseException) -> bool:
    """Return whether Redis answered that it writes nothing, and may be read as ever."""
    return isinstance(error, ResponseError) and bool(code_of(error))


class RedisState(NamedTuple):
    """How Redis is.

    Attributes:
        version: Empty where it does not tell.
        troubles: What is wrong.
    """

    version: str
    troubles: Sequence[RedisTrouble]


async def redis_state(redis: Redis, keys: Sequence[str] = ()) -> RedisState:
    """Return how Redis is; raises one of `REDIS_FAILURES` where it does not answer.

    Args:
        redis: A client.
        keys: How the names of keys begin that must be allowed, beside those of gates.
    """
    if isinstance(redis, BoundedCluster):
        return await _cluster_state(redis, keys)
    return await _state_of(redis, _NOBODYS_KEY.format(""), keys, redis.info)


async def _cluster_state(redis: BoundedCluster, keys: Sequence[str]) -> RedisState:
    nodes = await redis.primaries(_NOBODYS_KEY.format(number) for number in range(_NAMES))
    asked = [_state_of(redis, node.key, keys, node.info) for node in nodes]
    states = await asyncio.gather(*asked, return_exceptions=True)
    found: dict[RedisTrouble, list[str]] = {}
    for node, state in zip(nodes, states, strict=True):
        if isinstance(state, BaseException) and not isinstance(state, REDIS_FAILURES):
            raise state
        silent = [RedisTrouble(_SILENT, _BRING_BACK)]
        for trouble in state.troubles if isinstance(state, RedisState) else silent:
            found.setdefault(trouble, []).append(node.shown)
    answers = [state for state in states if isinstance(state, RedisState)]
    if not answers:
        raise next(state for state in states if isinstance(state, BaseException))
    troubles = [
        trouble._replace(told=f"{trouble.told} (at {', '.join(nodes)})")
        for trouble, nodes in found.items()
    ]
    return RedisState(answers[0].version, troubles)


async def _state_of(
    redis: Redis | BoundedCluster,
    key: str,
    keys: Sequence[str],
    info: Callable[[], Awaitable[Any]],
) -> RedisState:
    """Return how one server is, of which a key is."""
    refused = await _refused(redis, key) or await _forbidden(redis, key, keys)
    try:
        told: Mapping[str, Any] = await info()
    except (ResponseError, AuthenticationError):
        told = {}  # managed ones may not tell
    return RedisState(str(told.get("redis_version", "")), [*refused, *_evicting(told)])


class RedisWatch(Background):
    """Asks every ten seconds; an async context manager.

    Args:
        redis: A client with a short time-out of its own.
        keys: How the names of keys begin that must be allowed, beside those of gates.

    Attributes:
        troubles: What was wrong when Redis last answered.
    """

    def __init__(self, redis: Redis, keys: Sequence[str] = ()) -> None:
        self._redis = redis
        self._keys = keys
        self.troubles: Sequence[RedisTrouble] = ()

    async def _for_ever(self) -> None:
        while True:
            try:
                self._note((await redis_state(self._redis, self._keys)).troubles)
            except REDIS_FAILURES as error:
                # That it does not answer is told by whoever asks it something.
                _log.debug("Redis cannot be asked how it is (%s)", type(error).__name__)
            await asyncio.sleep(_EVERY.total_seconds())

    def _note(self, troubles: Sequence[RedisTrouble]) -> None:
        for trouble in troubles:
            if trouble not in self.troubles:
                _log.warning("Redis %s. %s", trouble.told, trouble.next_step)
        if self.troubles and not troubles:
            _log.info("Redis keeps what is written")
        self.troubles = troubles


async def _refused(redis: Redis | BoundedCluster, key: str) -> Sequence[RedisTrouble]:
    try:
        await redis.set(key, b"", xx=True)
    except REDIS_FAILURES as error:
        code = code_of(error)
        if not code:
            raise
        return [RedisTrouble(_REFUSED.format(code=code), _REMEDIES[code], refuses=code)]
    return []


async def _forbidden(
    redis: Redis | BoundedCluster, key: str, keys: Sequence[str]
) -> Sequence[RedisTrouble]:
    """Return whether some names only are forbidden; what is in braces keeps them at one node."""
    names = []
    for name in keys:
        try:
            await redis.set(key.replace(_GATE, name, 1), b"", xx=True)
        except NoPermissionError:
            names.append(name)
    if not names:
        return []
    return [RedisTrouble(_FORBIDDEN.format(names=", ".join(names)), _REMEDIES["NOPERM"])]


def _evicting(told: Mapping[str, Any]) -> Sequence[RedisTrouble]:
    policy = str(told.get("maxmemory_policy", ""))
    if not told.get("maxmemory") or policy in {"", "noeviction"}:
        return []
    if policy.startswith("volatile"):
        return [RedisTrouble(_EVICTS_SOME.format(policy=policy), _KEEP_ALL, is_bad=False)]
    return [RedisTrouble(_EVICTS_ALL.format(policy=policy), _KEEP_ALL)]
