"""Run the benchmark: interleaved rounds, medians, a table, and the same as JSON."""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from pricing_proxy.children import tied
from tests.bench import ledger_size, memory_size, redis_size, reread
from tests.bench.cases import CASES, Case
from tests.bench.load import Load, Outcome
from tests.bench.programs import KEY, BenchError, Programs, Server, cpu_seconds, programs, settle
from tests.bench.readme import write_readme

_RESULTS = Path("build/bench.json")
_README = Path("README.md")
_WARM_UP = 300
_ORDERS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A case's medians; times are CPU microseconds of the serving process per request."""

    name: str
    bare_us: float
    service_us: float
    ratio: float
    goal: float | None
    p99_us: float


@dataclass(frozen=True, slots=True)
class Size:
    """A line about something else than a page's time."""

    name: str
    value: float
    goal: float


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds")
    parser.add_argument("--requests", type=int, default=3000, help="requests of a case and round")
    parser.add_argument("--only", default="", help="only cases whose name holds this")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="where the JSON goes")
    options = parser.parse_args()
    console = Console()
    try:
        with programs() as running:
            results = _measure_all(running, options, console)
            sizes = [] if options.only else _sizes(running.redis_port)
    except BenchError as error:
        console.print(f"make bench: {error}", style="red", markup=False)
        sys.exit(2)
    console.print(table(results, sizes))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(
        json.dumps(document(results, sizes), indent=2) + "\n", encoding="utf-8"
    )
    console.print(f"Written to {options.output}.")
    if not options.only:
        write_readme(_README, _markdown_rows(results, sizes))
    missed = [result.name for result in results if result.goal and result.ratio > result.goal]
    missed += [size.name for size in sizes if size.value > size.goal]
    if missed:
        console.print(f"Over the goal: {', '.join(missed)}", style="red")
        sys.exit(1)


def _measure_all(running: Programs, options: argparse.Namespace, console: Console) -> list[Result]:
    """Return the medians of the cases that are asked for, first those before the changes."""
    cases = [case for case in CASES if options.only in case.name]
    before = [case for case in cases if not case.is_after_changes]
    after = [case for case in cases if case.is_after_changes]
    results = measure(running, before, options.rounds, options.requests, console)
    if after:
        ledger_size.invalidate(running.redis_port, _skus(after[0].lines))
        settle()
        results += measure(running, after, options.rounds, options.requests, console)
    return results


def _sizes(redis_port: int) -> list[Size]:
    lines = (redis_size.lines, memory_size.lines, ledger_size.lines, reread.lines)
    return [Size(*line) for each in lines for line in each(redis_port)]


def measure(
    running: Programs, cases: Sequence[Case], rounds: int, count: int, console: Console
) -> list[Result]:
    """Return the medians of the cases."""
    samples: dict[str, list[tuple[float, float, float]]] = {case.name: [] for case in cases}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Measuring", total=rounds * len(cases) * 2)
        for _ in range(rounds):
            for case in cases:
                server: Server = getattr(running, case.server)
                requests = _requests(case)
                service_us, outcome = _cost(server, requests, case, count)
                progress.advance(task)
                bare = [_bare_request(request, outcome.body_bytes) for request in requests]
                bare_us, _ = _cost(running.bare, bare, case, count, expect="Cache-Status")
                progress.advance(task)
                samples[case.name].append((bare_us, service_us, outcome.p99_us))
    return [_result(case, samples[case.name]) for case in cases]


def table(results: Sequence[Result], sizes: Sequence[Size]) -> Table:
    """Return what was measured beside its goals."""
    drawn = Table(title="CPU time per request of the serving process", title_justify="left")
    for column in ("case", "bare µs", "service µs", "x bare", "goal", "p99 ms"):
        drawn.add_column(column, justify="left" if column == "case" else "right")
    for result in results:
        is_missed = result.goal is not None and result.ratio > result.goal
        drawn.add_row(
            result.name,
            f"{result.bare_us:.0f}",
            f"{result.service_us:.0f}",
            f"{result.ratio:.2f}",
            "-" if result.goal is None else f"≤ {result.goal:.1f}",
            f"{result.p99_us / 1000:.2f}",
            style="red" if is_missed else None,
        )
    for size in sizes:
        is_missed = size.value > size.goal
        goal = f"≤ {size.goal:g}"
        style = "red" if is_missed else None
        drawn.add_row(size.name, "", "", f"{size.value:.4g}", goal, "", style=style)
    return drawn


def document(results: Sequence[Result], sizes: Sequence[Size]) -> dict[str, object]:
    """Return what is written as JSON."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "results": [asdict(result) for result in results],
        "sizes": [asdict(size) for size in sizes],
    }


def _markdown_rows(
    results: Sequence[Result], sizes: Sequence[Size]
) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield what the README shows: case, microseconds of both, what is judged, and its goal."""
    for result in results:
        goal = "" if result.goal is None else f"≤ {result.goal:.1f}"
        micros = f"{result.bare_us:.0f}", f"{result.service_us:.0f}"
        yield (result.name, *micros, f"{result.ratio:.2f}", goal)
    for size in sizes:
        yield size.name, "", "", f"{size.value:.4g}", f"≤ {size.goal:g}"


def _result(case: Case, samples: Sequence[tuple[float, float, float]]) -> Result:
    bare, service, p99 = (statistics.median(column) for column in zip(*samples, strict=True))
    return Result(
        name=case.name,
        bare_us=bare,
        service_us=service,
        # The median of the rounds' ratios: both sides of a round saw the same machine.
        ratio=statistics.median(ours / theirs for theirs, ours, _ in samples),
        goal=case.goal,
        p99_us=p99,
    )


def _cost(
    server: Server, requests: Sequence[str], case: Case, count: int, *, expect: str | None = None
) -> tuple[float, Outcome]:
    """Return CPU microseconds per request, after warming up."""
    hit = expect or f"detail={case.level}"
    fresh = case.lines if expect is None else None
    for size, wanted in ((1, "Cache-Status"), (_WARM_UP, hit)):
        _load(server, requests, size, min(case.connections, size), wanted, fresh)
    before = cpu_seconds(server)
    outcome = _load(server, requests, count, case.connections, hit, fresh)
    return (cpu_seconds(server) - before) / outcome.count * 1e6, outcome


def _load(  # noqa: PLR0917 -- one call site each for warming and measuring
    server: Server,
    requests: Sequence[str],
    count: int,
    connections: int,
    expect: str,
    fresh: int | None,
) -> Outcome:
    load = Load(
        port=server.port,
        requests=requests,
        count=count,
        connections=connections,
        expect=expect,
        fresh=fresh,
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        check=False,
        **tied(),
    )
    if done.returncode != 0:
        raise BenchError(done.stderr.strip()[-600:])
    return Outcome(**json.loads(done.stdout))


def _skus(count: int) -> list[str]:
    lamps = [f"LAMP-{number:02}" for number in range(1, 25)]
    return [*lamps, *(f"BULB-{number:04}" for number in range(1, count - len(lamps) + 1))][:count]


def _requests(case: Case) -> list[str]:
    """Return the page in many orders, so that no cache of whole requests helps anybody."""
    shuffle = random.Random(case.name)
    skus = _skus(case.lines)
    return [_request(case, shuffle.sample(skus, len(skus))) for _ in range(_ORDERS)]


def _request(case: Case, skus: Sequence[str]) -> str:
    if case.method == "GET":
        query = [("market", "b2b_de"), ("customer", "C-1001"), ("wait_ms", "5000")]
        query += [("sku", sku) for sku in skus]
        return _http("GET", f"/v1/prices?{urlencode(query)}", "")
    body = {
        "market": "b2b_de",
        "customer": "C-1001",
        "wait_ms": 5000,
        "lines": [{"sku": sku, "quantity": "1"} for sku in skus],
    }
    return _http("POST", "/v1/prices", json.dumps(body))


def _bare_request(request: str, size: int) -> str:
    line, _, rest = request.partition("\r\n")
    target = line.split(" ")[1]
    query = target.partition("?")[2]
    bare_target = f"/{size}?{query}" if query else f"/{size}"
    return f"{line.replace(target, bare_target)}\r\n{rest}"


def _http(method: str, target: str, body: str) -> str:
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return (
        f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {KEY}\r\n{length}\r\n{body}"
    )


if __name__ == "__main__":
    main()
