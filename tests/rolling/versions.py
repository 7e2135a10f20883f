"""Two versions of the programs side by side, each in a folder of its own."""

import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pricing_proxy.children import tied
from sync.store.schema import newest_version
from tests.chaos.processes import ChaosError
from tests.code.sources import ROOT

NEXT = "9000"
"""The version of the schema that is made for a run; no real one comes near it."""

_PACKAGES = ("pricing_proxy", "sync")
# What a minor version may do under those that run: a column and an index on the table that every
# worker writes all the time, and a table of its own.
_MIGRATION = '''"""Note by whom an event was looked at, and when."""

import sqlalchemy as sa
from alembic import op

revision = "{version}"
down_revision = "{before}"


def upgrade() -> None:
    """Add them."""
    op.add_column("sync_event", sa.Column("seen_by", sa.Text, nullable=False, server_default=""))
    op.create_index("sync_event_seen_by", "sync_event", ["seen_by", "id"])
    op.create_table(
        "event_look",
        sa.Column("event_id", sa.BigInteger, sa.ForeignKey("sync_event.id"), primary_key=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    )
'''


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the programs.

    Attributes:
        name: As printed.
        folder: Where its packages are.
    """

    name: str
    folder: Path

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment in which `python -m sync` is of this version, wherever it is called."""
        return {"PYTHONPATH": str(self.folder), "PYTHONSAFEPATH": "1"}

    @property
    def may_leave(self) -> bool:
        """Whether its workers can be told to leave the schema alone."""
        return "migrate: bool" in (self.folder / "sync" / "sections.py").read_text("utf-8")


def versions(folder: Path, since: str | None) -> tuple[Version, Version]:
    """Return the version before and the one after.

    Args:
        folder: Where they are put.
        since: The commit of the one before, and what is here is the one after; None for what is
            here, and the one after is made of it: with the next version of the schema.
    """
    if since is not None:
        return Version(since, _of_commit(folder / "before", since)), Version("this one", ROOT)
    after = folder / "after"
    for name in _PACKAGES:
        shutil.copytree(ROOT / name, after / name, ignore=shutil.ignore_patterns("__pycache__"))
    migration = _MIGRATION.format(version=NEXT, before=newest_version())
    place = after / "sync" / "store" / "migrations" / "versions" / f"{NEXT}_looks.py"
    place.write_text(migration, encoding="utf-8")
    return Version("this one", ROOT), Version("the next one", after)


def _of_commit(folder: Path, commit: str) -> Path:
    done = subprocess.run(  # noqa: S603 -- git, and what the caller says
        ["git", "archive", commit, *_PACKAGES],  # noqa: S607 -- the one that is on PATH
        cwd=ROOT,
        capture_output=True,
        check=False,
        **tied(),
    )
    if done.returncode != 0:
        raise ChaosError(f"there is no {commit} here: {done.stderr.decode().strip()}")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder
