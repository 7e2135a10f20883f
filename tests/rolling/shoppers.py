"""Shoppers who ask for pages through a proxy, and never twice: each answer is judged.

Every second one keeps its connection, as a pool of PHP does; the others open one for each page.
They speak HTTP/1.1 by themselves: a client library that sends again would hide what is looked for.
"""

import asyncio
import json
import ssl
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from random import Random
from urllib.parse import urlencode

from tests.drill.digits import Told, price_text
from tests.wire.callers import CUSTOMERS, KEYS, MARKET, QUANTITIES, SKUS
from tests.wire.ways import Way

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
# Longer than any answer may take.
_PATIENCE_SECONDS = 20.0
_PAUSE_SECONDS = 0.02
# A new worker has each price in Redis; on a busy machine its first page may take a while.
_WAIT_MS = 5000
_SHOWN = 5


class TornError(Exception):
    """A connection ended before its answer did."""


@dataclass
class Heard:
    """What became of all pages of one way.

    Attributes:
        way: The way.
        answers: Pages with the right prices.
        faults: What became of the others, by kind.
        examples: Of these.
    """

    way: Way
    answers: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def pages(self) -> int:
        """How many were asked for."""
        return self.answers + self.faults.total()

    def fault(self, kind: str, example: str) -> None:
        """Write down that a page failed."""
        self.faults[kind] += 1
        if len(self.examples) < _SHOWN:
            self.examples.append(f"{kind}: {example}")


@dataclass(frozen=True, slots=True)
class Page:
    """A customer, and SKU and quantity of each line."""

    customer: str
    lines: tuple[tuple[str, str], ...]

    @staticmethod
    def any(random: Random) -> "Page":
        """Return one of up to twelve lines."""
        count = random.randint(1, 12)
        lines = [(random.choice(SKUS), random.choice(QUANTITIES)) for _ in range(count)]
        return Page(random.choice(CUSTOMERS), tuple(dict.fromkeys(lines)))

    def request(self, *, is_get: bool) -> bytes:
        """Return the request as it is sent."""
        head = f"Host: prices.example.com\r\nX-API-Key: {KEYS[0]}\r\n"
        if is_get:
            pairs = [("market", MARKET), ("customer", self.customer), ("wait_ms", str(_WAIT_MS))]
            for sku, quantity in self.lines:
                pairs += [("sku", sku), ("quantity", quantity)]
            return f"GET /v1/prices?{urlencode(pairs)} HTTP/1.1\r\n{head}\r\n".encode()
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in self.lines]
        asked = {"market": MARKET, "customer": self.customer, "wait_ms": _WAIT_MS, "lines": lines}
        body = json.dumps(asked).encode()
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"POST /v1/prices HTTP/1.1\r\n{head}\r\n".encode() + body

    def is_answered_by(self, body: bytes) -> bool:
        """Return whether these are its prices: the customer's, of each line, in order."""
        content = json.loads(body)
        told = [(line["sku"], line["quantity"], line.get("price")) for line in content["lines"]]
        return content["customer"] == self.customer and told == [
            (sku, quantity, price_text(Told(self.customer, sku, 0))) for sku, quantity in self.lines
        ]


async def shop_for_ever(heard: Heard, number: int) -> None:
    """Ask for one page after the other, until cancelled; a page under way is heard to its end.

    Args:
        heard: Where it is written down.
        number: Which shopper; an even one keeps its connection.
    """
    random, streams = Random(number), None
    is_stopped = False
    while not is_stopped:
        asking = asyncio.create_task(_page(heard, random, streams))
        try:
            streams = await asyncio.shield(asking)
            await asyncio.sleep(_PAUSE_SECONDS)
        except asyncio.CancelledError:
            is_stopped = True
            streams = await asking
        if streams is not None and (number % 2 or is_stopped):
            streams[1].close()
            streams = None


async def _page(heard: Heard, random: Random, streams: Streams | None) -> Streams | None:
    """Ask for a page; return the connection where it can be used again."""
    page, is_get = Page.any(random), random.random() < 0.5
    what = f"{'GET' if is_get else 'POST'} on a {'new' if streams is None else 'kept'} connection"
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            used = streams or await asyncio.open_connection(
                "127.0.0.1", heard.way.port, ssl=_context()
            )
            used[1].write(page.request(is_get=is_get))
            status, headers, body = await _answer(used[0])
    except (TornError, ConnectionError, TimeoutError, ssl.SSLError) as error:
        heard.fault(type(error).__name__, what)
        return None
    if status != 200:
        heard.fault(str(status), f"{what}: {body[:300].decode(errors='replace')}")
    elif not page.is_answered_by(body):
        heard.fault("wrong", f"{page} was answered {body.decode()}")
    else:
        heard.answers += 1
    if headers.get("connection") == "close":
        used[1].close()
        return None
    return used


@cache
def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # The certificate is made for the run.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        else:
            body = await reader.readexactly(int(headers["content-length"]))
    except asyncio.IncompleteReadError as error:
        raise TornError from error
    return int(head[0].split()[1]), headers, body
