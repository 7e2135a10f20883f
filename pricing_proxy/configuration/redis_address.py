"""Where Redis is: one server, or one found through Sentinels, or the nodes of a Cluster.

    redis://host:6379/0                              rediss:// over TLS
    unix:///run/redis.sock
    redis+sentinel://host:26379,host2:26379/service/0     rediss+sentinel://
    redis+cluster://host:7000,host2:7000                  rediss+cluster://

Passwords never stand in an address: it shows up in logs and process lists. Whoever
connects is `shared_state.connection`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_SHAPES = (
    "redis://host:port/db, rediss://..., unix:///path, redis+sentinel://host:port,.../service/db, "
    "redis+cluster://host:port,..."
)
_SERVER_PORT, _SENTINEL_PORT = 6379, 26_379
_HIGHEST_PORT = 65_535
_PARTS = re.compile(r"(?P<scheme>[A-Za-z+]+)://(?P<hosts>[^/?#]*)(?P<path>[^?#]*)(?P<more>.*)")
# A name, an IPv4 address or an IPv6 address in brackets; then perhaps a port.
_NODE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:\[\]@]+)(?::(?P<port>\d{1,5}))?")


class RedisKind(StrEnum):
    """Who is asked where the data is."""

    SERVER = "server"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """A checked address.

    Attributes:
        url: As configured.
        kind: What stands there.
        nodes: Host and port of the server, of each Sentinel, or of some nodes of the Cluster.
        service: The name by which Sentinels know the server; empty otherwise.
        database: Number of the database; a Cluster only has 0.
        username: For Redis' access lists; None for the default user.
        is_encrypted: Whether it is reached over TLS.
    """

    url: str
    kind: RedisKind
    nodes: tuple[tuple[str, int], ...] = ()
    service: str = ""
    database: int = 0
    username: str | None = None
    is_encrypted: bool = False


def parse_redis_address(text: str) -> RedisAddress:
    """Return the address; raises `ValueError` that says what is expected, without the text."""
    # By hand: some versions of `urlsplit` refuse a list of hosts with an IPv6 address in it.
    parts = _PARTS.fullmatch(text)
    if parts is None or parts["hosts"].count("[") != parts["hosts"].count("]"):
        raise ValueError(f"expected {_SHAPES}")
    user, _, hosts = parts["hosts"].rpartition("@")
    if ":" in user:
        raise ValueError("expected no password in the address; put it into redis.password")
    scheme, _, suffix = parts["scheme"].lower().partition("+")
    if scheme == "unix":
        return RedisAddress(url=text, kind=RedisKind.SERVER)
    is_encrypted = scheme == "rediss"
    if scheme not in {"redis", "rediss"} or (suffix and suffix not in {"sentinel", "cluster"}):
        raise ValueError(f"expected {_SHAPES}")
    kind = RedisKind(suffix or "server")
    if kind is not RedisKind.SERVER and parts["more"]:
        raise ValueError(f"expected nothing behind the path of a {kind} address")
    service, database = _path(parts["path"], kind)
    return RedisAddress(
        url=text,
        kind=kind,
        nodes=_nodes(hosts, kind),
        service=service,
        database=database,
        username=user or None,
        is_encrypted=is_encrypted,
    )


def _nodes(hosts: str, kind: RedisKind) -> tuple[tuple[str, int], ...]:
    usual = _SENTINEL_PORT if kind is RedisKind.SENTINEL else _SERVER_PORT
    texts = hosts.split(",")
    if kind is RedisKind.SERVER and len(texts) > 1:
        raise ValueError("expected one host; several take redis+sentinel:// or redis+cluster://")
    return tuple(_node(text, usual) for text in texts)


def _node(text: str, usual_port: int) -> tuple[str, int]:
    found = _NODE.fullmatch(text)
    port = int(found["port"] or usual_port) if found is not None else 0
    if found is None or not 0 < port <= _HIGHEST_PORT:
        raise ValueError("expected host:port for each node, with commas between nodes")
    return found["host"].strip("[]"), port


def _path(path: str, kind: RedisKind) -> tuple[str, int]:
    """Return the service's name and the database."""
    pieces = [piece for piece in path.split("/") if piece]
    service = ""
    if kind is RedisKind.SENTINEL:
        if not pieces:
            raise ValueError(
                "expected redis+sentinel://host:port,.../service/db: the Sentinels' name "
                "of the service is missing"
            )
        service = pieces.pop(0)
    if kind is RedisKind.CLUSTER and pieces not in ([], ["0"]):
        raise ValueError("expected no database other than 0: a Cluster has no others")
    if len(pieces) > 1 or not all(piece.isdecimal() for piece in pieces):
        raise ValueError("expected the number of a database at the end, such as /0")
    return service, int(pieces[0]) if pieces else 0
