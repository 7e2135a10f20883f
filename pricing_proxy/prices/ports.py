"""What the price service needs from outside, as it would like to have it.

`cache` and `prices.sources` implement these; tests bring fakes that behave.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, NamedTuple, Protocol, TypeVar

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.price import NoPrice, Price, Unusable
from pricing_proxy.names import ByName
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.prices.shelf import Shelf
from pricing_proxy.resilience.call_class import Caller, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item
from pricing_proxy.shared_state.kept_map import KeptMap, MapHead, MapKind
from pricing_proxy.shared_state.maps import AllIds, IdAnswer, IdsState, Turn

R = TypeVar("R")

Entries = Mapping[Key, Entry]
"""Prices of one context."""


class CacheFailedError(Exception):
    """Redis did not answer: neither a hit nor a miss."""


class PriceMemory(Protocol):
    """L1: prices kept in this process."""

    @property
    def remembers(self) -> bool:
        """Whether anything is remembered at all."""
        ...

    def shelf(self, context: Context) -> Shelf:
        """Return what is remembered of a context; do not change it."""
        ...

    def remember(self, context: Context, entries: Entries) -> None:
        """Keep entries, unless a later read of the same key is already kept."""
        ...


class PriceStore(Protocol):
    """L2: prices kept for all processes."""

    async def read(self, context: Context, keys: Sequence[Key]) -> Entries:
        """Return what Redis holds of `keys`; raises `CacheFailedError`."""
        ...

    async def write(self, context: Context, entries: Entries) -> None:
        """Keep entries in Redis; raises `CacheFailedError`."""
        ...


class WarmMarks(Protocol):
    """What processes tell each other about warming; every method raises `CacheFailedError`."""

    async def note_seen(self, context: Context, keys: Sequence[Key]) -> None:
        """Remember lines as the last ones seen; a bounded number is kept."""
        ...

    async def seen(self, context: Context) -> Sequence[Key]:
        """Return the lines seen by any process, newest first."""
        ...

    async def claim_login(self, context: Context, hold: timedelta) -> bool:
        """Return whether this process is the first to warm the customer within `hold`."""
        ...

    async def claim_lines(
        self, context: Context, keys: Sequence[Key], hold: timedelta
    ) -> Sequence[Key]:
        """Return those lines that no other process has claimed within `hold`."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line to load."""

    key: Key
    item: Item


class PriceSource(Protocol):
    """One way to get a price.

    Attributes:
        name: As it stands in the answer's `source`.
        max_lines: Lines of one call at most.
        is_binding: Whether checkout may use it.
        absence_is_no_price: Whether a line missing in a good answer has no price.
    """

    name: str
    max_lines: int
    is_binding: bool
    absence_is_no_price: bool

    async def load(
        self,
        customer: Customer,
        context: Context,
        wanted: Sequence[Wanted],
        *,
        ticket: Ticket,
        deadline: Deadline,
    ) -> Mapping[Key, Price | NoPrice | Unusable]:
        """Return what the ERP says now about the lines; one call, or none.

        Raises:
            UpstreamRejectedError: The batch was refused as a whole; one line may be the cause.
            UpstreamMismatchError: Its answers may be each other's.
            UpstreamError: Nothing is known about any line.
        """
        ...


class Listing(NamedTuple, Generic[R]):
    """What the ERP lists.

    Attributes:
        rows: By name.
        sizes: Rows that each of the ERP's sets had, by its name.
        odd: What people are told of rows that could not be read; empty when all could.
        odd_count: How many those are.
    """

    rows: Mapping[str, R]
    sizes: Mapping[str, int]
    odd: str = ""
    odd_count: int = 0


class MasterDataReader(Protocol):
    """Reads a market's catalog and customers from the ERP; every method raises `UpstreamError`.

    What is held already stands for rows that say the same.
    """

    async def items(self, held: Mapping[str, Item]) -> Listing[Item]:
        """Return every item by SKU."""
        ...

    async def customers(self, held: Mapping[str, Customer]) -> Listing[Customer]:
        """Return every customer by account."""
        ...

    async def customer(self, account: str, *, caller: Caller) -> Customer | None:
        """Return one customer, None when the ERP has no such account."""
        ...


class KeptMaps(Protocol):
    """Where maps outlive this process; every method raises `SharedStateError`."""

    async def head(self, kind: MapKind[R], market: str) -> MapHead | None:
        """Return what is said of the kept map, None when there is none."""
        ...

    async def read(
        self, kind: MapKind[R], market: str, held: Mapping[str, R] | None = None
    ) -> KeptMap[R] | None:
        """Return the kept map, None when there is none."""
        ...

    async def keep(self, kind: MapKind[R], market: str, kept: KeptMap[R]) -> None:
        """Replace the kept map."""
        ...

    async def take_turn(self, market: str, hold: timedelta) -> Turn:
        """Return whose turn it is to read the ERP; when it is the caller's, for `hold` only."""
        ...

    async def hold_turn(self, market: str, turn: Turn, hold: timedelta) -> None:
        """Let nobody else read the ERP within `hold`, and say whether it is read or has been."""
        ...

    async def account_of(self, market: str, shop_id: int) -> IdAnswer:
        """Return the ERP account of a shop's customer id."""
        ...

    async def all_accounts(self, market: str) -> AllIds:
        """Return the ERP accounts of all shop ids."""
        ...

    async def note_ids_state(self, market: str, state: IdsState) -> None:
        """Say how complete the shop's ids are."""
        ...

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Add or replace the accounts of shop ids."""
        ...

    async def noted_customer(self, market: str, account: str) -> Customer | None:
        """Return an account that the kept map may not hold yet, None without word."""
        ...


class MasterMaps(Protocol):
    """The item and customer maps of one market, as last read."""

    @property
    def has_customers(self) -> bool:
        """Whether the customer map is there; without it the ERP is asked for single ones."""
        ...

    def items(self) -> ByName[Item] | None:
        """Return all items by SKU, None before they were ever read."""
        ...

    def customers(self) -> ByName[Customer] | None:
        """Return all customers by account, None before they were ever read."""
        ...

    def customer(self, account: str) -> Customer | None:
        """Return a customer by any spelling of the account, None when not in the map."""
        ...

    async def refresh(self) -> None:
        """Read both maps from the ERP, from after this was asked.

        Raises:
            UpstreamError: One of them was not read, or is not to be believed.
        """
        ...

    async def find_customer(self, account: str, *, asked_by: str = "") -> Customer | None:
        """Return a customer that is not in the map; asks the ERP only while there is no map.

        Raises:
            UpstreamError: There is no map and the ERP cannot tell.
        """
        ...

    async def account_of(self, shop_id: int) -> str | None:
        """Return the ERP account of a shop's customer id, None when not mapped.

        Raises:
            SharedStateError: The map of ids cannot be read.
        """
        ...
