"""Addresses as the configuration takes them: over TLS, except on this machine."""

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

USUAL_PORTS = {"https": 443, "http": 80}


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_web(parts: SplitResult) -> bool:
    """Return whether secrets may be sent there: without TLS they stay on this machine."""
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def in_one_spelling(url: str) -> str:
    """Return an address so that all its spellings are one text: it names what was read there."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    port = parts.port
    place = shown if port in (None, USUAL_PORTS.get(parts.scheme)) else f"{shown}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"


def _server_url(text: str) -> str:
    parts = urlsplit(text)
    if not is_web(parts) or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("expected an https:// address without user, query or fragment")
    return text.rstrip("/")


def _root_url(text: str) -> str:
    url = _server_url(text)
    if urlsplit(url).path:
        raise ValueError("expected the environment's root address, without a path")
    return url.lower()


ServerUrl = Annotated[str, AfterValidator(_server_url)]
RootUrl = Annotated[str, AfterValidator(_root_url)]
