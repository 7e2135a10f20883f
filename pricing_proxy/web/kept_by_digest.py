"""Keep what was found out about texts that callers send, by digest and bounded in bytes.

Only the digest of a text is kept, so its length costs nothing and a dump of the memory shows
no token. What is kept is told its cost, and the oldest goes when the sum exceeds the bound:
a count of entries bounds nothing when callers choose how large an entry is. Whoever keeps
something asks for access first: strangers must not decide what is remembered.
"""

from collections import OrderedDict
from hashlib import blake2b
from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")

# Two texts with one digest would be taken for each other: 128 bits, as for a random key.
_DIGEST_BYTES = 16
# A digest, its place in the dict and the pair with its numbers; measured, rounded up.
_OVERHEAD_BYTES = 300


class _Kept(NamedTuple, Generic[V]):
    value: V
    cost_bytes: int


class KeptByDigest(Generic[V]):
    """Values by the digests of texts.

    Args:
        most_bytes: What all entries may cost together, by estimate.

    Attributes:
        used_bytes: What they cost now.
    """

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[bytes, _Kept[V]] = OrderedDict()
        self.used_bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, text: str) -> V | None:
        """Return what is kept of a text, None when nothing is."""
        kept = self._kept.get(_digest(text))
        return None if kept is None else kept.value

    def keep(self, text: str, value: V, *, cost_bytes: int) -> None:
        """Keep a value in the place of an older one, and forget the oldest beyond the bound.

        Args:
            text: What it was found out about; itself not kept.
            value: What is kept.
            cost_bytes: What the value takes in memory, by estimate.
        """
        self.forget(text)
        self._kept[_digest(text)] = _Kept(value, cost_bytes + _OVERHEAD_BYTES)
        self.used_bytes += cost_bytes + _OVERHEAD_BYTES
        while self.used_bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self.used_bytes -= oldest.cost_bytes

    def forget(self, text: str) -> None:
        """Keep nothing of a text."""
        kept = self._kept.pop(_digest(text), None)
        if kept is not None:
            self.used_bytes -= kept.cost_bytes

    def clear(self) -> None:
        """Keep nothing at all."""
        self._kept.clear()
        self.used_bytes = 0


def _digest(text: str) -> bytes:
    # What no encoding can carry still differs from everything else.
    data = text.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=_DIGEST_BYTES).digest()
