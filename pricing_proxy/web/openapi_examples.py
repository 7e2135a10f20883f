"""The examples of the OpenAPI document: the README's customer, lamp and numbers.

The tests hold every one of them to the adapter or the shape that it illustrates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pricing_proxy.web.openapi_problems import problem_example
from pricing_proxy.web.problems import PRICE_NOT_CURRENT

CACHE_STATUS = 'pricing-proxy; fwd=miss; detail="l1=20 l2=3 source=1"'

_LINE = {"sku": "LAMP-01", "quantity": "10"}
_ASKED = {"market": "b2b_de", "customer": "C-1001", "lines": [_LINE]}
_PRICED = {
    "sku": "LAMP-01",
    "unit": "PCS",
    "unit_price": "17.1000",
    "line_total": "171.00",
    "price": "19.00",
    "price_unit": "1",
    "discount_percent": "10",
    "charges": "0",
    "list_price": "19.90",
    "source": "fo_service",
    "loaded_at": "2026-11-23T07:30:11Z",
    "quantity": "10",
    "state": "fresh",
    "verified": True,
    "age_seconds": 41,
}
_STALE = {**_PRICED, "state": "stale", "verified": False, "age_seconds": 7260}
_ANSWERED = {
    "market": "b2b_de",
    "customer": "C-1001",
    "currency": "EUR",
    "tax_included": False,
    "complete": True,
    "verified": True,
    "binding": False,
    "lines": [_PRICED],
}
_MIXED_LINES = [
    _STALE,
    {
        "sku": "LAMP-99",
        "unit": None,
        "reason": "unknown_sku",
        "quantity": "1",
        "state": "no_price",
        "verified": True,
    },
    {
        "sku": "LAMP-07",
        "unit": "PCS",
        "reason": "erp_unavailable",
        "quantity": "1",
        "state": "unavailable",
        "verified": False,
    },
]

PRICES_BODIES: Mapping[str, Any] = {
    "browse": _ASKED,
    "checkout": {**_ASKED, "mode": "checkout"},
    "by shop customer, a cart": {
        "market": "b2b_de",
        "customer": {"magento_id": 1},
        "mode": "cart",
        "lines": [{**_LINE, "unit": "PCS"}, {"sku": "LAMP-02"}],
        "wait_ms": 2000,
    },
}
SHOPPER_BODIES: Mapping[str, Any] = {
    "from a browser, with a token": {"lines": [_LINE], "wait_ms": 2000},
}
PRICES_ANSWERS: Mapping[str, Any] = {
    "fresh": _ANSWERED,
    "the ERP is down": {
        **_ANSWERED,
        "complete": False,
        "verified": False,
        "lines": _MIXED_LINES,
    },
    "a checkout that binds": {
        **_ANSWERED,
        "binding": True,
        "lines": [{**_PRICED, "age_seconds": 0}],
    },
}
CART_BODIES: Mapping[str, Any] = {
    "a cart": {**_ASKED, "lines": [_LINE, {"sku": "LAMP-02", "quantity": "2"}]},
    "an order whose price may be confirmed later": {**_ASKED, "accept": "flagged"},
}
CART_ANSWERS: Mapping[str, Any] = {
    "a cart that binds": {
        **_ANSWERED,
        "binding": True,
        "lines": [{**_PRICED, "age_seconds": 0}],
        "cart_discounts": None,
    },
    "the ERP is down, and flagged prices are accepted": {
        **_ANSWERED,
        "verified": False,
        "lines": [{**_STALE, "binding": False}],
        "cart_discounts": None,
    },
}
REFUSAL: Mapping[str, Any] = problem_example(
    PRICE_NOT_CURRENT,
    lines=[
        {
            "sku": "LAMP-01",
            "quantity": "10",
            "unit": "PCS",
            "state": "unavailable",
            "reason": "erp_unavailable",
            "last_known": _STALE,
            "loaded_at": "2026-11-23T07:30:11Z",
        }
    ],
)
EXPLAIN_ANSWERS: Mapping[str, Any] = {
    "a fresh price in memory": {
        "market": "b2b_de",
        "customer": "C-1001",
        "account": "C-1001",
        "currency": "EUR",
        "mode": "browse",
        "is_customer_known": True,
        "price_group": "B2B",
        "verified": True,
        "lease_left_seconds": 4.2,
        "position": "1763883052000000",
        "max_seconds": 86400.0,
        "sources": [{"name": "fo_service", "is_binding": True}],
        "guards": {"breakers": [{"name": "prod:price_read", "phase": "closed"}]},
        "lines": [
            {
                **_LINE,
                "unit": "PCS",
                "item": "LAMP-01",
                "verdict": "serve",
                "row": "fresh",
                "because": "young, and known not to have been invalidated",
                "rule": "serve",
                "otherwise": None,
                "reason": None,
                "wait_ms": 0,
                "level": "l1",
                "source": "fo_service",
                "loaded_at": "2026-11-23T07:30:11Z",
                "age_seconds": 41.3,
                "soft_seconds": 288.4,
                "hard_seconds": 3600.0,
                "position": "1763883011000000",
                "invalidated": None,
                "invalidated_at": None,
                "answer": _PRICED,
            }
        ],
    }
}
LOGIN_BODIES: Mapping[str, Any] = {"with a page": {"market": "b2b_de", "skus": ["LAMP-01"]}}
WARMING_ANSWERS: Mapping[str, Any] = {"one price": {"warming": 1}}
INVALIDATION_BODIES: Mapping[str, Any] = {
    "an item": {
        "market": "b2b_de",
        "scope": {"sku": "LAMP-01"},
        "level": "soft",
        "reason": "price journal posted",
    },
    "a customer": {
        "market": "b2b_de",
        "scope": {"customer": "C-1001"},
        "level": "hard",
        "reason": "contract ended",
    },
    "everything": {
        "market": "b2b_de",
        "scope": {"all": True},
        "level": "soft",
        "reason": "new price list",
    },
}
INVALIDATION_ANSWERS: Mapping[str, Any] = {
    "noted": {"market": "b2b_de", "position": "1849569472380928000"}
}
BREAKER_BODIES: Mapping[str, Any] = {
    "isolate": {"order": "isolate"},
    "close": {"order": "close"},
}
GATE_BODIES: Mapping[str, Any] = {"open": {"order": "open"}}
CLEARING_BODIES: Mapping[str, Any] = {
    "everything": {},
    "an item": {"market": "b2b_de", "sku": "LAMP-01"},
}
CLEARING_ANSWERS: Mapping[str, Any] = {"one SKU was kept out": {"cleared": 1}}
LIVE_ANSWERS: Mapping[str, Any] = {"live": {"status": "live"}}
READY_ANSWERS: Mapping[str, Any] = {"ready": {"status": "ready", "missing": []}}
UNREADY_ANSWERS: Mapping[str, Any] = {
    "starting": {"status": "starting", "missing": ["maps of market b2b_de"]}
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """What is said about a query parameter; `example` None shows none.

    An example is also what a documentation page fills in, so only those of one request have it.
    """

    description: str
    example: Any = None

    def as_member(self) -> dict[str, Any]:
        """Return the parameter's `example` member, if it has one."""
        return {} if self.example is None else {"example": self.example}


PARAMETERS: Mapping[str, Parameter] = {
    "market": Parameter("The shop's website code; with a token, the token's.", "b2b_de"),
    "customer": Parameter(
        "The ERP account; or give `magento_id`; with a token, the token's.", "C-1001"
    ),
    "magento_id": Parameter("The shop's customer id, instead of `customer`."),
    "mode": Parameter("How much the caller can bear; `browse` by default."),
    "currency": Parameter("One that the market sells in; its own by default."),
    "wait_ms": Parameter(
        "How long to wait for loads, instead of the mode's time; a checkout waits 1 s at least."
    ),
    "accept": Parameter("Checkout: take prices that do not bind instead of a 503."),
    "sku": Parameter("Repeat it for more lines.", ["LAMP-01"]),
    "quantity": Parameter("1 by default.", ["10"]),
    "unit": Parameter("The item's sales unit by default."),
}
