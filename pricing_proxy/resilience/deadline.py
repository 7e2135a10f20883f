"""When an answer stops being useful, as an instant of the monotonic clock.

A deadline travels with a call through every step of the client layer. A step that
could not finish before it is not begun.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Deadline:
    """The last useful instant of a call.

    Attributes:
        at_us: Microseconds of `Clock.monotonic_us`.
    """

    at_us: int

    @classmethod
    def after(cls, wait_us: int, *, now_us: int) -> "Deadline":
        """Return the deadline `wait_us` from now."""
        return cls(now_us + wait_us)

    def remaining_us(self, now_us: int) -> int:
        """Return what is left, never less than zero."""
        return max(0, self.at_us - now_us)

    def has_passed(self, now_us: int) -> bool:
        """Say whether nothing is left."""
        return now_us >= self.at_us

    def minus(self, margin_us: int) -> "Deadline":
        """Return the last instant at which a step that takes `margin_us` may begin."""
        return Deadline(self.at_us - margin_us)
