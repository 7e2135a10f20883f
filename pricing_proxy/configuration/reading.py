"""Read the configuration: one TOML file, the environment over it, secrets beside it.

The only reader of the environment, but for the key that commands call with; models are told
what it says of proxies as their context. In rising order
of precedence: the TOML file, the secrets directory (`PRICING_PROXY_SECRETS_DIR`, one file for
each key), the environment (`PRICING_PROXY_MARKETS__B2B_DE__CURRENCY=EUR`). A secret in the
TOML file is a mistake, because that file is committed and copied. Nothing stops at the first
mistake but a file that cannot be read at all.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from pricing_proxy.configuration.mistakes import (
    PREFIX,
    SECRET_ENDINGS,
    SECRETS_VARIABLE,
    SEPARATOR,
    ConfigurationError,
    Mistake,
    mistakes_of,
    variable_of,
)
from pricing_proxy.configuration.proxies import UsualProxy

S = TypeVar("S", bound=BaseModel)

CONFIG_VARIABLE = f"{PREFIX}CONFIG"
DEFAULT_FILE = Path("pricing-proxy.toml")
# The caller's own key, for commands that ask the running service.
KEY_VARIABLE = f"{PREFIX}API_KEY"
_NOT_SETTINGS = (CONFIG_VARIABLE, SECRETS_VARIABLE, KEY_VARIABLE)
# Kubernetes sets these in every pod beside a Service named pricing-proxy; they are not for us.
_SERVICE_LINKS = re.compile(r"PRICING_PROXY_(SERVICE_(HOST|PORT(_(?!_)\w+)?)|PORT(_(?!_)\w+)?)")

CrossCheck = Callable[[Mapping[str, Any]], Iterable[Mistake]]
Fill = Callable[[Mapping[str, Any], Mapping[str, str]], None]


def read(
    model: type[S],
    path: Path | None,
    environ: Mapping[str, str] = os.environ,
    *,
    fill: Fill = lambda _, __: None,
    cross_check: CrossCheck = lambda _: (),
) -> S:
    """Return the checked configuration; raises `ConfigurationError` with every mistake.

    Args:
        model: What it must fit.
        path: The TOML file; None for the one the environment names, or the default one.
        environ: The environment.
        fill: Given the document and the environment, puts what others' variables say where the
            document says nothing.
        cross_check: Finds what no single key shows. It is given the document even when that
            does not fit the model, so that its findings do not have to wait for another start.
    """
    document = _read_file(path, environ)
    mistakes = [
        Mistake(found, f"is a secret: move it to {variable_of(found)} or the secrets directory")
        for found in _secrets_in(document)
    ]
    secrets, unreadable = _secret_files(environ)
    mistakes += unreadable
    for keys, text in (*secrets, *_variables(environ)):
        mistakes += _overlay(document, keys, text)
    fill(document, environ)
    try:
        checked = model.model_validate(document, context=UsualProxy.of(environ))
    except ValidationError as error:
        raise ConfigurationError([*mistakes, *mistakes_of(error), *cross_check(document)]) from None
    mistakes += cross_check(document)
    if mistakes:
        raise ConfigurationError(mistakes)
    return checked


def sources(path: Path | None, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the files that `read` reads: the TOML file, and each secret's.

    A secrets directory that cannot be listed counts as empty; `read` says what is wrong.
    """
    directory = environ.get(SECRETS_VARIABLE)
    try:
        secrets = sorted(Path(directory).iterdir()) if directory is not None else []
    except OSError:
        secrets = []
    return [_file(path, environ), *secrets]


def secrets_directory() -> Path | None:
    """Return where secrets are read from beside the environment; None for nowhere."""
    named = os.environ.get(SECRETS_VARIABLE)
    return None if named is None or not Path(named).is_dir() else Path(named)


def has_section(path: Path | None, name: str) -> bool:
    """Return whether the TOML file has a section; one that cannot be read has none."""
    try:
        return name in _read_file(path, os.environ)
    except ConfigurationError:
        return False


def secret_text(secret: SecretStr | None) -> str:
    """Return a secret's text, empty when there is none."""
    return "" if secret is None else secret.get_secret_value()


def _read_file(path: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    file = _file(path, environ)
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        advice = f"there is no such file; name one by --config or {CONFIG_VARIABLE}"
        raise ConfigurationError([Mistake(str(file), advice)]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = f"cannot be read: {type(error).__name__}"
        raise ConfigurationError([Mistake(str(file), reason)]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([Mistake(str(file), f"is not TOML: {error}")]) from None


def _file(path: Path | None, environ: Mapping[str, str]) -> Path:
    return path or Path(environ.get(CONFIG_VARIABLE, DEFAULT_FILE))


def _secrets_in(document: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in document.items():
        here = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from _secrets_in(value, here)
        elif name.endswith(SECRET_ENDINGS):
            yield here


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
    for name, text in sorted(environ.items()):
        is_setting = name.startswith(PREFIX) and name not in _NOT_SETTINGS
        if is_setting and _SERVICE_LINKS.fullmatch(name) is None:
            yield _keys(name), text


def _secret_files(
    environ: Mapping[str, str],
) -> tuple[list[tuple[list[str], str]], list[Mistake]]:
    if SECRETS_VARIABLE not in environ:
        return [], []
    directory = Path(environ[SECRETS_VARIABLE])
    try:
        if not directory.is_dir():
            advice = "expected a directory with one file for each secret"
            return [], [Mistake(SECRETS_VARIABLE, advice, str(directory))]
        # Mounted secrets come with hidden folders of the platform's own.
        files = [
            file
            for file in sorted(directory.iterdir())
            if not file.name.startswith(".") and file.is_file()
        ]
    except OSError as error:
        advice = f"cannot be listed: {type(error).__name__}"
        return [], [Mistake(SECRETS_VARIABLE, advice, str(directory))]
    found, unreadable = [], []
    for file in files:
        try:
            found.append((_keys(file.name), file.read_text(encoding="utf-8").strip()))
        except (OSError, UnicodeDecodeError) as error:
            unreadable.append(Mistake(str(file), f"cannot be read: {type(error).__name__}"))
    return found, unreadable


def _keys(name: str) -> list[str]:
    return name.lower().removeprefix(PREFIX.lower()).split(SEPARATOR)


def _overlay(document: dict[str, Any], keys: list[str], text: str) -> list[Mistake]:
    """Put a text where its keys point; a name in the file is matched without case."""
    place: Any = document
    for key in keys[:-1]:
        name = _known_name(place, key)
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            return [Mistake(".".join(keys), f"cannot be set, for {name} is not a table")]
    last = keys[-1]
    # A secret is never anything but text, whatever it begins with.
    value = text if last.endswith(SECRET_ENDINGS) else _value(text)
    place[_known_name(place, last)] = value
    return []


def _known_name(table: Mapping[str, Any], key: str) -> str:
    return next((known for known in table if known.lower() == key), key)


def _value(text: str) -> Any:
    # A list or table is written as in TOML; everything else stays text for pydantic.
    if text.startswith(("[", "{")):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return text
