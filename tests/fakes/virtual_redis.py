"""A Redis in virtual time, as far as prices and their ledger need one, with faults on dials.

    server = VirtualRedis(clock=clock)
    client = server.client("first")

A client is one process' connections: its name can be cut off. Commands take `send_seconds`
to arrive and `reply_seconds` to come back; what is cut off fails after a moment, and so does
what was applied when its reply meets the cut or a reset.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from pricing_proxy.clock import Clock

T = TypeVar("T")
# Hashes and streams.
_Data = tuple[dict[str, dict[str, bytes]], dict[str, dict[tuple[int, int], dict[bytes, bytes]]]]

Fields = dict[bytes, bytes]
_Id = tuple[int, int]
_ZERO: _Id = (0, 0)
_END: _Id = (2**63, 0)
# How long a connection that is cut takes to notice.
_CUT_SECONDS = 0.05


@dataclass(frozen=True)
class Appended:
    """An entry of a stream, when it was applied (monotonic)."""

    key: str
    id: str
    fields: Mapping[str, str]
    at_us: int


@dataclass(kw_only=True)
class VirtualRedis:
    """The server.

    Attributes:
        clock: Time; the server's own clock is `skew_us` ahead of it.
        send_seconds: How long a command takes to arrive.
        reply_seconds: How long its answer takes.
        cut: Names of clients that reach nothing.
        skew_us: Lower it to step back.
        run_id: Which server it is.
        takes_no_writes: It refuses them, as a full one does.
        appended: Every entry that was ever applied to a stream, in order.
        tell: Is called with each of them.
    """

    clock: Clock
    send_seconds: float = 0.001
    reply_seconds: float = 0.001
    cut: set[str] = field(default_factory=set)
    skew_us: int = 0
    run_id: str = "server 1"
    takes_no_writes: bool = False
    tell: Callable[[Appended], None] = lambda _: None
    hashes: dict[str, dict[str, bytes]] = field(default_factory=dict)
    streams: dict[str, dict[_Id, Fields]] = field(default_factory=dict)
    _news: "asyncio.Event" = field(default_factory=asyncio.Event)
    _lagging: "_Data | None" = None
    _resets: int = 0

    def client(self, name: str) -> Redis:
        """Return a client; it has the commands of `Redis` without being one."""
        return cast("Redis", _Client(self, name))

    def now_us(self) -> int:
        """Return the server's clock."""
        return self.clock.monotonic_us() + self.skew_us

    def flush(self) -> None:
        """Lose everything."""
        self.hashes.clear()
        self.streams.clear()
        self.wake()

    def roll_back(self, key: str, entries: int) -> None:
        """Lose the last entries of a stream, as a failover to a lagging replica does."""
        stream = self.streams.get(key, {})
        for position in sorted(stream)[-entries:]:
            del stream[position]
        self.wake()

    def lag(self) -> None:
        """Let the replica that a failover would go to hear of no write from now on."""
        self._lagging = self._copy()

    def fail_over(self, skew_us: int) -> None:
        """Go on with what the replica has, on its clock and under its name."""
        self.hashes, self.streams = self._lagging or self._copy()
        self._lagging = None
        self.skew_us = skew_us
        self.run_id = f"server {int(self.run_id[7:]) + 1}"
        self.reset()

    def evict(self, key: str) -> None:
        """Lose a key, as a full server that may evict does."""
        self.hashes.pop(key, None)
        self.streams.pop(key, None)
        self.wake()

    def reset(self) -> None:
        """Reset every connection: commands under way fail, whether or not they were applied."""
        self._resets += 1
        self.wake()

    @property
    def resets(self) -> int:
        """How often all connections were reset."""
        return self._resets

    def check_writable(self) -> None:
        """Raise what a server that is full says to a write."""
        if self.takes_no_writes:
            raise ResponseError("OOM command not allowed when used memory > 'maxmemory'.")

    def _copy(self) -> _Data:
        return (
            {key: dict(fields) for key, fields in self.hashes.items()},
            {key: dict(stream) for key, stream in self.streams.items()},
        )

    def add(self, key: str, fields: Mapping[str, str], wanted: str = "*") -> bytes:
        stream = self.streams.setdefault(key, {})
        newest = max(stream, default=_ZERO)
        if wanted == "*":
            now = (self.now_us() // 1000, 0)
            chosen = now if now > newest else (newest[0], newest[1] + 1)
        else:
            chosen = _parse(wanted)
            if chosen <= newest:
                raise ResponseError("The ID specified in XADD is equal or smaller")
        stream[chosen] = {name.encode(): value.encode() for name, value in fields.items()}
        text = _text(chosen)
        self.tell(Appended(key, text.decode(), fields, self.clock.monotonic_us()))
        self.wake()
        return text

    def between(
        self, key: str, first: _Id, last: _Id, count: int | None, *, newest_first: bool = False
    ) -> list[tuple[bytes, Fields]]:
        stream = self.streams.get(key, {})
        found = sorted((i for i in stream if first <= i <= last), reverse=newest_first)
        return [(_text(i), stream[i]) for i in found[:count]]

    def wake(self) -> None:
        """Let waiting reads look again."""
        self._news.set()
        self._news = asyncio.Event()

    @property
    def news(self) -> asyncio.Event:
        """Set at the next change of a stream."""
        return self._news


class _Client:
    """One process' way to the server."""

    def __init__(self, server: VirtualRedis, name: str) -> None:
        self._server = server
        self._name = name

    async def ping(self) -> bool:
        return await self.command(lambda: True)

    async def time(self) -> tuple[int, int]:
        return await self.command(lambda: divmod(self._server.now_us(), 1_000_000))

    async def hmget(self, key: str, fields: list[str]) -> list[bytes | None]:
        return await self.command(
            lambda: [self._server.hashes.get(key, {}).get(name) for name in fields]
        )

    async def info(self, section: str) -> dict[str, str]:
        assert section == "server"
        return await self.command(lambda: {"run_id": self._server.run_id})

    async def hset(self, key: str, *, mapping: Mapping[str, str]) -> int:
        def put() -> int:
            self._server.check_writable()
            values = {name: value.encode() for name, value in mapping.items()}
            self._server.hashes.setdefault(key, {}).update(values)
            return len(values)

        return await self.command(put)

    async def hsetnx(self, key: str, field: str, value: str) -> int:
        def put() -> int:
            self._server.check_writable()
            kept = self._server.hashes.setdefault(key, {})
            return int(kept.setdefault(field, value.encode()) == value.encode())

        return await self.command(put)

    async def xtrim(self, key: str, *, minid: str, approximate: bool) -> int:
        assert approximate

        def trim() -> int:
            stream = self._server.streams.get(key, {})
            old = [i for i in stream if i < _parse(minid)]
            for position in old:
                del stream[position]
            return len(old)

        return await self.command(trim)

    async def xadd(
        self,
        key: str,
        fields: Mapping[str, str],
        id: str = "*",  # noqa: A002 -- redis-py's name
        *,
        nomkstream: bool = False,
    ) -> bytes | None:
        def add() -> bytes | None:
            self._server.check_writable()
            is_wanted = not nomkstream or key in self._server.streams
            return self._server.add(key, fields, id) if is_wanted else None

        return await self.command(add)

    async def xrange(
        self,
        key: str,
        *,
        min: str = "-",  # noqa: A002 -- redis-py's name
        count: int | None = None,
    ) -> list[tuple[bytes, Fields]]:
        first = _ZERO if min == "-" else _parse(min)
        return await self.command(lambda: self._server.between(key, first, _END, count))

    async def xrevrange(self, key: str, *, count: int) -> list[tuple[bytes, Fields]]:
        return await self.command(
            lambda: self._server.between(key, _ZERO, _END, count, newest_first=True)
        )

    async def xread(
        self, streams: Mapping[str, str], *, count: int, block: int | None
    ) -> list[tuple[bytes, list[tuple[bytes, Fields]]]]:
        ((key, after),) = streams.items()
        milliseconds, sequence = _parse(after)

        def look() -> list[tuple[bytes, Fields]]:
            return self._server.between(key, (milliseconds, sequence + 1), _END, count)

        connected = self._server.resets
        await self._travel(self._server.send_seconds, connected)
        rows = look()
        if not rows and block is not None:
            rows = await self._wait(look, block / 1000, connected)
        await self._travel(self._server.reply_seconds, connected)
        return [(key.encode(), rows)] if rows else []

    def pipeline(self, *, transaction: bool) -> "_Pipeline":
        assert not transaction
        return _Pipeline(self, self._server)

    async def command(self, apply: Callable[[], T]) -> T:
        connected = self._server.resets
        await self._travel(self._server.send_seconds, connected)
        answer = apply()
        await self._travel(self._server.reply_seconds, connected)
        return answer

    async def _wait(
        self, look: Callable[[], list[Any]], seconds: float, connected: int
    ) -> list[Any]:
        try:
            async with asyncio.timeout(seconds):
                while not (rows := look()) and self._server.resets == connected:
                    await self._server.news.wait()
        except TimeoutError:
            return []
        return rows

    async def _travel(self, seconds: float, connected: int) -> None:
        await asyncio.sleep(seconds)
        if self._name in self._server.cut:
            await asyncio.sleep(_CUT_SECONDS)
            raise RedisConnectionError("cut")
        if connected != self._server.resets:
            raise RedisConnectionError("reset")


class _Pipeline:
    """Commands that travel together."""

    def __init__(self, client: _Client, server: VirtualRedis) -> None:
        self._client = client
        self._server = server
        self._commands: list[Callable[[], Any]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._commands.clear()

    def hset(self, key: str, *, mapping: Mapping[str, bytes]) -> None:
        def put() -> None:
            self._server.check_writable()
            self._server.hashes.setdefault(key, {}).update(mapping)

        self._commands.append(put)

    def hmget(self, key: str, fields: list[str]) -> None:
        self._commands.append(
            lambda: [self._server.hashes.get(key, {}).get(name) for name in fields]
        )

    def expire(self, key: str, _: object) -> None:
        self._commands.append(lambda: key in self._server.hashes)

    def hlen(self, key: str) -> None:
        self._commands.append(lambda: len(self._server.hashes.get(key, {})))

    def xadd(self, key: str, fields: Mapping[str, str]) -> None:
        self._commands.append(lambda: self._server.add(key, fields))

    def execute(self) -> Awaitable[list[Any]]:
        commands = list(self._commands)
        return self._client.command(lambda: [command() for command in commands])


def _parse(text: str) -> _Id:
    milliseconds, _, sequence = text.partition("-")
    return int(milliseconds), int(sequence)


def _text(position: _Id) -> bytes:
    return f"{position[0]}-{position[1]}".encode()
