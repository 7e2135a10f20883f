"""Answer less of a set than there is, as dials say: without the link to more, or some unseen.

Of a set's first page only: whoever sees no link asks for no other.
"""

from dataclasses import replace

from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.odata_query import Page


def cut(name: str, page: Page, dials: Dials) -> Page:
    """Return a page of a set as the dials let it be seen."""
    short, hidden = dials.short_sets.get(name), dials.hidden_sets.get(name)
    if short is not None:
        page = replace(page, rows=page.rows[:short], next_query=None)
    if hidden is not None and hidden <= len(page.rows):
        total = None if page.total is None else hidden
        page = Page(page.rows[:hidden], total, None)
    return page
