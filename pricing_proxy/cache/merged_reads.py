"""Send the reads that different requests want at the same moment as one exchange with Redis.

A client pays for an exchange as such: for a connection out of the pool, a write, a wait, a
timer. What is asked for within one turn of the event loop goes out together, and each reader
gets its own part. A reader that goes away takes nothing from the others; when the exchange
fails, it has failed for all of them.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import NamedTuple, cast

from redis.asyncio import Redis

from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.guard import RedisGuard

Values = list[bytes | None]


class _Read(NamedTuple):
    name: str
    fields: Sequence[str]
    answer: "asyncio.Future[Values]"


class MergedReads:
    """Reads fields of hashes.

    Args:
        redis: A client that neither retries nor waits long.
        guard: Bounds the time of each exchange.
    """

    def __init__(self, redis: Redis, *, guard: RedisGuard) -> None:
        self._redis = redis
        self._guard = guard
        self._waiting: list[_Read] = []
        # Each ends by itself, for `guard` bounds its time.
        self._exchanges: set[asyncio.Task[None]] = set()

    async def read(self, name: str, fields: Sequence[str]) -> Values:
        """Return the values of some fields of a hash; raises `UpstreamError`."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._set_off)
        answer: asyncio.Future[Values] = loop.create_future()
        self._waiting.append(_Read(name, fields, answer))
        return await answer

    def _set_off(self) -> None:
        reads, self._waiting = self._waiting, []
        exchange = asyncio.get_running_loop().create_task(self._exchange(reads))
        self._exchanges.add(exchange)
        exchange.add_done_callback(partial(self._ended, reads))

    async def _exchange(self, reads: Sequence[_Read]) -> None:
        try:
            answers = await self._guard.call(lambda: self._send(reads))
            for read, values in zip(reads, answers, strict=True):
                if not read.answer.done():
                    read.answer.set_result(values)
        except UpstreamError as error:
            for read in reads:
                if not read.answer.done():
                    read.answer.set_exception(error)

    def _ended(self, reads: Sequence[_Read], exchange: "asyncio.Task[None]") -> None:
        # Runs even for a task cancelled before its first step, when the program ends: nobody
        # is left waiting.
        self._exchanges.discard(exchange)
        error = None if exchange.cancelled() else exchange.exception()
        for read in reads:
            if error is None:
                read.answer.cancel()
            elif not read.answer.done():
                # A defect: whoever asked ends in it, and is not taken for cancelled.
                read.answer.set_exception(error)

    async def _send(self, reads: Sequence[_Read]) -> Sequence[Values]:
        if len(reads) == 1:
            read = reads[0]
            # redis-py's types serve its blocking client too; this one returns an awaitable.
            hmget = self._redis.hmget(read.name, list(read.fields))
            return [await cast("Awaitable[Values]", hmget)]
        async with self._redis.pipeline(transaction=False) as pipe:
            for read in reads:
                pipe.hmget(read.name, list(read.fields))
            return cast("Sequence[Values]", await pipe.execute())
