"""The faults of a simulated system, as dials that are turned while it runs.

Each member checks itself; a patch is checked whole before any of it is applied.
What a dial does stands in `faults` (every system; `token_revoked`: where a system checks who
asks), `price_service` (`drop_lines`, `odd_lines`, `poison_skus`, `poison_lines`, `deadlock_rate`,
`price_page`), `documents` (`rename_fields`, `mandatory_fields`, `tax_rounding`,
`return_price_unit`, `reservation`), `sets_cut` (`short_sets`, `hidden_sets`, `absent_sets`),
`odata` (`zero_stock`, `zero_prices`, `catalog_share`), `business_events` (`event_loss`),
`app_judge` (`proof_faults`) and `shop` (`clock_ahead_seconds`); `dead` is the server's business.
What only the shop has stands in `shop.dials`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

# Longer than any deadline a client may have, short enough that a slip of the hand ends.
_MAX_LATENCY_MS = 600_000
_DAY = 86_400
_STATUSES = range(200, 600)
# Longer values than a client's parser of headers takes would test that parser.
_LONGEST_HEADER = 4000
_PROOFS = ("secret", "certificate", "token")
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_FIELD_OF_A_SET = re.compile(r"[A-Za-z]\w*\.[A-Za-z]\w*", re.ASCII)


Check = Callable[[str, Any], Any]
"""Returns a dial's value as it is kept; raises `BadMemberError`."""


class BadMemberError(ValueError):
    """A member of a request is unknown or has a wrong value; `detail` says what was expected."""

    def __init__(self, member: str, detail: str) -> None:
        super().__init__(f"{member}: {detail}")
        self.member = member
        self.detail = detail


@dataclass(slots=True, kw_only=True)
class Dials:
    """The dials of one system.

    Attributes:
        latency_ms: How long every answer takes.
        latency_spread_ms: By how much an answer may be quicker or slower, evenly.
        error_rate: The share of calls answered 500 without an explanation, 0 to 1.
        retry_after: Answer 429 with this header: seconds, a date, or any text that a proxy might
            send; None = off.
        throttle_rate: The share of calls answered 429, 0 to 1; above 0 only that share is, with
            `retry_after` in the header, or one second.
        commit_then_drop: The share of successful writes after which the connection is closed
            without an answer, 0 to 1.
        dead: Refuse connections; what the system knows is kept.
        black_hole: Read requests, never answer.
        token_revoked: Refuse credentials (Entra ID) or every token (the others).
        proof_faults: What Entra ID refuses: `secret`, `certificate`, `token`: "expired", "unknown".
        clock_ahead_seconds: How far the dates of answers are ahead; below 0 behind. The shop's
            rows and its check of signatures go by it too.
        drop_lines: SKUs that price answers silently leave out.
        odd_lines: What price answers say of a SKU instead of its price, such as
            `{"LAMP-04": "NaN"}`: `null`, `text`, `NaN`, `1e99`, `0`, `-1`, `USD`, `twice`,
            `nameless`, or a code for the line's `error`.
        poison_skus: SKUs for whose sake a price batch ends in an exception of the ERP's: 500.
        poison_lines: `{"customer": …, "sku": …}`: for its sake a price batch of that customer is
            refused as a whole with 400, as by a validation.
        deadlock_rate: The share of price batches that end as victims of a deadlock, 0 to 1: 500
            with the application's message, and well when asked again. The shop's batches of prices
            and stock and its products likewise, with 400.
        gateway_page: Answer everything with a web page under this status, as something in front of
            the system does that knows nothing of it; 302 leads to a login page, 200 is one.
        price_page: Answer every price batch with a web page under this status, as a gateway or a
            service that was not deployed does; 200 for a login page.
        rename_fields: New names of fields, such as `{"CustomersV3.LanguageId": "Language"}`.
        mandatory_fields: Fields that a new row must have, such as `CustomersV3.LanguageId`.
        tax_rounding: How the ERP rounds an order's tax: "total", once for each rate, or "line".
        return_price_unit: Whether the price of a return's line is for as many pieces as that of the
            order's line that it takes back; returns have no field that says so.
        short_sets: Rows that a set of the ERP's ends with, such as `{"ReleasedProductsV2": 60}`: as
            if the link to the next page were missing; `$count` still tells all. 0 answers none.
        hidden_sets: Rows of a set that the ERP lets be seen, as with a right that is lost: `$count`
            tells no more of them.
        absent_sets: Sets that the ERP does not have, as some have none for analytics: 404.
        reservation: How stock is kept for a new order line that does not say it: "None" for a
            person's doing, "Automatic" at once, "Explosion" when its order is released.
        zero_stock: Whether everything on hand is told to be 0, as an export gone wrong does.
        zero_prices: Whether every base price is.
        catalog_share: The share of released products that is told, 0 to 1.
        event_loss: The share of business events that are never sent, 0 to 1.
    """

    latency_ms: int = 0
    latency_spread_ms: int = 0
    error_rate: float = 0.0
    retry_after: int | str | None = None
    throttle_rate: float = 0.0
    commit_then_drop: float = 0.0
    dead: bool = False
    black_hole: bool = False
    token_revoked: bool = False
    proof_faults: Mapping[str, str] = field(default_factory=dict)
    clock_ahead_seconds: int = 0
    drop_lines: tuple[str, ...] = ()
    odd_lines: Mapping[str, str] = field(default_factory=dict)
    poison_skus: tuple[str, ...] = ()
    poison_lines: tuple[Mapping[str, str], ...] = ()
    deadlock_rate: float = 0.0
    gateway_page: int | None = None
    price_page: int | None = None
    rename_fields: Mapping[str, str] = field(default_factory=dict)
    mandatory_fields: tuple[str, ...] = ()
    tax_rounding: str = "total"
    return_price_unit: bool = False
    short_sets: Mapping[str, int] = field(default_factory=dict)
    hidden_sets: Mapping[str, int] = field(default_factory=dict)
    absent_sets: tuple[str, ...] = ()
    reservation: str = "None"
    zero_stock: bool = False
    zero_prices: bool = False
    catalog_share: float = 1.0
    event_loss: float = 0.0

    def patch(self, members: Mapping[str, Any]) -> None:
        """Turn the named dials, or none of them.

        Raises:
            BadMemberError: A member is unknown or its value is wrong.
        """
        checked = {name: self._checked(name, value) for name, value in members.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def members(self) -> dict[str, Any]:
        """Return all dials as JSON members."""
        return asdict(self)

    @classmethod
    def checks(cls) -> Mapping[str, Check]:
        """Return what checks each dial of this kind of system, by name."""
        return _CHECKS

    @classmethod
    def _checked(cls, name: str, value: Any) -> Any:
        checks = cls.checks()
        if name not in checks:
            raise BadMemberError(name, f"unknown dial; there are {', '.join(checks)}")
        return checks[name](name, value)


def milliseconds(name: str, value: Any) -> int:
    """Return whole milliseconds."""
    if type(value) is not int or not 0 <= value <= _MAX_LATENCY_MS:
        raise BadMemberError(name, f"expected whole milliseconds, 0 to {_MAX_LATENCY_MS}")
    return value


def _seconds_off(name: str, value: Any) -> int:
    if type(value) is not int or abs(value) > _DAY:
        raise BadMemberError(name, f"expected whole seconds, -{_DAY} to {_DAY}")
    return value


def share(name: str, value: Any) -> float:
    """Return a number from 0 to 1."""
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise BadMemberError(name, "expected a number from 0 to 1")
    return float(value)


def _retry_after(name: str, value: Any) -> int | str | None:
    if value is None or (type(value) is int and value >= 0):
        return value
    # Proxies send what they like: a date of the year 99999, or no date at all.
    is_header = isinstance(value, str) and value.isascii() and value.isprintable()
    if is_header and 0 < len(value) <= _LONGEST_HEADER:
        return str(value)
    raise BadMemberError(name, "expected whole seconds, a header's text, or null for off")


def flag(name: str, value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise BadMemberError(name, "expected true or false")
    return value


def _skus(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(sku, str) and sku for sku in value):
        raise BadMemberError(name, "expected a list of SKUs")
    return tuple(value)


def _odd_lines(name: str, value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else [("", None)]
    if not all(sku and isinstance(said, str) and said for sku, said in pairs):
        raise BadMemberError(name, 'expected an object such as {"LAMP-04": "NaN"}')
    return dict(pairs)


def _proof_faults(name: str, value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else [("", "")]
    if not all(one in _PROOFS and fault in ("expired", "unknown") for one, fault in pairs):
        raise BadMemberError(name, 'expected an object such as {"certificate": "expired"}')
    return dict(pairs)


def _lines_of_customers(name: str, value: Any) -> tuple[Mapping[str, str], ...]:
    lines = value if isinstance(value, list) else [None]
    if not all(
        isinstance(line, dict)
        and line.keys() == {"customer", "sku"}
        and all(isinstance(text, str) and text for text in line.values())
        for line in lines
    ):
        raise BadMemberError(name, 'expected a list such as [{"customer": "C-1", "sku": "S-1"}]')
    return tuple(lines)


def _status(name: str, value: Any) -> int | None:
    if value is None or (type(value) is int and value in _STATUSES):
        return value
    raise BadMemberError(name, "expected null or an HTTP status from 200 to 599")


def _new_names(name: str, value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else [("", None)]
    if not all(
        _FIELD_OF_A_SET.fullmatch(old) and isinstance(new, str) and _NAME.fullmatch(new)
        for old, new in pairs
    ):
        raise BadMemberError(name, 'expected an object such as {"Set.Field": "NewName"}')
    return dict(pairs)


def _fields_of_sets(name: str, value: Any) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [None]
    if not all(isinstance(text, str) and _FIELD_OF_A_SET.fullmatch(text) for text in texts):
        raise BadMemberError(name, 'expected a list such as ["Set.Field"]')
    return tuple(texts)


def _one_of(*choices: str) -> Check:
    def check(name: str, value: Any) -> str:
        if value not in choices:
            raise BadMemberError(name, f"expected one of {', '.join(choices)}")
        return str(value)

    return check


def _sets(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(_NAME.fullmatch(str(one)) for one in value):
        raise BadMemberError(name, 'expected a list such as ["SalesLineBiEntities"]')
    return tuple(value)


def _rows_of_sets(name: str, value: Any) -> dict[str, int]:
    pairs = value.items() if isinstance(value, dict) else [("", None)]
    if not all(_NAME.fullmatch(one) and type(rows) is int and rows >= 0 for one, rows in pairs):
        raise BadMemberError(name, 'expected an object such as {"CustomersV3": 60}')
    return dict(pairs)


_CHECKS: Mapping[str, Check] = {
    "latency_ms": milliseconds,
    "latency_spread_ms": milliseconds,
    "error_rate": share,
    "retry_after": _retry_after,
    "throttle_rate": share,
    "commit_then_drop": share,
    "dead": flag,
    "black_hole": flag,
    "token_revoked": flag,
    "proof_faults": _proof_faults,
    "clock_ahead_seconds": _seconds_off,
    "drop_lines": _skus,
    "odd_lines": _odd_lines,
    "poison_skus": _skus,
    "poison_lines": _lines_of_customers,
    "deadlock_rate": share,
    "gateway_page": _status,
    "price_page": _status,
    "rename_fields": _new_names,
    "mandatory_fields": _fields_of_sets,
    "tax_rounding": _one_of("line", "total"),
    "return_price_unit": flag,
    "short_sets": _rows_of_sets,
    "hidden_sets": _rows_of_sets,
    "absent_sets": _sets,
    "reservation": _one_of("None", "Automatic", "Explosion"),
    "zero_stock": flag,
    "zero_prices": flag,
    "catalog_share": share,
    "event_loss": share,
}
