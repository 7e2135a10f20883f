"""An entry as bytes in Redis: a fixed header, then the packed fragment as UTF-8.

Instants are stored on Redis' clock, so that processes with other clocks agree on ages.
Whatever does not decode (another version, cut off, damaged) is a miss.
"""

import struct
import zlib

from pricing_proxy.cache.packing import pack, unpack
from pricing_proxy.domain.entry import Entry, Kind

# CRC-32 of all that follows; then version, kind, loaded (us), position, soft and hard (ms).
_HEADER = struct.Struct(">IBBqqII")
_CHECKSUM = struct.Struct(">I")
# Raise when header or fragment change their meaning; older bytes then read as misses.
_VERSION = 2
_KINDS = {kind.value: kind for kind in Kind}


def encode(entry: Entry, *, shared_offset_us: int) -> bytes:
    """Return the entry's bytes.

    Args:
        entry: What to store.
        shared_offset_us: Redis' clock minus this process' monotonic clock.
    """
    checked = (
        _HEADER.pack(
            0,
            _VERSION,
            entry.kind.value,
            entry.loaded_us + shared_offset_us,
            entry.position,
            # Whole milliseconds, rounded down: a lifetime may only get shorter.
            entry.soft_us // 1000,
            entry.hard_us // 1000,
        )[_CHECKSUM.size :]
        + pack(entry.fragment).encode()
    )
    return _CHECKSUM.pack(zlib.crc32(checked)) + checked


def decode(value: bytes, *, shared_offset_us: int) -> Entry | None:
    """Return the entry, None for bytes that are not one of this version."""
    if len(value) < _HEADER.size:
        return None
    checksum, version, kind, loaded_us, position, soft_ms, hard_ms = _HEADER.unpack_from(value)
    # The checksum covers the length too: a cut value has another one.
    if version != _VERSION or zlib.crc32(memoryview(value)[_CHECKSUM.size :]) != checksum:
        return None
    try:
        known_kind, fragment = _KINDS[kind], unpack(value[_HEADER.size :].decode())
    except (KeyError, ValueError):
        return None  # sound, but written by a program that means something else by it
    return Entry(
        known_kind,
        fragment,
        loaded_us - shared_offset_us,
        position,
        soft_ms * 1000,
        hard_ms * 1000,
    )
