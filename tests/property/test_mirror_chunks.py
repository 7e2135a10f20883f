"""Chunks under kills at any call: the shop ends as it should, and nothing else is touched.

Whatever the shop does meanwhile (refusals of a row or a batch, 400 after a commit, deadlocks,
broken connections) and whenever a worker dies: what may be written is written, and only that;
what was edited is recorded, and kept where that is its policy; a refused row is one event.
"""

from typing import Literal

from hypothesis import event as tell
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.store.mirror_records import ChangeState, RowKey, RunState, Values
from tests.fakes.toy_shop import Fault
from tests.sync_mirror.toys import ToyWorld
from tests.virtual_time import run_virtual

ROWS = [RowKey(scope, f"LAMP-{number}") for scope in ("global", "view/1") for number in range(7)]
FIELDS = ("name", "price", "weight")
VALUES = st.sampled_from(("1", "2", "3"))
PLANS = st.fixed_dictionaries(
    {row: st.dictionaries(st.sampled_from(FIELDS), VALUES) for row in ROWS}
)
SOME_ROWS = st.sets(st.sampled_from(sorted({row.key for row in ROWS})), max_size=2)


@st.composite
def worlds(draw: st.DrawFn) -> ToyWorld:
    """Return a shop of which we know some rows, with edits and faults to come."""
    policies: dict[str, Literal["overwrite", "keep"]] = {
        name: draw(st.sampled_from(("overwrite", "keep"))) for name in FIELDS
    }
    world = ToyWorld(
        policies=policies,
        chunk_rows=draw(st.integers(1, 6)),
        batch_rows=draw(st.integers(1, 4)),
        ceiling=draw(st.integers(1, 3)),
    )
    for row in draw(st.sets(st.sampled_from(ROWS))):
        world.stock(row, **{name: draw(VALUES) for name in FIELDS}, text="by hand")
    world.shop.bad, world.shop.poison = draw(SOME_ROWS), draw(SOME_ROWS)
    faults = st.sampled_from([fault for fault in Fault if fault is not Fault.BROKE])
    world.shop.write_faults = draw(st.lists(faults, max_size=8))
    world.shop.read_faults = draw(st.lists(st.sampled_from((Fault.NONE, Fault.AWAY)), max_size=4))
    world.mortality.deaths = draw(st.frozensets(st.integers(1, 60), max_size=6))
    return world


@settings(max_examples=60, deadline=None)
@given(world=worlds(), desired=PLANS, edits=PLANS)
def test_chunks_end_with_the_shop_as_desired_whatever_happens(
    world: ToyWorld, desired: dict[RowKey, Values], edits: dict[RowKey, Values]
) -> None:
    edited = {row: values for row, values in edits.items() if row in world.shop.rows}
    known = {row: dict(held.values) for row, held in world.plans.known.items()}
    for row, values in edited.items():
        world.shop.put(row, **values)
    before = {row: dict(held.values) for row, held in world.shop.rows.items()}
    run_virtual(world.run(desired))
    tell(f"deaths {world.deaths}")

    refused = world.shop.bad | world.shop.poison
    planned = {row: change for (_, row), change in world.plans.changes.items()}
    for row, values in world.shop.log:
        # Never a write outside of the plan.
        assert values.items() <= planned[row].wanted.items()
    for row, change in planned.items():
        held = {} if row not in world.shop.rows else dict(world.shop.rows[row].values)
        was = before.get(row, {})
        for name in {*held, *was} - change.wanted.keys():
            assert held.get(name) == was.get(name)
        state = world.plans.states[1, row]
        if row.key in refused and state is not ChangeState.EQUAL and state is not ChangeState.KEPT:
            continue
        for name, wanted in change.wanted.items():
            is_edit = name in known.get(row, {}) and was[name] not in (known[row][name], wanted)
            assert (name in change.edited) == is_edit
            is_kept = is_edit and world.policies[name] == "keep"
            assert held[name] == (was[name] if is_kept else wanted)
            assert world.plans.known[row].values[name] == wanted
        assert change.before == before.get(row)
    for row in set(before) - set(planned):
        assert world.shop.rows[row].values == before[row]
    held_keys = world.events.rows()
    assert len(held_keys) == len(set(held_keys))
    outcomes = {
        key for (_, key), state in world.plans.states.items() if state is ChangeState.REFUSED
    }
    assert set(held_keys) == {row.key for row in outcomes} <= {row.key for row in planned}
    assert {row.key for row in outcomes} <= refused
    assert ChangeState.PLANNED not in world.plans.states.values()
    assert world.plans.runs[1].state is RunState.DONE
