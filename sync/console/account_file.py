"""Read whose account is whose out of a table that a person made. Pure.

    customer,account
    7,C-1001

The columns may stand in any order among others; comma, semicolon or tab parts them, as the
first line shows.
"""

import csv
from collections.abc import Mapping
from typing import NamedTuple

CUSTOMER, ACCOUNT = "customer", "account"
_DELIMITERS = ",;\t"


class AccountFile(NamedTuple):
    """What the table says.

    Attributes:
        accounts: By the shop's customer id.
        mistakes: What is wrong with other rows, with their lines.
    """

    accounts: Mapping[int, str]
    mistakes: list[str]


def read_account_file(text: str) -> AccountFile:
    """Return what the table says; a row that is wrong is told and costs no other."""
    lines = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").splitlines()
    head = lines[0] if lines else ""
    delimiter = max(_DELIMITERS, key=head.count)
    names = [name.strip().casefold() for name in head.split(delimiter)]
    if CUSTOMER not in names or ACCOUNT not in names:
        return AccountFile({}, [f"line 1: expected the columns {CUSTOMER} and {ACCOUNT}"])
    accounts: dict[int, str] = {}
    mistakes = []
    for number, row in enumerate(csv.reader(lines[1:], delimiter=delimiter), start=2):
        told = dict(zip(names, (each.strip() for each in row), strict=False))
        customer, account = told.get(CUSTOMER, ""), told.get(ACCOUNT, "")
        if not customer and not account:
            continue
        wrong = _mistake(customer, account, accounts)
        if wrong:
            mistakes.append(f"line {number}: {wrong}")
        else:
            accounts[int(customer)] = account
    return AccountFile(accounts, mistakes)


def _mistake(customer: str, account: str, accounts: Mapping[int, str]) -> str:
    if not (customer.isascii() and customer.isdecimal()):
        return f"{CUSTOMER} is the shop's id of one, such as 7"
    if not account or "*" in account:
        return f"{ACCOUNT} of customer {customer} is the ERP's, such as C-1001"
    if accounts.get(int(customer), account) != account:
        return f"customer {customer} has another account above"
    return ""
