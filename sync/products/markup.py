"""What in a name a browser would take for HTML: pure, by the rules that browsers read by.

"<" begins a tag only right before a letter, "/" with a letter, "!" or "?"; so "3 < 5" begins none.
A tag that is closed counts whatever it is called. One that is not closed here would be closed by
the page that the name stands in: it counts when it could do something there, by an attribute or by
being an element that swallows what follows; "3<x<5" could not. Of references only those count that
browsers know.
"""

import re
from html.entities import html5

_CLOSED = r"</?[A-Za-z][^>]*>|<[!?][^>]*>"
_OPEN = (
    r"<[A-Za-z][^\s/>]*[\s/][^>]*=[^>]*"
    r"|</?(?:script|style|title|textarea|xmp|plaintext|iframe|noembed|noframes|noscript|template"
    r"|svg|math|object|embed)(?=[\s/]|$)[^>]*"
    r"|<(?:!--|!doctype|\?xml|!\[cdata\[)[^>]*"
)
_TAG = re.compile(f"{_CLOSED}|{_OPEN}", re.ASCII | re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")


def has_markup(text: str) -> bool:
    """Return whether a browser would show a text as something else."""
    return _TAG.search(text) is not None or any(map(_is_known, _REFERENCE.finditer(text)))


def without_markup(text: str) -> str:
    """Return a text with blanks where its markup was."""
    return _REFERENCE.sub(
        lambda found: " " if _is_known(found) else found.group(), _TAG.sub(" ", text)
    )


def _is_known(found: re.Match[str]) -> bool:
    name = found.group(1)
    return name is None or f"{name};" in html5
