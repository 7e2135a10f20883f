"""The pieces of HTML that the status page is made of; every text is escaped.

Pure. What a snapshot does not hold is shown as missing instead of failing.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pricing_proxy.web.status_words import NONE, Verdict

Snapshot = Mapping[str, Any]

NUMBER = ' class="number"'
_NOTHING = '<p class="faint">Not reported.</p>'


def tile(title: str, verdict: Verdict, detail: str) -> str:
    """Return what is judged in one glance."""
    return (
        f'<div class="tile {verdict.tone}"><span class="what">{text(title)}</span>'
        f"<strong>{text(verdict.words)}</strong>"
        f'<span class="detail">{text(detail)}</span></div>'
    )


def section(title: str, content: str) -> str:
    """Return a part of the page under its title."""
    return f"<section><h2>{text(title)}</h2>{content or _NOTHING}</section>"


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, from_number: int | None = None
) -> str:
    """Return a table; `from_number` is the first column of numbers."""
    if not rows:
        return ""
    start = len(head) if from_number is None else from_number
    titles = "".join(
        f"<th scope='col'{NUMBER if index >= start else ''}>{text(title)}</th>"
        for index, title in enumerate(head)
    )
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    whole = f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{whole}</div>'


def fact_list(facts: Mapping[str, str]) -> str:
    """Return names and values; the values are HTML."""
    if not facts:
        return ""
    pairs = (f"<dt>{text(name)}</dt><dd>{value}</dd>" for name, value in facts.items())
    return f"<dl>{''.join(pairs)}</dl>"


def badge(verdict: Verdict) -> str:
    """Return a verdict within a text."""
    return f'<span class="badge {verdict.tone}">{text(verdict.words)}</span>'


def count_cell(value: Any) -> str:
    """Return a number's cell."""
    return f"<td{NUMBER}>{text(value)}</td>"


def text(value: Any) -> str:
    """Return any value as escaped text."""
    return NONE if value is None else escape(str(value))


def part(whole: Snapshot, name: str) -> Snapshot:
    """Return a member that has members, empty when it is missing."""
    found = whole.get(name)
    return found if isinstance(found, Mapping) else {}
