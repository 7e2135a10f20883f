"""Names are one to us exactly where they are one to the shop's database, as that was measured."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.shop_names import collated, shop_key
from sync.mirror.keys import folded

MEASURED = Path(__file__).parents[1] / "data" / "mariadb" / "general_ci.txt"
LAST, SURROGATES = 0xFFFF, range(0xD800, 0xE000)


def weights() -> dict[str, str]:
    """Return what each letter weighs that does not weigh itself."""
    lines = [line for line in MEASURED.read_text().splitlines() if not line.startswith("#")]
    pairs = (pair.split(":") for line in lines for pair in line.split())
    return {chr(int(letter, 16)): chr(int(weight, 16)) for letter, weight in pairs}


WEIGHTS = weights()
# Letters that share a weight with another one, and any others.
LETTERS = st.one_of(st.sampled_from(sorted({*WEIGHTS, *WEIGHTS.values()})), st.characters())


def weighed(text: str) -> list[str]:
    """Return what the database compares."""
    return [WEIGHTS.get(each, each) if ord(each) <= LAST else "\ufffd" for each in text.rstrip(" ")]


def test_every_letter_folds_as_it_was_measured() -> None:
    by_weight: dict[str, set[str]] = {}
    for number in range(LAST + 1):
        if number not in SURROGATES and number != ord(" "):
            letter = chr(number)
            by_weight.setdefault(WEIGHTS.get(letter, letter), set()).add(collated(letter))
    assert all(len(found) == 1 for found in by_weight.values())
    assert len({one for found in by_weight.values() for one in found}) == len(by_weight)


@given(one=st.text(LETTERS, max_size=5), other=st.text(LETTERS, max_size=5))
def test_texts_are_one_where_their_letters_weigh_the_same(one: str, other: str) -> None:
    assert (collated(one) == collated(other)) == (weighed(one) == weighed(other))
    assert collated(collated(one)) == collated(one)
    assert len(collated(one)) == len(one.rstrip(" "))


@given(text=st.text(LETTERS, max_size=5), data=st.data())
def test_letters_of_one_weight_may_take_each_others_place(text: str, data: st.DataObject) -> None:
    same = [
        data.draw(
            st.sampled_from(sorted({k for k, w in WEIGHTS.items() if w == weight} | {weight}))
        )
        for weight in weighed(text)
    ]
    assert collated("".join(same) + "  ") == collated(text)


def test_skus_are_one_in_any_case_with_any_accent_and_blanks_around_them() -> None:
    assert folded("LAMPE-Ü") == folded(" lampe-u\t") == folded("Lampe-Ů") == "lampe-u"
    assert folded("Straße") == folded("STRASE") != folded("Strasse")
    assert folded("Ｌamp") != folded("Lamp"), "wide letters are others"  # noqa: RUF001 -- meant
    assert folded("U\u0308") != folded("Ü"), "composed and decomposed are two names"
    assert folded("LAMP\U0001f4a1") == folded("LAMP\U0001f525"), "all beyond U+FFFF is one"
    assert shop_key("LAMP\u00a0") != shop_key("LAMP"), "no blank to PHP"
