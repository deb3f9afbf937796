"""Which steps there are and where a database stands, read without the machinery that takes them.

Alembic and every step there ever was cost a third of a second of each start; nearly all starts
find that there is nothing to do.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection, String, column, inspect, select, table

CORE = Path(__file__).parent / "migrations" / "versions"
VERSION_TABLE = "schema_version"
_SAID = re.compile(r"^(revision|down_revision)\b[^=\n]*=\s*(.+?)\s*$", re.MULTILINE)
_NAME = re.compile(r"""^["']([^"']+)["']$""")


def chain(folder: Path) -> list[str]:
    """Give the names of a folder's steps, oldest first; empty where they form no plain chain."""
    after: dict[str, str] = {}
    for file in folder.glob("*.py"):
        if file.name == "__init__.py":
            continue
        said = dict(_SAID.findall(file.read_text(encoding="utf-8")))
        revision = _NAME.match(said.get("revision", ""))
        down = said.get("down_revision", "")
        before = _NAME.match(down)
        name_before = "" if down == "None" else before[1] if before else None
        if revision is None or name_before is None or name_before in after:
            return []
        after[name_before] = revision[1]
    found: list[str] = []
    name = ""
    while (name := after.get(name, "")) and len(found) < len(after):
        found.append(name)
    return found if len(found) == len(after) else []


def stands_at(conn: Connection, version_table: str = VERSION_TABLE) -> set[str]:
    """Give the steps that a database says it stands at; empty for a new one."""
    if not inspect(conn).has_table(version_table):
        return set()
    number = column("version_num", String)
    return set(conn.execute(select(number).select_from(table(version_table, number))).scalars())


def is_newest(conn: Connection, version_table: str, folder: Path) -> bool:
    """Say whether a schema has certainly taken every step of a folder."""
    steps = chain(folder)
    return bool(steps) and stands_at(conn, version_table) == {steps[-1]}
