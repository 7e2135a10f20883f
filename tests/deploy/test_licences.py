"""What the image is made of may be given to others, and the list of it is true."""

import sys

import pytest

from tests.deploy.licences import FILE, licences, table, unknown

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="other Pythons have other packages than the image's"
)


def test_each_package_of_the_image_stands_under_a_licence_that_was_looked_at() -> None:
    found = {name: unknown(licence) for name, licence in licences().items()}
    assert {name: names for name, names in found.items() if names} == {}
    assert len(found) > 70


def test_the_list_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == table(), "run: python -m tests.deploy.licences"


def test_a_licence_that_nobody_looked_at_is_found_in_an_expression() -> None:
    assert unknown("MIT AND (Apache-2.0 OR AGPL-3.0-only)") == {"AGPL-3.0-only"}
