"""What is kept of a row of the shop's lists, or of the ERP's papers, that cannot be read."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OddRecord:
    """One row.

    Attributes:
        source: The flow whose list it is in.
        row_id: The shop's id of it, or a number made of its key in the ERP.
        number: What people call it; empty where it does not say.
        member: The member that is wrong, the first of several; empty where the shop cannot
            serve the row at all.
        text: What is wrong; nothing of what stands there.
        seen_at: When it was first met so.
        looked_at: When it was last asked for again.
        set_aside_by: Who has said that it stays as it is; None while nobody has.
        reason: Why it was set aside.
    """

    source: str
    row_id: int
    number: str
    member: str
    text: str
    seen_at: datetime
    looked_at: datetime
    set_aside_by: str | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """What people call it, with the shop's id."""
        return f"{self.number} (#{self.row_id})" if self.number else f"#{self.row_id}"
