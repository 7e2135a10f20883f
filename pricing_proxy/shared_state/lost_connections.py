"""Call a lost connection to Redis so, whatever the event loop raises where one is used.

Over asyncio's own loop a connection that the other side has reset raises `OSError`, which
redis-py turns into its `ConnectionError`. uvloop raises `RuntimeError` ("unable to perform
operation on <TCPTransport closed=True>"), which redis-py lets through: no caller expects it.
Connections of the classes made here raise one kind of error for both. Every client gets them
in `connection` and `cluster`, and every caller catches `REDIS_FAILURES`.
"""

from typing import Any, TypeVar, cast

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

C = TypeVar("C", bound=AbstractConnection)

REDIS_FAILURES = (RedisError, OSError, TimeoutError)
"""What a command raises when Redis, or the way to it, failed."""


class _Translating(AbstractConnection):
    """Goes before a class of connections that does the work."""

    async def connect(self) -> None:
        try:
            await super().connect()  # type: ignore[no-untyped-call]  # redis-py's
        except RuntimeError as error:
            raise _lost(error) from error

    async def connect_check_health(self, *args: Any, **options: Any) -> None:
        try:
            await super().connect_check_health(*args, **options)
        except RuntimeError as error:
            raise _lost(error) from error

    async def disconnect(self, *args: Any, **options: Any) -> None:
        try:
            await super().disconnect(*args, **options)
        except RuntimeError as error:
            raise _lost(error) from error

    async def send_packed_command(self, *args: Any, **options: Any) -> None:
        try:
            await super().send_packed_command(*args, **options)
        except RuntimeError as error:
            raise _lost(error) from error

    async def can_read_destructive(self) -> Any:
        try:
            return await super().can_read_destructive()  # type: ignore[no-untyped-call]  # as above
        except RuntimeError as error:
            raise _lost(error) from error

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*args, **options)
        except RuntimeError as error:
            raise _lost(error) from error


def told_as_lost(connection: type[C]) -> type[C]:
    """Return the same class of connections, which raises redis-py's errors only."""
    made = type(f"Translating{connection.__name__}", (_Translating, connection), {})
    return cast("type[C]", made)


def _lost(error: RuntimeError) -> RedisConnectionError:
    return RedisConnectionError(f"the connection is lost ({error})")
