"""What lies open: ways to other hosts that anybody on the line can read, and secrets on disk.

None of it stops anything from working, so each is a warning.
"""

import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from pricing_proxy.configuration.addresses import is_loopback
from pricing_proxy.configuration.reading import secrets_directory
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.configuration.redis_address import parse_redis_address
from pricing_proxy.diagnosis.board import Board, Finding, ok, warned
from pricing_proxy.diagnosis.rights import RIGHTS, Surroundings, rights_row

REDIS_LINE = "Redis over TLS"
_SECRETS = "secrets are for us alone"
_MOST_SHOWN = 5


def this_machine() -> Board:
    """Return the table of this machine."""
    board = Board("This machine", (_SECRETS, RIGHTS))
    board.put(_SECRETS, _secret_files(secrets_directory()))
    board.put(RIGHTS, rights_row(Surroundings.here()))
    return board


def redis_line(redis: RedisSection) -> Finding:
    """Return whether what goes to Redis can be read or changed on the way."""
    if redis.is_embedded:
        return ok("embedded: there is no line")
    address = parse_redis_address(redis.url)
    hosts = [host for host, _ in address.nodes if not is_loopback(host)]
    if not hosts:
        return ok("on this machine")
    there = ", ".join(dict.fromkeys(hosts))
    if not address.is_encrypted:
        return warned(
            f"plain to {there}: the password, prices and customers' accounts can be read on the "
            "way, and changed",
            "Have Redis listen with TLS and write rediss:// in redis.url; or accept it for a "
            "network that is yours alone",
        )
    options = {name.lower(): text.lower() for name, text in parse_qsl(urlsplit(redis.url).query)}
    if options.get("ssl_cert_reqs") in ("none", "optional"):
        return warned(
            f"TLS to {there}, but with ssl_cert_reqs={options['ssl_cert_reqs']}: whoever stands in "
            "between can say that they are Redis",
            "Take ssl_cert_reqs out of redis.url; for an authority of your own name its file there "
            "as ssl_ca_certs",
        )
    return ok(f"TLS to {there}")


def _secret_files(directory: Path | None) -> Finding:
    """Return whether others on this machine can read the secrets directory, None for none."""
    if directory is None:
        return ok("no directory: secrets come from the environment")
    exposed = list(_exposed(directory))
    if not exposed:
        return ok(f"nobody else can read {directory}")
    shown = ", ".join(exposed[:_MOST_SHOWN])
    more = f" and {len(exposed) - _MOST_SHOWN} more" if len(exposed) > _MOST_SHOWN else ""
    return warned(
        f"every user of this machine can read {shown}{more} in {directory}",
        f"chmod -R o= {directory}; in Kubernetes give the volume defaultMode 0440",
    )


def _exposed(directory: Path) -> Iterator[str]:
    """Yield the names of files that any user can read, by way of folders that any can enter."""
    yield from (file.name for file in sorted(directory.iterdir()) if is_open_to_all(file))


def is_open_to_all(file: Path) -> bool:
    """Return whether any user can read a file, by way of folders that any can enter."""
    try:
        # What a link names is read: mounted secrets are swapped by turning one.
        place = file.resolve(strict=True)
        is_open = place.is_file() and _has(place, stat.S_IROTH)
        return is_open and all(_has(folder, stat.S_IXOTH) for folder in place.parents)
    except OSError:
        return False  # what we cannot follow is no secret of ours; reading says so


def _has(path: Path, bit: int) -> bool:
    return bool(path.stat().st_mode & bit)
