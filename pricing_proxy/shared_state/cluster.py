"""A Redis Cluster as one client that is bounded, and that cancellations cannot harm.

redis-py's own loses a connection whenever a command is cancelled while being sent, or
fails to connect; and it raises at once when its pool is full. Here a command that began
runs to its end in a task of its own, at most its socket's time-out later; whoever asked may
be gone by then. At most so many run at once; the rest wait, and give up in time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, Self, TypeVar

from redis.asyncio.cluster import ClusterNode, ClusterPipeline, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisClusterException

from pricing_proxy.shared_state.lost_connections import told_as_lost

T = TypeVar("T")

# The node that holds this name is the one whose clock counts: instants of two nodes' clocks
# do not compare.
_CLOCK_KEY = "{clock}"


class Primary(NamedTuple):
    """A node that takes writes.

    Attributes:
        shown: Its host and port, for people.
        key: A key that is its to keep.
        info: Returns what it says of itself.
    """

    shown: str
    key: str
    info: Callable[[], Awaitable[Any]]


class BoundedCluster(RedisCluster):
    """Speaks to all nodes of a Cluster; commands of several keys must keep to one slot.

    Args:
        nodes: Host and port of some nodes; they name the others.
        connections: Commands under way at once, and so connections to any one node.
        timeout_seconds: Of connecting, of an answer, and of waiting for one's turn.
        **options: Further ones of `RedisCluster`: credentials, TLS.
    """

    def __init__(
        self,
        nodes: Sequence[tuple[str, int]],
        *,
        connections: int,
        timeout_seconds: float,
        **options: Any,
    ) -> None:
        super().__init__(
            startup_nodes=[ClusterNode(host, port) for host, port in nodes],
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            # Repeating is for callers, who have a breaker. Redirections are still followed.
            retry=Retry(NoBackoff(), 0),
            **options,
        )
        # The nodes it finds are made of the same options as those it was given.
        lost = told_as_lost(self.connection_kwargs["connection_class"])
        self.connection_kwargs["connection_class"] = lost
        for node in self.startup_nodes:
            node.connection_class = lost
        self._timeout_seconds = timeout_seconds
        self._turns = asyncio.Semaphore(connections)
        self._running: set[asyncio.Task[Any]] = set()

    async def initialize(self) -> Self:
        """Find the nodes; raises `redis.RedisError`."""
        try:
            await super().initialize()
        except RedisClusterException as error:
            # Among redis-py's errors this one alone is no `RedisError`.
            raise RedisConnectionError(str(error)) from error
        return self

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """Return a command's answer; raises `redis.RedisError`."""
        return await self.to_its_end(super().execute_command(*args, **kwargs))

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> ClusterPipeline:  # noqa: ARG002 -- redis-py's signature
        """Return commands to be sent together; those of one slot travel as one."""
        return _Pipeline(self, transaction)  # type: ignore[abstract]  # by types alone

    async def time(self, **_: Any) -> tuple[int, int]:
        """Return the clock of one node, the same for all processes: seconds, microseconds."""
        seconds, microseconds = await self.to_its_end(self._at_the_clock("TIME"))
        return int(seconds), int(microseconds)

    async def info(self, section: str | None = None, *_: str, **__: Any) -> Any:
        """Return what that same node says of itself."""
        return await self.to_its_end(self._at_the_clock("INFO", section or "default"))

    async def primaries(self, names: Iterable[str]) -> list[Primary]:
        """Return every node that takes writes, each with one of the names that is its to keep.

        Args:
            names: Of keys; as many are looked at as are needed.
        """
        await self.initialize()
        left = {node.name for node in self.get_primaries()}
        found = []
        for name in names:
            if not left:
                break
            node = self.get_node_from_key(name)
            if node is not None and node.name in left:
                left.discard(node.name)
                found.append(Primary(node.name, name, partial(self._info_of, node)))
        return found

    async def _info_of(self, node: ClusterNode) -> Any:
        return await self.execute_command("INFO", "default", target_nodes=node)

    async def _at_the_clock(self, *command: str) -> Any:
        await self.initialize()
        node = self.get_node_from_key(_CLOCK_KEY)
        return await self.execute_command(*command, target_nodes=node)

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: ARG002, FBT001 -- as `Redis` is closed
        """Let what is under way end, then close all connections."""
        others = self._running - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        await super().aclose()

    async def to_its_end(self, command: Coroutine[Any, Any, T]) -> T:
        """Run one command, whether or not the caller stays; raises `redis.RedisError`."""
        if asyncio.current_task() in self._running:
            # redis-py sends part of a pipeline again after a redirection: the same turn.
            return await command
        task = asyncio.get_running_loop().create_task(self._in_turn(command))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def _in_turn(self, command: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._turns.acquire()
        except TimeoutError as error:
            command.close()
            raise RedisConnectionError("no connection became free in time") from error
        try:
            return await command
        except RedisClusterException as error:
            raise RedisConnectionError(str(error)) from error
        finally:
            self._turns.release()

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None and not self._running:
            self._drop_lost_connections()

    def _drop_lost_connections(self) -> None:
        # redis-py keeps those that failed while sending in its list for ever. Nothing is under
        # way now, so whatever is neither free nor connected is one of them.
        for node in (*self.nodes_manager.nodes_cache.values(), *self.startup_nodes):
            free = set(node._free)  # noqa: SLF001 -- there is no public way
            node._connections = [  # noqa: SLF001 -- as above
                each
                for each in node._connections  # noqa: SLF001 -- as above
                if each in free or each.is_connected
            ]


class _Pipeline(ClusterPipeline):
    """Commands that are sent together, and run to their end."""

    cluster_client: BoundedCluster

    async def execute(
        self,
        raise_on_error: bool = True,  # noqa: FBT001, FBT002 -- redis-py's signature
        allow_redirections: bool = True,  # noqa: FBT001, FBT002 -- as above
    ) -> list[Any]:
        """Return all answers; raises `redis.RedisError`."""
        return await self.cluster_client.to_its_end(
            super().execute(raise_on_error, allow_redirections)
        )
