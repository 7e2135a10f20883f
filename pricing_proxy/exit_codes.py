"""How every command ends."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ends; `EXIT_CODES` is the same for `--help`."""

    DONE = 0
    FAILED = 1
    MISTAKEN = 2
    UNCONFIRMED = 3
    INTERRUPTED = 130  # what shells report for a program that Ctrl-C ended


EXIT_CODES = (
    f"Exit codes: {Exit.DONE} done. {Exit.FAILED} something that it needs cannot be used, or it "
    f"cannot be done. {Exit.MISTAKEN} the command or the configuration has a mistake, or an "
    f"address is taken. {Exit.UNCONFIRMED} nobody said yes to the first start of d365-sync. "
    f"{Exit.INTERRUPTED} interrupted."
)
