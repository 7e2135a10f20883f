"""Compare every order of the shop, line by line, with the ERP's documents: a program of its own.

    python -m tests.chaos.judge http://127.0.0.1:8100 --count 300 --wait 120

It talks only HTTP to the sandbox's control port, knows nothing of the sync, and waits until
all is well or its time is over. Exit code 1: a count that must be zero is not.

    lost          no document carries the order's number
    stuck         its document was never released, or the shop was not told its number
    doubled       more than one released document carries its number
    unexplained   a document that is neither, such as a stopped double
    out of order  the right lines in another sequence than the shop's
    wrong         another product, quantity or amount, or another currency
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

FAULTS = ("lost", "stuck", "doubled", "unexplained", "out of order", "wrong")
_SHIPPING, _ROUNDING = "FREIGHT", "ROUNDING"
# What rounding may add to an order, by the rules of the run.
_MOST_ROUNDING = Decimal("0.05")
_REQUEST_SECONDS = 60.0
_SHOWN = 10


@dataclass(slots=True)
class Verdict:
    """What was found.

    Attributes:
        placed: Orders of the shop.
        released: Documents of the ERP that are released.
        lines: Lines compared.
        found: What is wrong, by fault.
    """

    placed: int = 0
    released: int = 0
    lines: int = 0
    found: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FAULTS})

    @property
    def is_good(self) -> bool:
        """Whether every count that must be zero is."""
        return not any(self.found.values())


def judge(placed: Sequence[Mapping[str, Any]], documents: Sequence[Mapping[str, Any]]) -> Verdict:
    """Return what is wrong between the shop's orders and the ERP's documents."""
    verdict = Verdict(placed=len(placed))
    by_reference: dict[str, list[Mapping[str, Any]]] = {}
    for document in documents:
        by_reference.setdefault(document["reference"], []).append(document)
    for order in placed:
        _judge_order(order, by_reference.pop(order["increment_id"], []), verdict)
    for reference, others in by_reference.items():
        verdict.found["unexplained"] += [
            f"{other['number']} carries {reference!r}, which the shop does not know"
            for other in others
        ]
    return verdict


def _judge_order(
    order: Mapping[str, Any], documents: Sequence[Mapping[str, Any]], verdict: Verdict
) -> None:
    number, found = order["increment_id"], verdict.found
    released = [each for each in documents if not each["is_stopped"]]
    stopped = [each["number"] for each in documents if each["is_stopped"]]
    verdict.released += len(released)
    if not documents:
        found["lost"].append(number)
    elif not released:
        found["stuck"].append(f"{number}: {', '.join(stopped)} was never released")
    elif stopped:
        found["unexplained"].append(f"{number}: {', '.join(stopped)} is a stopped double")
    if len(released) > 1:
        found["doubled"].append(f"{number}: {', '.join(each['number'] for each in released)}")
    for document in released[:1]:
        _judge_document(order, document, verdict)


def _judge_document(
    order: Mapping[str, Any], document: Mapping[str, Any], verdict: Verdict
) -> None:
    number, found = order["increment_id"], verdict.found
    if order["ext_order_id"] != document["number"]:
        told = order["ext_order_id"]
        found["stuck"].append(f"{number}: is {document['number']}, the shop was told {told}")
    if order["currency"] != document["header"]["CurrencyCode"]:
        found["wrong"].append(f"{number}: currency {document['header']['CurrencyCode']}")
    rows = sorted(document["lines"], key=lambda row: row["LineCreationSequenceNumber"])
    rounding = sum((_amount(row) for row in rows if row["ItemNumber"] == _ROUNDING), Decimal(0))
    theirs = [_sold(row) for row in rows if row["ItemNumber"] != _ROUNDING]
    ours = _expected(order)
    verdict.lines += len(theirs)
    if Counter(theirs) != Counter(ours):
        missing, surplus = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
        found["wrong"].append(f"{number}: missing {_text(missing)}, surplus {_text(surplus)}")
    elif theirs != ours:
        found["out of order"].append(f"{number}: {_text(Counter(theirs))} in another sequence")
    if abs(rounding) > _MOST_ROUNDING:
        found["wrong"].append(f"{number}: rounding of {rounding}")


_Line = tuple[str, Decimal, Decimal]


def _expected(order: Mapping[str, Any]) -> list[_Line]:
    lines = [
        (_plain(line["sku"]), Decimal(line["quantity"]).normalize(), Decimal(line["net"]))
        for line in order["lines"]
    ]
    shipping = Decimal(order["shipping_net"])
    return [*lines, (_SHIPPING, Decimal(1), shipping)] if shipping else lines


def _sold(row: Mapping[str, Any]) -> _Line:
    return _product(row), Decimal(row["OrderedSalesQuantity"]).normalize(), _amount(row)


def _amount(row: Mapping[str, Any]) -> Decimal:
    return Decimal(row["LineAmount"])


def _product(row: Mapping[str, Any]) -> str:
    """Return the ERP's product as the shop writes it: "SHADE-0015 : : S : Black :"."""
    dimensions = [
        row.get(f"Product{name}Id", "") for name in ("Configuration", "Size", "Color", "Style")
    ]
    return _plain(" : ".join((row["ItemNumber"], *dimensions)))


def _plain(sku: str) -> str:
    """Return a product number without blanks, and without the dimensions it does not have."""
    return ":".join(part.strip() for part in sku.split(":")).rstrip(":")


def _text(lines: Counter[_Line]) -> str:
    texts = (f"{quantity:f} x {sku} for {net}" for sku, quantity, net in lines.elements())
    return "; ".join(texts) or "nothing"


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


def await_verdict(control_url: str, *, count: int | None, wait_seconds: float) -> Verdict:
    """Return the verdict as soon as all is well, or when the time is over.

    Args:
        control_url: Of the sandbox.
        count: How many orders were placed; another number is a fault. None to believe the shop.
        wait_seconds: How long the systems may take to get there.
    """
    until = time.monotonic() + wait_seconds
    while True:
        began = time.monotonic()
        verdict = judge(*read(control_url))
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
    for name in ("placed", "released"):
        table.add_row(f"orders {name}", str(getattr(verdict, name)), str(verdict.placed))
    table.add_row("lines compared", str(verdict.lines), "")
    for name in FAULTS:
        count = len(verdict.found[name])
        table.add_row(name, str(count), "0", style="red" if count else "green")
    console.print(table)
    for name, texts in verdict.found.items():
        for text in texts[:_SHOWN]:
            console.print(f"{name}: {text}", style="red", markup=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="judge", description=__doc__.partition("\n")[0])
    parser.add_argument("control_url", help="such as http://127.0.0.1:8100")
    parser.add_argument("--count", type=int, help="orders that were placed")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds until all must be well")
    options = parser.parse_args(arguments)
    verdict = await_verdict(options.control_url, count=options.count, wait_seconds=options.wait)
    show(verdict, Console())
    return 0 if verdict.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
