"""The HTTP session of one ERP environment: connections, trusted certificates, no cookies."""

import ssl
from pathlib import Path

import aiohttp

# The bulkhead admits 64 calls at most; a call never waits for a connection behind it.
CONNECTIONS = 80
# Longer than the pause between two background reads, so that connections stay warm.
_KEEPALIVE_SECONDS = 75.0


def erp_session(ca_file: Path | None) -> aiohttp.ClientSession:
    """Return a session for a `Transport`, which is the caller's to close.

    Args:
        ca_file: PEM file of an authority to trust beside the public ones.
    """
    trusted = ssl.create_default_context()
    if ca_file is not None:
        trusted.load_verify_locations(ca_file)
    connector = aiohttp.TCPConnector(
        limit=CONNECTIONS, keepalive_timeout=_KEEPALIVE_SECONDS, ssl=trusted
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
