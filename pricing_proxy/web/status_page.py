"""Draw the state of the process as one page that an operator reads at a glance.

The page is complete as served; `status.js` fetches it anew every two seconds and says so
when no answer comes, so that nobody trusts a frozen picture. Without scripts the browser
reloads it. Colour never speaks alone, and what a snapshot does not hold is shown as not
reported. `templates/status.html` says what stands where, `status_words` how it is judged.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from pricing_proxy.pages.drawing import page
from pricing_proxy.web import status_words

_PARTS = ("service", "markets", "erp", "redis", "cache", "flights", "keys", "configuration")


def status_page(request: web.Request, snapshot: Mapping[str, Any]) -> web.Response:
    """Return the page."""
    parts = {name: snapshot.get(name) or {} for name in _PARTS}
    members = {**parts, "kept_out": snapshot.get("kept_out"), "words": status_words}
    members["background"] = snapshot.get("background")
    return page(request, "status.html", members)
