"""Everything that is wrong with the configuration, told at once.

Each mistake names the key's path and what is expected there. A value is repeated only
where it is no secret.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

PREFIX = "PRICING_PROXY_"
SEPARATOR = "__"
# Of a model that needs one of its members, depending on another.
MISSING_MEMBER = "missing_member"
# Names the directory of secrets.
SECRETS_VARIABLE = f"{PREFIX}SECRETS_DIR"
SECRET_ENDINGS = ("secret", "password")
_SECRET_WORDS = ("secret", "password", "key")
_USER_IN_URL = re.compile(r"(?<=://)[^/\s]*(?=@)")
_SHOWN_CHARACTERS = 60
# Keys of before, by their paths in any market: whoever still writes one has made no slip.
_GONE = "is gone, as it changed nothing: leave it out"
_FORMER = {
    "sync.logs": "is now telemetry.log_level and telemetry.log_format, for both programs",
    "sync.polling.page_size": _GONE,
    "sync.markets.*.returns.source": _GONE,
}
_MARKET = re.compile(r"(?<=^sync\.markets\.)[^.]+")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.

    Attributes:
        path: The key, as in the TOML file: `markets.b2b_de.currency`.
        expected: What should stand there.
        got: What stands there, shortened; None when missing or secret.
    """

    path: str
    expected: str
    got: str | None = None


class ConfigurationError(Exception):
    """The configuration cannot be used; `mistakes` holds every reason."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        lines = [
            f"  {mistake.path}: {mistake.expected}"
            + (f" (got {mistake.got})" if mistake.got is not None else "")
            for mistake in self.mistakes
        ]
        count = len(lines)
        noun = "mistake" if count == 1 else "mistakes"
        super().__init__("\n".join([f"The configuration has {count} {noun}:", *lines]))


def mistakes_of(error: ValidationError) -> list[Mistake]:
    """Return pydantic's findings as mistakes."""
    return [
        Mistake(
            path=(path := ".".join(map(str, details["loc"])) or "(whole file)"),
            expected=_expected(path, details["type"], details["msg"]),
            got=_got(details["loc"], details["type"], details["input"]),
        )
        for details in error.errors(include_url=False)
    ]


def _where(path: str) -> str:
    """Say where a secret goes; nothing of what goes into the file."""
    if not path.endswith(SECRET_ENDINGS):
        return ""
    return f": set {variable_of(path)}, or a file of that name in {SECRETS_VARIABLE}"


def variable_of(path: str) -> str:
    """Return the environment variable that stands for a key."""
    return PREFIX + path.replace(".", SEPARATOR).upper()


def _expected(path: str, kind: str, message: str) -> str:
    if kind == "missing":
        return f"is required{_where(path)}"
    if kind == MISSING_MEMBER:
        member = message.removeprefix("expected ").partition(",")[0]
        return f"{message}{_where(f'{path}.{member}')}"
    if kind == "extra_forbidden":
        return _FORMER.get(_MARKET.sub("*", path), "is not a known key; check its spelling")
    return message.removeprefix("Value error, ")


def _got(path: tuple[int | str, ...], kind: str, value: object) -> str | None:
    is_secret = any(word in str(part).lower() for part in path for word in _SECRET_WORDS)
    if kind in ("missing", "extra_forbidden") or is_secret or isinstance(value, dict | list):
        return None
    # Before it is shortened: a cut could take away the sign by which a password is known.
    return _USER_IN_URL.sub("[hidden]", repr(value))[:_SHOWN_CHARACTERS]
