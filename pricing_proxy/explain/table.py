"""Print an explanation so that an operator sees which rule decided, and what it rests on."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pricing_proxy.domain.freshness import Mode
from pricing_proxy.web.freshness_words import MEANING, rule_of

_Answer = Mapping[str, Any]
_TONES = {"serve": "green", "serve_and_refresh": "green", "settle": "red"}
_VERDICTS = {
    "serve": "served at once",
    "serve_and_refresh": "served at once, and refreshed behind it",
    "load": "the ERP is asked, for up to {wait_ms} ms",
    "join": "a load under way is waited for, for up to {wait_ms} ms",
    "settle": "nobody is asked: {reason}",
}
_NONE = "-"


def print_explanation(answer: _Answer, console: Console) -> None:
    """Print what holds for the page, and then each line."""
    console.print(_table("What it rests on", _page(answer)))
    for line in answer["lines"]:
        title = f"{line['quantity']} {line['unit'] or ''} {line['sku']}"
        console.print(_table(title, _line(line)))
        console.print(_rules(line, Mode(answer["mode"])))


def _table(title: str, rows: Iterator[tuple[str, str]]) -> Table:
    table = Table(title=escape(title), title_justify="left", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, text)
    return table


def _page(answer: _Answer) -> Iterator[tuple[str, str]]:
    group = answer["price_group"] or _NONE
    yield "customer", escape(f"{answer['customer']} in {answer['market']}, price group {group}")
    yield "mode", answer["mode"]
    lease = f"lease left {answer['lease_left_seconds']} s"
    yield "verified", f"yes, {lease}" if answer["verified"] else f"[red]no[/], {lease}"
    yield "ledger position", answer["position"]
    for source in answer["sources"]:
        binds = "binds at checkout" if source["is_binding"] else "does not bind"
        yield "source", escape(f"{source['name']}: {binds}")
    if answer["ask_again_ms"]:
        yield "ask again", f"after {answer['ask_again_ms']} ms, where nobody waits for the load"
    yield from _guards(answer["guards"])


def _guards(guards: _Answer) -> Iterator[tuple[str, str]]:
    for breaker in guards.get("breakers", ()):
        tone = "green" if breaker["phase"] == "closed" else "red"
        yield f"breaker {escape(breaker['name'])}", f"[{tone}]{escape(breaker['phase'])}[/]"
    for label, gate in (("gate", guards.get("gate")), ("token gate", guards.get("token_gate"))):
        if gate:
            closed = f"[red]closed[/], opens in {gate['opens_in_seconds']} s"
            yield label, closed if gate["is_closed"] else "[green]open[/]"
    bulkhead = guards.get("bulkhead")
    if bulkhead:
        running, waiting = (sum(bulkhead[each].values()) for each in ("running", "waiting"))
        yield "bulkhead", f"{running} of {bulkhead['limit']} running, {waiting} waiting"


def _line(line: _Answer) -> Iterator[tuple[str, str]]:
    tone = _TONES.get(line["verdict"], "yellow")
    yield "verdict", f"[{tone}]{escape(_VERDICTS[line['verdict']].format_map(line))}[/]"
    yield "item", escape(line["item"] or "not in the item map")
    yield "stored", escape(_stored(line))
    yield "invalidated", _invalidated(line)
    answer = line["answer"]
    if answer is not None:
        price = answer.get("unit_price")
        said = answer.get("reason") or _NONE
        yield "answer", escape(f"{answer['state']}: {said if price is None else price}")


def _stored(line: _Answer) -> str:
    if line["level"] is None:
        return "nothing"
    ages = f"soft {line['soft_seconds']} s, hard {line['hard_seconds']} s"
    return (
        f"in {line['level']} from {line['source']}, {line['age_seconds']} s old ({ages}), "
        f"read at {line['loaded_at']}, position {line['position']}"
    )


def _invalidated(line: _Answer) -> str:
    if line["invalidated"] is not None:
        return f"[red]{line['invalidated']}[/], at position {line['invalidated_at']}"
    if line["invalidated_at"] is None:
        return "no"
    return f"no; the newest one, at {line['invalidated_at']}, is older than the price"


def _rules(line: _Answer, mode: Mode) -> Table:
    """Return the freshness table's rows for the mode, with the one that decided marked."""
    table = Table("", "row", "when", f"in mode {mode}", title_justify="left")
    for state, meaning in MEANING.items():
        decided = state == line["row"]
        style = "bold green" if decided else "dim"
        cells = ("▶" if decided else "", state, meaning, rule_of(state, mode))
        table.add_row(*map(escape, cells), style=style)
    return table
