"""Ask before something is done that changes much, and never do it because nobody could answer."""

import sys
from typing import Annotated

import typer

from pricing_proxy.command_line import fail

Yes = Annotated[bool, typer.Option("--yes", help="Do it unasked, as scripts must.")]


def agreed(question: str, *, yes: bool, instead: str) -> None:
    """Return if a person agrees, or has said so before; else end the command with code 1.

    Args:
        question: What is to be done, with its size.
        yes: Whether it was agreed to beforehand.
        instead: How to see more before saying so.
    """
    if yes:
        return
    if not _can_answer():
        fail(f"{question} Nobody can answer here, so nothing was done: say --yes, or {instead}")
    if not typer.confirm(question):
        fail(f"Nothing was done. {instead[:1].upper()}{instead[1:]}")


def _can_answer() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
