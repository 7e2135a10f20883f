"""An entry as bytes in Redis: a fixed header, then the packed fragment as UTF-8.

Instants are stored on Redis' clock with its epoch, so that processes with other clocks agree
on ages, and none believes one from before that clock stepped (`shared_time`). Whatever does
not decode (another version, cut off, damaged) is a miss.
"""

import struct
import zlib

from pricing_proxy.cache.packing import pack, unpack
from pricing_proxy.cache.shared_time import SharedTime
from pricing_proxy.domain.entry import Entry, Kind

# CRC-32 of all that follows; then version, kind, epoch, loaded (us), position, soft and hard (ms).
_HEADER = struct.Struct(">IBBIqqII")
_CHECKSUM = struct.Struct(">I")
# Raise when header or fragment change their meaning; older bytes then read as misses.
_VERSION = 3
_KINDS = {kind.value: kind for kind in Kind}


def encode(entry: Entry, *, time: SharedTime) -> bytes:
    """Return the entry's bytes, its instant by Redis' clock."""
    checked = (
        _HEADER.pack(
            0,
            _VERSION,
            entry.kind.value,
            time.epoch,
            entry.loaded_us + time.offset_us,
            entry.position,
            # Whole milliseconds, rounded down: a lifetime may only get shorter.
            entry.soft_us // 1000,
            entry.hard_us // 1000,
        )[_CHECKSUM.size :]
        + pack(entry.fragment).encode()
    )
    return _CHECKSUM.pack(zlib.crc32(checked)) + checked


def decode(value: bytes, *, time: SharedTime, now_us: int) -> Entry | None:
    """Return the entry by the monotonic clock, None for bytes that are not one of this version."""
    if len(value) < _HEADER.size:
        return None
    checksum, version, kind, epoch, shared_us, position, soft_ms, hard_ms = _HEADER.unpack_from(
        value
    )
    # The checksum covers the length too: a cut value has another one.
    if version != _VERSION or zlib.crc32(memoryview(value)[_CHECKSUM.size :]) != checksum:
        return None
    try:
        known_kind, fragment = _KINDS[kind], unpack(value[_HEADER.size :].decode())
    except (KeyError, ValueError):
        return None  # sound, but written by a program that means something else by it
    soft_us = soft_ms * 1000
    loaded_us = time.own_us(shared_us, epoch, soft_us=soft_us, now_us=now_us)
    return Entry(known_kind, fragment, loaded_us, position, soft_us, hard_ms * 1000)
