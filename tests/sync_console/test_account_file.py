"""Tables that people make: any order of columns, any of three delimiters, each row by itself."""

import pytest

from sync.console.account_file import read_account_file


@pytest.mark.parametrize(
    "text",
    [
        "customer,account\n7,C-1001\n8,C-1002\n",
        "\N{ZERO WIDTH NO-BREAK SPACE}Account;Name;Customer\r\nC-1001;Ada;7\r\n\r\nC-1002;Bob;8",
        ' customer \taccount\n 7 \t C-1001 \n8\t"C-1002"\n\t\n',
        'customer,account,name\n7,C-1001,"Lovelace, Ada"\n8,C-1002\n7,C-1001\n',
    ],
)
def test_what_spreadsheets_write_is_read(text: str) -> None:
    told = read_account_file(text)

    assert (told.accounts, told.mistakes) == ({7: "C-1001", 8: "C-1002"}, [])


def test_a_row_that_is_wrong_is_named_and_costs_no_other() -> None:
    rows = ["7,C-1001", "x,C-1", "-7,C-1", "\N{ARABIC-INDIC DIGIT SEVEN},C-1", "8,", ",C-2"]
    rows += ["9,C-*", "7,C-1002", "10,C-1001"]

    told = read_account_file("\n".join(["customer,account", *rows]))

    assert told.accounts == {7: "C-1001", 10: "C-1001"}
    assert [each.partition(":")[0] for each in told.mistakes] == [
        f"line {number}" for number in range(3, 10)
    ]


@pytest.mark.parametrize("text", ["", "7,C-1001", "customer;number\n7;C-1"])
def test_a_table_without_the_columns_is_told(text: str) -> None:
    told = read_account_file(text)

    assert told.accounts == {}
    assert told.mistakes == ["line 1: expected the columns customer and account"]
