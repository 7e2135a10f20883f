import struct
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pricing_proxy.cache import codec
from pricing_proxy.cache.shared_time import SharedTime
from pricing_proxy.domain.entry import Entry, Kind

DAY_US = 24 * 3600 * 1_000_000
TIME = SharedTime(0, 1)
INSTANTS = st.integers(-(10**16), 10**16)
ENTRIES = st.builds(
    Entry,
    kind=st.sampled_from(Kind),
    fragment=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    loaded_us=INSTANTS,
    position=st.integers(0, 2**62),
    soft_us=st.integers(0, 40 * DAY_US),
    hard_us=st.integers(0, 40 * DAY_US),
)
SAMPLE = codec.encode(
    Entry(Kind.PRICE, '{"sku":"LÄMP"', 5_000_000, 7, 300_000_000, 3_600_000_000),
    time=SharedTime(11, 1),
)


@given(entry=ENTRIES, offset_us=INSTANTS)
def test_an_entry_comes_back_as_it_was_but_never_lives_longer(entry: Entry, offset_us: int) -> None:
    time = SharedTime(offset_us, 1)
    back = codec.decode(codec.encode(entry, time=time), time=time, now_us=0)
    assert back is not None
    assert back._replace(soft_us=0, hard_us=0) == entry._replace(soft_us=0, hard_us=0)
    assert 0 <= entry.soft_us - back.soft_us < 1000
    assert 0 <= entry.hard_us - back.hard_us < 1000


@given(entry=ENTRIES, writer_us=INSTANTS, reader_us=INSTANTS)
def test_processes_with_other_clocks_agree_on_the_instant(
    entry: Entry, writer_us: int, reader_us: int
) -> None:
    """What is stored is Redis' time; each takes off its own distance from that."""
    value = codec.encode(entry, time=SharedTime(writer_us, 1))
    back = codec.decode(value, time=SharedTime(reader_us, 1), now_us=0)
    assert back is not None
    assert back.loaded_us + reader_us == entry.loaded_us + writer_us


@given(entry=ENTRIES, now_us=INSTANTS, offset_us=INSTANTS, epoch=st.integers(0, 3))
def test_a_price_of_another_epoch_is_stale_whatever_its_age_seems(
    entry: Entry, now_us: int, offset_us: int, epoch: int
) -> None:
    """Redis' clock stepped since: by it, an old price would look new."""
    value = codec.encode(entry, time=SharedTime(0, epoch))
    back = codec.decode(value, time=SharedTime(offset_us, 2 if epoch != 2 else 0), now_us=now_us)
    assert back is not None
    assert now_us - back.loaded_us >= max(back.soft_us, 10_000_000)
    assert back.loaded_us <= entry.loaded_us - offset_us


@given(entry=ENTRIES, offset_us=INSTANTS)
def test_who_lived_through_a_step_knows_how_old_a_price_from_before_is(
    entry: Entry, offset_us: int
) -> None:
    """A clock that was set forward by a day does not make every kept price useless."""
    value = codec.encode(entry, time=SharedTime(7, 1))
    back = codec.decode(value, time=SharedTime(offset_us, 2, {1: 7}), now_us=10**18)
    assert back is not None
    assert back.loaded_us == entry.loaded_us


@given(length=st.integers(0, len(SAMPLE) - 1))
def test_a_value_that_was_cut_off_is_none(length: int) -> None:
    assert codec.decode(SAMPLE[:length], time=TIME, now_us=0) is None


@given(bit=st.integers(0, len(SAMPLE) * 8 - 1))
def test_a_value_with_one_flipped_bit_is_none(bit: int) -> None:
    damaged = bytearray(SAMPLE)
    damaged[bit // 8] ^= 1 << bit % 8
    assert codec.decode(bytes(damaged), time=TIME, now_us=0) is None


@given(value=st.binary(max_size=200))
@example(value=b"\0" * 100)
@example(value=SAMPLE + b"x")
def test_whatever_else_stands_there_is_none(value: bytes) -> None:
    assert codec.decode(value, time=TIME, now_us=0) is None


@pytest.mark.parametrize(
    ("version", "kind", "tail"),
    [(2, 1, b"{"), (4, 1, b"{"), (3, 0, b"{"), (3, 3, b"{"), (3, 1, b"\xff")],
)
def test_a_sound_value_of_another_program_is_none(version: int, kind: int, tail: bytes) -> None:
    """Its checksum is right, but it means something that this version does not know."""
    checked = struct.pack(">BBIqqII", version, kind, 1, 1, 1, 1, 1) + tail
    value = struct.pack(">I", zlib.crc32(checked)) + checked
    assert codec.decode(value, time=TIME, now_us=0) is None


def test_a_price_of_the_example_fits_into_250_bytes() -> None:
    """The budget of the design for a price without breaks."""
    fragment = (
        '{"sku":"LAMP-01","unit":"PCS","unit_price":"17.1000","line_total":"171.00",'
        '"price":"19.00","price_unit":"1","discount_percent":"10","charges":"0",'
        '"list_price":"19.90","source":"fo_service","loaded_at":"2026-11-23T07:30:11Z"'
    )
    entry = Entry(Kind.PRICE, fragment, 1, 1, 1, 1)
    assert len(codec.encode(entry, time=TIME)) <= 255
