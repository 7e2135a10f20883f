"""How the image is built and run, as far as it can be told without building it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.code.sources import ROOT
from tests.deploy.container import building, composed, holding, running
from tests.deploy.container.building import ImageError, base_image
from tests.deploy.container.composed import Demo, grace_seconds
from tests.deploy.container.refusals import red_rows
from tests.deploy.container.running import Container, Setup

OURS = ("sandbox", "demo-serve", "demo-sync")
# The way umoci tells it of our image.
IMAGE: dict[str, Any] = {
    "process": {
        "terminal": True,
        "user": {"uid": 10001, "gid": 10001},
        "args": ["pricing-proxy", "serve"],
        "env": ["PATH=/opt/pricing-proxy/bin:/usr/bin"],
        "capabilities": {"effective": ["CAP_KILL"], "bounding": ["CAP_KILL"]},
    },
    "root": {"path": "rootfs"},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {"namespaces": [{"type": "pid"}, {"type": "network"}]},
}


@pytest.fixture(autouse=True)
def image(monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> Any:
        return json.loads(json.dumps(IMAGE))

    for module in (building, composed, holding, running):
        monkeypatch.setattr(module, "image_configuration", told)


def configuration(container: Container) -> Any:
    return json.loads((container.folder / "config.json").read_text(encoding="utf-8"))


def test_the_base_that_is_made_has_the_name_that_the_dockerfile_says() -> None:
    name, suite = base_image()
    assert f"FROM {name} AS build" in (ROOT / "deploy/image/Dockerfile").read_text()
    assert name.endswith(f"-{suite}")


def test_a_machine_that_lets_nobody_make_namespaces_fails_by_that_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refused = tmp_path / "unshare"
    refused.write_text("#!/bin/sh\necho 'unshare: Operation not permitted' >&2\nexit 1\n")
    refused.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImageError, match=r"namespaces cannot be made here.*not permitted"):
        next(building.build())


@pytest.mark.parametrize("service", OURS)
def test_a_container_has_what_compose_gives_it_and_nothing_else(
    service: str, tmp_path: Path
) -> None:
    told = composed.SERVICES[service]
    demo = Demo(tmp_path, os.geteuid())
    (tmp_path / "containers").mkdir()
    found = configuration(demo.container(service))

    assert found["root"]["readonly"] is True
    process = found["process"]
    assert process["user"] == {"uid": 10001, "gid": 10001}
    assert process["noNewPrivileges"] is True
    assert set(map(tuple, process["capabilities"].values())) == {()}
    assert process["args"] == [
        *told.get("entrypoint", ["pricing-proxy"]),
        *told.get("command", ["serve"]),
    ]
    assert {f"{name}={text}" for name, text in told["environment"].items()} <= {*process["env"]}
    mounts = {each["destination"]: each for each in found["mounts"]}
    assert mounts.keys() == {
        "/proc",
        "/tmp",  # noqa: S108 -- the container's own
        "/etc/hosts",
        *(volume.split(":")[1] for volume in told["volumes"]),
    }
    writable = {place for place, each in mounts.items() if "rw" in each.get("options", [])}
    assert writable == ({"/var/lib/pricing-proxy"} if service == "sandbox" else set())
    assert {"type": "network"} not in found["linux"]["namespaces"]


def test_a_wrong_start_is_wrong_only_where_it_is_said(tmp_path: Path) -> None:
    wrong = configuration(
        Container(Setup(name="wrong", user=0, is_root_writable=True, arguments=["id"]), tmp_path)
    )
    assert wrong["root"]["readonly"] is False
    assert wrong["process"]["user"]["uid"] == 0
    assert wrong["process"]["args"] == ["id"]


def test_each_program_has_as_long_to_end_as_compose_gives_it() -> None:
    assert grace_seconds("demo-serve") == 20
    assert grace_seconds("demo-sync") == 35


def test_what_a_check_answers_is_read_apart_from_its_progress(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a busy machine it says what it is at, and within what it answers."""
    runc = tmp_path / "runc"
    runc.write_text(
        """#!/bin/sh
[ "$3" = run ] || exit 0
echo '{"tables": [{"rows": [{"state": "failed", "found": "a wrong CA", "next_step": "mend it"},'
echo 'Checking sandbox ...' >&2
echo '{"state": "ok", "found": "all is well", "next_step": ""}]}]}'
exit 1
"""
    )
    runc.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with Container(Setup(name="one"), tmp_path) as container:
        assert container.wait(10) == 1
        assert red_rows(container) == "a wrong CA mend it"
        assert "Checking sandbox" in container.output


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return where our packages are, in files of an image that is as it should be."""
    packages = tmp_path / "opt/pricing-proxy/lib/python3.11/site-packages"
    packages.mkdir(parents=True)
    monkeypatch.setattr(holding, "ROOT_FILES", tmp_path)
    monkeypatch.setattr(holding, "_OURS", tmp_path / "opt/pricing-proxy")
    return packages


def test_what_must_not_be_in_the_image_is_named(
    ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [*holding.faults()] == []
    (ours / "module.py").touch()
    (ours / "pip").mkdir()
    process = {**IMAGE["process"], "user": {"uid": 0, "gid": 0}, "args": ["sh"]}
    process["env"] = [*process["env"], "PIP_INDEX_URL=somewhere"]
    monkeypatch.setattr(holding, "image_configuration", lambda: {"process": process})

    told = "\n".join(holding.faults())

    for fault in ("'uid': 0", "'sh'", "PIP_INDEX_URL", "site-packages/pip", "1 files are not comp"):
        assert fault in told


def test_a_file_of_two_names_counts_once(ours: Path) -> None:
    (ours / "one").write_bytes(b"x" * 1000)
    (ours / "two").hardlink_to(ours / "one")
    (ours / "three").symlink_to(ours / "one")
    assert holding.size_of(ours) == 1000
