"""The shipped schema of the document sets is the metadata's, and its mandatory fields exist."""

import json
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS, ENUMS

METADATA: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "fo_documents_metadata.json").read_text()
)


@pytest.mark.parametrize("name", DOCUMENT_SETS)
def test_key_and_fields_are_those_of_the_metadata(name: str) -> None:
    told, ours = METADATA["entity_sets"][name], DOCUMENT_SETS[name]
    assert list(ours.key) == told["key"]
    types = {field: kind for kind, fields in told["fields"].items() for field in fields}
    assert ours.types == types
    assert set(ours.mandatory) <= types.keys()


def test_enums_are_those_of_the_metadata() -> None:
    known = {name: each["members"] for name, each in METADATA["enums"].items()}
    # The metadata at hand leaves out the 105 members of this one.
    assert known == {name: members for name, members in ENUMS.items() if name != "Timezone"}
