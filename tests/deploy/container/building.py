"""Build the image of the real Dockerfile where no registry can be asked.

What the Dockerfile's `FROM` names is made out of Debian's packages, under that name: the same
distribution and the same minor version of Python, other files. Everything else is the Dockerfile's
own. The build has no network: its wheels were fetched before, by this machine's pip and its
configuration, so no setting of an index comes near the image.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from pricing_proxy.children import tied
from tests.code.sources import ROOT
from tests.deploy.locks import FULL, RUNTIME, locked

BUILT = ROOT / ".deploy-tools" / "image"
"""Where the built image is unpacked; made anew by each check."""
BUNDLE = BUILT / "bundle"
ROOT_FILES = BUNDLE / "rootfs"
BASE = BUILT / "base.tar"
TOOLS = ("buildah", "mmdebstrap", "umoci", "unshare")

_DOCKERFILE = "deploy/image/Dockerfile"
_NAME = "pricing-proxy:check"
# What the Dockerfile runs of its base: a bare Debian has none of it.
_IN_THE_BASE = "python3,python3-venv,ca-certificates"
# "slim": without what nobody reads in a container.
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
_NO_RIGHTS = """\
namespaces cannot be made here, which building and running an image takes: {reason}
Run it as root; within a container, in one that may make them (--privileged)."""


class ImageError(Exception):
    """The image cannot be built or is not as promised; the text says which, and what to do."""


def build() -> Iterator[Sequence[str]]:
    """Yield what builds the image into `BUNDLE`; raises `ImageError` where it cannot be."""
    require_namespaces()
    shutil.rmtree(BUILT, ignore_errors=True)
    BUILT.mkdir(parents=True)
    base, suite = base_image()
    slim = [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    debian = ("mmdebstrap", "--quiet", "--variant=minbase", f"--include={_IN_THE_BASE}")
    yield *debian, *slim, suite, str(BASE)
    places = (f"--root={BUILT}/storage", f"--runroot={BUILT}/run")
    buildah = ("buildah", *places, "--storage-driver=vfs")
    yield *buildah, "from", "--name=base", "scratch"
    yield *buildah, "add", "--quiet", "base", str(BASE)
    yield *buildah, "commit", "--quiet", "base", f"docker.io/library/{base}"
    yield from _fetch_wheels()
    pip = BUILT / "pip.conf"
    pip.write_text("[global]\nno-index = true\nfind-links = /wheels\n", encoding="ascii")
    # Without a network of its own a builder has its caller's: none.
    build = ["unshare", "--net", *buildah, "build", "--isolation=chroot", "--network=host"]
    build += ["--pull-never", "--layers=false", f"--file={_DOCKERFILE}", f"--tag={_NAME}"]
    build += [f"--volume={BUILT}/wheels:/wheels:ro", f"--volume={pip}:/etc/pip.conf:ro"]
    yield [*build, "."]
    yield *buildah, "push", "--quiet", _NAME, f"oci:{BUILT}/oci:check"
    yield "umoci", "unpack", "--image", f"{BUILT}/oci:check", str(BUNDLE)
    for done in ("storage", "run", "oci", "wheels"):
        shutil.rmtree(BUILT / done)


def base_image() -> tuple[str, str]:
    """Return the name of the Dockerfile's base, and which Debian it stands on."""
    text = (ROOT / _DOCKERFILE).read_text(encoding="utf-8")
    [name] = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    return name, name.rpartition("-")[2]


def image_configuration() -> Any:
    """Return how the image says that it is to be run, as an OCI runtime is told."""
    return json.loads((BUNDLE / "config.json").read_text(encoding="utf-8"))


def require_namespaces() -> None:
    """Raise `ImageError` where this user may not make them."""
    asked = ("unshare", "--net", "--mount", "--pid", "--fork", "true")
    done = subprocess.run(asked, capture_output=True, text=True, check=False, **tied())
    if done.returncode != 0:
        raise ImageError(_NO_RIGHTS.format(reason=done.stderr.strip()))


def _fetch_wheels() -> Iterator[Sequence[str]]:
    """Yield what fetches every locked wheel, whatever Python this machine has.

    Markers are left out: the base's Python is another one, of which pip here knows nothing.
    """
    packages = {**locked(RUNTIME), "setuptools": locked(FULL)["setuptools"]}
    wanted = BUILT / "wheels.txt"
    lines = (
        " ".join((f"{name}=={one.version}", *(f"--hash={each}" for each in sorted(one.hashes))))
        for name, one in packages.items()
    )
    wanted.write_text("\n".join(lines), encoding="ascii")
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    fetch += ["--no-deps", "--require-hashes", "--only-binary=:all:"]
    fetch += [f"--python-version={_python_version()}", f"--dest={BUILT}/wheels"]
    yield [*fetch, f"--requirement={wanted}"]


def _python_version() -> str:
    return base_image()[0].partition(":")[2].partition("-")[0]
