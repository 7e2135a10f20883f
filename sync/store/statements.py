"""Statements that stand alone: each takes a connection, is a transaction, and gives it back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Executable, RowMapping, Table, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.ext.asyncio import AsyncEngine


async def rows(database: AsyncEngine, statement: Executable) -> Sequence[Any]:
    """Return what a query finds."""
    async with database.connect() as connection:
        return (await connection.execute(statement)).all()


async def mappings(
    database: AsyncEngine, statement: Executable, values: Mapping[str, Any] | None = None
) -> Sequence[RowMapping]:
    """Return what a query finds, by the names of its columns."""
    async with database.connect() as connection:
        return (await connection.execute(statement, values)).mappings().all()


async def value(database: AsyncEngine, statement: Executable) -> Any:
    """Return the first column of the first row that a query finds, None without one."""
    async with database.connect() as connection:
        return (await connection.execute(statement)).scalar()


async def text(database: AsyncEngine, statement: Executable) -> str | None:
    """Return the text that a query finds, None without one."""
    found = await value(database, statement)
    return None if found is None else str(found)


async def change(database: AsyncEngine, statement: Executable) -> int:
    """Change rows, and return how many."""
    counted = {"preserve_rowcount": True}
    async with database.begin() as connection:
        return (await connection.execute(statement, execution_options=counted)).rowcount


def put(table: Table, key: Mapping[str, Any], fresh: Mapping[str, Any]) -> Insert:
    """Return the statement that adds a row, or changes the one of this key."""
    statement = insert(table).values({**key, **fresh})
    return statement.on_conflict_do_update(constraint=table.primary_key, set_=dict(fresh))


def is_among(column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values, of which there may be many.

    They are one parameter; of an `IN`, each is one, and a statement has 65,535 at the most.
    """
    return column == any_(bindparam(None, [*values], type_=ARRAY(column.type)))
