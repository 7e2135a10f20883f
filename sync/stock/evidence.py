"""What is known of a SKU in one stock, as evidence for why the two systems differ. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sync.magento.source_items import IN_STOCK
from sync.magento.stock_models import SalableRow, SourceItem
from sync.reconciliation.causes import Cause, Clues, OtherWrite, Paper, explain
from sync.reconciliation.comparing import Deviation
from sync.reconciliation.mirror_comparison import ERP, SHOP
from sync.stock.judged_rows import JudgedRow
from sync.stock.layout import Layout, Stock
from sync.stock.mapping import plain
from sync.stock.source import FREE
from sync.stock.writer import BASE, REFUSED
from sync.store.mirror_known import RowOfMirror, RunWrote
from sync.store.shop_line_records import ShopLine

_NOTHING = Decimal(0)
_UNCOUNTED = "the shop does not manage its stock, and sells any number"


@dataclass(frozen=True, slots=True)
class ComparedSku:
    """One SKU as both systems have it.

    Attributes:
        row: What the ERP says, judged.
        items: What the shop's sources hold.
        known: What was written last; None where nothing was.
        targets: What each source should hold.
        salable: What the shop sells; None where it says nothing.
        is_in_shop: Whether the shop has it at all.
        is_gone: Whether the ERP has none of it any more.
    """

    row: JudgedRow
    items: Mapping[str, SourceItem]
    known: RowOfMirror | None
    targets: Mapping[str, Decimal]
    salable: SalableRow | None
    is_in_shop: bool
    is_gone: bool

    @property
    def spelled(self) -> str:
        """The SKU as the shop writes it."""
        return self.row.key if self.salable is None else self.salable.sku

    def holds(self, source: str) -> Decimal:
        """Return what a source has for sale."""
        item = self.items.get(source)
        return item.quantity if item is not None and item.status == IN_STOCK else _NOTHING

    @property
    def differing(self) -> list[str]:
        """The sources that do not hold what they should; what the shop refuses is held by name."""
        return [
            source
            for source, target in self.targets.items()
            if self.holds(source) != target and not self._is_refused(source, target)
        ]

    def refusal(self, source: str) -> str:
        """Return what the shop refused for a source, and why; empty where it refused nothing."""
        match self._refused(source):
            case [quantity, words]:
                return f"the shop refused {quantity} for it, which is held by name: {words}"
        return ""

    def _is_refused(self, source: str, target: Decimal) -> bool:
        match self._refused(source):
            case [quantity, _]:
                return quantity == plain(target)
        return False

    def _refused(self, source: str) -> object:
        values = self.known.values if self.known is not None else {}
        return values.get(f"{REFUSED}{source}")


def is_unexplained(deviation: Deviation) -> bool:
    """Return whether no cause is known of what differs."""
    return any(share.cause is Cause.UNEXPLAINED for share in explain(deviation.evidence))


class StockClues:
    """Says what is known of SKUs of one stock.

    Args:
        stock: Which.
        layout: All stocks.
    """

    def __init__(self, stock: Stock, layout: Layout) -> None:
        self._stock = stock
        self._layout = layout

    def evidence(
        self,
        sku: ComparedSku,
        source: str,
        ratio: Fraction | None,
        papers: Sequence[Paper],
        written: Sequence[RunWrote],
    ) -> Clues:
        """Return what is known of what a source holds.

        Args:
            sku: The SKU.
            source: The source's code.
            ratio: The unit's, where there is one.
            papers: What moved goods of it that the ERP does not know of.
            written: What runs wrote.
        """
        inside = sum((line.inside for line in sku.row.lines if line.counted == source), _NOTHING)
        base = self._known_base(sku, source)
        last = sku.known.run if sku.known else None
        values = [(wrote.run, wrote.values.get(f"{FREE}{source}")) for wrote in written]
        return Clues(
            erp=plain(sku.targets[source]),
            shop=plain(sku.holds(source)),
            known=None if base is None else plain(base + inside),
            is_known=base is not None,
            lacks=ERP if sku.is_gone else "",
            ratio=ratio,
            papers=[*papers, *self._moved(sku, source)],
            # What was read last is not what it holds, and the ERP is not to blame for that.
            setting=sku.refusal(source),
            others=[
                OtherWrite(run, plain(self._sold(Decimal(str(free))) + inside))
                for run, free in values
                if run != last and free is not None
            ],
        )

    def of_unknown(self, sku: ComparedSku) -> Deviation:
        """Return that the shop does not have a SKU of which the ERP has something."""
        total = plain(sum(sku.targets.values(), _NOTHING))
        return Deviation(
            key=sku.row.key,
            field="product",
            evidence=Clues(erp=total, shop=None, lacks=SHOP),
            is_fixed=True,
        )

    def _known_base(self, sku: ComparedSku, source: str) -> Decimal | None:
        """Return what was written last to a source, beside what orders take of it."""
        values = sku.known.values if sku.known else {}
        if (base := values.get(f"{BASE}{source}")) is not None:
            return Decimal(str(base))
        free = values.get(f"{FREE}{source}")
        return None if free is None else self._sold(Decimal(str(free)))

    def _sold(self, free: Decimal) -> Decimal:
        return max(_NOTHING, free - self._stock.safety_stock)

    def _moved(self, sku: ComparedSku, source: str) -> Iterator[Paper]:
        """Yield the orders that entered or left the ERP since the source was written."""
        for line in self._own(sku):
            is_in = sku.row.is_in[line.item_id]
            now = self._layout.counted_for(self._stock, line, is_in=is_in)
            more = line.reserved if now == source else _NOTHING
            less = line.inside if line.counted == source else _NOTHING
            if more != less:
                name = f"order {line.increment_id}"
                yield Paper(cause=Cause.IN_FLIGHT, name=name, amount=less - more)

    def of_salable(self, sku: ComparedSku, threshold: Decimal) -> Deviation | None:
        """Return that something else may be sold than the sources and the ERP's orders say.

        Args:
            sku: The SKU.
            threshold: How many of it the shop keeps back.
        """
        if sku.salable is None:
            return None
        # Below zero while more is ordered than there is.
        salable = max(_NOTHING, sku.salable.qty)
        held = sum((sku.holds(source) for source in sku.items), _NOTHING)
        reserved = {line: line.reserved for line in self._own(sku) if line.reserved}
        away = {line: each for line, each in reserved.items() if not self._is_in(sku, line)}
        should = max(_NOTHING, held - sum(reserved.values()) + sum(away.values()) - threshold)
        if should == salable:
            return None
        papers = [
            Paper(cause=Cause.IN_FLIGHT, name=f"order {line.increment_id}", amount=-each)
            for line, each in away.items()
        ]
        if not salable and sum(away.values()) >= should:
            # More is ordered than there is; the shop says that as nothing.
            names = ", ".join(each.name for each in papers)
            papers = [Paper(cause=Cause.IN_FLIGHT, name=names, amount=-should)]
        return Deviation(
            key=sku.row.key,
            field="salable",
            evidence=Clues(
                erp=plain(should),
                shop=plain(salable),
                papers=papers,
                # Of what it counts, nothing that is nothing is for sale.
                setting=_UNCOUNTED if sku.salable.is_salable and not sku.salable.qty else "",
            ),
            is_fixed=True,
        )

    def _is_in(self, sku: ComparedSku, line: ShopLine) -> bool:
        is_in = sku.row.is_in[line.item_id]
        return bool(self._layout.counted_for(self._stock, line, is_in=is_in))

    def _own(self, sku: ComparedSku) -> Sequence[ShopLine]:
        """Return the lines that were ordered from this stock."""
        lines = sku.row.lines
        return [line for line in lines if self._layout.stock_of(line.store_id) is self._stock]
