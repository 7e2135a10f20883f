"""Compare F&O's time zones with ours, by the only thing both have: the standard offset.

F&O names a zone by an enum member such as `GMTPLUS0100_AMSTERDAM_BERLIN_BERN_ROME`. There
is no official table from its members to IANA zones, so that only the offset can disagree.
Pure.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_MEMBER = re.compile(r"GMT(?:(PLUS|MINUS)(\d\d)(\d\d)(?!\d)|(?=_|$|[A-Z]))", re.ASCII)
_MONTHS = 12


def offset_of_member(member: str) -> timedelta | None:
    """Return the standard offset that an enum member carries, None for another spelling."""
    found = _MEMBER.match(member.upper())
    if found is None:
        return None
    sign, hours, minutes = found.groups()
    if sign is None:
        is_greenwich = not member.upper().startswith(("GMTPLUS", "GMTMINUS"))
        return timedelta() if is_greenwich else None
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return offset if sign == "PLUS" else -offset


def standard_offset(zone: ZoneInfo, year: int) -> timedelta:
    """Return a zone's offset without summer time.

    The smallest one of the year, because Dublin counts its winter as the exception, and
    Casablanca the month of Ramadan.
    """
    noons = (datetime(year, month, 1, 12, tzinfo=UTC) for month in range(1, _MONTHS + 1))
    return min(
        offset for noon in noons if (offset := noon.astimezone(zone).utcoffset()) is not None
    )


def offset_text(offset: timedelta) -> str:
    """Return an offset as text, such as +01:00."""
    minutes = offset // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
