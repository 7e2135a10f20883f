"""A load from a process of its own: keep-alive connections, one request at a time on each.

Speaks just enough HTTP to cost little; every answer must be a 200 with the expected
Cache-Status, or the run fails. Bounded in requests; loopback only.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass

import uvloop


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One run.

    Attributes:
        port: Where, on loopback.
        request: The whole request as text; the body is ASCII.
        count: Requests in all.
        connections: At once.
        expect: What the answer's head contains.
    """

    port: int
    request: str
    count: int
    connections: int
    expect: str


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
    request, expect = load.request.encode(), load.expect.encode()
    left = load.count
    latencies: list[float] = []
    size = 0

    async def connection() -> None:
        nonlocal left, size
        reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
        while left > 0:
            left -= 1
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            size = _length(head)
            await reader.readexactly(size)
            latencies.append(time.perf_counter() - began)
            if not head.startswith(b"HTTP/1.1 200") or expect not in head:
                raise RuntimeError(f"wrong answer: {head[:400]!r}")
        writer.close()

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
