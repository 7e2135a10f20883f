"""Under which licences production's packages stand, as each installed package says of itself.

    python -m tests.deploy.licences

writes `deploy/image/licences.md`; a test holds it. A licence that nobody has looked at fails it:
whoever adds a package reads its licence, and adds it to `ACCEPTED` or takes another package.
"""

import re
from importlib.metadata import PackageMetadata, metadata

from packaging.markers import Marker

from tests.code.sources import ROOT
from tests.deploy.locks import RUNTIME, locked

FILE = ROOT / "deploy" / "image" / "licences.md"
ACCEPTED = {
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "LGPL-3.0-only",  # psycopg: imported as it is, and replaceable in the image
    "MIT",
    "MIT-0",
    "MPL-2.0",  # certifi's list and a part of orjson: unchanged files
    "PSF-2.0",
}
# What packages say in their own words, and the SPDX name of what is meant.
_MEANT = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "MIT style": "MIT",
}
# Where the image's packages are installed.
_IMAGE = {
    "python_version": "3.11",
    "python_full_version": "3.11.14",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_python_implementation": "CPython",
}
# Packages that name theirs in a classifier alone.
_CLASSIFIER = "License :: OSI Approved :: "
_TOP = """\
# Licences of what the image holds

Made by `python -m tests.deploy.licences` out of what each package of
`requirements-runtime.lock` says of itself; the base image's own packages are listed by its
maker. `make sbom` writes the same packages as CycloneDX.

| package | version | licence |
|---|---|---|
"""


def licences() -> dict[str, str]:
    """Return the licence of each package of the image by its name, as an SPDX expression."""
    found = {}
    for name, package in locked(RUNTIME).items():
        if package.marker is None or Marker(package.marker).evaluate(_IMAGE):
            said = metadata(name)
            words = said["License-Expression"] or said["License"] or _classified(said)
            found[name] = _MEANT.get(words, words)
    return found


def unknown(expression: str) -> set[str]:
    """Return the licences in an SPDX expression that nobody has looked at."""
    named = set(re.split(r" AND | OR |[()]", expression)) - {""}
    return named - ACCEPTED


def table() -> str:
    """Return the file's text."""
    versions = locked(RUNTIME)
    rows = [
        f"| {name} | {versions[name].version} | {licence} |\n"
        for name, licence in licences().items()
    ]
    return _TOP + "".join(rows)


def _classified(said: PackageMetadata) -> str:
    named = [each for each in said.get_all("Classifier") or [] if each.startswith(_CLASSIFIER)]
    return " AND ".join(each.removeprefix(_CLASSIFIER) for each in named)


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
