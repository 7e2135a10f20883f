"""Make a flow out of a list of mirrors."""

from collections.abc import Sequence

from sync.description import Built
from sync.given import Given
from sync.mirror.ports import Mirror


def mirror_flow(given: Given, name: str, mirrors: Sequence[Mirror]) -> Built:
    """Return a flow that is ready to run.

    Args:
        given: What flows are built out of.
        name: Its name.
        mirrors: One for each market that has it on.
    """
    schedules = [each for mirror in mirrors for each in given.mirroring.schedules(mirror)]
    return Built(flow=given.mirroring.flow(name, mirrors), schedules=schedules)
