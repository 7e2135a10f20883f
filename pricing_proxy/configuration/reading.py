"""Read the configuration: one TOML file, the environment over it, secrets beside it.

The only reader of the environment. In rising order of precedence: the TOML file, the
secrets directory (`PRICING_PROXY_SECRETS_DIR`, one file for each key), the environment
(`PRICING_PROXY_MARKETS__B2B_DE__CURRENCY=EUR`). A secret in the TOML file is a mistake,
because that file is committed and copied.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from pricing_proxy.configuration.problems import ConfigurationError, Problem, problems_of

S = TypeVar("S", bound=BaseModel)

PREFIX = "PRICING_PROXY_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
SECRETS_VARIABLE = f"{PREFIX}SECRETS_DIR"
DEFAULT_FILE = Path("pricing-proxy.toml")
_NOT_SETTINGS = (CONFIG_VARIABLE, SECRETS_VARIABLE)
_SEPARATOR = "__"
_SECRET_ENDINGS = ("_secret", "_password")


def read(model: type[S], path: Path | None, environ: Mapping[str, str] = os.environ) -> S:
    """Return the checked configuration; raises `ConfigurationError` with every mistake.

    Args:
        model: What it must fit.
        path: The TOML file; None for the one the environment names, or the default one.
        environ: The environment.
    """
    document = _read_file(path, environ)
    problems = [
        Problem(found, f"is a secret: move it to {_variable(found)} or the secrets directory")
        for found in _secrets_in(document)
    ]
    for keys, text in (*_secret_files(environ), *_variables(environ)):
        _overlay(document, keys, text)
    try:
        checked = model.model_validate(document)
    except ValidationError as error:
        raise ConfigurationError([*problems, *problems_of(error)]) from None
    if problems:
        raise ConfigurationError(problems)
    return checked


def secret_text(secret: SecretStr | None) -> str:
    """Return a secret's text, empty when there is none."""
    return "" if secret is None else secret.get_secret_value()


def _read_file(path: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    named = path or (Path(environ[CONFIG_VARIABLE]) if CONFIG_VARIABLE in environ else None)
    file = named or DEFAULT_FILE
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        advice = f"there is no such file; name one by --config or {CONFIG_VARIABLE}"
        raise ConfigurationError([Problem(str(file), advice)]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = f"cannot be read: {type(error).__name__}"
        raise ConfigurationError([Problem(str(file), reason)]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([Problem(str(file), f"is not TOML: {error}")]) from None


def _secrets_in(document: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in document.items():
        here = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from _secrets_in(value, here)
        elif name.endswith(_SECRET_ENDINGS):
            yield here


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
    for name, text in sorted(environ.items()):
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS:
            yield name.removeprefix(PREFIX).lower().split(_SEPARATOR), text


def _secret_files(environ: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
    if SECRETS_VARIABLE not in environ:
        return
    directory = Path(environ[SECRETS_VARIABLE])
    if not directory.is_dir():
        advice = "expected a directory with one file for each secret"
        raise ConfigurationError([Problem(SECRETS_VARIABLE, advice, str(directory))])
    for file in sorted(directory.iterdir()):
        # Mounted secrets come with hidden folders of the platform's own.
        if file.is_file() and not file.name.startswith("."):
            keys = file.name.lower().removeprefix(PREFIX.lower()).split(_SEPARATOR)
            yield keys, file.read_text(encoding="utf-8").strip()


def _overlay(document: dict[str, Any], keys: list[str], text: str) -> None:
    """Put a text where its keys point; a name in the file is matched without case."""
    place: Any = document
    for depth, key in enumerate(keys):
        name = next((known for known in place if known.lower() == key), key)
        if depth == len(keys) - 1:
            place[name] = _value(text)
            return
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            path = ".".join(keys)
            raise ConfigurationError([Problem(path, f"{name} is not a table in the file")])


def _value(text: str) -> Any:
    # A list or table is written as JSON-like TOML; everything else stays text for pydantic.
    if text.startswith(("[", "{")):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return text


def _variable(path: str) -> str:
    return PREFIX + path.replace(".", _SEPARATOR).upper()
