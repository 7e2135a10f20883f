"""The recorded shapes of F&O's answers that the tests read."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "samples"


def sample(name: str) -> bytes:
    """Return a sample's bytes."""
    return (_FOLDER / name).read_bytes()
