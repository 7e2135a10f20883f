"""Read an OData `$filter` and turn it into a test of rows, as far as F&O supports it.

Grammar, loosest first: `or`, `and`, `not`, then a comparison (eq ne gt ge lt le) of a
field with a literal, or parentheses. Where F&O differs from OData, so does this:

- `has` and `in` are refused, and so is every function: "contains" is written as
  wildcard equality, `Name eq '*retail*'`.
- Enums compare with `Microsoft.Dynamics.DataEntities.NoYes'Yes'`, by eq and ne only.
- Strings compare without case and without blanks at their end, as they do in F&O's usual
  database collation; what is stored keeps its own letters.

Arithmetic (add, sub, mul, div, mod) is not simulated; it is refused like the rest.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

from pricing_proxy.sandbox.odata_bounds import UNBOUNDED, Bounds, compared

Row = Mapping[str, Any]
Test = Callable[[Row], bool]


class BadQueryError(ValueError):
    """The query is not one that F&O answers; the message goes into the error envelope."""


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<enum>Microsoft\.Dynamics\.DataEntities\.(?P<enum_type>\w+)'(?P<member>[^']*)')
    | (?P<string>'(?:[^']|'')*')
    | (?P<date>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?)
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<word>\w+)
    | (?P<mark>[()])
    )""",
    re.VERBOSE,
)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_EQUALITY = ("eq", "ne")
# Deeper nesting than any sensible query; keeps a hostile one from exhausting the stack.
_MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class EnumLiteral:
    """An enum's member in a filter."""

    enum: str
    member: str


@dataclass(frozen=True, slots=True)
class FieldTypes:
    """What a filter must know of a set: one row for the kinds of its fields, and its enums."""

    sample: Row
    enums: Mapping[str, str]
    members: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a filter states: the test of a row, and what it says of single fields."""

    test: Test
    bounds: Bounds = UNBOUNDED


def row_condition(text: str, types: FieldTypes) -> Condition:
    """Return what a `$filter` states.

    Raises:
        BadQueryError: The text is not a filter on this set that F&O supports.
    """
    return _Parser(text, types).parse()


def to_instant(text: str) -> str:
    """Return a date literal as rows hold dates, so that the order of texts is that of time.

    Raises:
        BadQueryError: It is no date.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise BadQueryError(f"'{text}' is not a date.") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Parser:
    def __init__(self, text: str, types: FieldTypes) -> None:
        self._types = types
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def parse(self) -> Condition:
        whole = self._any_of()
        if self._next < len(self._tokens):
            raise BadQueryError(f"Syntax error at '{self._tokens[self._next].group().strip()}'.")
        return whole

    def _any_of(self) -> Condition:
        parts = [self._all_of()]
        while self._accept("or"):
            parts.append(self._all_of())
        if len(parts) == 1:
            return parts[0]
        tests = [part.test for part in parts]
        bounds = reduce(Bounds.any_of, (part.bounds for part in parts))
        return Condition(lambda row: any(test(row) for test in tests), bounds)

    def _all_of(self) -> Condition:
        parts = [self._one()]
        while self._accept("and"):
            parts.append(self._one())
        if len(parts) == 1:
            return parts[0]
        tests = [part.test for part in parts]
        bounds = reduce(Bounds.all_of, (part.bounds for part in parts))
        return Condition(lambda row: all(test(row) for test in tests), bounds)

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise BadQueryError("The filter is nested too deeply.")
        if self._accept("not"):
            negated = self._one().test
            one = Condition(lambda row: not negated(row))
        elif self._accept("("):
            one = self._any_of()
            if not self._accept(")"):
                raise BadQueryError("Closing parenthesis is missing.")
        else:
            one = self._comparison()
        self._depth -= 1
        return one

    def _comparison(self) -> Condition:
        name = self._take("word")
        if name not in self._types.sample:
            raise BadQueryError(f"Could not find a property named '{name}'.")
        word = self._take("word")
        if word not in _COMPARISONS:
            raise BadQueryError(f"The operator '{word}' is not supported.")
        return _field_test(name, word, self._literal(), self._types)

    def _literal(self) -> "str | Decimal | _Date | EnumLiteral":
        token = self._peek()
        if token is None or token.lastgroup not in ("string", "number", "date", "member", "enum"):
            raise BadQueryError("A literal is missing.")
        self._next += 1
        if token["enum"]:
            return EnumLiteral(token["enum_type"], token["member"])
        if token["string"]:
            return token["string"][1:-1].replace("''", "'")
        if token["date"]:
            return _Date(to_instant(token["date"]))
        return Decimal(token["number"])

    def _peek(self) -> re.Match[str] | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _accept(self, text: str) -> bool:
        token = self._peek()
        is_it = token is not None and token.group().strip() == text
        self._next += is_it
        return is_it

    def _take(self, kind: str) -> str:
        token = self._peek()
        if token is None or not token[kind]:
            found = token.group().strip() if token else "the end"
            raise BadQueryError(f"Syntax error at '{found}'.")
        self._next += 1
        return token[kind]


@dataclass(frozen=True, slots=True)
class _Date:
    instant: str


def _tokens(text: str) -> Iterator[re.Match[str]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        token = _TOKEN.match(text, position)
        if token is None:
            raise BadQueryError(f"Syntax error at position {position}.")
        yield token
        position = token.end()


def _field_test(
    name: str, word: str, literal: "str | Decimal | _Date | EnumLiteral", types: FieldTypes
) -> Condition:
    compare = _COMPARISONS[word]
    if name in types.enums or isinstance(literal, EnumLiteral):
        return Condition(_enum_test(name, word, literal, types))
    value = types.sample[name]
    if isinstance(literal, _Date) and isinstance(value, str):
        bounds = compared(name, word, literal.instant)
        return Condition(lambda row: compare(row[name], literal.instant), bounds)
    if isinstance(literal, Decimal) and isinstance(value, (int, Decimal)):
        return Condition(lambda row: compare(row[name], literal))
    if isinstance(literal, str) and isinstance(value, str):
        return _string_test(name, word, literal)
    raise BadQueryError(f"The type of '{name}' does not fit the literal.")


def _string_test(name: str, word: str, literal: str) -> Condition:
    compare, wanted = _COMPARISONS[word], literal.casefold()
    if "*" in wanted and word in _EQUALITY:
        parts = map(re.escape, wanted.split("*"))
        pattern, is_match = re.compile(".*".join(parts), re.DOTALL), word == "eq"
        return Condition(
            lambda row: (pattern.fullmatch(row[name].casefold()) is not None) is is_match
        )
    bare = wanted.rstrip(" ")
    return Condition(
        lambda row: compare(row[name].casefold().rstrip(" "), bare), compared(name, word, bare)
    )


def _enum_test(name: str, word: str, literal: Any, types: FieldTypes) -> Test:
    enum = types.enums.get(name)
    if not isinstance(literal, EnumLiteral) or literal.enum != enum:
        raise BadQueryError(f"'{name}' does not compare with this literal; it needs its enum's.")
    if literal.member not in types.members[enum]:
        raise BadQueryError(f"'{literal.member}' is not a member of {enum}.")
    if word not in _EQUALITY:
        raise BadQueryError("Enums compare by eq and ne only.")
    compare = _COMPARISONS[word]
    return lambda row: compare(row[name], literal.member)
