"""What of a planned row is written, once it is known what the shop has: pure.

    the shop has                          the field is
    what is wanted                        left alone
    what we wrote last, or never wrote    written
    something else: edited in the shop    recorded, and written or kept as its policy says
    another product under the key         nothing: all that is known of the key counts no more

What is kept counts as acknowledged, and as edited whatever the ERP says next: it stays until the
shop has what the ERP says. An undo is different: it writes a row only where all of it is still what
its run wrote. A writer that decides itself gets every row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sync.mirror.ports import PlannedRow, Policy
from sync.store.mirror_records import HeldRow, MirrorChange, RowEnd, RowOutcome, Value, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of one row.

    Attributes:
        change: What the run wants.
        held: What the shop has.
        write: What is written; empty for nothing.
        settled: Fields that are not written and count as acknowledged.
        end: What came of it, where nothing is written.
        edited: The fields that somebody had edited in the shop.
        is_renewed: Whether the shop has another product under the key now, or none any more.
    """

    change: MirrorChange
    held: HeldRow | None
    write: Values = field(default_factory=dict)
    settled: Values = field(default_factory=dict)
    end: RowEnd = RowEnd.WRITTEN
    edited: Sequence[str] = ()
    is_renewed: bool = False

    @property
    def planned(self) -> PlannedRow:
        """It, as it is written."""
        return PlannedRow(change=self.change, held=self.held, values=self.write)

    @property
    def outcome(self) -> RowOutcome:
        """What came of it without a write."""
        row, held = self.change, self.held
        shop_id = row.shop_id if held is None else held.shop_id
        return RowOutcome(
            scope=row.scope, key=row.key, end=self.end, values=self.settled, shop_id=shop_id
        )


def decide(
    change: MirrorChange,
    held: HeldRow | None,
    policies: Mapping[str, Policy],
    *,
    is_undo: bool = False,
    makes: bool = True,
    decides_itself: bool = False,
) -> Decision:
    """Return what becomes of a row.

    Args:
        change: What the run wants.
        held: What the shop has; None where it has no such thing.
        policies: By field.
        is_undo: Whether the run takes another one back.
        makes: Whether a row that the shop does not have may be made.
        decides_itself: Whether the writer is to have the row in any case.
    """
    if change.shop_id is not None and (held is None or held.shop_id != change.shop_id):
        return Decision(change=change, held=held, is_renewed=True)
    if held is None and not makes:
        return Decision(change=change, held=None, end=RowEnd.MISSING)
    if held is None:
        return Decision(change=change, held=None, write=change.wanted)
    if decides_itself:
        # What has it already was written by one who was killed, or is as right as can be.
        edited = [
            name
            for name, wanted in change.wanted.items()
            if _is_edited(name, change, held) and held.values[name] != wanted
        ]
        return Decision(change=change, held=held, write=change.wanted, edited=edited)
    return _of_fields(change, held, policies, is_undo=is_undo)


def _of_fields(
    change: MirrorChange, held: HeldRow, policies: Mapping[str, Policy], *, is_undo: bool
) -> Decision:
    differs = {
        name: wanted
        for name, wanted in change.wanted.items()
        # What the shop does not show is written without a look.
        if name not in held.values or held.values[name] != wanted
    }
    equal = {name: wanted for name, wanted in change.wanted.items() if name not in differs}
    edited = [name for name in differs if _is_edited(name, change, held)]
    if is_undo and edited:
        return Decision(change=change, held=held, end=RowEnd.KEPT, edited=edited)
    kept = {name: differs.pop(name) for name in edited if policies.get(name) == "keep"}
    return Decision(
        change=change,
        held=held,
        write=differs,
        settled={**equal, **kept},
        end=RowEnd.KEPT if kept else _end_of_equal(change),
        edited=edited,
    )


def _is_edited(name: str, change: MirrorChange, held: HeldRow) -> bool:
    known = change.known or {}
    return name in held.values and name in known and held.values[name] != known[name]


def _end_of_equal(change: MirrorChange) -> RowEnd:
    """Return how a row ends that has all it should: by a write that was killed, or by itself."""
    before: Mapping[str, Value] = change.before or {}
    was_equal = all(
        name in before and before[name] == wanted for name, wanted in change.wanted.items()
    )
    return RowEnd.EQUAL if was_equal or not change.is_noted else RowEnd.WRITTEN
