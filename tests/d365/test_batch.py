"""A $batch says what was meant, and its answer comes apart where it was put together."""

from email.message import Message
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.d365.batch import (
    BatchAnswer,
    ChangeSet,
    Operation,
    PartAnswer,
    read_batch,
    write_batch,
)
from pricing_proxy.resilience.errors import UpstreamContractError
from tests.d365.sample_files import sample

URL = "https://erp.example.com/data/SalesOrderHeadersV3?cross-company=true"

# No carriage return: the standard library's e-mail reader, our oracle, tidies line ends up.
bodies = st.text(alphabet=st.characters(exclude_characters="\r\n", max_codepoint=0x2FFF)).map(
    str.encode
)
writes = st.builds(
    Operation,
    method=st.sampled_from(["POST", "PATCH", "DELETE"]),
    url=st.just(URL),
    body=bodies,
    content_id=st.integers(1, 99).map(str),
)
reads = st.builds(Operation, method=st.just("GET"), url=st.just(URL))
change_sets = st.lists(writes, min_size=1, max_size=4).map(lambda ops: ChangeSet(tuple(ops)))

part_answers = st.builds(
    PartAnswer,
    status=st.integers(200, 599),
    body=st.binary(max_size=60).filter(lambda body: b"\r\n--" not in body),
    content_id=st.sampled_from(["", "1", "22"]),
)
answers = st.lists(
    part_answers | st.lists(part_answers, min_size=1, max_size=4).map(tuple), max_size=4
)


def _read_operations(message: Message) -> list[Operation | ChangeSet]:
    """Read a batch as a server would, with the standard library's reader."""
    parts: list[Operation | ChangeSet] = []
    for part in message.get_payload():
        assert isinstance(part, Message)
        if part.is_multipart():
            inner = _read_operations(part)
            parts.append(ChangeSet(tuple(one for one in inner if isinstance(one, Operation))))
            continue
        assert part.get_content_type() == "application/http"
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        head, _, body = payload.partition(b"\r\n\r\n")
        method, url, _ = head.decode().split("\r\n")[0].split(" ")
        content_id = part.get("Content-ID", "")
        parts.append(Operation(method=method, url=url, body=body, content_id=content_id))  # type: ignore[arg-type]
    return parts


def _write_answers(parts: list[BatchAnswer], boundary: str) -> bytes:
    """Write an answer as a server would."""
    written = b""
    for number, part in enumerate(parts):
        written += f"--{boundary}\r\n".encode()
        if isinstance(part, tuple):
            inner = f"changesetresponse-{number}"
            written += f'Content-Type: multipart/mixed; boundary="{inner}"\r\n\r\n'.encode()
            written += _write_answers(list(part), inner)
        else:
            content_id = f"Content-ID: {part.content_id}\r\n" if part.content_id else ""
            written += (
                f"Content-Type: application/http\r\n{content_id}\r\n"
                f"HTTP/1.1 {part.status} Reason\r\nContent-Type: application/json\r\n\r\n"
            ).encode()
            written += part.body
        written += b"\r\n"
    return written + f"--{boundary}--\r\n".encode()


@given(parts=st.lists(reads | change_sets, min_size=1, max_size=5))
def test_a_server_reads_what_was_written(parts: list[Operation | ChangeSet]) -> None:
    content_type, body = write_batch(parts, boundary="b7c1")
    header = f"Content-Type: {content_type}\r\n\r\n".encode()
    assert _read_operations(BytesParser().parsebytes(header + body)) == parts


@given(parts=answers)
def test_every_answer_is_found_again(parts: list[BatchAnswer]) -> None:
    body = _write_answers(parts, "batchresponse-1")
    read = read_batch('multipart/mixed; boundary="batchresponse-1"', body, system="fo")
    assert read == parts


@given(parts=answers, cut=st.integers(1, 200))
def test_an_answer_that_was_cut_off_is_not_believed(parts: list[BatchAnswer], cut: int) -> None:
    body = _write_answers(parts, "batchresponse-1")
    closing = len("--\r\n")
    with pytest.raises(UpstreamContractError):
        read_batch(
            "multipart/mixed; boundary=batchresponse-1",
            body[: max(0, len(body) - closing - cut)],
            system="fo",
        )


def test_the_recorded_answer_is_read() -> None:
    _, _, body = sample("order.batch.response.txt").partition(b"\r\n\r\n")
    (change_set,) = read_batch("multipart/mixed; boundary=batchresponse_1", body, system="fo")
    assert isinstance(change_set, tuple)
    assert [(one.status, one.content_id) for one in change_set] == [(201, "1"), (201, "2")]


def test_what_we_write_has_the_recorded_shape() -> None:
    recorded = sample("order.batch.request.txt").split(b"\r\n")
    operation = Operation(method="POST", url=URL, body=b"{}", content_id="1")
    _, body = write_batch([ChangeSet((operation,))], boundary="1")
    for line in (b"Content-Type: application/http", b"Content-Transfer-Encoding: binary"):
        assert line in recorded
        assert line in body.split(b"\r\n")
    assert b"POST " + URL.encode() + b" HTTP/1.1" in body.split(b"\r\n")


def test_a_refused_change_set_is_one_answer() -> None:
    body = _write_answers(
        [PartAnswer(status=400, body=sample("error.400.validation.line.json"))], "b"
    )
    (refusal,) = read_batch("multipart/mixed;boundary=b", body, system="fo")
    assert isinstance(refusal, PartAnswer)
    assert refusal.status == 400


def test_an_answer_without_a_body_may_end_at_the_boundary() -> None:
    body = (
        b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\n"
        b"OData-Version: 4.0\r\n\r\n--b--"
    )
    read = read_batch("multipart/mixed; boundary=b", body, system="fo")
    assert read == [PartAnswer(status=204, body=b"")]


def test_an_answer_may_have_no_headers() -> None:
    body = b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n--b--"
    read = read_batch("multipart/mixed; boundary=b", body, system="fo")
    assert read == [PartAnswer(status=200, body=b"{}")]


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/mixed", "text/html; boundary=b"]
)
def test_another_kind_of_answer_is_a_broken_contract(content_type: str) -> None:
    with pytest.raises(UpstreamContractError, match="boundary"):
        read_batch(content_type, b"--b\r\n--b--", system="fo")


@pytest.mark.parametrize(
    "body",
    [
        b"--b\r\nContent-Type: application/http\r\n\r\nnot HTTP\r\n--b--",
        b"--bx\r\n\r\n--b--",
        b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 abc\r\n\r\n--b--",
    ],
)
def test_a_part_that_is_no_answer_is_a_broken_contract(body: bytes) -> None:
    with pytest.raises(UpstreamContractError):
        read_batch("multipart/mixed; boundary=b", body, system="fo")


def test_a_batch_has_its_limits() -> None:
    one = Operation(method="GET", url=URL)
    with pytest.raises(ValueError, match="1 to 5000"):
        write_batch([], boundary="b")
    with pytest.raises(ValueError, match="1 to 5000"):
        write_batch([one] * 5001, boundary="b")


def test_a_boundary_that_occurs_in_a_body_is_refused() -> None:
    sly = Operation(method="POST", url=URL, body=b'"\r\n--batch_b--"')
    with pytest.raises(ValueError, match="boundary"):
        write_batch([ChangeSet((sly,))], boundary="batch_b")
