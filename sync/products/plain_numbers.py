"""Numbers as rows of a mirror hold them: equal ones are equal texts. Pure."""

from decimal import Decimal


def plain(number: Decimal) -> str:
    """Return a number without an exponent, and without zeros at its end."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"", "-0"} else text
