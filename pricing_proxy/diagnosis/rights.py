"""Rights that whoever starts the image may give it and that nothing in it needs.

None of them stops anything from working, so each is a warning: in the log at start, and in
`check`. Outside of a container roots can be written, and who runs what is the unit's business.
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass

from pricing_proxy.diagnosis.board import Finding, ok, warned

RIGHTS = "no more rights than needed"

_log = logging.getLogger(__name__)

# Images of no certain runtime set it to "oci", as ours does; runtimes to their own names. A
# developer's container, where tests run as root, has none.
_CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What this process may do, and where it runs."""

    user: int
    is_contained: bool
    is_root_writable: bool

    @classmethod
    def here(cls) -> "Surroundings":
        """Return those of this process."""
        return cls(
            user=os.geteuid(),
            is_contained=bool(os.environ.get(_CONTAINER)),
            is_root_writable=not os.statvfs("/").f_flag & os.ST_RDONLY,
        )


def rights_row(here: Surroundings) -> Finding:
    """Return what a container grants for nothing, all of it in one row."""
    if not here.is_contained:
        return ok("no container")
    excess = [*_excess(here)]
    if not excess:
        return ok(f"user {here.user}, and a root that is read-only")
    return warned(*("; ".join(texts) for texts in zip(*excess, strict=True)))


def warn_of_rights(here: Surroundings) -> None:
    """Log what `rights_row` warns of."""
    if here.is_contained:
        for found, advice in _excess(here):
            _log.warning("%s. %s", found, advice)


def _excess(here: Surroundings) -> Iterator[tuple[str, str]]:
    """Yield what is granted for nothing, and what to do about it."""
    if here.user == 0:
        yield (
            "this container runs as root",
            "Leave the image's own user (10001): no --user 0; in Kubernetes runAsNonRoot: true",
        )
    if here.is_root_writable:
        yield (
            "this container's root file system can be written",
            "Start it with --read-only --tmpfs /tmp; in Kubernetes readOnlyRootFilesystem: true",
        )
