"""Compare every order of the shop, line by line, with the ERP's documents: a program of its own.

    python -m tests.chaos.judge http://127.0.0.1:8100 --count 300 --wait 120

It talks only HTTP to the sandbox's control port, knows nothing of the sync, and waits until
all is well or its time is over. What is wrong is told under the names of `comparison`. Exit
code 1: a count that must be zero is not.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from tests.chaos.comparison import FAULTS, Agreed, Verdict, judge

_REQUEST_SECONDS = 60.0
_SHOWN = 10


def read(control_url: str) -> tuple[list[Any], list[Any]]:
    """Return the shop's orders and the ERP's documents."""
    with requests.Session() as session:
        session.trust_env = False
        pages = []
        for system in ("magento", "fo"):
            address = f"{control_url}/systems/{system}/orders"
            answer = session.get(address, timeout=_REQUEST_SECONDS)
            answer.raise_for_status()
            pages.append(json.loads(answer.text, parse_float=Decimal))
    return pages[0], pages[1]


def await_verdict(
    control_url: str, agreed: Agreed, *, count: int | None, wait_seconds: float
) -> Verdict:
    """Return the verdict as soon as all is well, or when the time is over.

    Args:
        control_url: Of the sandbox.
        agreed: What is known beforehand.
        count: How many orders were placed; another number is a fault. None to believe the shop.
        wait_seconds: How long the systems may take to get there.
    """
    until = time.monotonic() + wait_seconds
    while True:
        began = time.monotonic()
        verdict = judge(*read(control_url), agreed)
        if count is not None and verdict.placed != count:
            verdict.found["lost"].append(f"the shop has {verdict.placed} orders, not {count}")
        now = time.monotonic()
        if verdict.is_good or now >= until:
            return verdict
        # Reading costs the systems time, which is theirs to work in.
        time.sleep(max(0.5, 4 * (now - began)))


def show(verdict: Verdict, console: Console) -> None:
    """Print the table, and the first of each fault."""
    table = Table(title="Judge: shop against ERP", title_justify="left")
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("must be", justify="right")
    table.add_row("orders placed", str(verdict.placed), "")
    if verdict.waiting:
        table.add_row("orders that wait for a person", str(verdict.waiting), "")
    due = verdict.placed - verdict.waiting
    table.add_row("orders released", str(verdict.released), str(due))
    table.add_row("lines compared", str(verdict.lines), "")
    for name in FAULTS:
        count = len(verdict.found[name])
        table.add_row(name, str(count), "0", style="red" if count else "green")
    console.print(table)
    for name, texts in verdict.found.items():
        for text in texts[:_SHOWN]:
            console.print(f"{name}: {text}", style="red", markup=False)


_ACCOUNT_HELP = "where a customer's orders belong; others have an account each, of their own"
_HELD_HELP = "an order that waits for a person, by its entity_id"
_STOPPED_HELP = "an order that was cancelled after it was sent, by its entity_id"
_WAITING_HELP = "a customer whose orders wait for a person, and are not in the ERP"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="judge", description=__doc__.partition("\n")[0])
    parser.add_argument("control_url", help="such as http://127.0.0.1:8100")
    parser.add_argument("--count", type=int, help="orders that were placed")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds until all must be well")
    add = parser.add_argument
    add("--guest-account", help="where orders of guests belong; default: anywhere")
    add("--account", action="append", default=[], metavar="CUSTOMER=ACCOUNT", help=_ACCOUNT_HELP)
    add("--waiting", action="append", default=[], type=int, metavar="CUSTOMER", help=_WAITING_HELP)
    add("--held", action="append", default=[], type=int, metavar="ORDER", help=_HELD_HELP)
    add("--stopped", action="append", default=[], type=int, metavar="ORDER", help=_STOPPED_HELP)
    options = parser.parse_args(arguments)
    agreed = Agreed(
        accounts=_accounts(options.account),
        guest_account=options.guest_account,
        waiting=frozenset(options.waiting),
        held=frozenset(options.held),
        stopped=frozenset(options.stopped),
    )
    verdict = await_verdict(
        options.control_url, agreed, count=options.count, wait_seconds=options.wait
    )
    show(verdict, Console())
    return 0 if verdict.is_good else 1


def _accounts(pairs: Sequence[str]) -> Mapping[int, str]:
    split = (pair.partition("=") for pair in pairs)
    return {int(customer): account for customer, _, account in split}


if __name__ == "__main__":
    sys.exit(main())
