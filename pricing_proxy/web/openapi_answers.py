"""The shapes of the answers, for the OpenAPI document and for tests that hold answers to it.

`answers`, `checkout`, `problem_details` and `health` write JSON themselves, for speed or by hand;
these shapes say the same once more, and the tests validate real answers with them. They
are open: a caller must bear members that are added later.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"

ErpNumber = Annotated[str, Field(pattern=_NUMBER)]
Instant = Annotated[
    str,
    Field(
        pattern=_INSTANT,
        description="When the read from the ERP began (UTC).",
        json_schema_extra={"format": "date-time"},
    ),
]
Sku = Annotated[str, Field(description="As asked.")]
Quantity = Annotated[str, Field(description="As asked; a decimal string.")]
Unit = Annotated[str, Field(description="Unit of measure that the line was priced in.")]
UnknownUnit = Annotated[
    str | None, Field(description="Null when the SKU is unknown and none was asked for.")
]
IsVerified = Annotated[
    bool, Field(description="Word of every invalidation up to a few seconds ago was in.")
]
NotBinding = Annotated[
    Literal[False],
    Field(description='Only in a checkout with `"accept": "flagged"` that does not bind.'),
]
Age = Annotated[int, Field(ge=0, description="Whole seconds since `loaded_at`.")]
Source = Annotated[str, Field(description="Which price source answered.")]


class PricedLine(TypedDict):
    """A line with a price; the ERP's own number texts, unchanged, but for `unit_price`."""

    sku: Sku
    unit: Unit
    quantity: Quantity
    state: Literal["fresh", "stale", "unverified"]
    verified: IsVerified
    unit_price: Annotated[
        str,
        Field(
            pattern=r"^-?[0-9]+(\.[0-9]+)?$",
            description="`line_total` / `quantity`, rounded half up once; zeros are kept.",
        ),
    ]
    line_total: Annotated[ErpNumber, Field(description="What the line costs.")]
    price: Annotated[ErpNumber, Field(description="For `price_unit` units, before discounts.")]
    price_unit: Annotated[ErpNumber, Field(description="How many units `price` is for.")]
    discount_percent: ErpNumber
    discount_amount: NotRequired[
        Annotated[ErpNumber, Field(description="Per `price_unit`; absent when zero.")]
    ]
    charges: Annotated[ErpNumber, Field(description="Price charges of the whole line.")]
    list_price: Annotated[
        ErpNumber | None, Field(description="The item's base price; null when unknown.")
    ]
    source: Source
    loaded_at: Instant
    age_seconds: Age
    binding: NotRequired[NotBinding]


class NoPriceLine(TypedDict):
    """A line that has no price; asking again without a change in the ERP is pointless."""

    sku: Sku
    unit: UnknownUnit
    quantity: Quantity
    state: Literal["no_price"]
    verified: IsVerified
    reason: Annotated[
        Literal["unknown_sku", "unknown_unit", "unknown_customer", "not_sold", "not_priced"],
        Field(description="What the ERP or the item map says."),
    ]
    source: NotRequired[Source]
    loaded_at: NotRequired[Instant]
    age_seconds: NotRequired[Age]


class UnavailableLine(TypedDict):
    """A line that nothing is known of right now; ask again."""

    sku: Sku
    unit: UnknownUnit
    quantity: Quantity
    state: Literal["unavailable"]
    verified: IsVerified
    reason: Annotated[
        str,
        Field(description="Such as `too_slow`, `erp_unavailable`, `erp_throttled`, `starting`."),
    ]
    binding: NotRequired[NotBinding]


class PricesAnswer(TypedDict):
    """What the customer pays; one line for each line asked, in the same order."""

    market: str
    customer: Annotated[str, Field(description="The ERP account.")]
    currency: Annotated[str, Field(description="ISO 4217.")]
    tax_included: Annotated[bool, Field(description="Whether the amounts include tax.")]
    complete: Annotated[
        bool, Field(description="Every line has a price, or is known to have none.")
    ]
    verified: Annotated[bool, Field(description="Every line is.")]
    binding: Annotated[
        bool, Field(description="Every line may be charged; true only in mode `checkout`.")
    ]
    lines: list[Annotated[PricedLine | NoPriceLine | UnavailableLine, Field(discriminator="state")]]


class CartAnswer(PricesAnswer):
    """What the customer pays for a whole cart."""

    cart_discounts: Annotated[
        None,
        Field(
            description="Discounts of the cart as a whole. Null: the market's price source "
            "prices line by line (`fo_service`), so it cannot tell whether there are any; "
            "discounts of a line are in its `line_total`."
        ),
    ]


class ProblemFlaw(TypedDict):
    """One thing wrong with a request."""

    pointer: Annotated[
        str, Field(description="JSON Pointer into the body; empty for the whole request.")
    ]
    code: str
    detail: str


class Problem(TypedDict):
    """What is wrong with a request (RFC 9457)."""

    type: Annotated[str, Field(pattern="^/problems/[a-z_]+$", description="Stable.")]
    title: str
    status: int
    detail: str
    errors: Annotated[list[ProblemFlaw], Field(min_length=1)]


class RefusedLine(TypedDict):
    """One line of a refused checkout."""

    sku: Sku
    quantity: Quantity
    unit: UnknownUnit
    state: Annotated[
        Literal["fresh", "unavailable"], Field(description="`fresh`: this line would bind.")
    ]
    reason: NotRequired[str]
    last_known: Annotated[
        PricedLine | None, Field(description="The last price seen; not to be charged.")
    ]
    loaded_at: Instant | None


class CheckoutRefusal(Problem):
    """A checkout that cannot bind right now; ask again after `Retry-After`."""

    lines: list[RefusedLine]


class ExplainedLine(TypedDict):
    """Why one line would be answered as it would be."""

    sku: Sku
    quantity: Quantity
    unit: UnknownUnit
    item: Annotated[str | None, Field(description="The item behind the SKU; null: none known.")]
    verdict: Annotated[
        Literal["serve", "serve_and_refresh", "load", "join", "settle"],
        Field(
            description="`load`: ask the ERP and wait; `join`: wait for a load under way; "
            "`settle`: ask nobody, for `reason`, and answer with what the row leaves."
        ),
    ]
    row: Annotated[str, Field(description="The row of the freshness table that decides.")]
    because: Annotated[str, Field(description="What that row means.")]
    rule: Annotated[str, Field(description="What the row says for the mode.")]
    otherwise: Annotated[str | None, Field(description="What is left when the load fails.")]
    reason: str | None
    wait_ms: int
    level: Annotated[
        Literal["l1", "l2"] | None, Field(description="Memory, Redis, or nothing stored.")
    ]
    source: str | None
    loaded_at: Instant | None
    age_seconds: float | None
    soft_seconds: float | None
    hard_seconds: float | None
    position: Annotated[str | None, Field(description="Ledger position of the stored price.")]
    invalidated: Annotated[
        Literal["soft", "hard"] | None, Field(description="By something newer than the price.")
    ]
    invalidated_at: Annotated[
        str | None, Field(description="Position of the newest invalidation that touches the line.")
    ]
    answer: Annotated[
        PricedLine | NoPriceLine | UnavailableLine | None,
        Field(description="The line as it would be answered; null when that takes a load."),
    ]


class ExplainAnswer(TypedDict):
    """Why a page would be answered as it would be, at this instant."""

    market: str
    customer: Annotated[str, Field(description="As the caller spells it.")]
    account: Annotated[str, Field(description="As the ERP spells it, where it is known.")]
    currency: str
    mode: Literal["browse", "cart", "checkout"]
    is_customer_known: bool
    price_group: str | None
    verified: IsVerified
    lease_left_seconds: Annotated[
        float, Field(description="For how long word of invalidations still counts.")
    ]
    position: Annotated[str, Field(description="The ledger position that a load would have now.")]
    max_seconds: Annotated[float, Field(description="Older prices are not shown at all.")]
    sources: Annotated[list[dict[str, Any]], Field(description="Ways to a price, in order.")]
    guards: Annotated[
        dict[str, Any], Field(description="Breakers, gate and bulkhead before the ERP.")
    ]
    lines: list[ExplainedLine]


class WarmingAnswer(TypedDict):
    """A login that was taken note of."""

    warming: Annotated[
        int, Field(ge=0, description="Prices being loaded; 0 when the ERP is in trouble.")
    ]


class InvalidationAnswer(TypedDict):
    """An invalidation that was taken note of."""

    market: str
    position: Annotated[
        str, Field(pattern="^[0-9]+$", description="From where on the change is known.")
    ]


class ClearingAnswer(TypedDict):
    """What was kept out is asked for again."""

    cleared: Annotated[int, Field(ge=0, description="SKUs that were kept out or asked alone.")]


class LiveAnswer(TypedDict):
    """The process lives."""

    status: Literal["live"]


class ReadyAnswer(TypedDict):
    """Whether the process wants requests."""

    status: Literal["ready", "starting"]
    missing: Annotated[list[str], Field(description="What keeps it from serving, in words.")]


class StatusAnswer(TypedDict):
    """The state of the process; for people and dashboards, its inner members may change."""

    service: dict[str, Any]
    markets: dict[str, Any]
    erp: Annotated[dict[str, Any], Field(description="By environment: breakers, gates, bulkhead.")]
    redis: dict[str, Any]
    cache: dict[str, Any]
    flights: Annotated[dict[str, Any], Field(description="Loads under way.")]
    kept_out: Annotated[
        list[dict[str, Any]], Field(description="What the ERP refused, by SKU; never to whom.")
    ]
    keys: Annotated[dict[str, str | None], Field(description="Each key's last use, by its name.")]
    configuration: Annotated[
        dict[str, Any], Field(description="Since when the keys stand, and why a change does not.")
    ]
