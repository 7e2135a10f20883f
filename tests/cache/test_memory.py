import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.cache.memory import MemoryStore
from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.prices.shelf import Bounds


def context(number: int) -> Context:
    return Context("b2b_de", f"C-{number}", "EUR")


def key(number: int) -> Key:
    return Key(f"S-{number}", "PCS", "1")


def entry(*, loaded_us: int = 0, size: int = 100) -> Entry:
    return Entry(Kind.PRICE, "x" * size, loaded_us, 0, 1, 1)


def test_what_is_remembered_is_found_under_its_own_context_alone() -> None:
    store = MemoryStore(100_000)
    store.remember(context(1), {key(1): entry()})
    assert store.shelf(context(1)) == {key(1): entry()}
    assert store.shelf(context(2)) == {}
    assert store.entry_count == 1


def test_the_later_read_wins_in_whatever_order_they_arrive() -> None:
    store = MemoryStore(100_000)
    late, early = entry(loaded_us=2, size=10), entry(loaded_us=1, size=500)
    store.remember(context(1), {key(1): late})
    used = store.used_bytes
    store.remember(context(1), {key(1): early})
    assert (store.shelf(context(1))[key(1)], store.used_bytes) == (late, used)
    latest = entry(loaded_us=3, size=20)
    store.remember(context(1), {key(1): latest})
    assert (store.shelf(context(1))[key(1)], store.used_bytes) == (latest, used + 10)


def test_of_two_reads_at_one_instant_the_first_stays() -> None:
    store = MemoryStore(100_000)
    store.remember(context(1), {key(1): entry(size=1)})
    store.remember(context(1), {key(1): entry(size=2)})
    assert store.shelf(context(1))[key(1)] == entry(size=1)


def test_the_customer_not_seen_for_longest_goes_first() -> None:
    store = MemoryStore(5000)
    for number in (1, 2, 3, 4):
        store.remember(context(number), {key(1): entry()})
    store.shelf(context(1))
    store.remember(context(5), {key(1): entry()})
    kept = [number for number in range(1, 6) if store.shelf(context(number))]
    assert kept == [1, 3, 4, 5]


def test_a_customer_too_large_for_the_memory_is_not_remembered() -> None:
    store = MemoryStore(5000)
    store.remember(context(1), {key(1): entry()})
    store.remember(context(2), {key(number): entry() for number in range(10)})
    assert (store.shelf(context(2)), store.entry_count) == ({}, 1)
    store.remember(context(1), {key(number): entry() for number in range(10)})
    assert (store.shelf(context(1)), store.used_bytes) == ({}, 0)


def test_no_memory_remembers_nothing() -> None:
    store = MemoryStore(0)
    store.remember(context(1), {key(1): entry()})
    assert (store.shelf(context(1)), store.used_bytes) == ({}, 0)


def test_one_customer_has_five_thousand_entries_at_most() -> None:
    """A caller who makes up quantities must not push everybody else out."""
    store = MemoryStore(100_000_000)
    for start in (0, 3000):
        store.remember(context(1), {key(start + number): entry() for number in range(3000)})
    shelf = store.shelf(context(1))
    assert set(shelf) == {key(number) for number in range(1000, 6000)}
    assert store.used_bytes == 400 + 5000 * (100 + 640)


@given(
    writes=st.lists(
        st.tuples(
            st.integers(1, 6),
            st.dictionaries(
                st.integers(1, 8).map(key),
                st.builds(entry, loaded_us=st.integers(0, 5), size=st.integers(0, 2000)),
                max_size=5,
            ),
        ),
        max_size=40,
    ),
    max_bytes=st.integers(0, 12_000),
)
def test_the_memory_never_costs_more_than_it_may_and_counts_what_it_holds(
    writes: list[tuple[int, dict[Key, Entry]]], max_bytes: int
) -> None:
    store = MemoryStore(max_bytes)
    newest: dict[tuple[Context, Key], int] = {}
    for number, entries in writes:
        store.remember(context(number), entries)
        for k, written in entries.items():
            pair = (context(number), k)
            newest[pair] = max(newest.get(pair, 0), written.loaded_us)
        held = [store._shelves[known] for known in list(store._shelves)]
        cost = sum(400 + sum(len(e.fragment) + 640 for e in shelf.values()) for shelf in held)
        assert store.used_bytes == cost <= max_bytes
    for number in range(1, 7):
        for k, kept in store.shelf(context(number)).items():
            assert kept.loaded_us <= newest[context(number), k]


def test_the_estimate_covers_what_python_really_takes() -> None:
    """The bound is in bytes of memory, so its estimate must not be too low."""
    fragment = '{"sku":"LAMP-01","unit":"PCS","unit_price":"17.1000"' + "x" * 200
    store = MemoryStore(100_000_000)
    entries: dict[Key, Entry] = {}
    tracemalloc.start()
    try:
        for customer in range(40):
            # Made at run time, so that each has texts and numbers of its own, as decoding gives.
            entries = {
                Key(f"S-{customer}-{n}", "PCS", "1"): Entry(
                    Kind.PRICE, fragment + f"{n:05}", 10**12 + n, 10**15 + n, 10**8 + n, 10**9 + n
                )
                for n in range(100)
            }
            store.remember(context(customer), entries)
            plain = store.shelf(context(customer)).plain
            skus, page = [k.sku for k in entries], list(entries.values())
            plain.add(skus, page, Bounds(0, 1, 0, 0, 0), catalog={}, now_us=0)
        entries, page = {}, []
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert store.used_bytes * 0.5 < taken <= store.used_bytes
