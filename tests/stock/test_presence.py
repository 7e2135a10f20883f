"""Whether a line was in the ERP while on-hand was read, by what the journal says."""

import pytest

from sync.stock.presence import LinePresence, OnHandWindow, presence, present_since
from sync.store.order_writes import OrderTrace, OrderWrite
from sync.store.shop_line_records import ShopLine
from tests.stock.lines import at, line

WINDOW = OnHandWindow(at(0), at(10))
REFERENCE = "000000007-70"


def added(sent: float, done: float | None, *, number: str = "SO-1") -> OrderWrite:
    return OrderWrite(
        is_deletion=False,
        number=number,
        reference=REFERENCE,
        sent_at=at(sent),
        done_at=None if done is None else at(done),
    )


def deleted(sent: float, done: float | None, *, number: str = "SO-1") -> OrderWrite:
    return OrderWrite(
        is_deletion=True,
        number=number,
        reference="",
        sent_at=at(sent),
        done_at=None if done is None else at(done),
    )


def judged(
    *writes: OrderWrite, of: ShopLine | None = None, whole: float | None = None
) -> LinePresence:
    trace = OrderTrace(writes=writes, whole_since=None if whole is None else at(whole))
    one = of or line()
    return presence(one, WINDOW, trace, since=present_since(one, trace))


@pytest.mark.parametrize(
    ("sent", "done", "expected"),
    [
        (-5, -4, LinePresence.IN),
        (12, 13, LinePresence.OUT),
        (-5, 3, LinePresence.DOUBT),
        (3, 4, LinePresence.DOUBT),
        (9, 12, LinePresence.DOUBT),
        (-5, None, LinePresence.DOUBT),
        (12, None, LinePresence.OUT),
        # The database's clock and ours may differ.
        (-5, -0.5, LinePresence.DOUBT),
        (10.5, 12, LinePresence.DOUBT),
    ],
)
def test_an_acknowledgement_before_the_read_is_in_and_a_write_after_it_out(
    sent: float, done: float | None, expected: LinePresence
) -> None:
    assert judged(added(sent, done)) is expected


def test_an_order_that_nobody_has_sent_is_out() -> None:
    assert presence(line(), WINDOW, None, since=None) is LinePresence.OUT


def test_a_line_that_is_not_sent_yet_is_out_though_others_of_its_order_are_in() -> None:
    assert judged(added(-5, -4), of=line(71)) is LinePresence.OUT


def test_a_variant_is_sold_by_its_parents_line() -> None:
    assert judged(added(-5, -4), of=line(71, parent_item_id=70)) is LinePresence.IN


def test_a_line_without_an_acknowledgement_is_in_once_its_order_was_read_back() -> None:
    assert judged(added(-50, None), whole=-5) is LinePresence.IN
    assert judged(whole=-5) is LinePresence.IN
    assert judged(whole=15) is LinePresence.OUT


def test_a_stopped_double_that_was_deleted_says_nothing_of_the_line() -> None:
    writes = (added(-20, -19, number="SO-2"), deleted(-15, -14, number="SO-2"))
    assert judged(*writes) is LinePresence.OUT
    assert judged(*writes, added(-12, -11)) is LinePresence.IN


def test_an_order_that_is_being_deleted_is_in_doubt() -> None:
    assert judged(added(-20, -19), deleted(-1, 1)) is LinePresence.DOUBT


def test_an_order_that_was_looked_up_may_have_been_there_before() -> None:
    found = line(present_since=at(15))
    assert presence(found, WINDOW, None, since=at(15)) is LinePresence.DOUBT
    assert presence(found, OnHandWindow(at(20), at(30)), None, since=at(15)) is LinePresence.IN
