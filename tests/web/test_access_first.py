"""Access is asked before anything is parsed or kept: a stranger decides nothing of our memory."""

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Callable

import pytest

from tests.web.storefront import token
from tests.web.test_immediate import JSON, Served, get, post, served, talk

LONG = "x" * 50_000
# yarl keeps the last 128 addresses that it took apart, in the parser itself; once those are
# full, what is kept beyond them is ours.
WARM_UP, MEASURED = 140, 140


@pytest.fixture
async def shop() -> AsyncIterator[Served]:
    async with served() as started:
        yield started


def _wrong_market(number: int) -> bytes:
    request = get("S-1", more=("X-API-Key: wrong",))
    return request.replace(b"b2b_de", f"{number}{LONG}".encode())


def _wrong_member(number: int) -> bytes:
    request = get("S-1", more=("X-API-Key: wrong",))
    return request.replace(b"wait_ms=5000", f"{number}{LONG}=1".encode())


def _wrong_quantity(number: int) -> bytes:
    quantity = f"{number}{'0' * 3000}".encode()
    content = b'{"market":"b2b_de","customer":"C-1","lines":[{"sku":"S-1","quantity":"%s"}]}'
    return post(content % quantity, JSON).replace(b"X-API-Key: ", b"X-API-Key: wrong ")


def _wrong_key(number: int) -> bytes:
    return get("S-1", more=(f"X-API-Key: {number}{'k' * 8192}",))


def _wrong_token(number: int) -> bytes:
    return get("S-1", more=(f"Authorization: Bearer {number}{'t' * 8192}",))


def _signed_by_nobody(number: int) -> bytes:
    text = token(f"C-{number}")
    return get("S-1", more=(f"Authorization: Bearer {text[:-6]}AAAAAA",))


@pytest.mark.parametrize(
    "request_of",
    [
        _wrong_market,
        _wrong_member,
        _wrong_quantity,
        _wrong_key,
        _wrong_token,
        _signed_by_nobody,
    ],
)
async def test_nothing_is_kept_of_a_caller_without_access(
    shop: Served, request_of: Callable[[int], bytes]
) -> None:
    """4,200 requests like the first kept 200 MB."""
    tracemalloc.start()
    try:
        for number in range(WARM_UP):
            await _refused(shop, request_of(number))
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for number in range(WARM_UP, WARM_UP + MEASURED):
            await _refused(shop, request_of(number))
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 100_000


async def _refused(shop: Served, request: bytes) -> None:
    [(head, _)] = await talk(shop.port, request)
    assert head.startswith("HTTP/1.1 401"), head
    assert shop.watched.answered[-1:] != [True]
    await asyncio.sleep(0)
