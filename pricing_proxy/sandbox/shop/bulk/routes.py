"""The routes that say what became of bulks, and how bulks are posted."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pricing_proxy.sandbox.shop.bulk.bulks import Operation
from pricing_proxy.sandbox.shop.bulk.kinds import BulkKind
from pricing_proxy.sandbox.shop.criteria import find
from pricing_proxy.sandbox.shop.reading import Call, criteria_of
from pricing_proxy.sandbox.shop.route import Route
from pricing_proxy.sandbox.shop.wire import internal_error

_RESOURCE = "Magento_Logging::system_magento_logging_bulk_operations"


def posted(call: Call, kind: BulkKind, body: Any, *, is_single: bool) -> dict[str, Any]:
    """Take a body as the items of a bulk; an object's members are taken for items.

    Raises:
        RefusedError: An item is malformed.
    """
    items = [body] if is_single else list(body.values()) if isinstance(body, dict) else body
    calls = [
        replace(call, body=item if isinstance(item, dict) else {}, is_lone_message=is_single)
        for item in items
    ]
    operations = [kind.operation(number, one) for number, one in enumerate(calls)]
    call.shop.write_log.posted(kind.name, sum(kind.cost.count(one.body) for one in calls))
    accepted = call.shop.bulks.add(
        kind.topic,
        operations,
        user_id=1 if call.integration is None else call.integration.consumer_id,
        started_at=call.shop.now(),
    )
    call.shop.consumer.wake()
    return accepted


def _status(call: Call) -> Any:
    return call.shop.bulks.named(call.places[0]).status()


def _detailed_status(call: Call) -> Any:
    return call.shop.bulks.named(call.places[0]).detailed_status()


def _count(call: Call) -> Any:
    operations = call.shop.bulks.named(call.places[0]).operations
    return sum(1 for one in operations if str(one.status) == call.places[1])


def _found(call: Call) -> Any:
    criteria = criteria_of(call)
    page, total = find(call.shop.bulks.operations(), criteria, _column)
    rows = [{"extension_attributes": _started(call, one), **one.detailed()} for one in page]
    return {"items": rows, "search_criteria": criteria.echo(), "total_count": total}


def _started(call: Call, operation: Operation) -> Mapping[str, str]:
    return {"start_time": call.shop.bulks.named(operation.bulk_uuid).started_at}


def _column(operation: Operation, name: str) -> Any:
    row = operation.detailed()
    if name not in row:
        raise internal_error()
    return row[name]


BULK_ROUTES = (
    Route("GET", "bulk", _RESOURCE, "bulk_operations", _found),
    Route("GET", "bulk/*/status", _RESOURCE, "bulk_status", _status),
    Route("GET", "bulk/*/detailed-status", _RESOURCE, "bulk_status", _detailed_status),
    Route("GET", "bulk/*/operation-status/*", _RESOURCE, "bulk_status", _count),
)
