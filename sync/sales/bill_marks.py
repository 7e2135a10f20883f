"""What a bill of the ERP is called, and how a document of the shop says that it is one's. Pure.

An invoice may bill several orders, and its number may come again in another year: a bill is its
company, number, day and order. Its mark stands on the invoice or credit memo that was made of it,
in a comment that no customer sees; so a memo that was made of a credit note is never taken for
one that the ERP does not know.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pricing_proxy.names import is_same_name, same_name_key
from sync.magento.document_bodies import DocumentComment

INVOICE_LINK, MEMO_LINK = "invoice", "credit_memo"
"""The kinds of link that documents of the shop have to their bills."""
_MARK = re.compile(r"[^/]+/.+/\d{4}-\d{2}-\d{2}/.+", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillKey:
    """What one invoice or credit note bills of one order.

    Attributes:
        company: The ERP's company.
        number: What people call it.
        day: Its date.
        order: The ERP's number of the order.
    """

    company: str
    number: str
    day: date
    order: str

    @property
    def mark(self) -> str:
        """The whole of it as one text, which stands on what is made of it."""
        return f"{self.company}/{self.number}/{self.day.isoformat()}/{self.order}"


def has_mark(comments: Iterable[DocumentComment], mark: str) -> bool:
    """Return whether a document was made of the bill with a mark."""
    key = same_name_key(mark)
    return any(same_name_key(each.comment) == key for each in comments)


def mark_of(comments: Iterable[DocumentComment], company: str) -> str:
    """Return the mark of any bill of a company that a document has; empty where it has none."""
    mark = any_mark(comments)
    return mark if mark and is_same_name(mark.partition("/")[0], company) else ""


def any_mark(comments: Iterable[DocumentComment]) -> str:
    """Return the mark that a document has, of whatever company; empty where it has none."""
    return next((each.comment for each in comments if _MARK.fullmatch(each.comment)), "")
