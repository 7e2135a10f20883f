"""A load from a process of its own: keep-alive connections, one request at a time on each.

Speaks just enough HTTP to cost little; every answer must be a 200 with the expected
Cache-Status, or the run fails. Bounded in requests; loopback only.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle

import uvloop

_FRESH = b'"state":"fresh"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One run.

    Attributes:
        port: Where, on loopback.
        requests: Whole requests as text, sent in turn; the bodies are ASCII.
        count: Requests in all.
        connections: At once.
        expect: What the answer's head contains.
        fresh: How many fresh prices the body holds; None does not look.
    """

    port: int
    requests: Sequence[str]
    count: int
    connections: int
    expect: str
    fresh: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run went; latencies in microseconds."""

    count: int
    seconds: float
    p50_us: float
    p99_us: float
    body_bytes: int


async def run(load: Load) -> Outcome:
    """Send all requests; raises `RuntimeError` on the first wrong answer."""
    expect = load.expect.encode()
    requests = cycle([request.encode() for request in load.requests])
    left = load.count
    latencies: list[float] = []
    size = 0

    async def connection() -> None:
        nonlocal left, size
        body = b""
        reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
        while left > 0:
            left -= 1
            began = time.perf_counter()
            writer.write(next(requests))
            head = await reader.readuntil(b"\r\n\r\n")
            size = _length(head)
            body = await reader.readexactly(size)
            latencies.append(time.perf_counter() - began)
            if not head.startswith(b"HTTP/1.1 200") or expect not in head:
                raise RuntimeError(f"wrong answer: {head[:400]!r}")
        writer.close()
        if load.fresh is not None and body and body.count(_FRESH) != load.fresh:
            raise RuntimeError(f"not {load.fresh} fresh prices: {body[:400]!r}")

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(load.connections):
            group.create_task(connection())
    seconds = time.perf_counter() - began
    latencies.sort()
    return Outcome(
        count=len(latencies),
        seconds=seconds,
        p50_us=latencies[len(latencies) // 2] * 1e6,
        p99_us=latencies[len(latencies) * 99 // 100] * 1e6,
        body_bytes=size,
    )


def _length(head: bytes) -> int:
    lower = head.lower()
    start = lower.index(b"content-length:") + len(b"content-length:")
    return int(lower[start : lower.index(b"\r\n", start)])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as main_runner:
        outcome = main_runner.run(run(Load(**json.loads(sys.stdin.read()))))
    sys.stdout.write(json.dumps(asdict(outcome)))
