"""The OpenAPI 3.1 document of both listeners.

Request bodies come from the very adapters that read requests (`schemas`), so they cannot
drift; the query of `GET /v1/prices` is made of the same members. The rest has modules of
its own: routes in `openapi_paths`, made of `openapi_parts`; answers in `openapi_answers`,
mistakes in `openapi_problems`, the freshness table in `openapi_freshness`. A route of `app`
that is missing here fails a test.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from pricing_proxy.web import openapi_answers as answers
from pricing_proxy.web import schemas
from pricing_proxy.web.access import API_KEY_HEADER
from pricing_proxy.web.openapi_examples import CACHE_STATUS
from pricing_proxy.web.openapi_freshness import freshness_markdown
from pricing_proxy.web.openapi_parts import SCHEMAS
from pricing_proxy.web.openapi_paths import ADMIN, PUBLIC, paths, server
from pricing_proxy.web.openapi_problems import catalogue

_HEADERS = {
    "Cache-Status": {
        "description": "Where the lines came from (RFC 9211); a `hit` needed no load.",
        "schema": {"type": "string"},
        "example": CACHE_STATUS,
    },
    "Retry-After": {
        "description": "Ask again after this many seconds.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 2,
    },
    "WWW-Authenticate": {
        "description": "What is missing: `X-API-Key`, or a token that holds.",
        "schema": {"type": "string"},
        "example": "X-API-Key",
    },
    "Vary": {
        "description": "`Origin`: an answer to a browser names the page that may read it.",
        "schema": {"type": "string"},
        "example": "Origin",
    },
}
_SECURITY = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": API_KEY_HEADER},
    "StorefrontToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Issued by the shop for one customer of one market: HS256 or EdDSA as "
        "its `kid` fixes; `iss`, `aud`, `sub` (the ERP account, or `magento_id:42`), `market`, "
        "`iat` and `exp`, 15 minutes at most. Market and customer of the request come from it.",
    },
}
_REQUESTS: Sequence[TypeAdapter[Any]] = (
    schemas.PRICES,
    schemas.SHOPPER_PRICES,
    schemas.CART,
    schemas.LOGIN,
    schemas.INVALIDATION,
    schemas.BREAKER_ORDER,
    schemas.GATE_ORDER,
    schemas.CLEARING,
)
_ANSWERS: Sequence[type] = (
    answers.PricesAnswer,
    answers.CartAnswer,
    answers.Problem,
    answers.CheckoutRefusal,
    answers.ExplainAnswer,
    answers.WarmingAnswer,
    answers.InvalidationAnswer,
    answers.ClearingAnswer,
    answers.LiveAnswer,
    answers.ReadyAnswer,
    answers.StatusAnswer,
)
_ABOUT = """\
What *this* customer pays for *these* SKUs, from memory, from Redis, or from the ERP.

Money and quantities are decimal strings; a JSON number in their place is a 422. Instants
are RFC 3339, UTC. Every mistake is answered as `application/problem+json` (RFC 9457)
whose `errors` point at the members.

A **browse** or **cart** answer to a well-formed request is always 200, with a state for
each line. A **checkout** is all or nothing: every line binds, or it is a 422 (a line has no
price; repeating is pointless) or a 503 (ask again after `Retry-After`). An old price is
never passed off as a current one.

## Asking from a browser

A page asks with a token that the shop issued for its customer (`Authorization: Bearer`),
from an origin that the market lists. It may leave market and customer out; naming others is
a 403, and so is a checkout. It may ask for 60 lines and wait 2 s at most. What has to be
loaded from the ERP is counted: 120 lines a minute for each customer, over all replicas.
Beyond that, cached lines are served as ever, old ones flagged, and the rest is `unavailable`
with the reason `cold_budget_spent`.

## When a stored price is shown

Read from the table that decides it; the times are the defaults of settings.

"""


def openapi_document() -> dict[str, Any]:
    """Return the document as plain values."""
    shapes = _schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Prices of Dynamics 365 for the shop",
            "version": version("pricing-proxy"),
            "description": _ABOUT + freshness_markdown(),
        },
        "servers": [server(PUBLIC)],
        "tags": [
            {"name": PUBLIC, "description": "What the shop calls."},
            {"name": ADMIN, "description": "What operators call; on loopback by default."},
        ],
        "paths": paths(shapes),
        "components": {
            "schemas": shapes,
            "headers": _HEADERS,
            "securitySchemes": _SECURITY,
        },
        "x-problems": catalogue(),
    }


class _Untitled(GenerateJsonSchema):
    """Leaves out titles that only repeat a member's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 -- pydantic's hook
        return False


def _schemas() -> Mapping[str, Any]:
    adapters = [*_REQUESTS, *(TypeAdapter(shape) for shape in _ANSWERS)]
    _, definitions = TypeAdapter.json_schemas(
        [(index, "validation", adapter) for index, adapter in enumerate(adapters)],
        ref_template=f"{SCHEMAS}{{model}}",
        schema_generator=_Untitled,
    )
    shapes: dict[str, Any] = definitions["$defs"]
    return shapes
