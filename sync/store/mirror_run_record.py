"""How runs are read back, what stands in the way of one, and what of it is held."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from sync.store.mirror_records import HeldAlone, MirrorRun, RunState, RunTrigger


class RunLostError(Exception):
    """Another process reads for the run by now; nothing more may be done for it here."""


class RunDecisionError(Exception):
    """A run is not in a state in which this can be decided or begun; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """Rows of the ERP that are held for what is wrong with them, not with the shop.

    Attributes:
        key: As the ERP writes it.
        meets: Other keys that are one with it to the shop.
        field: The ERP's field at fault.
        text: What is wrong.
        advice: What to do.
    """

    key: str
    meets: Sequence[str] = ()
    field: str
    text: str
    advice: str

    @property
    def alone(self) -> HeldAlone:
        """It, as its event tells of it."""
        return HeldAlone(
            key=self.key, meets=self.meets, field=self.field, text=self.text, advice=self.advice
        )


def mirror_run_of(row: RowMapping) -> MirrorRun:
    """Return a row of `mirror_run` as a value."""
    columns: dict[str, Any] = {name: row[name] for name in MirrorRun.__slots__}
    columns["trigger"] = RunTrigger(columns["trigger"])
    columns["state"] = RunState(columns["state"])
    return MirrorRun(**columns)
