"""What is kept about callers' texts is bounded in bytes, whatever they send."""

from collections import OrderedDict

import hypothesis.strategies as st
from hypothesis import given

from pricing_proxy.web.kept_by_digest import KeptByDigest

# What one entry costs besides its value.
OVERHEAD = 300


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["keep", "get", "forget"]),
            st.text(max_size=3),
            st.integers(0, 4000),
        ),
        max_size=60,
    )
)
def test_it_keeps_the_newest_within_its_bound(steps: list[tuple[str, str, int]]) -> None:
    """Against a naive model: a dict in the order of keeping."""
    kept: KeptByDigest[int] = KeptByDigest(most_bytes=5000)
    model: OrderedDict[str, int] = OrderedDict()
    for what, text, cost in steps:
        if what == "keep":
            kept.keep(text, cost, cost_bytes=cost)
            model.pop(text, None)
            model[text] = cost
            while sum(each + OVERHEAD for each in model.values()) > 5000:
                model.popitem(last=False)
        elif what == "forget":
            kept.forget(text)
            model.pop(text, None)
        assert kept.get(text) == model.get(text)
        assert kept.used_bytes == sum(each + OVERHEAD for each in model.values())
        assert len(kept) == len(model)
    kept.clear()
    assert (len(kept), kept.used_bytes) == (0, 0)


def test_no_text_is_kept_and_every_text_has_a_digest() -> None:
    kept: KeptByDigest[str] = KeptByDigest(most_bytes=10_000)
    for text in ("x" * 100_000, "\ud800", ""):
        kept.keep(text, "found", cost_bytes=0)
        assert kept.get(text) == "found"
    assert {len(digest) for digest in kept._kept} == {16}
    assert kept.get("\ud801") is None
