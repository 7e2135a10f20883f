"""The way out of the house: through which proxy an address is called, if any.

A system's own `proxy` names one, or "none"; else `HTTPS_PROXY` and `NO_PROXY` do, as the
environment has them. No library of ours looks there by itself, so there is one answer, and it
can be shown. What is called without TLS stays on this machine, and this machine is never
called through a proxy; so `HTTP_PROXY` says nothing here.
"""

import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Annotated, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    model_validator,
)

from pricing_proxy.configuration.addresses import USUAL_PORTS, is_loopback

_NONE = "none"
_HTTPS, _EXCEPT = "HTTPS_PROXY", "NO_PROXY"
_EXPECTED = "expected http://host:port or http://user@host:port"
_BETWEEN = re.compile(r"[\s,]+")
# A name, or an address of IPv6, perhaps with its zone; no blank, quote or unset variable.
_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+(%[\w.-]+)?")
_PORT = re.compile(r"(?P<host>.+):(?P<port>\d{1,5})")
# What libraries that read the environment themselves must be told: they do not know it.
_THIS_MACHINE = ("localhost", "127.0.0.0/8", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy, and as whom it is asked.

    Attributes:
        host: Its name or address.
        port: Its port.
        user: As whom; empty for nobody.
        password: The user's; never shown.
        named_by: What named it, for people.
    """

    host: str
    port: int
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    named_by: str

    @property
    def url(self) -> str:
        """Its address, without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def secret_url(self) -> str:
        """Its address with user and password, for who takes them in no other way."""
        if not self.user:
            return self.url
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return self.url.replace("://", f"://{login}@", 1)

    @property
    def shown(self) -> str:
        """Its address and what named it, for people."""
        return f"proxy {self.url.removeprefix('http://')} ({self.named_by})"


@dataclass(frozen=True, slots=True)
class UsualProxy:
    """What the environment says of proxies.

    Attributes:
        https: `HTTPS_PROXY`; it may hold a password.
        exceptions: `NO_PROXY`.
    """

    https: str = field(default="", repr=False)
    exceptions: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Return what it says; names in small letters win, as with other programs."""
        return cls(_of_either_case(environ, _HTTPS), _of_either_case(environ, _EXCEPT))

    def way_to(
        self, url: str, named: str | None = None, password: SecretStr | None = None
    ) -> Proxy | None:
        """Return the proxy on the way to an address; None for the straight way.

        Args:
            url: Where to.
            named: What a setting says: a proxy, "none", or None for what is usual.
            password: Of the setting's user.

        Raises:
            ValueError: `HTTPS_PROXY` would be used, and is no address of a proxy; or a password is
                given for no proxy.
        """
        if password is not None and named in (None, _NONE):
            # Of whom is it? Left out silently, the proxy's 407 would name no reason.
            raise ValueError(f"{_EXPECTED} as proxy beside proxy_password")
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        if is_loopback(host) or parts.scheme != "https" or named == _NONE:
            return None
        if named is not None:
            secret = "" if password is None else password.get_secret_value()
            return _parsed(named, named_by="configured", password=secret)
        if not self.https or is_excepted(self.exceptions, host, parts.port or USUAL_PORTS["https"]):
            return None
        try:
            return _parsed(self.https, named_by=_HTTPS)
        except ValueError as error:
            raise ValueError(f'{_HTTPS} in the environment: {error}, or proxy = "none"') from None


class Outgoing(BaseModel):
    """What names addresses elsewhere; it knows what the environment says of proxies."""

    _usual: UsualProxy = PrivateAttr(default=UsualProxy())

    @model_validator(mode="after")
    def _told_of_the_usual(self, info: ValidationInfo) -> Self:
        if isinstance(info.context, UsualProxy):
            self._usual = info.context
        return self


def is_excepted(exceptions: str, host: str, port: int) -> bool:
    """Return whether a list as in `NO_PROXY` names a host.

    An entry is a domain with all below it (`example.com`, `.example.com`, `*.example.com`), an
    address, a network (`10.0.0.0/8`), or `*` for everything; a port may limit it.
    """
    return any(_matches(entry, host.lower(), port) for entry in _entries(exceptions))


def spare_this_machine(environ: MutableMapping[str, str]) -> None:
    """Have libraries that read proxies from the environment themselves call this machine directly.

    apprise is one: each of its many ways to send asks the environment, and takes no proxy else.
    """
    present = _entries(_of_either_case(environ, _EXCEPT))
    missing = [name for name in _THIS_MACHINE if name not in present]
    # For them "*" only counts where it stands alone.
    whole = "*" if "*" in present else ",".join([*present, *missing])
    for name in (_EXCEPT, _EXCEPT.lower()):
        environ[name] = whole


def _of_either_case(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name.lower()) or environ.get(name) or "").strip()


def _entries(exceptions: str) -> list[str]:
    return [entry for entry in _BETWEEN.split(exceptions.lower()) if entry]


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    for name, only in _readings(entry):
        if only not in (None, port):
            continue
        try:
            if ip_address(host) in ip_network(name.strip("[]"), strict=False):
                return True
        except ValueError:
            domain = name.removeprefix("*").strip(".")
            if domain and (host == domain or host.endswith(f".{domain}")):
                return True
    return False


def _readings(entry: str) -> Iterator[tuple[str, int | None]]:
    """Yield the entry as a host, and as a host with a port: `::1` may be either."""
    yield entry, None
    found = _PORT.fullmatch(entry)
    if found is not None and (found["host"].endswith("]") or ":" not in found["host"]):
        yield found["host"], int(found["port"])


def _parsed(text: str, *, named_by: str, password: str = "") -> Proxy:
    """Return the proxy; raises `ValueError` that says what is expected, without the text."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        # The library's own messages repeat the text, and with it a password.
        raise ValueError(_EXPECTED) from None
    # A "#", "?" or "/" in a password ends the address early: what is left names another host.
    beyond = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme != "http" or beyond or port == 0 or _HOST.fullmatch(host) is None:
        raise ValueError(_EXPECTED)
    user = unquote(parts.username or "")
    password = unquote(parts.password or "") or password
    _check_login(user, password)
    port = port or USUAL_PORTS["http"]
    return Proxy(host=host, port=port, user=user, password=password, named_by=named_by)


def _check_login(user: str, password: str) -> None:
    login = user + password
    if not login.isascii():
        raise ValueError("expected user and password in ASCII: proxies do not agree on the rest")
    if ":" in user or (login and not login.isprintable()):
        raise ValueError("expected a user without a colon, and no control characters")
    if password and not user:
        raise ValueError("expected a user beside the password, as in http://user@host:port")


def _setting(text: str) -> str:
    if text.strip().lower() == _NONE:
        return _NONE
    if _parsed(text, named_by="").password:
        raise ValueError("expected no password in the address; put it into proxy_password")
    return text


ProxySetting = Annotated[str, AfterValidator(_setting)]
"""A proxy's address without a password, or "none"."""
