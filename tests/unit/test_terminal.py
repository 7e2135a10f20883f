"""What other systems say is shown to people, and commands neither their terminal nor their log."""

import io
import json
import logging
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

import pricing_proxy
import sync
from pricing_proxy.command_line import errors, output
from pricing_proxy.telemetry.logs import TextFormatter
from pricing_proxy.terminal import PlainConsole, neutral_json, visible

# Clears the screen, names the window, an eight-bit introducer, turned text, another line.
HOSTILE = "LAMP\x1b[2J\x1b]0;owned\x07\x9b31m\u202e10\u2066\r\x08\x7f\ud800 01"
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def table(title: str, *cells: RenderableType) -> Table:
    """Return a table of one row."""
    drawn = Table(title=title, caption=title)
    for cell in cells:
        drawn.add_column(title if isinstance(cell, str) else "", overflow="fold")
    drawn.add_row(*cells)
    return drawn


def printed(renderable: RenderableType) -> str:
    """Return what a console writes."""
    file = io.StringIO()
    PlainConsole(file=file, highlight=False, markup=False, width=160).print(renderable)
    return file.getvalue()


@pytest.mark.parametrize(
    "renderable",
    [
        HOSTILE,
        Text(HOSTILE),
        Text.assemble(("is ", "red"), HOSTILE),
        table(HOSTILE, HOSTILE, Text(HOSTILE)),
        Group(HOSTILE, table(HOSTILE, Text(HOSTILE, style="red"))),
    ],
)
def test_nothing_printed_commands_the_terminal(renderable: RenderableType) -> None:
    """Shoppers type names, the ERP quotes them, and an operator reads them."""
    shown = printed(renderable)

    assert not _COMMANDS.search(shown)
    assert "LAMP\N{REPLACEMENT CHARACTER}[2J" in shown
    assert "01" in shown


def test_brackets_of_other_systems_are_shown_and_are_no_markup(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An order's number, a unit or a name in brackets would be gone, or end the command."""
    said = "W[bold]7 [/nothing]"
    for console in (output(), errors()):
        console.print(table(said, said))
        console.print(f"Event {said} is skipped.")
    shown = capsys.readouterr()
    for text in (shown.out, shown.err):
        assert text.count(said) == 5


@given(st.text())
def test_a_text_keeps_its_length_and_all_that_is_seen(text: str) -> None:
    """Spans of styles are counted in letters; nothing readable is lost."""
    shown = visible(text)

    assert len(shown) == len(text)
    assert not _COMMANDS.search(shown)
    assert visible(shown) == shown
    assert all(
        one in (other, "\N{REPLACEMENT CHARACTER}") for one, other in zip(shown, text, strict=True)
    )


@pytest.mark.parametrize("text", ["Größe 10\N{NO-BREAK SPACE}€", "品番 1", "two\nlines\tof it", ""])
def test_what_people_read_stays_as_it_is(text: str) -> None:
    """Umlauts, other scripts, blanks of numbers and the layout of a text are no commands."""
    assert visible(text) == text


def test_what_another_system_says_begins_no_line_of_a_log() -> None:
    """A line that it makes up would be read, and alarmed about, as ours."""
    said = f"refused: {HOSTILE}\n2026-11-29 WARNING pricing_proxy: all is well"
    record = logging.LogRecord("test", logging.WARNING, "", 1, "%s", (said,), None)

    line = TextFormatter().format(record)

    assert len(line.splitlines()) == 1
    assert not _COMMANDS.search(line)


def test_every_console_is_one_that_shows_texts_only() -> None:
    """A command of tomorrow prints what other systems say, too."""
    ours = [Path(package.__path__[0]) for package in (pricing_proxy, sync)]
    files = [file for folder in ours for file in folder.rglob("*.py")]
    # The sandbox shares nothing with us and prints what its own user typed.
    makers = {
        file.name
        for file in files
        if "sandbox" not in file.parts
        and re.search(r"(?<!Plain)\bConsole\(", file.read_text(encoding="utf-8"))
    }

    assert not makers


def test_json_says_the_same_and_commands_no_terminal() -> None:
    """Whoever looks at it in a terminal is as exposed as who looks at a table."""
    text = json.dumps({"name": HOSTILE, "city": "Köln \N{GRINNING FACE}"}, ensure_ascii=False)

    shown = neutral_json(text)

    assert not _COMMANDS.search(shown)
    assert json.loads(shown) == json.loads(text)
    assert "Köln \N{GRINNING FACE}" in shown
    shown.encode()
