"""What a market's configuration says about orders: code maps, items and tolerances.

Every code of the shop that reaches the ERP stands in a map here. A code that is missing
is never guessed: the order is held, and the message names the entry to add.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field

from pricing_proxy.configuration.environments import MODEL
from sync.engine.erp_texts import Code, Country, LimitedTexts
from sync.magento.order_models import OrderHead
from sync.orders.carried import CarriedText
from sync.orders.tax_rules import Percent, TaxGroups, Untaxed
from sync.sales.amounts import TaxRounding
from sync.sales.references import RETURN_MARK
from sync.sales.value_lines import Splitting
from sync.store.order_writes import ORDERS

FLOW = ORDERS

Money = Annotated[Decimal, Field(ge=0, le=1000)]

# A member of the order's extension attributes, however deep.
_EXTENSION = r"^extension_attributes(\.[a-z0-9_]+)+$"


def _start(value: object) -> object:
    # An increment id is a text of digits; pydantic alone would take it for Unix time.
    if isinstance(value, str) and value.isdecimal():
        return value
    if isinstance(value, str | datetime):
        return value
    raise ValueError("expected an instant with its zone, or the first increment id as a text")


def _digits(value: str) -> str:
    if not value.isdecimal():
        raise ValueError("expected an increment id: digits only")
    return value


IncrementId = Annotated[str, AfterValidator(_digits)]
StartAt = Annotated[
    IncrementId | AwareDatetime, Field(union_mode="left_to_right"), BeforeValidator(_start)
]


def _prefix(value: str) -> str:
    if value.upper().startswith(RETURN_MARK):
        raise ValueError(f"expected a prefix without {RETURN_MARK}, which marks returns")
    return value


StoreView = Annotated[str, Field(pattern=r"^(\*|[0-9]{1,6})$")]
ReferencePrefix = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,10}$"), AfterValidator(_prefix)]


class DeliveryCodes(BaseModel):
    """How the ERP delivers what the shop calls by one shipping method.

    Attributes:
        mode: The ERP's `DeliveryModeCode`.
        terms: Its `DeliveryTermsCode`; the customer's own when left out.
        site: Site the order is shipped from; the market's own when left out.
        warehouse: Warehouse likewise.
    """

    model_config = MODEL

    mode: Code
    terms: Code | None = None
    site: Code | None = None
    warehouse: Code | None = None


class PaymentCodes(BaseModel):
    """How the ERP names one payment method of the shop.

    Attributes:
        method: `CustomerPaymentMethodName`.
        terms: `PaymentTermsName`; the customer's own when left out.
    """

    model_config = MODEL

    method: Code
    terms: Code | None = None


class Fee(BaseModel):
    """A surcharge that a module of the shop adds to the order's totals.

    Attributes:
        amount: Path of the net amount in the order's JSON, such as
            "extension_attributes.payment_fee".
        tax: Path of its tax; none when left out.
        item: The ERP's service item it becomes.
        tax_item_group: Its item sales tax group; the item's own when left out.
    """

    model_config = MODEL

    amount: Annotated[str, Field(pattern=_EXTENSION)]
    tax: Annotated[str, Field(pattern=_EXTENSION)] | None = None
    item: Code
    tax_item_group: Code | None = None


class Rounding(BaseModel):
    """A line that closes what the ERP's own total is off by.

    Attributes:
        item: The service item; without tax in the ERP.
        limit: A larger gap is not closed but told.
    """

    model_config = MODEL

    item: Code
    limit: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.05")


class OrderRules(LimitedTexts, BaseModel):
    """How orders of one market become sales orders.

    Attributes:
        start_at: Older orders stay in the shop: an instant, or the first increment id.
        waiting_states: States of the shop in which an order is not sent yet.
        reference_prefix: What stands before the shop's number in references, by store view ("*" for
            the others): where two store views of one company could number alike.
        reference_field: Header field that holds the shop's number, by which orders are found again.
        origin: `SalesOrderOriginCode` of the shop's orders.
        language: `LanguageId`; the customer's own when left out.
        site: Site of the orders, unless the shipping method names another.
        warehouse: Warehouse likewise.
        guest_account: Account of orders without a customer; they are held without it.
        price_decimals: Decimals that the ERP keeps of a price.
        amount_decimals: Decimals to which it rounds a line.
        line_tolerance: How far a line's net amount may differ in the ERP.
        tax_tolerance: How far the order's tax may differ in the ERP.
        tax_tolerance_per_line: As much more for each line of it.
        tax_difference: What happens beyond that: the order is held, or sent and somebody warned.
        tax_rounding: How the ERP rounds tax: each line's, or once for each rate of an order.
        reads_tax: Whether the total and the tax that the ERP computed are read before the release;
            it costs the ERP a computation for each order. Without it they are foretold from the
            lines' amounts by `tax_rounding`, and so is the rounding line.
        rounding: The line for rest cents; none without it.
        shipping: The shop's shipping methods; "carrier_*" stands for all of a carrier's, "virtual"
            for orders that need none.
        pickup: Locations for pick-up in store.
        payment: The shop's payment methods.
        countries: ISO two-letter codes and the ERP's.
        states_of: Countries whose addresses need a state; it is left out of others.
        units: Codes of the product attribute `unit_attribute` and the ERP's units.
        unit_attribute: Attribute that names a product's unit; the ERP's sales unit without it.
        tax: Tax rates of the shop ("DE-19", two as "A+B"), and "none" for the rounding line;
            without the map the ERP alone decides.
        tax_codes: Tax rates by percent ("19", or "DE/19" where the country counts), for lines with
            a percentage of which no member of the order says the rate, such as those of a coupon of
            100 %.
        untaxed: Reasons for lines without tax; the first that fits gives the groups. The order is
            held where none does.
        shipping_item: Service item that carries the shipping cost; without one the ERP's automatic
            charges decide.
        bundle: What a bundle with one price becomes: its parent, or its parts with the price shared
            by quantity. A bundle priced by its parts always becomes these.
        free_lines: Whether a line whose price was zero before any discount is sent.
        options: Whether custom options are put into the line's text, or hold the order.
        fees: Surcharges of other modules.
        credits: Whether gift cards and store credit count as payment, or hold the order.
        part_cancelled: Whether a part of an order that is cancelled in the shop after it was sent
            is taken off the ERP's lines, or held for a person.
        carried: What customers write on orders, and the header fields that hold it. The number of
            a purchase order goes into `CustomerRequisitionNumber` where nothing is said of it.
        without_place: What becomes of an order with a note, a gift message, or a guest's billing
            address that `carried` has no field for: it is sent and that is told, or it is held.
    """

    section = "orders"
    never_cut = frozenset({"CustomersOrderReference", "Email", "OrderLineReference"})
    known_lengths: ClassVar = {
        "CustomersOrderReference": 60,
        "CustomerRequisitionNumber": 20,
        "DeliveryAddressCity": 60,
        "DeliveryAddressDescription": 60,
        "DeliveryAddressName": 100,
        "DeliveryAddressStateId": 10,
        "DeliveryAddressStreet": 250,
        "DeliveryAddressZipCode": 10,
        "Email": 255,
        "LineDescription": 1000,
        "OrderLineReference": 60,
        "SalesOrderName": 100,
    }

    start_at: StartAt
    waiting_states: frozenset[str] = frozenset({"holded", "payment_review", "pending_payment"})
    reference_prefix: dict[StoreView, ReferencePrefix] = {}
    reference_field: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] = (
        "CustomersOrderReference"
    )
    origin: Code | None = None
    language: Code | None = None
    site: Code | None = None
    warehouse: Code | None = None
    guest_account: Code | None = None
    price_decimals: Annotated[int, Field(ge=2, le=6)] = 4
    amount_decimals: Annotated[int, Field(ge=0, le=3)] = 2
    line_tolerance: Money = Decimal("0.01")
    tax_tolerance: Money = Decimal("0.05")
    # What rounding each line instead of all can come to.
    tax_tolerance_per_line: Money = Decimal("0.005")
    tax_difference: Literal["warn", "hold"] = "warn"
    tax_rounding: TaxRounding = "line"
    reads_tax: bool = True
    rounding: Rounding | None = None
    shipping: dict[str, DeliveryCodes]
    pickup: dict[str, DeliveryCodes] = {}
    payment: dict[str, PaymentCodes]
    countries: dict[Country, Code]
    states_of: frozenset[Country] = frozenset()
    units: dict[str, Code] = {}
    unit_attribute: str | None = None
    tax: dict[str, TaxGroups] | None = None
    tax_codes: dict[Percent, str] = {}
    untaxed: list[Untaxed] = []
    shipping_item: Code | None = None
    bundle: Literal["parent", "parts"] = "parent"
    free_lines: Literal["send", "hold"] = "hold"
    options: Literal["text", "hold"] = "text"
    fees: list[Fee] = []
    credits: Literal["payment", "hold"] = "hold"
    part_cancelled: Literal["reduce", "hold"] = "hold"
    carried: list[CarriedText] = []
    without_place: Literal["tell", "hold"] = "tell"

    def prefix_of(self, store: int | None) -> str:
        """Return what stands before the numbers of a store view in references."""
        return self.reference_prefix.get(str(store), self.reference_prefix.get("*", ""))

    def reference_of(self, document: OrderHead) -> str:
        """Return an order's reference in the ERP."""
        return f"{self.prefix_of(document.store_id)}{document.increment_id}"

    def tax_limit(self, lines: int) -> Decimal:
        """Return how far the tax of an order with so many lines may differ in the ERP."""
        return self.tax_tolerance + self.tax_tolerance_per_line * lines

    def is_off(self, gap: Decimal) -> bool:
        """Return whether an order's total is off by what people call a difference: a cent."""
        return abs(gap) >= Decimal(1).scaleb(-self.amount_decimals)

    @property
    def splitting(self) -> Splitting:
        """How bundles with one price are sold."""
        return Splitting(bundle=self.bundle, amount_decimals=self.amount_decimals)
