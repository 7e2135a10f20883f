"""One container of the built image, run by runc: rights and mounts as compose.yaml tells them."""

import json
import resource
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pricing_proxy.children import tied
from tests.deploy.container.building import ROOT_FILES, ImageError, image_configuration

_KILLED_SECONDS = 20
_OPEN_FILES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a container is made.

    Attributes:
        name: Unique among those that run.
        arguments: What is run; None for the image's own.
        environment: Beside the image's own.
        mounts: What is seen at which place, and whether it can be written there.
        user: Whom it runs as; None for the image's own.
        is_root_writable: What production never has.
    """

    name: str
    arguments: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, tuple[Path, bool]] = field(default_factory=dict)
    user: int | None = None
    is_root_writable: bool = False


class Container:
    """A container that runs from here to the end of a `with`.

    It has this process' network, no capability, and a root that is read-only.
    """

    def __init__(self, setup: Setup, folder: Path) -> None:
        self.name = setup.name
        self.folder = folder / setup.name
        self.folder.mkdir()
        self._stdout, self._stderr = self.folder / "output", self.folder / "errors"
        self._runc = ("runc", "--root", str(folder / "runc"))
        text = json.dumps(_runtime_configuration(setup))
        (self.folder / "config.json").write_text(text, encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        run = (*self._runc, "run", "--bundle", str(self.folder), self.name)
        # Apart: a command's progress would stand within its answer.
        with self._stdout.open("wb") as output, self._stderr.open("wb") as errors:
            self._process = subprocess.Popen(
                run, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, **tied()
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._ask("delete", "--force", self.name)
        self._mine.wait(_KILLED_SECONDS)
        shutil.rmtree(self.folder)

    @property
    def output(self) -> str:
        """What it has said, to whomever."""
        return self.answer + self._stderr.read_text(encoding="utf-8", errors="replace")

    @property
    def answer(self) -> str:
        """What it has said to whoever reads its answer: no log, no progress."""
        return self._stdout.read_text(encoding="utf-8", errors="replace")

    def wait(self, seconds: float) -> int:
        """Return its exit code; raises `ImageError` when it has not ended by then."""
        try:
            return self._mine.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.error(f"has not ended after {seconds} s") from None

    def stop(self, seconds: float) -> float:
        """Send SIGTERM; return how long it took, in seconds.

        Raises:
            ImageError: It ended otherwise than with 0, or not within `seconds`.
        """
        self.require_alive()
        began = time.monotonic()
        self._ask("kill", self.name, "TERM")
        code = self.wait(seconds)
        if code != 0:
            raise self.error(f"ended with {code} after SIGTERM")
        return time.monotonic() - began

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program beside its own, as it does: same user, same rights, same environment."""
        return self._ask("exec", self.name, *arguments)

    def until(self, *arguments: str, seconds: float) -> None:
        """Run a program again and again until it succeeds; raises `ImageError` after `seconds`."""
        end = time.monotonic() + seconds
        while (last := self.run(*arguments)).returncode != 0:
            self.require_alive()
            if time.monotonic() > end:
                said = (last.stdout + last.stderr)[-2000:]
                raise self.error(f"{' '.join(arguments)}\n{said}\nstill, after {seconds} s")
            time.sleep(0.5)

    def require_alive(self) -> None:
        """Raise `ImageError` with what it said when it has ended."""
        if (code := self._mine.poll()) is not None:
            raise self.error(f"has ended with {code}")

    def error(self, what: str) -> ImageError:
        """Return what is wrong, with the end of what the container said."""
        return ImageError(f"{self.name}: {what}; it said:\n{self.output[-3000:]}")

    @property
    def _mine(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise RuntimeError("not entered")
        return self._process

    def _ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (*self._runc, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **tied(),
        )


def _runtime_configuration(setup: Setup) -> Any:
    """Return a configuration of the OCI runtime specification."""
    found = image_configuration()
    process = found["process"]
    process["terminal"] = False
    process["noNewPrivileges"] = True
    process["capabilities"] = {kind: [] for kind in process["capabilities"]}
    # As compose.yaml has it, where this machine allows as much.
    files = min(_OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    process["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": files, "soft": files}]
    process["env"] += [f"{name}={text}" for name, text in setup.environment.items()]
    if setup.arguments is not None:
        process["args"] = list(setup.arguments)
    if setup.user is not None:
        process["user"] = {"uid": setup.user, "gid": setup.user}
    found["root"] = {"path": str(ROOT_FILES), "readonly": not setup.is_root_writable}
    found["linux"]["namespaces"] = [
        each for each in found["linux"]["namespaces"] if each["type"] != "network"
    ]
    options = ["nosuid", "nodev", "mode=1777"]
    found["mounts"].append(
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": options}  # noqa: S108 -- its own
    )
    for destination, (source, is_writable) in setup.mounts.items():
        way = ["rbind", "rw" if is_writable else "ro"]
        found["mounts"].append(
            {
                "destination": destination,
                "type": "bind",
                "source": str(source.absolute()),
                "options": way,
            }
        )
    return found
