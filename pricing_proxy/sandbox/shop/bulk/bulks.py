"""The bulks that were posted, and what has become of each operation.

The same list twice makes two bulks. What is done shows its result and no longer what was asked;
what failed shows what was asked. The order of operations in the detailed status is not that of
the list.
"""

import json
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from pricing_proxy.sandbox.shop.wire import RefusedError, to_json
from pricing_proxy.sandbox.shop.writes import Failure

COMPLETE, FAILED, OPEN = 1, 3, 4


class ConsumerDiedError(Exception):
    """An item ends the consumer's process itself."""


@dataclass(slots=True, kw_only=True)
class Operation:
    """One item of a bulk.

    Attributes:
        topic: Under which the shop keeps it.
        service: What its message says was done.
        asked: The item and its store view, as JSON of PHP.
        seconds: How long the consumer takes for it.
        failure: How it fails by the dials.
        carry_out: Does it, and returns what is answered; raises `RefusedError` or
            `ConsumerDiedError`.
        result: What was answered, as JSON of PHP.
    """

    id: int
    topic: str
    service: str
    asked: str
    seconds: float
    failure: Failure
    carry_out: Callable[[], Any]
    bulk_uuid: str = ""
    status: int = OPEN
    message: str | None = None
    error_code: int | None = None
    result: str | None = None

    def done(
        self, status: int, message: str, *, code: int | None = None, result: Any = None
    ) -> None:
        """Say how it ended."""
        self.status, self.message, self.error_code = status, message, code
        self.result = None if result is None else php_json(result)

    def short(self) -> dict[str, Any]:
        """Return it as the status shows it."""
        return {
            "id": self.id,
            "status": self.status,
            "result_message": self.message,
            "error_code": self.error_code,
        }

    def detailed(self) -> dict[str, Any]:
        """Return it as the detailed status shows it."""
        return {
            "id": self.id,
            "bulk_uuid": self.bulk_uuid,
            "topic_name": self.topic,
            "serialized_data": None if self.status == COMPLETE else self.asked,
            "result_serialized_data": self.result,
            "status": self.status,
            "result_message": self.message,
            "error_code": self.error_code,
        }


@dataclass(slots=True, kw_only=True)
class Bulk:
    """One list that was posted."""

    uuid: str
    topic: str
    user_id: int
    started_at: str
    operations: list[Operation] = field(default_factory=list)

    def status(self) -> dict[str, Any]:
        """Return what has become of each operation, in short."""
        return {"operations_list": [one.short() for one in self.operations], **self._head()}

    def detailed_status(self) -> dict[str, Any]:
        """Return what has become of each operation, with what was asked or came of it."""
        rows = sorted(self.operations, key=lambda one: (one.status != COMPLETE, one.id))
        return {"operations_list": [one.detailed() for one in rows], **self._head()}

    def _head(self) -> dict[str, Any]:
        return {
            "user_type": 1,
            "bulk_id": self.uuid,
            "description": f"Topic {self.topic}",
            "start_time": self.started_at,
            "user_id": self.user_id,
            "operation_count": len(self.operations),
        }


class Bulks:
    """All bulks, and the queue of operations that wait for the consumer."""

    def __init__(self) -> None:
        self.waiting: deque[Operation] = deque()
        self._bulks: dict[str, Bulk] = {}

    def add(
        self, topic: str, operations: Sequence[Operation], *, user_id: int, started_at: str
    ) -> dict[str, Any]:
        """Take a list of operations, and return what its caller is answered."""
        uuid = str(uuid4())
        for one in operations:
            one.bulk_uuid = uuid
        bulk = Bulk(
            uuid=uuid,
            topic=topic,
            user_id=user_id,
            started_at=started_at,
            operations=list(operations),
        )
        self._bulks[uuid] = bulk
        self.waiting += operations
        return {
            "bulk_uuid": bulk.uuid,
            "request_items": [
                {"id": one.id, "data_hash": secrets.token_hex(32), "status": "accepted"}
                for one in bulk.operations
            ],
            "errors": False,
        }

    def named(self, uuid: str) -> Bulk:
        """Return a bulk.

        Raises:
            RefusedError: There is none of this id.
        """
        found = self._bulks.get(uuid)
        if found is None:
            raise RefusedError(404, "Bulk uuid %bulkUuid not exist", {"bulkUuid": uuid})
        return found

    def operations(self) -> Iterator[Operation]:
        """Yield every operation of every bulk."""
        for bulk in self._bulks.values():
            yield from bulk.operations


def php_json(body: Any) -> str:
    """Return a body as PHP writes it inside a text: slashes and other alphabets escaped."""
    plain = json.loads(to_json(body))
    return json.dumps(plain, separators=(",", ":")).replace("/", "\\/")


def asked_json(item: Any, *, store_id: int) -> str:
    """Return an item as it waits in the queue."""
    head = {"entity_id": None, "entity_link": ""}
    asked = {**head, "meta_information": php_json(item), "store_id": str(store_id)}
    return json.dumps(asked, separators=(",", ":"))
