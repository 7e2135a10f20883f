"""Print for people, whatever the texts hold: nothing in them repaints or commands a terminal.

Names, messages and SKUs come from other systems, some of them from shoppers. An escape
sequence among them could clear the screen, forge a line of ours or write into the clipboard; a
bidirectional mark could turn one number into another. Every console of both programs is one of
these, but for the sandbox's own, so no command has to think of it. Line feeds and tabs stay.
"""

import json
from collections.abc import Iterable
from typing import Any
from unicodedata import category

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

_LAYOUT = "\n\t"
_BLANKS = "Zs"
_UNSEEN = "\N{REPLACEMENT CHARACTER}"


def visible(text: str) -> str:
    """Return a text of the same length without what would change how the rest is shown."""
    return "".join(letter if _is_visible(letter) else _UNSEEN for letter in text)


def on_one_line(text: str) -> str:
    """Return a text as `visible` does, and without line feeds that would forge another line."""
    return visible(text.replace("\n", " "))


def neutral_json(text: str) -> str:
    """Return JSON that says the same, with what would command a terminal written as escapes."""
    return "".join(letter if _is_visible(letter) else json.dumps(letter)[1:-1] for letter in text)


class PlainConsole(Console):
    """A rich console that shows texts and styles, and only its own control sequences."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text of rich's markup as it is shown."""
        return super().render_str(visible(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the pieces of anything that is printed."""
        if isinstance(renderable, Text):
            shown = visible(renderable.plain)
            if shown != renderable.plain:
                renderable = renderable.copy()
                renderable.plain = shown
        return super().render(renderable, options)


def _is_visible(letter: str) -> bool:
    return letter.isprintable() or letter in _LAYOUT or category(letter) == _BLANKS
