"""Redis that evicts or refuses writes is found out, by a command that changes nothing."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakeredis import FakeAsyncRedis
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.configuration.redis_address import parse_redis_address
from pricing_proxy.diagnosis.board import Finding, RowState
from pricing_proxy.diagnosis.redis_row import check_redis
from pricing_proxy.resilience.breaker_events import Phase
from pricing_proxy.resilience.errors import UpstreamReadOnlyError, UpstreamUnavailableError
from pricing_proxy.shared_state.connection import Connecting, connected
from pricing_proxy.shared_state.guard import guarded, redis_guard
from pricing_proxy.shared_state.redis_watch import (
    SERVICE_KEYS,
    SYNC_KEYS,
    RedisWatch,
    redis_state,
)
from tests.integration.redis_process import RedisProcess, redis_process
from tests.patience import PATIENCE_SECONDS
from tests.virtual_time import LoopClock, run_virtual

WRITES_REFUSED = [
    (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "OOM"),
    (ReadOnlyError("You can't write against a read only replica."), "READONLY"),
    (ResponseError("MISCONF Redis is configured to save RDB snapshots, but"), "MISCONF"),
    (ResponseError("NOREPLICAS Not enough good replicas to write."), "NOREPLICAS"),
    (NoPermissionError("this user has no permissions to run the 'set' command"), "NOPERM"),
]


class Refusing(FakeAsyncRedis):
    """Answers as told."""

    error: Exception | None = None
    memory: Mapping[str, Any] | None = None

    async def set(self, *_: object, **__: object) -> None:
        if self.error is not None:
            raise self.error

    async def ping(self, **_: object) -> bool:
        await self.set()
        return True

    async def info(self, *_: object, **__: object) -> Mapping[str, Any]:
        if self.memory is None:
            raise ResponseError("unknown command 'INFO'")
        return self.memory


@pytest.mark.parametrize(
    ("error", "code"), [*WRITES_REFUSED, (AuthenticationError("required."), "NOAUTH")]
)
async def test_refused_writes_are_told_with_what_they_break(error: Exception, code: str) -> None:
    redis = Refusing()
    redis.error = error
    (trouble,) = (await redis_state(redis)).troubles
    assert (trouble.refuses, trouble.is_bad) == (code, True)
    assert f"refuses writes ({code}): invalidations" in trouble.told
    assert trouble.next_step


async def test_a_lost_connection_is_no_refusal() -> None:
    redis = Refusing()
    redis.error = RedisConnectionError("MISCONF comes from a server only")
    with pytest.raises(RedisConnectionError):
        await redis_state(redis)


@pytest.mark.parametrize(
    ("memory", "judged"),
    [
        ({"maxmemory": 0, "maxmemory_policy": "allkeys-lru"}, []),
        ({"maxmemory": 9, "maxmemory_policy": "noeviction"}, []),
        ({"maxmemory": 9, "maxmemory_policy": "volatile-ttl"}, [False]),
        ({"maxmemory": 9, "maxmemory_policy": "allkeys-lru"}, [True]),
        ({}, []),
        (None, []),
    ],
)
async def test_what_redis_may_evict_is_judged_by_what_that_costs(
    memory: Mapping[str, Any] | None, judged: list[bool]
) -> None:
    redis = Refusing()
    redis.memory = memory
    troubles = (await redis_state(redis)).troubles
    assert [trouble.is_bad for trouble in troubles] == judged
    assert all(str(memory and memory["maxmemory_policy"]) in each.told for each in troubles)


def test_a_trouble_is_logged_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    run_virtual(_troubles_come_and_go())
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def _troubles_come_and_go() -> None:
    redis = Refusing()
    async with RedisWatch(redis) as watch:
        for error in (WRITES_REFUSED[0][0], None):
            redis.error = error
            await asyncio.sleep(25)
            assert len(watch.troubles) == (error is not None)
            redis.error = RedisConnectionError("away")
            await asyncio.sleep(25)
            assert len(watch.troubles) == (error is not None), "nothing new is known"


@pytest.mark.parametrize("error", [error for error, _ in WRITES_REFUSED])
async def test_a_redis_that_refuses_writes_is_read_as_ever(error: Exception) -> None:
    """Taken for lost, it would cost the prices of all replicas, which it still answers."""
    guard = redis_guard(SystemClock(), timeout_us=1_000_000)

    async def refuse() -> None:
        raise error

    async def read() -> str:
        return "price"

    for _ in range(30):
        with pytest.raises(UpstreamReadOnlyError):
            await guard.call(refuse)
    assert guard.view().phase is Phase.CLOSED
    assert await guard.call(read) == "price"


def test_a_lost_redis_that_is_back_and_cannot_save_is_read_again() -> None:
    """It refuses even PING, by which it is found."""
    run_virtual(_is_found_again())


async def _is_found_again() -> None:
    clock = LoopClock(asyncio.get_running_loop())
    redis = Refusing()
    guard = redis_guard(clock, timeout_us=1_000_000)

    async def fail() -> None:
        raise RedisConnectionError("away")

    for _ in range(5):
        with pytest.raises(UpstreamUnavailableError):
            await guard.call(fail)
    assert guard.view().phase is Phase.OPEN
    redis.error = ResponseError("MISCONF Redis is configured to save RDB snapshots, but")
    async with guarded(redis, guard):
        await asyncio.sleep(60)
    assert guard.view().phase is Phase.CLOSED


async def test_a_redis_that_wants_a_password_is_taken_for_lost() -> None:
    """It answers no reads either."""
    guard = redis_guard(SystemClock(), timeout_us=1_000_000)

    async def refuse() -> None:
        raise AuthenticationError("Authentication required.")

    for _ in range(5):
        with pytest.raises(UpstreamUnavailableError):
            await guard.call(refuse)
    assert guard.view().phase is Phase.OPEN


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisProcess]:
    folder = tmp_path / "server"
    folder.mkdir()
    async with redis_process(folder) as running:
        yield running


async def finding(server: RedisProcess) -> Finding:
    section = RedisSection(url=server.url, timeout_ms=5000)
    return await check_redis(section, embedded="", clock=SystemClock())


@pytest.mark.real_services
@pytest.mark.parametrize("code", ["OOM", "READONLY", "MISCONF"])
async def test_check_is_red_where_a_real_redis_refuses_writes(
    server: RedisProcess, code: str
) -> None:
    async with Redis(port=server.port) as client:
        if code == "OOM":
            await client.config_set("maxmemory", 1)
        elif code == "READONLY":
            await client.replicaof("127.0.0.1", str(server.port))
        else:
            await client.config_set("save", "3600 1")
            shutil.rmtree(server.folder)
            await client.bgsave()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (await client.info("persistence"))["rdb_last_bgsave_status"] == "ok":  # noqa: ASYNC110 -- Redis tells nobody
                    await asyncio.sleep(0.02)
        found = await finding(server)
        assert found.state is RowState.FAILED
        assert f"refuses writes ({code})" in found.found
        assert found.next_step
        assert await client.dbsize() == 0


@pytest.mark.real_services
async def test_check_says_what_a_real_redis_may_evict(server: RedisProcess) -> None:
    async with Redis(port=server.port) as client:
        await client.config_set("maxmemory", "100mb")
        await client.config_set("maxmemory-policy", "volatile-lru")
        some = await finding(server)
        await client.config_set("maxmemory-policy", "allkeys-lfu")
        everything = await finding(server)
    assert (some.state, everything.state) == (RowState.OK, RowState.FAILED)
    assert "what expires (volatile-lru)" in some.found
    assert "anything (allkeys-lfu)" in everything.found
    assert "maxmemory-policy" in everything.next_step


@pytest.mark.real_services
@pytest.mark.parametrize("keys", [SERVICE_KEYS, SYNC_KEYS])
async def test_check_names_the_keys_that_a_real_redis_forbids(
    server: RedisProcess, keys: Sequence[str]
) -> None:
    """One that allows gates only lets nobody know whose ids are kept, nor how old prices are."""
    address = server.url.replace("://", "://prices@")
    section = RedisSection(url=address, password=SecretStr("word"), timeout_ms=5000)

    async def found(*allowed: str) -> Finding:
        names = [f"{name}*" for name in ("gate:", *allowed)]
        async with Redis(port=server.port) as client:
            await client.acl_setuser(
                "prices",
                enabled=True,
                passwords=["+word"],
                reset=True,
                keys=names,
                commands=["+@all"],
            )
        return await check_redis(section, embedded="", clock=SystemClock(), keys=keys)

    some = await found(*keys[1:-1])
    assert some.state is RowState.FAILED
    assert f"keys that begin with {keys[0]}, {keys[-1]} (NOPERM)" in some.found
    assert "ACL" in some.next_step
    assert (await found(*keys)).state is RowState.OK


@pytest.mark.real_services
async def test_of_a_cluster_every_primary_is_asked(redis_cluster: str) -> None:
    """Each keeps other customers' prices, or another market's ledger."""
    address = parse_redis_address(redis_cluster)
    how = Connecting(timeout_seconds=5, connections=4)
    async with connected(address, how) as cluster:
        assert (await redis_state(cluster, SERVICE_KEYS)).troubles == []
        for host, port in address.nodes:
            async with Redis(host=host, port=port) as node:
                await node.config_set("maxmemory", 1)
                try:
                    (trouble,) = (await redis_state(cluster)).troubles
                finally:
                    await node.config_set("maxmemory", 0)
            assert trouble.refuses == "OOM"
            assert trouble.told.endswith(f"(at {host}:{port})")
            assert trouble.next_step


@pytest.mark.real_services
async def test_a_primary_that_is_silent_hides_no_trouble_of_others(redis_cluster: str) -> None:
    address = parse_redis_address(redis_cluster)
    (_, silent), (_, full), _ = address.nodes
    async with (
        connected(address, Connecting(timeout_seconds=1, connections=4)) as cluster,
        Redis(port=silent) as one,
        Redis(port=full) as other,
    ):
        await redis_state(cluster)  # knows its nodes by now
        await other.config_set("maxmemory", 1)
        await one.client_pause(2500)  # not even the end of it would be heard
        try:
            told = [trouble.told for trouble in (await redis_state(cluster)).troubles]
        finally:
            await other.config_set("maxmemory", 0)
            # Answered once the pause is over: others use the Cluster too.
            await one.info("server")
    assert any("does not answer" in each and f":{silent}" in each for each in told)
    assert any("OOM" in each and f":{full}" in each for each in told)
