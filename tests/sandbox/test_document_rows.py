"""Rows of documents since an instant: as if all were looked at, whatever was undone."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.sandbox.documents.rows import WRITTEN, DocumentRow, DocumentTable, UndoLog

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
CHANGES = st.tuples(st.sampled_from(["put", "remove", "undo"]), st.integers(0, 5))


def at(minutes: int) -> str:
    return f"{NOON + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def row(number: int) -> DocumentRow:
    values = {"Id": f"{number:06}", "CreatedOn": at(number)}
    return DocumentRow(values, empty={"Id": "", "CreatedOn": ""}, computed={})


def table(undo: UndoLog) -> DocumentTable:
    return DocumentTable(key=("Id",), indexed=(), undo=undo, instants=("CreatedOn",))


@given(changes=st.lists(CHANGES, max_size=30), low=st.integers(-1, 30))
def test_rows_since_an_instant_are_those_that_a_look_at_all_finds(
    changes: list[tuple[str, int]], low: int
) -> None:
    minutes = count()
    undo = UndoLog(lambda: NOON + timedelta(minutes=next(minutes)))
    rows = table(undo)
    for change, number in changes:
        old = rows.get(f"{number:06}")
        with suppress(ZeroDivisionError), undo.transaction():
            if change == "remove" and old is not None:
                rows.remove(old)
            elif change != "remove":
                rows.put(row(number))
            if change == "undo":
                raise ZeroDivisionError
    for field in (WRITTEN, "CreatedOn"):
        found = rows.since(field, at(low))
        wanted = [each for each in rows if each.instant(field) >= at(low)]
        # Where those are most of all, looking at all is what is quicker.
        assert found is None or sorted(map(id, found)) == sorted(map(id, wanted))
        assert found is not None or 2 * len(wanted) > len(list(rows))


def test_a_change_among_25000_rows_is_found_at_once() -> None:
    minutes = count()
    undo = UndoLog(lambda: NOON + timedelta(minutes=next(minutes)))
    rows = table(undo)
    for number in range(25_000):
        rows.put(row(number))
    began = process_time()
    for number in range(100):
        rows.put(row(number))
        found = rows.since(WRITTEN, at(25_000 + number))
        assert found is not None
        assert [each["Id"] for each in found] == [f"{number:06}"]
    # A look at all of them takes longer than this for each.
    assert process_time() - began < 1.0
