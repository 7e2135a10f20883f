"""Answer one OData request, alone or in a batch: reads of every set, writes of documents.

Success codes are F&O's: 201 with the row, 204 without one. A part of a changeset that is
refused takes the others with it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlencode

from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.documents.refusals import Refusal
from pricing_proxy.sandbox.documents.schema import DocumentSet
from pricing_proxy.sandbox.documents.store import Documents
from pricing_proxy.sandbox.odata import Tables, entity_set
from pricing_proxy.sandbox.odata_expand import expanded
from pricing_proxy.sandbox.odata_filter import BadQueryError
from pricing_proxy.sandbox.odata_query import ETAG, Page
from pricing_proxy.sandbox.row_values import Row
from pricing_proxy.sandbox.sets_cut import cut
from pricing_proxy.sandbox.wire import error_body, from_json, to_json

_PATH = re.compile(r"/data/(\w+)(?:\((.*)\))?", re.DOTALL)
_ODATA_ERROR = "Microsoft.OData.ODataException"
_JSON = "application/json; odata.metadata=minimal"
_FIRST_FAILURE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request.

    Attributes:
        path: Percent-encoded, with the key.
        if_match: The tag that the row must have; None when it does not matter.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""
    if_match: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Its answer.

    Attributes:
        body: JSON, or empty.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        """Whether it was done."""
        return self.status < _FIRST_FAILURE


NOT_FOUND = Reply(status=404)


class ODataService:
    """The sets of the environment."""

    def __init__(
        self,
        *,
        tables: Tables,
        documents: Documents,
        dials: Dials,
        environment_url: Callable[[], str],
    ) -> None:
        """Connect the sets.

        Args:
            tables: Master data, which is read only.
            documents: What can be written.
            dials: Which sets are cut.
            environment_url: The environment's address, for links.
        """
        self._tables = tables
        self._documents = documents
        self._dials = dials
        self._environment_url = environment_url

    def answer(self, call: Call) -> Reply:
        """Return the answer to one request."""
        found = _PATH.fullmatch(call.path)
        if found is None:
            return NOT_FOUND
        name, key = found[1], None if found[2] is None else unquote(found[2])
        try:
            return self._answer(call, name, key)
        except BadQueryError as error:
            text = f"The query specified in the URI is not valid. {error}"
            return _failure(Refusal(text, _ODATA_ERROR))
        except Refusal as refusal:
            return _failure(refusal)

    def answer_together(self, calls: Sequence[Call]) -> list[Reply]:
        """Return the answers of a changeset, or only the one that failed, with nothing done."""
        try:
            with self._documents.transaction():
                return [self._successful(call) for call in calls]
        except _ChangeSetFailedError as failed:
            return [failed.reply]

    def _successful(self, call: Call) -> Reply:
        reply = self.answer(call)
        if not reply.is_success:
            raise _ChangeSetFailedError(reply)
        return reply

    def _answer(self, call: Call, name: str, key: str | None) -> Reply:
        document = self._documents.named(name)
        if call.method == "GET":
            return self._read(call, name, key, document)
        if document is None or document.is_read_only:
            return Reply(status=405) if document or entity_set(name) else NOT_FOUND
        if call.method == "POST" and key is None:
            return self._create(document, call)
        if call.method in ("PATCH", "PUT", "DELETE") and key is not None:
            return self._write(document, key, call)
        return Reply(status=405)

    def _read(self, call: Call, name: str, key: str | None, document: DocumentSet | None) -> Reply:
        master = entity_set(name)
        if name in self._dials.absent_sets:
            return NOT_FOUND
        if key is None:
            if document is None and master is None:
                return NOT_FOUND
            if "$expand" in call.query:
                return self._page(name, expanded(name, call.query, self._asked))
            return self._page(name, self._asked(name, call.query))
        row: Row | None = None
        if document is not None:
            row = self._documents.row(document, key, call.query)
        elif master is not None:
            row = self._tables.row(master, key, call.query)
        return NOT_FOUND if row is None else self._json(f"{name}/$entity", row)

    def _asked(self, name: str, query: Mapping[str, str]) -> Page:
        document, master = self._documents.named(name), entity_set(name)
        if document is not None:
            return self._documents.page(document, query)
        if master is None:
            raise BadQueryError(f"There is no set '{name}'.")
        return self._tables.page(master, query)

    def _create(self, document: DocumentSet, call: Call) -> Reply:
        row = self._documents.create(document, _members(call.body))
        return self._json(f"{document.name}/$entity", row, status=201)

    def _write(self, document: DocumentSet, key: str, call: Call) -> Reply:
        row = self._documents.find(document, key, call.query)
        if row is None:
            return NOT_FOUND
        if call.if_match not in (None, "*", row[ETAG]):
            return Reply(status=412)
        if call.method == "DELETE":
            self._documents.remove(document, row)
        else:
            self._documents.change(document, row, _members(call.body))
        return Reply(status=204)

    def _page(self, name: str, whole: Page) -> Reply:
        page = cut(name, whole, self._dials)
        body: dict[str, Any] = {} if page.total is None else {"@odata.count": page.total}
        if page.next_query is not None:
            asked = urlencode(page.next_query, safe="$", quote_via=quote)
            body["@odata.nextLink"] = f"{self._environment_url()}/data/{name}?{asked}"
        return self._json(name, {**body, "value": page.rows})

    def _json(self, context: str, body: Mapping[str, Any], *, status: int = 200) -> Reply:
        root = f"{self._environment_url()}/data/$metadata#{context}"
        return Reply(
            status=status,
            body=to_json({"@odata.context": root, **body}),
            headers={"Content-Type": _JSON, "OData-Version": "4.0"},
        )


class _ChangeSetFailedError(Exception):
    """Takes back what a changeset did, because of `reply`."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


def _members(body: bytes) -> dict[str, Any]:
    try:
        members = from_json(body)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise Refusal("The request body is not a JSON object.", _ODATA_ERROR)
    return members


def _failure(refusal: Refusal) -> Reply:
    body = error_body(refusal.text, kind=refusal.kind)
    headers = {"Content-Type": "application/json"}
    return Reply(status=refusal.status, body=to_json(body), headers=headers)
