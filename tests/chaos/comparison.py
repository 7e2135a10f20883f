"""Say what is wrong between the shop's orders and the ERP's documents. Pure.

Numbers name nobody: two store views may number alike, and who types a reference is not
asked. A document is the order's whose rows its lines name (`OrderLineReference` ends with the
row's id, which is unique in the shop); an order is its `entity_id`.

    lost          no document holds the order
    stuck         its document was never released, or the shop was not told its number
    doubled       more than one released document holds it
    shared        a document, its number or its reference serves two orders
    unexplained   a document that is none of these, such as a stopped double
    out of order  the right lines in another sequence than the shop's
    wrong         another product, quantity or amount, or another currency
    account       on an account that is not its customer's, or is another customer's too
    early         in the ERP, although it or its customer waits for a person's word
    goes on       released, although it was cancelled after it was sent
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

FAULTS = (
    "lost",
    "stuck",
    "doubled",
    "shared",
    "unexplained",
    "out of order",
    "wrong",
    "account",
    "early",
    "goes on",
)
_SHIPPING, _ROUNDING = "FREIGHT", "ROUNDING"
# What rounding may add to an order, by the rules of the run.
_MOST_ROUNDING = Decimal("0.05")
_CENT = Decimal("0.01")

Row = Mapping[str, Any]
# Of the shop's row (none for shipping): product, quantity, net.
_Line = tuple[str, str, Decimal, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What is known beforehand.

    Attributes:
        accounts: Of customers by the shop's id; each of the others has one of its own.
        guest_account: Of guests; None where that does not matter.
        waiting: Customers whose orders wait for a person.
        held: Orders that do, by `entity_id`.
        stopped: Orders that were cancelled after they were sent.
    """

    accounts: Mapping[int, str] = field(default_factory=dict)
    guest_account: str | None = None
    waiting: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()
    stopped: frozenset[int] = frozenset()


@dataclass(slots=True)
class Verdict:
    """What was found.

    Attributes:
        placed: Orders of the shop.
        waiting: Those of customers who wait for a person.
        released: Documents of the ERP that are released.
        lines: Lines compared.
        found: What is wrong, by fault.
    """

    placed: int = 0
    waiting: int = 0
    released: int = 0
    lines: int = 0
    found: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FAULTS})

    @property
    def is_good(self) -> bool:
        """Whether every count that must be zero is."""
        return not any(self.found.values())


def judge(placed: Sequence[Row], documents: Sequence[Row], agreed: Agreed | None = None) -> Verdict:
    """Return what is wrong between the shop's orders and the ERP's documents."""
    agreed = agreed or Agreed()
    verdict = Verdict(placed=len(placed))
    held = _documents_of(placed, documents, verdict)
    _judge_sharing(placed, held, verdict)
    for order in placed:
        _judge_order(order, held[order["entity_id"]], agreed, verdict)
    _judge_accounts(placed, held, agreed, verdict)
    return verdict


def name_of(order: Row) -> str:
    """Return an order as people can look for it: by its number, and by what is unique."""
    return f"{order['increment_id']} #{order['entity_id']}"


def _documents_of(
    placed: Sequence[Row], documents: Sequence[Row], verdict: Verdict
) -> dict[int, list[Row]]:
    """Return the documents that hold each order, by its `entity_id`."""
    owners = {str(row): order["entity_id"] for order in placed for row in order["item_ids"]}
    held: dict[int, list[Row]] = {order["entity_id"]: [] for order in placed}
    for document in documents:
        rows = set(_rows_of(document))
        found = {owners[row] for row in rows if row in owners} or _by_reference(placed, document)
        if len(found) > 1:
            text = f"{document['number']} holds orders {', '.join(f'#{one}' for one in found)}"
            verdict.found["shared"].append(text)
        if not found or rows - owners.keys():
            text = f"{document['number']} ({document['reference']!r}) holds what no order has"
            verdict.found["unexplained"].append(text)
        for one in found:
            held[one].append(document)
    return held


def _rows_of(document: Row) -> Iterator[str]:
    """Yield the shop's rows that a document's lines name; shipping and the like have none."""
    return filter(None, map(_row_of, document["lines"]))


def _row_of(line: Row) -> str:
    row = str(line.get("OrderLineReference", "")).rpartition("-")[2]
    return row if row.isdecimal() else ""


def _by_reference(placed: Sequence[Row], document: Row) -> set[int]:
    """Return whose a document without a line is: the only order that its reference can mean."""
    meant = {
        order["entity_id"]
        for order in placed
        if order["increment_id"] and document["reference"].endswith(order["increment_id"])
    }
    return meant if len(meant) == 1 else set()


def _judge_sharing(
    placed: Sequence[Row], held: Mapping[int, Sequence[Row]], verdict: Verdict
) -> None:
    """Find numbers that two orders were told, and references that documents of two carry."""
    told: dict[str, list[str]] = {}
    carried: dict[tuple[str, str], dict[int, str]] = {}
    for order in placed:
        if order["ext_order_id"]:
            told.setdefault(order["ext_order_id"], []).append(name_of(order))
        for document in held[order["entity_id"]]:
            place = (document["company"], document["reference"].casefold())
            carried.setdefault(place, {})[order["entity_id"]] = document["number"]
    for number, orders in told.items():
        if len(orders) > 1:
            verdict.found["shared"].append(f"{', '.join(orders)} were all told {number}")
    for (_, reference), numbers in carried.items():
        if len(set(numbers.values())) > 1:
            several = ", ".join(f"{number} of #{one}" for one, number in numbers.items())
            verdict.found["shared"].append(f"{several} carry one reference, {reference!r}")


def _judge_order(order: Row, documents: Sequence[Row], agreed: Agreed, verdict: Verdict) -> None:
    name, found = name_of(order), verdict.found
    if order["customer_id"] in agreed.waiting or order["entity_id"] in agreed.held:
        verdict.waiting += 1
        found["early"] += [f"{name}: {document['number']}" for document in documents]
        return
    released = [each for each in documents if not each["is_stopped"]]
    if order["entity_id"] in agreed.stopped:
        verdict.waiting += 1
        found["goes on"] += [f"{name}: {each['number']}" for each in released]
        return
    stopped = [each["number"] for each in documents if each["is_stopped"]]
    verdict.released += len(released)
    if not documents:
        found["lost"].append(name)
    elif not released:
        found["stuck"].append(f"{name}: {', '.join(stopped)} was never released")
    elif stopped:
        found["unexplained"].append(f"{name}: {', '.join(stopped)} is a stopped double")
    if len(released) > 1:
        found["doubled"].append(f"{name}: {', '.join(each['number'] for each in released)}")
    for document in released[:1]:
        _judge_document(order, document, verdict)


def _judge_document(order: Row, document: Row, verdict: Verdict) -> None:
    name, found = name_of(order), verdict.found
    if order["ext_order_id"] != document["number"]:
        told = order["ext_order_id"]
        found["stuck"].append(f"{name}: is {document['number']}, the shop was told {told}")
    if order["currency"] != document["header"]["CurrencyCode"]:
        found["wrong"].append(f"{name}: currency {document['header']['CurrencyCode']}")
    rows = sorted(document["lines"], key=lambda row: row["LineCreationSequenceNumber"])
    rounding = sum((_amount(row) for row in rows if row["ItemNumber"] == _ROUNDING), Decimal(0))
    theirs = [_sold(row) for row in rows if row["ItemNumber"] != _ROUNDING]
    ours = _expected(order)
    verdict.lines += len(theirs)
    if Counter(theirs) != Counter(ours):
        missing, surplus = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
        found["wrong"].append(f"{name}: missing {_text(missing)}, surplus {_text(surplus)}")
    elif theirs != ours:
        found["out of order"].append(f"{name}: {_text(Counter(theirs))} in another sequence")
    if abs(rounding) > _MOST_ROUNDING:
        found["wrong"].append(f"{name}: rounding of {rounding}")
    elif (off := _cents_off(order, document, rounding)) is not None:
        found["wrong"].append(f"{name}: {off}")


def _cents_off(order: Row, document: Row, rounding: Decimal) -> str | None:
    """Return what is wrong with the ERP's total, None for nothing; of orders sent as a whole."""
    total, placed = document.get("total"), order.get("grand_total")
    if total is None or placed is None or any(line.get("canceled") for line in order["lines"]):
        return None
    if abs(placed - total) >= _CENT:
        return f"comes to {total}, not to {placed}"
    is_exact = abs(placed - total + rounding) < _CENT
    return f"a rounding of {rounding}, and exact without it" if rounding and is_exact else None


def _judge_accounts(
    placed: Sequence[Row], held: Mapping[int, Sequence[Row]], agreed: Agreed, verdict: Verdict
) -> None:
    """Find orders on an account that was not agreed, or that another customer's orders are on."""
    of_customer: dict[int, str] = dict(agreed.accounts)
    owners = {account: customer for customer, account in of_customer.items()}
    for order in placed:
        customer = order["customer_id"]
        for document in held[order["entity_id"]]:
            account, wrong = document["customer"], ""
            if customer is None:
                belongs = account if agreed.guest_account is None else agreed.guest_account
            else:
                belongs = of_customer.setdefault(customer, account)
                owner = owners.setdefault(account, customer)
                if owner != customer and customer not in agreed.accounts:
                    wrong = f"{account} is customer {owner}'s"
            if account != belongs:
                wrong = f"on {account}, belongs on {belongs}"
            if wrong:
                verdict.found["account"].append(f"{name_of(order)}: {wrong}")


def _expected(order: Row) -> list[_Line]:
    lines = [
        (
            str(line["item_id"]),
            _plain(line["sku"]),
            _quantity(line["quantity"]),
            Decimal(line["net"]),
        )
        for line in order["lines"]
    ]
    shipping = Decimal(order["shipping_net"])
    return [*lines, ("", _SHIPPING, Decimal(1), shipping)] if shipping else lines


def _sold(row: Row) -> _Line:
    return _row_of(row), _product(row), _quantity(row["OrderedSalesQuantity"]), _amount(row)


def _amount(row: Row) -> Decimal:
    return Decimal(row["LineAmount"])


def _quantity(value: Any) -> Decimal:
    return Decimal(value).normalize()


def _product(row: Row) -> str:
    """Return the ERP's product as the shop writes it: "SHADE-0015 : : S : Black :"."""
    dimensions = [
        row.get(f"Product{name}Id", "") for name in ("Configuration", "Size", "Color", "Style")
    ]
    return _plain(" : ".join((row["ItemNumber"], *dimensions)))


def _plain(sku: str) -> str:
    """Return a product number without blanks, and without the dimensions it does not have."""
    return ":".join(part.strip() for part in sku.split(":")).rstrip(":")


def _text(lines: Counter[_Line]) -> str:
    texts = (
        f"{quantity:f} x {sku} for {net}, row {row or 'none'}"
        for row, sku, quantity, net in lines.elements()
    )
    return "; ".join(texts) or "nothing"
