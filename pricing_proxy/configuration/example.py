"""The example of a configuration: every key of both programs, with its default and meaning."""

from importlib.resources import files


def example() -> str:
    """Return the example as TOML, which both programs accept once their secrets are set."""
    return files(__package__).joinpath("example.toml").read_text(encoding="utf-8")
