"""Write the benchmark's table into the README, between its two marks, with machine and date."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

_BEGIN, _END = "<!-- bench -->\n", "<!-- /bench -->"
_HEAD = "| case | bare µs | service µs | x bare, or value | goal |\n|---|---:|---:|---:|---:|\n"


def write_readme(file: Path, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
    """Replace the block; raises `ValueError` when the README has lost its marks."""
    text = file.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{file} has no place for the benchmark's table")
    body = _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)
    today = datetime.now(UTC).date().isoformat()
    block = f"{body}\n{_machine()}, Python {platform.python_version()}, {today}.\n"
    file.write_text(f"{before}{begin}{block}{end}{after}", encoding="utf-8")


def _machine() -> str:
    """Return the processor and how many of them."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} x {models[0] if models else platform.machine()}"
