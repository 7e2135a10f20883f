"""Addresses of Redis: what each form means, and what is said about a wrong one."""

import pytest

from pricing_proxy.configuration.redis_address import RedisKind, parse_redis_address


@pytest.mark.parametrize("text", ["redis://cache", "redis://cache:6379/0", "redis://me@cache/3"])
def test_one_server(text: str) -> None:
    address = parse_redis_address(text)
    assert (address.kind, address.url) == (RedisKind.SERVER, text)
    assert address.nodes == (("cache", 6379),)


def test_a_socket_on_this_machine() -> None:
    address = parse_redis_address("unix:///run/redis.sock")
    assert (address.kind, address.nodes) == (RedisKind.SERVER, ())


def test_a_server_behind_sentinels() -> None:
    address = parse_redis_address("redis+sentinel://ops@one:26380,two,[::1]:26381/prices/2")
    assert address.kind is RedisKind.SENTINEL
    assert address.nodes == (("one", 26380), ("two", 26379), ("::1", 26381))
    assert (address.service, address.database, address.username) == ("prices", 2, "ops")
    assert not address.is_encrypted


def test_a_cluster_over_tls() -> None:
    address = parse_redis_address("rediss+cluster://10.0.0.1:7000,10.0.0.2:7001/0")
    assert address.kind is RedisKind.CLUSTER
    assert address.nodes == (("10.0.0.1", 7000), ("10.0.0.2", 7001))
    assert address.is_encrypted


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("localhost:6379", "redis+cluster://"),
        ("http://cache", "redis://host:port/db"),
        ("redis+ring://cache", "redis+sentinel://"),
        ("redis://[::1", "redis://host:port/db"),
        ("redis://", "host:port"),
        ("redis://cache:http", "host:port"),
        ("redis://cache:70000", "host:port"),
        ("redis://one,two", "several take redis+sentinel:// or redis+cluster://"),
        ("redis://cache/prices", "number of a database"),
        ("redis+sentinel://one,two", "name of the service is missing"),
        ("redis+sentinel://one/prices/0/1", "number of a database"),
        ("redis+sentinel://one,,two/prices", "commas between nodes"),
        ("redis+sentinel://one/prices?retry=9", "nothing behind the path"),
        ("redis+cluster://one/1", "no database other than 0"),
        ("redis+cluster://me:secret-word@one", "put it into redis.password"),
    ],
)
def test_a_wrong_address_is_told_what_is_expected(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        parse_redis_address(text)
    assert advice in str(caught.value)
    assert "secret-word" not in str(caught.value)
