"""What both systems have of one order, from its slips to its credit notes, and that it is equal.

The shop may not be told its amounts: it takes its share of its own rows, and so does the ERP, and
each rounds a share to cents. So a document may differ by a cent for each amount that it is the sum
of; all of them together have in the shop just what was ordered.
"""

from collections.abc import Container, Iterator, Mapping
from decimal import Decimal
from typing import Any

from tests.fakes.billing_world import Billed
from tests.fakes.order_life_world import OrderLifeWorld

D = Decimal
Row = dict[str, Any]
Quantities = Mapping[str, Decimal]
"""By the ERP's lots."""
CENT = D("0.01")


class OrderLife:
    """What both systems have of one order.

    Args:
        world: Both systems.
        billed: The order.
        first: What of a row the first of two papers has; half of it where nothing is said.
        is_apart: Whether the parts of its bundles are shipped by themselves.
    """

    def __init__(
        self,
        world: OrderLifeWorld,
        billed: Billed,
        *,
        first: Decimal | None,
        is_apart: bool,
    ) -> None:
        self._world = world
        self._billed = billed
        self._first_share = first
        self._is_apart = is_apart

    @property
    def order(self) -> Row:
        return self._world.shop.order(self._billed.order)

    def papers(self, *, is_whole: bool) -> list[dict[str, Decimal]]:
        """Return what each paper has of each lot: of a bundle's parts what makes whole ones."""
        ordered = self._ordered()
        if is_whole:
            return [ordered]
        first = {lot: self._first(each) for lot, each in ordered.items()}
        rest = {lot: each - first[lot] for lot, each in ordered.items()}
        return [{lot: each for lot, each in paper.items() if each} for paper in (first, rest)]

    def _first(self, ordered: Decimal) -> Decimal:
        if self._first_share is not None:
            return self._first_share
        half = ordered / 2
        return half if ordered != int(ordered) else D(int(half))

    async def shipped(self, paper: Quantities, number: int) -> None:
        """Carry, and see that the paper is one shipment; of what is not sent there is none."""
        await self._world.carry(self._billed)
        shipments = [*self._of(self._world.shop.shipments)]
        expected = self._sent(paper)
        if not expected:
            assert not shipments
            return
        assert len(shipments) == number
        assert _quantities(shipments[-1], self._sent(self._ordered())) == expected

    async def invoiced(self, paper: Quantities, number: int) -> None:
        """Carry, and see that the paper is one invoice."""
        await self._world.carry(self._billed)
        invoices = [*self._of(self._world.shop.invoices)]
        assert len(invoices) == number
        self._compare(f"CIV-{number}", invoices[-1], paper)

    async def credited(self, paper: Quantities, number: int) -> None:
        """Carry, and see that the paper is one credit memo."""
        await self._world.carry(self._billed)
        memos = [*self._of(self._world.shop.credit_memos)]
        assert len(memos) == number
        self._compare(f"CN-{number}", memos[-1], paper)

    def all_invoiced(self, papers: int) -> None:
        """See that all is invoiced in both currencies, and all that can be is shipped."""
        order = self.order
        assert (order["total_due"], order["base_total_due"]) == (0, 0)
        invoices = [*self._of(self._world.shop.invoices)]
        for total in ("grand_total", "base_grand_total"):
            assert sum(each[total] for each in invoices) == order[total]
        self._near(order["grand_total"], self._told(D(1)), papers)
        sent = self._sent(self._ordered())
        assert {
            row["item_id"]: row["qty_shipped"] for row in self._rows() if row["item_id"] in sent
        } == sent

    def all_credited(self, papers: int) -> None:
        """See that all of it went back in both currencies, and nothing was done twice."""
        order = self.order
        assert len([*self._of(self._world.shop.shipments)]) == papers * bool(
            self._sent(self._ordered())
        )
        assert len([*self._of(self._world.shop.invoices)]) == papers
        memos = [*self._of(self._world.shop.credit_memos)]
        assert len(memos) == papers
        self._near(sum(each["grand_total"] for each in memos), -self._told(D(-1)), papers)
        for total in ("grand_total", "base_grand_total"):
            assert abs(sum(each[total] for each in memos) - order[total]) <= CENT * papers, total
        for row in self._valued():
            assert row["qty_refunded"] == row["qty_invoiced"] == row["qty_ordered"]

    def _compare(self, number: str, document: Row, paper: Quantities) -> None:
        """See that a bill and a document have the same, row by row."""
        assert _quantities(document, self._carried(self._ordered())) == self._carried(paper)
        told: dict[int, tuple[Decimal, Decimal, int]] = {}
        for each in self._world.bills.billed:
            if each["InvoiceId"] == number and (row := self._row_of(each["InventTransId"])):
                net, tax, count = told.get(row, (D(0), D(0), 0))
                net, tax = net + abs(each["LineAmount"].value), tax + abs(each["TaxAmount"].value)
                told[row] = net, tax, count + 1
        for line in document["items"]:
            if line["order_item_id"] not in told:
                continue
            net, tax, count = told[line["order_item_id"]]
            its = line["row_total"] - line.get("discount_amount", 0)
            its += line["discount_tax_compensation_amount"]
            # With taxes in the price, what is taken off is shared in two amounts.
            amounts = 2 if line["discount_tax_compensation_amount"] else 1
            assert abs(its - net) <= CENT * count * amounts, line["sku"]
            assert abs(line["tax_amount"] - tax) <= CENT * count, line["sku"]

    def _near(self, total: Decimal, told: Decimal, papers: int) -> None:
        amounts = 2 * papers * (len(self._billed.lots) + 1)
        assert abs(total - told) <= CENT / 2 * amounts

    def _told(self, sign: Decimal) -> Decimal:
        rows = [each for each in self._world.bills.billed if each["Qty"].value * sign > 0]
        return sum((each["LineAmount"].value + each["TaxAmount"].value for each in rows), D(0))

    def _ordered(self) -> dict[str, Decimal]:
        return {lot: self._world.bills.lines[lot].quantity for lot in self._billed.lots}

    def _sent(self, paper: Quantities) -> dict[int, Decimal]:
        """Return what of each row a shipment has."""
        return self._shared(paper, is_sent=True)

    def _carried(self, paper: Quantities) -> dict[int, Decimal]:
        """Return what of each row a bill has."""
        return self._shared(paper, is_sent=False)

    def _shared(self, paper: Quantities, *, is_sent: bool) -> dict[int, Decimal]:
        rows = {row["item_id"]: row for row in self._rows()}
        found: dict[int, Decimal] = {}
        for lot, quantity in paper.items():
            row = rows[self._billed.lots[lot]]
            parent = rows.get(row.get("parent_item_id"), row)
            share = quantity / row["qty_ordered"]
            if is_sent and row["is_virtual"]:
                continue
            if parent["product_type"] != "bundle":
                found[row["item_id"]] = quantity
            elif is_sent and self._is_apart:
                for part in rows.values():
                    if part.get("parent_item_id") == parent["item_id"] and row in (part, parent):
                        found[part["item_id"]] = part["qty_ordered"] * share
            elif is_sent or "tax_percent" in parent:
                found[parent["item_id"]] = parent["qty_ordered"] * share
            else:
                found[row["item_id"]] = quantity
        return found

    def _row_of(self, lot: str) -> int | None:
        """Return the shop's row that carries the value of a lot, or of one that takes it back."""
        own = next(
            (each for each in self._billed.lots if lot == each or lot.endswith(f"-{each}")), None
        )
        if own is None:
            return None
        return next(iter(self._carried({own: D(1)})))

    def _rows(self) -> list[Row]:
        return list(self.order["items"])

    def _valued(self) -> list[Row]:
        carried = self._carried(self._ordered())
        return [row for row in self._rows() if row["item_id"] in carried]

    def _of(self, documents: Mapping[int, Row]) -> Iterator[Row]:
        return (each for each in documents.values() if each["order_id"] == self._billed.order)


def _quantities(document: Row, rows: Container[int]) -> dict[int, Decimal]:
    """Return how much a document has of some rows; it lists others beside them for show."""
    found = {line["order_item_id"]: line["qty"] for line in document["items"]}
    return {row: each for row, each in found.items() if each and row in rows}
