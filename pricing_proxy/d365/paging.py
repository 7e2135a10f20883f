"""Follow an OData read from page to page, trusting no link further than it must.

A `@odata.nextLink` is opaque and sent back as it came, but only to the host it was
asked from, since the token goes along. A link that leads elsewhere or in a circle,
or a page without rows to read, ends in `UpstreamContractError`. Pure but for `fetch`.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from pricing_proxy.resilience.errors import UpstreamContractError

Row = dict[str, Any]

# At 10,000 rows a page this is 100 million rows: more is a circle whose links keep changing.
_MAX_PAGES = 10_000
_LEAST_PERCENT = 99
# Everything a URL may hold; only what it may not, such as a blank, is percent-encoded.
_URL_CHARACTERS = "%/?:@!$&'()*+,;=-._~[]"
_DEFAULT_PORTS = {"http": 80, "https": 443}


async def read_pages(
    target: str, *, fetch: Callable[[str], Awaitable[Any]], base_url: str, system: str
) -> AsyncGenerator[list[Row], None]:
    """Yield the rows of each page, in order; a caller that stops early asks for no more.

    Args:
        target: Path and query of the first page.
        fetch: Gets a path and query, returns the parsed JSON body.
        base_url: The host that is asked; every further page must be there too.
        system: The other side's name in errors.

    Raises:
        UpstreamContractError: A page is not a page, or its link is not to be followed.
    """
    seen: set[str] = set()
    link: str | None = target
    while link is not None:
        if link in seen or len(seen) == _MAX_PAGES:
            raise UpstreamContractError("nextLink leads in a circle", system=system)
        seen.add(link)
        page = await fetch(link)
        rows, following = read_page(page, system=system)
        yield rows
        link = following and _local_target(following, link, base_url=base_url, system=system)


def read_page(page: Any, *, system: str) -> tuple[list[Row], str | None]:
    """Return the rows of a page and its link; raises `UpstreamContractError` for anything else."""
    rows = page.get("value") if isinstance(page, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UpstreamContractError("a page without 'value' rows", system=system)
    link = page.get("@odata.nextLink")
    if link is not None and not isinstance(link, str):
        raise UpstreamContractError("nextLink is not a text", system=system)
    return rows, link or None


class Counted:
    """Checks that the pages of a read brought what their first one promised (`$count=true`).

    A link to the next page that is missing ends a read early, and without a word.

    Attributes:
        brought: How many rows came.
        promised: How many were counted; None before the first page, and where nobody counts.
    """

    def __init__(self, *, system: str) -> None:
        self._system = system
        self.brought = 0
        self.promised: int | None = None

    def take(self, page: Any) -> Any:
        """Return a page after taking note of it."""
        if self.promised is None and isinstance(page, dict) and "@odata.count" in page:
            self.promised = read_count(page, system=self._system)
        rows = page.get("value") if isinstance(page, dict) else None
        self.brought += len(rows) if isinstance(rows, list) else 0
        return page

    def check(self, name: str) -> None:
        """Raise `UpstreamContractError` where too few came; an ERP that does not count may.

        Args:
            name: The set's.
        """
        require_promised(name, self.brought, self.promised, system=self._system)


def require_promised(name: str, brought: int, promised: int | None, *, system: str) -> None:
    """Raise `UpstreamContractError` where too few rows of a set came; None promised nothing."""
    # What is deleted while the pages are read is missing rightly.
    if promised is not None and brought * 100 < promised * _LEAST_PERCENT:
        raise UpstreamContractError(f"{name}: {brought} of {promised} rows came", system=system)


def read_count(page: Any, *, system: str) -> int:
    """Return the number of all rows that a page tells; raises `UpstreamContractError`."""
    try:
        return int(page["@odata.count"])
    except (LookupError, TypeError, ValueError) as exc:
        raise UpstreamContractError("a count without '@odata.count'", system=system) from exc


def _local_target(link: str, current: str, *, base_url: str, system: str) -> str:
    try:
        base = urlsplit(base_url)
        parts = urlsplit(urljoin(f"{base.scheme}://{base.netloc}{current}", link))
        is_ours = _origin(parts) == _origin(base) and parts.username is None
        is_ours = is_ours and not parts.path.startswith("//")
    except ValueError as exc:
        raise UpstreamContractError("nextLink is not a link", system=system) from exc
    if not is_ours:
        raise UpstreamContractError("nextLink leads to another host", system=system)
    query = f"?{parts.query}" if parts.query else ""
    return quote(f"{parts.path or '/'}{query}", safe=_URL_CHARACTERS)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
