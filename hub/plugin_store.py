"""The door of a plugin to its own tables: reading only, and no table of anybody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table

from hub.errors import NotAllowed

if TYPE_CHECKING:
    from hub.runtime import Runtime


class GuardedStore:
    """Read-only access to a plugin's own tables: a guard against mistakes, not malice."""

    def __init__(self, runtime: Runtime, plugin: str) -> None:
        self._runtime = runtime
        self._prefix = f"{plugin}_"

    def _check(self, statement: Any) -> None:
        froms = getattr(statement, "get_final_froms", None)
        for one in froms() if froms else ():
            for table in _tables(one):
                if not table.name.startswith(self._prefix):
                    raise NotAllowed(f"table {table.name} is not this plugin's own")

    async def all(self, statement: Any) -> Sequence[Mapping[str, Any]]:
        """Run a SELECT; gives all rows."""
        self._check(statement)
        return await self._runtime.database.read(
            lambda conn: [dict(row) for row in conn.execute(statement).mappings()]
        )

    async def first(self, statement: Any) -> Mapping[str, Any] | None:
        """Run a SELECT; gives the first row."""
        rows = await self.all(statement.limit(1))
        return rows[0] if rows else None


def _tables(selectable: Any) -> list[Table]:
    if isinstance(selectable, Table):
        return [selectable]
    return [one for part in selectable.get_children() for one in _tables(part)]
