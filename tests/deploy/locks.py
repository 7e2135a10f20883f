"""The lock files, read: which package in which version, where it is installed, and its hashes."""

import re
from dataclasses import dataclass

from tests.code.sources import ROOT

FULL = "requirements.lock"
RUNTIME = "requirements-runtime.lock"

_PACKAGE = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\")
_HASH = re.compile(r" +--hash=(?P<hash>sha256:[0-9a-f]{64})(?: \\)?")
_COMMENT = re.compile(r" +#.*")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock.

    Attributes:
        marker: Where it is installed; None for everywhere.
        hashes: Of the files that may be installed.
    """

    version: str
    marker: str | None
    hashes: frozenset[str]


def locked(file: str) -> dict[str, Locked]:
    """Return the packages of a lock by name; raises `ValueError` for a line of another kind.

    Args:
        file: From the project's root.
    """
    found: dict[str, Locked] = {}
    name = ""
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        if package := _PACKAGE.fullmatch(line):
            name = package["name"]
            found[name] = Locked(package["version"], package["marker"], frozenset())
        elif one := _HASH.fullmatch(line):
            before = found[name]
            found[name] = Locked(before.version, before.marker, before.hashes | {one["hash"]})
        elif not _COMMENT.fullmatch(line):
            raise ValueError(f"{file}: {line!r} is neither a package nor a hash")
    return found
