"""What a process takes: its memory at the most, and how long processors were at it.

Read where Linux tells it of processes; a process that is gone has taken what was seen last.
"""

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PEAK = "VmHWM:"


@dataclass(slots=True)
class Burden:
    """Processes, as they were seen last.

    Attributes:
        peaks: Megabytes at the most, by process.
        seconds: Of a processor since it was seen first, likewise.
    """

    peaks: dict[int, float] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    _before: dict[int, float] = field(default_factory=dict)

    def see(self, pid: int) -> None:
        """Look at a process."""
        with contextlib.suppress(OSError):
            folder = Path(f"/proc/{pid}")
            for line in (folder / "status").read_text(encoding="ascii").splitlines():
                if line.startswith(_PEAK):
                    self.peaks[pid] = int(line.split()[1]) / 1024
            # The name, which may have blanks, stands in brackets.
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            seconds = (int(fields[11]) + int(fields[12])) / _TICKS
            self.seconds[pid] = seconds - self._before.setdefault(pid, seconds)

    @property
    def peak_mb(self) -> float:
        """The most that one of them took."""
        return max(self.peaks.values(), default=0.0)
