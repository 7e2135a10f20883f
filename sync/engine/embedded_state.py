"""What is to be seen of an embedded PostgreSQL from outside: nothing is started or made here."""

import os
from enum import Enum, auto
from pathlib import Path
from urllib.parse import quote

from sync.engine.postgres_programs import (
    MAJOR_VERSION,
    Account,
    EmbeddedPostgresError,
    account,
    data_version,
    installed,
)

# A path of a socket has 107 bytes at most, and the name of ours takes these.
_LONGEST_FOLDER = 107 - len("/run/.s.PGSQL.5432")


class Presence(Enum):
    """How far it is."""

    NOT_MADE = auto()
    STOPPED = auto()
    RUNNING = auto()


def look(folder: Path) -> Presence:
    """Return how far an embedded PostgreSQL in a folder is.

    Raises:
        EmbeddedPostgresError: It cannot be run there; the text says what to do.
    """
    folder = folder.absolute()
    data = folder / "data"
    check_folder(folder)
    installed()
    try:
        found = data_version(data)
    except PermissionError:
        raise EmbeddedPostgresError(
            f"{data} is closed to this user: look as the user who runs d365-sync run"
        ) from None
    if found is None:
        check_access(account(), data)
        return Presence.NOT_MADE
    if found != MAJOR_VERSION:
        raise wrong_version(data, found)
    return Presence.STOPPED if server_pid(data) is None else Presence.RUNNING


def socket_url(folder: Path) -> str:
    """Return the address of a server in a folder."""
    return f"postgresql://postgres@/postgres?host={quote(str(folder.absolute() / 'run'))}"


def server_pid(data: Path) -> int | None:
    """Return the process of a data directory's server, None while it is not running."""
    try:
        pid = int((data / "postmaster.pid").read_bytes().split()[0])
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return None
    return pid


def check_folder(folder: Path) -> None:
    """Raise `EmbeddedPostgresError` when a folder's path is too long, or has a comma."""
    if "," in str(folder):
        raise EmbeddedPostgresError(
            f"{folder} has a comma, which parts two addresses for PostgreSQL: choose a "
            "data_directory without one"
        )
    if len(os.fsencode(folder)) > _LONGEST_FOLDER:
        raise EmbeddedPostgresError(
            f"{folder} is too long for a socket: choose a data_directory of at most "
            f"{_LONGEST_FOLDER} bytes"
        )


def check_access(who: Account, data: Path) -> None:
    """Raise `EmbeddedPostgresError` when the server's user could not reach its data."""
    closed = who.closed_to(data)
    if closed is not None:
        raise EmbeddedPostgresError(
            f"PostgreSQL runs as user {who.name}, who may not enter {closed}: choose a "
            f"data_directory outside of it, or let others pass with chmod o+x {closed}"
        )


def wrong_version(data: Path, found: str) -> EmbeddedPostgresError:
    """Return the refusal of data that another version made."""
    return EmbeddedPostgresError(
        f"{data} was made by PostgreSQL {found}, this program brings {MAJOR_VERSION}: dump it "
        "with the old version and restore it into a new data_directory, or name a server of "
        "that version in sync.postgres.url"
    )
