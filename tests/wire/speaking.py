"""Speak over a raw socket: messages in segments cut anywhere, answers as they come."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.wire.messages import Message

# Far longer than any answer may take; who waits longer was not answered.
_PATIENCE_SECONDS = 30.0
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")
_CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding: *chunked\r\n")
_OURS = re.compile(rb"(?i)\r\ncontent-type: *application/(problem\+)?json")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    Attributes:
        status: Its status.
        body: Its body.
        is_ours: Whether the service made it, and not a proxy.
    """

    status: int
    body: bytes
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """What was heard on one connection.

    Attributes:
        answers: In their order.
        was_reset: Whether it was torn instead of ended.
    """

    answers: list[Answer]
    was_reset: bool


async def speak(port: int, messages: Sequence[Message], random: Random) -> Talk:
    """Send messages over a connection of their own, and hear what comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sending = asyncio.create_task(_send(writer, messages, random))
    answers: list[Answer] = []
    was_reset = False
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            for message in messages:
                if message.is_cut:
                    await sending
                    break
                answers.append(await _answer(reader, is_head=message.is_head))
    except asyncio.IncompleteReadError as end:
        was_reset = bool(end.partial)
    except ConnectionError:
        was_reset = True
    except TimeoutError:
        pass  # what is missing is the judge's to say
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
    return Talk(answers, was_reset)


async def _send(writer: asyncio.StreamWriter, messages: Sequence[Message], random: Random) -> None:
    whole = b"".join(message.wire for message in messages)
    cuts = sorted(random.randrange(len(whole)) for _ in range(random.choice([0, 0, 1, 2, 5])))
    try:
        for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            writer.write(whole[begin:end])
            await writer.drain()
            await asyncio.sleep(random.choice([0, 0, 0.001, 0.003]))
    except ConnectionError:
        pass  # answered and ended before all was sent


async def _answer(reader: asyncio.StreamReader, *, is_head: bool) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    if status < 200:
        return await _answer(reader, is_head=is_head)
    body = b""
    # What is garbled behind it takes its answer, with a body.
    if not is_head or status == 400:
        length = _LENGTH.search(head)
        body = await _chunks(reader) if _CHUNKED.search(head) else b""
        body = await reader.readexactly(int(length[1])) if length else body
    return Answer(status, body, _OURS.search(head) is not None)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return body
