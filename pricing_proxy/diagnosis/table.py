"""Show a report: tables for people, JSON for programs."""

import json
from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pricing_proxy.diagnosis.board import Board, RowState
from pricing_proxy.diagnosis.report import Report
from pricing_proxy.terminal import neutral_json

_WORDS = {
    RowState.OK: Text("ok", style="green"),
    RowState.WARNED: Text("WARNING", style="bold yellow"),
    RowState.FAILED: Text("FAILED", style="bold red"),
    RowState.SKIPPED: Text("skipped", style="yellow"),
}


def print_tables(report: Report, console: Console) -> None:
    """Print a table for each board, and the sum of it all."""
    for board in report.boards:
        console.print(_table(board))
    states = Counter(row.finding.state for board in report.boards for row in board.rows())
    told = ", ".join(f"{states[state]} {state}" for state in RowState if states[state])
    console.print(told, style="green" if report.is_ok else "red")


def as_json(report: Report) -> str:
    """Return the report as JSON."""
    tables = [{"title": board.title, "rows": _rows(board)} for board in report.boards]
    return neutral_json(
        json.dumps({"ok": report.is_ok, "tables": tables}, indent=2, ensure_ascii=False)
    )


def _table(board: Board) -> Table:
    table = Table(title=board.title, title_justify="left", title_style="bold", show_lines=False)
    for column in ("What", "State", "Found", "Next step"):
        table.add_column(column, overflow="fold")
    for row in board.rows():
        finding = row.finding
        # As `Text`, because what other systems say may hold rich's own markup.
        found, next_step = Text(finding.found), Text(finding.next_step)
        table.add_row(Text(row.name), _WORDS[finding.state], found, next_step)
    return table


def _rows(board: Board) -> list[dict[str, str]]:
    return [
        {
            "name": row.name,
            "state": row.finding.state.value,
            "found": row.finding.found,
            "next_step": row.finding.next_step,
            "needs": row.finding.needs,
        }
        for row in board.rows()
    ]
