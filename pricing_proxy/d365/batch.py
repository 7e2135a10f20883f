"""OData `$batch`: many operations in one request, and its answer taken apart.

A changeset is one transaction: all of it or nothing. Changesets and single reads
beside each other are independent. A refused changeset comes back as one error
answer in place of one answer per operation. Pure: `Transport` carries the bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pricing_proxy.resilience.errors import UpstreamContractError

# F&O refuses more in one batch.
MAX_OPERATIONS = 5000

_CRLF = b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request within a batch.

    Attributes:
        url: Absolute, percent-encoded.
        body: JSON; empty for reads and deletions.
        content_id: Names the operation within its batch; empty for reads.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    url: str
    body: bytes = b""
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Writes that happen together or not at all."""

    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAnswer:
    """The answer to one operation, or the refusal of a whole changeset."""

    status: int
    body: bytes
    content_id: str = ""


BatchAnswer = PartAnswer | tuple[PartAnswer, ...]
"""One answer, or the answers of a changeset that was carried out."""


def write_batch(parts: Sequence[Operation | ChangeSet], *, boundary: str) -> tuple[str, bytes]:
    """Return content type and body of a `$batch` request.

    Args:
        parts: Reads and changesets, in the order in which their answers will come.
        boundary: Letters and digits that occur in no body, such as a random UUID's.

    Raises:
        ValueError: Nothing to send, too many operations, or the boundary occurs in a body.
    """
    operations = [one for part in parts for one in _operations(part)]
    if not 0 < len(operations) <= MAX_OPERATIONS:
        raise ValueError(f"a batch holds 1 to {MAX_OPERATIONS} operations, not {len(operations)}")
    if any(boundary.encode() in one.body for one in operations):
        raise ValueError("the boundary occurs in a body")
    outer = f"batch_{boundary}"
    written = [_write_part(part, f"changeset{n}_{boundary}") for n, part in enumerate(parts)]
    return _multipart(outer), _join(written, outer)


def read_batch(content_type: str, body: bytes, *, system: str) -> list[BatchAnswer]:
    """Return the answers of a `$batch` answer, in the order of the request's parts.

    Raises:
        UpstreamContractError: Not such an answer, or one that was cut off.
    """
    try:
        return [_read_part(part) for part in _split(body, _boundary(content_type))]
    except ValueError as exc:
        raise UpstreamContractError(f"unreadable $batch answer: {exc}", system=system) from exc


def _operations(part: Operation | ChangeSet) -> tuple[Operation, ...]:
    return part.operations if isinstance(part, ChangeSet) else (part,)


def _write_part(part: Operation | ChangeSet, boundary: str) -> bytes:
    if isinstance(part, Operation):
        return _write_operation(part)
    inner = _join([_write_operation(one) for one in part.operations], boundary)
    return b"Content-Type: " + _multipart(boundary).encode() + _CRLF + _CRLF + inner


def _write_operation(operation: Operation) -> bytes:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if operation.content_id:
        lines.append(f"Content-ID: {operation.content_id}")
    lines += ["", f"{operation.method} {operation.url} HTTP/1.1", "Accept: application/json"]
    if operation.body:
        lines.append("Content-Type: application/json; charset=utf-8")
    return "\r\n".join([*lines, "", ""]).encode() + operation.body


def _multipart(boundary: str) -> str:
    return f"multipart/mixed; boundary={boundary}"


def _join(parts: Sequence[bytes], boundary: str) -> bytes:
    delimiter = f"--{boundary}".encode()
    written = b"".join(delimiter + _CRLF + part + _CRLF for part in parts)
    return written + delimiter + b"--" + _CRLF


def _boundary(content_type: str) -> bytes:
    kind, *parameters = content_type.split(";")
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if kind.strip().lower() == "multipart/mixed" and name.lower() == "boundary" and value:
            return value.strip('"').encode()
    raise ValueError("no multipart boundary")


def _split(body: bytes, boundary: bytes) -> list[bytes]:
    delimiter = _CRLF + b"--" + boundary
    # A line break in front lets the first delimiter look like the others.
    _, *parts = (_CRLF + body).split(delimiter)
    if not parts or not parts[-1].startswith(b"--"):
        raise ValueError("the closing boundary is missing")
    if not all(part.startswith(_CRLF) for part in parts[:-1]):
        raise ValueError("a boundary runs on")
    return [part.removeprefix(_CRLF) for part in parts[:-1]]


def _read_part(part: bytes) -> BatchAnswer:
    headers, content = _read_headers(part)
    content_type = headers.get("content-type", "")
    if content_type.lower().startswith("multipart/mixed"):
        return tuple(_read_answer(one) for one in _split(content, _boundary(content_type)))
    return _read_answer(part)


def _read_answer(part: bytes) -> PartAnswer:
    envelope, content = _read_headers(part)
    status_line, _, rest = content.partition(_CRLF)
    protocol, _, status = status_line.decode("latin-1").partition(" ")
    code = status[:3]
    if not protocol.startswith("HTTP/") or not (code.isascii() and code.isdigit()):
        raise ValueError("a part without a status line")
    headers, body = _read_headers(rest)
    content_id = envelope.get("content-id") or headers.get("content-id", "")
    return PartAnswer(status=int(code), body=body, content_id=content_id)


def _read_headers(content: bytes) -> tuple[dict[str, str], bytes]:
    if content.startswith(_CRLF):
        return {}, content[len(_CRLF) :]
    # Without a body, the line break that ends the headers belongs to the next boundary.
    head, _, body = content.partition(_CRLF + _CRLF)
    pairs = (line.partition(":") for line in head.decode("latin-1").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}, body
