"""Several new rows as one transaction: the changeset that is sent, and its answer. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pricing_proxy.d365 import batch
from pricing_proxy.d365.answers import Reply, error_of
from pricing_proxy.d365.fo.new_rows import CreatedRow, NewRow, created_row
from pricing_proxy.d365.json_numbers import read_json, write_json
from pricing_proxy.d365.odata import set_target
from pricing_proxy.resilience.errors import UpstreamContractError


def change_set(new: Sequence[NewRow], *, base_url: str) -> batch.ChangeSet:
    """Return the changeset that creates all rows, or none."""
    return batch.ChangeSet(
        tuple(
            batch.Operation(
                method="POST",
                url=base_url + set_target(one.entity_set),
                body=write_json(one.members),
                content_id=str(number),
            )
            for number, one in enumerate(new, 1)
        )
    )


def created_rows(
    new: Sequence[NewRow], parts: Sequence[batch.BatchAnswer], *, system: str, now: datetime
) -> list[CreatedRow]:
    """Return the rows that a changeset created, in order.

    Args:
        new: What was asked for.
        parts: The answer's parts; a refused changeset has one, whatever it held.
        system: The other side's name in errors.
        now: The wall clock.

    Raises:
        UpstreamError: Nothing was created, as the table in `answers` says.
        UpstreamContractError: Something was, but the answer does not hold it.
    """
    answers = [one for part in parts for one in (part if isinstance(part, tuple) else (part,))]
    for answer in answers:
        _refuse_failed(answer, system, now)
    if len(answers) != len(new):
        raise UpstreamContractError(
            f"{len(answers)} answers to a changeset of {len(new)}", system=system
        )
    return [
        created_row(one, _json(answer.body, system), system=system)
        for one, answer in zip(new, answers, strict=True)
    ]


def _refuse_failed(answer: batch.PartAnswer, system: str, now: datetime) -> None:
    reply = Reply(
        system=system,
        request_id="part of a $batch",
        status=answer.status,
        headers={},
        body=answer.body,
    )
    error = error_of(reply, now=now)
    if error is not None:
        raise error


def _json(body: bytes, system: str) -> Any:
    try:
        return read_json(body)
    except ValueError as exc:
        raise UpstreamContractError("a changeset's answer without JSON", system=system) from exc
