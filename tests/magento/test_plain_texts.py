"""Whatever characters the shop sends, what is read of it can be written anywhere."""

import json
from xml.etree import ElementTree as ET

import hypothesis.strategies as st
from hypothesis import example, given

from sync.magento.answers import read_json

# All of Unicode, halves of pairs too, and often what systems refuse.
TEXTS = st.text(
    st.one_of(st.characters(), st.sampled_from("\x00\x0b\x1b\ud800\udfff\ufffe\t\nä😀"))
)


@given(TEXTS, st.booleans())
@example("Anna\x00\ud800 B\x0bGmbH", True)
@example("\ud83d\ude00", True)
def test_texts_are_taken_by_postgresql_xml_and_utf_8(text: str, is_escaped: bool) -> None:  # noqa: FBT001 -- drawn
    body = json.dumps({text: [text]}, ensure_ascii=is_escaped).encode(errors="surrogatepass")

    [(name, [told])] = read_json(body).items()

    assert name == told
    assert "\x00" not in told
    ET.fromstring(f"<a>{_escaped(told)}</a>".encode())  # noqa: S314 -- our own text
    if text.isprintable() or text.strip().isalnum():
        assert told == text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_a_name_with_an_odd_character_does_not_become_another_name() -> None:
    """Else what a shopper types could be made equal to what another one has."""
    assert read_json(b'["anna\\u0000@shop.example"]') != ["anna@shop.example"]
