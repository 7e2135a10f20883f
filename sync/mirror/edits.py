"""What the shop has otherwise than we wrote it, and what is to be told or mended of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sync.mirror.ports import MirrorWriter, Policy
from sync.store.mirror_look_records import LookedRow, Seen
from sync.store.mirror_records import (
    ChangeState,
    HeldRow,
    MirrorChange,
    RowKey,
    Value,
    Values,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """A row that the shop has otherwise than we know it.

    Attributes:
        row: Which one.
        fields: Those that differ, as the shop has them.
        is_renewed: Whether the shop has another product under the key now, or none any more.
    """

    row: RowKey
    fields: Values
    is_renewed: bool


async def otherwise(writer: MirrorWriter, rows: Sequence[MirrorChange]) -> Sequence[Otherwise]:
    """Return the rows that the shop has otherwise than they are known.

    What is gone, or another product, is looked at twice: a list may leave out what moves.

    Args:
        writer: Reads the shop.
        rows: With what is known of them as what is wanted.

    Raises:
        UpstreamError: The shop does not answer.
    """
    held = dict(await writer.read(rows))
    doubtful = [each for each in rows if _is_renewed(each, held.get(each.row))]
    if doubtful:
        held |= await writer.read(doubtful)
    found: list[Otherwise] = []
    for each in rows:
        has = held.get(each.row)
        is_renewed = _is_renewed(each, has)
        fields = {} if has is None or is_renewed else _different(each.wanted, has)
        if fields or is_renewed:
            found.append(Otherwise(row=each.row, fields=fields, is_renewed=is_renewed))
    return found


def _is_renewed(row: MirrorChange, held: HeldRow | None) -> bool:
    return held is None or (row.shop_id is not None and held.shop_id != row.shop_id)


def _different(known: Values, held: HeldRow) -> dict[str, Value]:
    """Return the fields that differ; what the shop does not show differs in nothing."""
    return {
        name: held.values[name]
        for name, value in known.items()
        if name in held.values and held.values[name] != value
    }


def change_of(row: LookedRow) -> MirrorChange:
    """Return a known row as one that is to be read from the shop."""
    return MirrorChange(
        run=0,
        scope=row.scope,
        key=row.key,
        wanted=row.values,
        known=row.values,
        before=None,
        is_noted=False,
        edited=(),
        shop_id=row.shop_id,
        began_at=row.read_at,
        ended_at=row.read_at,
    )


def listed(row: LookedRow, found: Values, policies: Mapping[str, Policy]) -> Seen:
    """Return what of a row is told: of the edits that are kept, those not told so before."""
    kept = {
        name: value
        for name, value in found.items()
        if policies.get(name) == "keep" and name not in row.stays
    }
    fresh = {name: value for name, value in kept.items() if _is_new(row.told, name, value)}
    return Seen(
        row=row,
        told=kept,
        wanted={name: row.values[name] for name in fresh},
        before=fresh,
        state=ChangeState.KEPT if fresh else None,
    )


def _is_new(told: Values, name: str, value: Value) -> bool:
    return name not in told or told[name] != value


def mended(
    seen: Seen, edited: Mapping[RowKey, Values], policies: Mapping[str, Policy]
) -> dict[str, Value]:
    """Return the fields of a row that are to be as we wrote them, as the shop has them."""
    row = seen.row
    return {
        name: value
        for name, value in edited.get(row.row, {}).items()
        if policies.get(name) != "keep" and name not in row.stays
    }


def waiting(seen: Seen, edited: Mapping[RowKey, Values], policies: Mapping[str, Policy]) -> Seen:
    """Return what of a row waits for a person, where there is too much to be mended unasked."""
    before = mended(seen, edited, policies)
    if not before:
        return seen
    wanted = {name: seen.row.values[name] for name in before}
    # What is to be told of it beside that is told at the next round.
    told = {name: value for name, value in seen.told.items() if name in seen.row.told}
    return replace(seen, told=told, wanted=wanted, before=before, state=ChangeState.WAITING)
