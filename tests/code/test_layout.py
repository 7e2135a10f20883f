"""README's layout names every room, and nothing that is no room."""

import tomllib

from tests.code.layout import ROOT, layout, rooms, walk


def test_each_folder_with_modules_is_named_in_the_layout_and_no_other() -> None:
    assert sorted(rooms() - layout().keys()) == []
    assert sorted(layout().keys() - rooms()) == []


def test_the_layout_marks_as_shared_what_the_import_rules_share() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [shared] = (each for each in rules["contracts"] if each["name"].startswith("Shared parts"))
    expected = {name.replace(".", "/") for name in shared["source_modules"]} & rooms()

    assert {room for room, is_shared in layout().items() if is_shared} - {
        "pricing_proxy/d365/fo"
    } == expected


def test_each_step_of_the_walks_is_a_module() -> None:
    for subject in ("A page", "An order"):
        steps = walk(subject)
        assert len(steps) > 10
        assert [step.module for step in steps if step.module.startswith("nowhere")] == []
