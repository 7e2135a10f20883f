"""The command `edit`: change what an event carries, after a look at the difference."""

import difflib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from pricing_proxy.command_line import Config, fail, output
from sync.console.running import By, operator, with_stores
from sync.flows import FLOWS
from sync.store.records import EventRecord

_STDIN = "-"


def edit_command(
    event: Annotated[int, typer.Argument(help="Its number, as in `failed`.")],
    file: Annotated[
        str, typer.Argument(help='File with the new payload as JSON; "-" reads standard input.')
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it unasked; needed with -.")] = False,
    config: Config = None,
    by: By = None,
) -> None:
    """Replace the payload of a stopped event, then carry it with `replay`.

    Shows what changes and asks first. The payload as it is: d365-sync show EVENT --json.
    Old and new are kept in the audit. Exit code 1: nothing was changed.

    An order's "items" names what is sold where the shop's product was renamed or deleted:
    {"17": "LAMP-17"} is the line's item_id in the shop and the ERP's item or variant number; its
    "account" is the ERP's account on which it is booked. What nobody would read is refused.
    """
    payload = _payload(file)
    found = with_stores(config, lambda opened: opened.overview.event(event))
    if found is None:
        fail(f"There is no event {event}; the numbers are in: d365-sync failed")
    _check(found, payload)
    difference = _difference(found.payload, payload)
    if not difference:
        fail("The payload is the same already; nothing was changed.")
    output().print(Text("\n".join(difference)))
    if not yes:
        if file == _STDIN:
            fail("Standard input is the payload, so it cannot answer: say --yes")
        if not typer.confirm(f"Change event {event} so?"):
            fail("Nothing was changed.")
    with_stores(config, lambda opened: opened.interventions.edit(event, payload, by=operator(by)))
    output().print(f"Event {event} is changed. Carry it with: d365-sync replay {event}")


def _payload(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if file == _STDIN else Path(file).read_text(encoding="utf-8")
        payload = json.loads(text)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}")
    except ValueError as error:
        fail(f"{file} is no JSON: {error}")
    if not isinstance(payload, dict):
        fail(f"{file} holds no JSON object; see d365-sync show EVENT --json")
    return payload


def _check(event: EventRecord, payload: Mapping[str, Any]) -> None:
    """Refuse what the event's flow would not read as it was meant."""
    for flow in FLOWS:
        if flow.name == event.flow and (why := flow.bad_edit(event, payload)):
            fail(f"{why}; nothing was changed.")


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old, new = _lines(before), _lines(after)
    return list(difflib.unified_diff(old, new, "now", "then", lineterm="", n=1))


def _lines(payload: Mapping[str, Any]) -> list[str]:
    text = json.dumps(dict(payload), indent=2, ensure_ascii=False, sort_keys=True)
    return text.splitlines()
