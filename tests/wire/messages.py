"""What is sent: honest requests, and such as attack the one behind them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import urlencode

from tests.wire.callers import CUSTOMERS, MARKET, QUANTITIES, SKUS, Caller

_MOST_LINES = 4
_BODY_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked for.

    Attributes:
        customer: Whose prices.
        lines: SKU and quantity of each.
    """

    customer: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A request, and what its own caller is to be answered.

    Attributes:
        wire: Its bytes.
        caller: Who sends it.
        page: The prices to be answered; None when it is to be refused.
        statuses: The statuses that are right.
        kind: What is unusual about it, for reports.
        ends: Whether its connection ends with its answer.
        is_garbled: It may be refused before what came along with it is answered.
        is_cut: It has no end: it is not answered, and the caller hangs up.
        is_head: The answer has no body.
    """

    wire: bytes
    caller: Caller
    statuses: frozenset[int]
    kind: str = "plain"
    page: Page | None = None
    ends: bool = False
    is_garbled: bool = False
    is_cut: bool = False
    is_head: bool = False


class Honest:
    """Makes requests as decent clients do.

    Args:
        random: Chooses.
        callers: Who there is.
    """

    def __init__(self, random: Random, callers: Sequence[Caller]) -> None:
        self.random = random
        self.callers = callers

    def message(self) -> Message:
        """Return any."""
        caller = self.random.choice(self.callers)
        page = self._page(caller)
        return self.get(caller, page) if self.random.random() < 0.5 else self.post(caller, page)

    def get(self, caller: Caller, page: Page, *lines: str) -> Message:
        """Return a request for a page by query string."""
        query = [("market", MARKET), ("customer", page.customer), ("wait_ms", "2000")]
        for sku, quantity in page.lines:
            query += [("sku", sku), ("quantity", quantity)]
        head = _head("GET", f"/v1/prices?{urlencode(query)}", *caller.lines, *lines)
        return self._asking(head, caller, page)

    def post(self, caller: Caller, page: Page, *lines: str) -> Message:
        """Return the same by a body."""
        body = body_of(page)
        length = f"Content-Length: {len(body)}"
        head = _post(caller, length, *lines)
        return self._asking(head + body, caller, page)

    def _page(self, caller: Caller) -> Page:
        count = self.random.randint(1, _MOST_LINES)
        lines = [(self.random.choice(SKUS), self.random.choice(QUANTITIES)) for _ in range(count)]
        return Page(caller.customer or self.random.choice(CUSTOMERS), tuple(lines))

    def _asking(self, wire: bytes, caller: Caller, page: Page, *, ends: bool = False) -> Message:
        if caller.refused:
            return Message(wire, caller, frozenset({caller.refused}), ends=ends)
        return Message(wire, caller, frozenset({200}), page=page, ends=ends)


class Villain(Honest):
    """Makes requests of every kind, most of them against what stands behind them."""

    def message(self) -> Message:
        """Return any."""
        caller = self.random.choice(self.callers)
        page = self._page(caller)
        make = self.random.choice(
            [
                self.get,
                self.post,
                self._chunked,
                self._chunked,
                self._chunked,
                self._early,
                self._early_chunked,
                self._too_large,
                self._upgrade,
                self._expecting,
                self._head_of,
                self._both_lengths,
                self._garbled_chunk,
                self._cut,
            ]
        )
        return replace(make(caller, page), kind=make.__name__.strip("_"))

    def _chunked(self, caller: Caller, page: Page) -> Message:
        wire = _post(caller, "Transfer-Encoding: chunked") + self._chunks(body_of(page))
        return self._asking(wire, caller, page, ends=True)

    def _early(self, caller: Caller, page: Page) -> Message:
        """Return one that is answered before its body is read; the body is a request itself."""
        body = self.get(self._other(), page).wire
        length = f"Content-Length: {len(body)}"
        wire = _head("POST", "/nope", *caller.lines, length) + body
        return Message(wire, caller, frozenset({404}))

    def _early_chunked(self, caller: Caller, page: Page) -> Message:
        path, statuses = self.random.choice(
            [
                ("/nope", {404}),
                ("/health/live", {405}),
                ("/v1/customers/C-1/login", {401, 403, 415}),
                ("/v1/prices", {401, 403, 415}),
            ]
        )
        lines = ("Content-Type: text/plain", "Transfer-Encoding: chunked")
        wire = _head("POST", path, *caller.lines, *lines) + self._chunks(
            self.get(self._other(), page).wire
        )
        return Message(wire, caller, frozenset(statuses), ends=True)

    def _too_large(self, caller: Caller, _: Page) -> Message:
        statuses = frozenset({caller.refused or 413})
        chunk = b"x" * 65_536
        wire = _post(caller, "Transfer-Encoding: chunked")
        wire += b"%x\r\n%s\r\n" % (len(chunk), chunk) * (_BODY_LIMIT // len(chunk) + 1)
        return Message(wire + self._end(), caller, statuses, ends=True)

    def _upgrade(self, caller: Caller, page: Page) -> Message:
        protocol = self.random.choice(["websocket", "h2c"])
        message = self.get(caller, page, "Connection: Upgrade", f"Upgrade: {protocol}")
        return self._asking(message.wire, caller, page, ends=True)

    def _expecting(self, caller: Caller, page: Page) -> Message:
        return self.post(caller, page, "Expect: 100-continue")

    def _head_of(self, caller: Caller, page: Page) -> Message:
        wire = self.get(caller, page).wire.replace(b"GET", b"HEAD", 1)
        return Message(wire, caller, frozenset({405}), is_head=True)

    def _both_lengths(self, caller: Caller, page: Page) -> Message:
        body = self._chunks(body_of(page))
        lines = [f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"]
        self.random.shuffle(lines)
        wire = _post(caller, *lines) + body
        # A proxy may take the one that counts, and leave the other out.
        message = self._asking(wire, caller, page, ends=True)
        return replace(message, statuses=message.statuses | {400}, is_garbled=True)

    def _garbled_chunk(self, caller: Caller, page: Page) -> Message:
        wire = _post(caller, "Transfer-Encoding: chunked") + b"5\r\n{    XYZ\r\n"
        wire += self.get(self._other(), page).wire
        statuses = frozenset({400, caller.refused} - {0})
        return Message(wire, caller, statuses, is_garbled=True, ends=True)

    def _cut(self, caller: Caller, page: Page) -> Message:
        make = self.random.choice([self.get, self.post, self._chunked])
        wire = make(caller, page).wire
        cut = self.random.randrange(1, len(wire))
        statuses = frozenset({caller.refused} - {0})
        return Message(wire[:cut], caller, statuses, is_cut=True, ends=True)

    def _chunks(self, body: bytes) -> bytes:
        wire, rest = b"", body
        while rest:
            size = self.random.randint(1, len(rest))
            extension = self.random.choice([b"", b"", b";a=b", b';name="a;b"'])
            wire += b"%x%s\r\n%s\r\n" % (size, extension, rest[:size])
            rest = rest[size:]
        return wire + self._end()

    def _end(self) -> bytes:
        kinds = (
            self._other().credential,
            self._other().credential,
            "X-API-Key: junk",
            "Authorization: Bearer junk",
            "Content-Encoding: gzip",
            "X-Empty:",
            "Connection: keep-alive",
        )
        trailers = [each for each in kinds if each and self.random.random() < 0.4]
        if self.random.random() < 0.05:
            trailers += [f"X-{n}: {n}" for n in range(100)]
        self.random.shuffle(trailers)
        return "".join(["0\r\n", *(f"{each}\r\n" for each in trailers), "\r\n"]).encode()

    def _other(self) -> Caller:
        return self.random.choice([each for each in self.callers if not each.refused])


def body_of(page: Page) -> bytes:
    """Return a page's body."""
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in page.lines]
    content = {"market": MARKET, "customer": page.customer, "wait_ms": 2000, "lines": lines}
    return json.dumps(content).encode()


def _post(caller: Caller, *lines: str) -> bytes:
    return _head("POST", "/v1/prices", "Content-Type: application/json", *caller.lines, *lines)


def _head(method: str, target: str, *lines: str) -> bytes:
    return "\r\n".join((f"{method} {target} HTTP/1.1", "Host: prices", *lines, "", "")).encode()
