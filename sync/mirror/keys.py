"""Which keys are one. Pure.

The shop takes two SKUs for one product when they differ in letter case or in outer blanks
alone, so two rows of the ERP that differ in no more would write over each other.
"""


def folded(key: str) -> str:
    """Return what is equal for keys that are one to the shop."""
    return key.strip().casefold()
