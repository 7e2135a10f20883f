"""Compare tax numbers as people write them: with blanks, dots, small letters, without prefix.

"DE 999.888.777", "de999888777" and, of a customer in Germany, "999 888 777" are one number; so
are Greece's with EL or GR, a British one with GB or XI, and a Swiss one with and without "MWST". A
number whose country nobody knows may be that of any: it finds a candidate, and a person looks.
Pure.
"""

from unicodedata import decimal, normalize

# Of VAT numbers in the EU and its neighbours.
_PREFIXES = frozenset(
    {"AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "GB", "HR", "HU"}
    | {"IE", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"}
    | {"GR", "SM", "XI"}
)
# Greece's number is written with either; Northern Ireland's is the British one.
_SAME_PREFIX = {"GR": "EL", "XI": "GB"}
# What Swiss and Norwegian numbers end in where they are written in full.
_ENDINGS = ("MWST", "TVA", "IVA", "MVA")
_PREFIX = 2
# Shorter ones are typed for want of a number ("1", "n/a"); as a pattern they fit everybody.
_SHORTEST = 4
# The longest that F&O keeps, blanks included.
_LONGEST = 20


def number_core(text: str) -> str:
    """Return the letters and digits of a number without its country's prefix."""
    return _split(_plain(text))[1]


def is_same_number(one: str, other: str, *, country: str = "") -> bool:
    """Return whether two spellings may be one number.

    Args:
        one: A number of the shop.
        other: A number of the ERP.
        country: The shop's country of `one`, ISO two-letter; empty where it is not known.
    """
    plain, others = _plain(one), _plain(other)
    if not plain or not others:
        return False
    own = _SAME_PREFIX.get(country.upper(), country.upper())
    if plain == others or own + plain == others:
        return True
    (prefix, core), (other_prefix, other_core) = _split(plain), _split(others)
    prefix = prefix or own
    return core == other_core and (not prefix or not other_prefix or prefix == other_prefix)


def search_pattern(text: str) -> str | None:
    """Return what finds every spelling in the ERP, with others; None where nothing would.

    `*` stands for anything there, so blanks and dots may stand anywhere.
    """
    core = number_core(text)
    if not _SHORTEST <= len(core) <= _LONGEST:
        return None
    return f"*{'*'.join(core)}*"


def _plain(text: str) -> str:
    """Return a number's letters and digits, whatever script its digits are written in."""
    letters = (letter for letter in normalize("NFKC", text).upper() if letter.isalnum())
    plain = "".join(str(decimal(letter, letter)) for letter in letters)
    ending = next((each for each in _ENDINGS if plain.endswith(each)), "")
    return plain.removesuffix(ending)


def _split(plain: str) -> tuple[str, str]:
    prefix, core = plain[:_PREFIX], plain[_PREFIX:]
    if prefix in _PREFIXES and any(letter.isdigit() for letter in core):
        return _SAME_PREFIX.get(prefix, prefix), core
    return "", plain
