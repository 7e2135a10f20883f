"""The Dockerfile's promises, and that it can be built of what it is given."""

import fnmatch
import json
import re
import tomllib

from tests.code.sources import ROOT
from tests.deploy.locks import FULL, locked

FILE = ROOT / "deploy" / "image" / "Dockerfile"
PROGRAMS = ("pricing-proxy", "d365-sync")


def instructions(name: str) -> list[str]:
    """Return what stands behind each instruction of a kind, with its lines joined."""
    lines = [line for line in FILE.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [line.partition(" ")[2] for line in joined.splitlines() if line.startswith(f"{name} ")]


def test_it_runs_as_a_numbered_user_without_rights() -> None:
    """Kubernetes refuses a name under `runAsNonRoot`: it cannot know whose it is."""
    assert instructions("USER") == ["10001:10001"]


def test_the_program_is_process_one_and_gets_the_signal() -> None:
    [entry], [command] = instructions("ENTRYPOINT"), instructions("CMD")
    assert json.loads(entry) == ["pricing-proxy"]
    assert json.loads(command) == ["serve"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["scripts"]) == set(PROGRAMS)


def test_both_stages_stand_on_one_base_of_a_named_version() -> None:
    build, run = instructions("FROM")
    assert build == f"{run} AS build"
    assert re.fullmatch(r"python:3\.11-slim-\w+", run)


def test_nothing_is_installed_but_locked_wheels() -> None:
    for command in re.findall(r"pip .*?install [^&]*", "\n".join(instructions("RUN"))):
        assert "--no-deps" in command
        assert "--no-index" in command or {
            "--require-hashes",
            "--only-binary=:all:",
        } <= set(command.split())


def test_what_builds_our_wheel_is_cut_out_of_the_lock_with_its_hashes() -> None:
    [(first, last)] = re.findall(r"sed -n '/(.+?)/,/(.+?)/p'", "\n".join(instructions("RUN")))
    text = (ROOT / FULL).read_text(encoding="utf-8")
    cut = re.search(rf"{first}.*?{last}", text, re.MULTILINE | re.DOTALL)
    assert cut is not None
    wanted = locked(FULL)["setuptools"]
    assert cut[0].startswith(f"setuptools=={wanted.version}")
    assert set(re.findall(r"sha256:\w{64}", cut[0])) == wanted.hashes


def test_no_setting_of_a_package_index_stays_in_the_image() -> None:
    told = "\n".join([*instructions("ENV"), *instructions("ARG")])
    assert re.findall(r"PIP_\w+|UV_\w+|index|https?:", told, re.IGNORECASE) == []


def test_what_is_copied_is_there_and_gets_past_the_ignore_file() -> None:
    copied = [
        path
        for line in instructions("COPY")
        if not line.startswith("--from")
        for path in line.split()[:-1]
    ]
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = [line[1:] for line in lines if line.startswith("!")]
    assert sorted(copied) == sorted(allowed)
    assert [path for path in copied if not (ROOT / path).exists()] == []


def test_nothing_else_of_a_working_tree_gets_into_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    secret = "pricing_proxy/__pycache__/x.pyc"
    assert any(fnmatch.fnmatch(secret, rule) for rule in rules[-2:])


def test_its_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"VERSION={project['version']}" in instructions("ARG")
    [labels] = instructions("LABEL")
    assert f'licenses="{project["license"]}"' in labels
    assert project["description"] in labels
