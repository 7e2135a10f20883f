"""Columns that take any text: what PostgreSQL refuses in one is replaced on the way in.

Also in conditions, so that what was kept is found under what was asked for.
"""

from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from sync.plain_texts import plain, plain_json


class PlainText(TypeDecorator[str]):
    """A text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """Return a text as it is sent."""
        return None if value is None else plain(value)


class PlainJson(TypeDecorator[Any]):
    """A JSON value."""

    impl = JSONB
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 -- as above
        """Return a value as it is sent."""
        return plain_json(value)
