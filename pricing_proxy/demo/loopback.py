"""Ask the demo's own programs over HTTP."""

import requests


def loopback_session() -> requests.Session:
    """Return a session that no proxy of the environment comes between."""
    session = requests.Session()
    session.trust_env = False
    return session
