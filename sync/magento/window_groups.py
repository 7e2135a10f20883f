"""A window as conditions of the shop's search, beside the date from which it begins. Pure."""

from collections.abc import Iterator, Sequence

from sync.engine.windows import Window
from sync.magento.places import ID, Groups, changed
from sync.magento.search import SearchCondition, SearchFilter, no_id

_BELOW, _ABOVE, _FROM = SearchCondition.BELOW, SearchCondition.ABOVE, SearchCondition.AT_LEAST


def groups_of(window: Window, *, soon: Sequence[SearchFilter] = ()) -> Groups:
    """Return what must hold of the rows of a window.

    Args:
        window: Which.
        soon: Any of it must hold of what is read soon; what settles is read all the same.
    """
    return tuple(_groups(window, soon))


def _groups(window: Window, soon: Sequence[SearchFilter]) -> Iterator[Sequence[SearchFilter]]:
    if window.until is not None:
        yield changed(window.until, _BELOW)
    if window.skipped is not None:
        first, end = window.skipped
        yield (*changed(first, _BELOW), *changed(end, _FROM))
    for left in window.left:
        others = () if left.ids is None else no_id(ID, sorted(left.ids))
        yield (*others, *changed(left.first, _BELOW), *changed(left.last, _ABOVE))
    if soon and window.settles_before is not None:
        yield (*changed(window.settles_before, _BELOW), *soon)
