"""`$batch` as F&O reads and answers it: single reads, and changesets of writes. Pure.

Written with the standard library's e-mail reader, since that is what multipart is.
"""

from collections.abc import Sequence
from email.message import Message
from email.parser import BytesParser
from http import HTTPStatus
from itertools import count
from urllib.parse import parse_qsl, urlsplit

from pricing_proxy.sandbox.odata_service import Call, Reply

# F&O refuses more.
MAX_OPERATIONS = 5000
_CRLF = b"\r\n"


class BadBatchError(ValueError):
    """The body is not a batch."""


def read_batch(content_type: str, body: bytes) -> list[tuple[list[Call], list[str]]]:
    """Return the parts of a batch: calls with their content ids; more than one is a changeset.

    Raises:
        BadBatchError: Not multipart, a part without a request, or too many of them.
    """
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser().parsebytes(head + body)
    parts = [_read_part(part) for part in _parts(message)]
    if not 0 < sum(len(calls) for calls, _ in parts) <= MAX_OPERATIONS:
        raise BadBatchError(f"a batch holds 1 to {MAX_OPERATIONS} operations")
    return parts


def write_batch(answers: Sequence[tuple[Sequence[Reply], Sequence[str]]]) -> tuple[str, bytes]:
    """Return content type and body; an answer with content ids is a changeset's."""
    numbers = count(1)
    parts = []
    for replies, content_ids in answers:
        if not content_ids:
            parts.append(_write_reply(replies[0], ""))
            continue
        boundary = f"changesetresponse_{next(numbers)}"
        inner = [
            _write_reply(reply, content_id)
            for reply, content_id in zip(replies, content_ids, strict=True)
        ]
        head = f"Content-Type: multipart/mixed; boundary={boundary}".encode()
        parts.append(head + _CRLF + _CRLF + _join(inner, boundary))
    return "multipart/mixed; boundary=batchresponse_1", _join(parts, "batchresponse_1")


def _parts(message: Message) -> list[Message]:
    payload = message.get_payload()
    if not message.is_multipart() or not isinstance(payload, list):
        raise BadBatchError("a batch is multipart/mixed")
    return [part for part in payload if isinstance(part, Message)]


def _read_part(part: Message) -> tuple[list[Call], list[str]]:
    if not part.is_multipart():
        return [_read_call(part)], []
    inner = _parts(part)
    return [_read_call(one) for one in inner], [one.get("Content-ID", "") for one in inner]


def _read_call(part: Message) -> Call:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        raise BadBatchError("a part without a request")
    head, _, body = payload.replace(b"\r\n", b"\n").partition(b"\n\n")
    line, *headers = head.decode("latin-1").split("\n")
    words = line.split(" ")
    if len(words) != 3:  # noqa: PLR2004 - method, address, protocol
        raise BadBatchError("a part without a request line")
    address = urlsplit(words[1])
    told = {
        name.strip().casefold(): value.strip()
        for name, _, value in (h.partition(":") for h in headers)
    }
    return Call(
        method=words[0],
        path=address.path,
        query=dict(parse_qsl(address.query, keep_blank_values=True)),
        body=body.strip(),
        if_match=told.get("if-match"),
    )


def _write_reply(reply: Reply, content_id: str) -> bytes:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + reply.body


def _join(parts: Sequence[bytes], boundary: str) -> bytes:
    delimiter = f"--{boundary}".encode()
    written = b"".join(delimiter + _CRLF + part + _CRLF for part in parts)
    return written + delimiter + b"--" + _CRLF
