"""Earlier versions of mailings and of letters in the library: kept at every save, compared, brought back."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Select,
    String,
    Table,
    delete,
    insert,
    select,
    tuple_,
)

from hub import Ageing, Hub, Micros, NotFound, UnitOfWork

ID = BigInteger().with_variant(Integer(), "sqlite")
MAILING, LETTER, SENT = "mailing", "letter", "sent"
SHOWN = 100

versions = Table(
    "mailings_versions",
    MetaData(),
    Column("kind", String(10), nullable=False),
    Column("object_id", ID, nullable=False),
    Column("version", ID, nullable=False),
    Column("at", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("title", String(200), nullable=False),
    Column("body", JSON, nullable=False),
    PrimaryKeyConstraint("kind", "object_id", "version"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What something was before somebody changed it at `at`."""

    version: int
    at: int
    user_id: int
    title: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a comparison: `+` came, `-` went, ` ` stayed, `?` leaves some out."""

    sign: str
    text: str


def _due(before: Micros) -> Select[Any]:
    """Give what was replaced before an instant; what has been sent stays: it says what people got."""
    return select(versions.c.kind, versions.c.object_id, versions.c.version).where(
        versions.c.at < before, versions.c.kind != SENT
    )


def _remove(uow: UnitOfWork, keys: Sequence[Any]) -> None:
    key = tuple_(versions.c.kind, versions.c.object_id, versions.c.version)
    uow.execute(delete(versions).where(key.in_(keys)))


AGEING = Ageing(
    name="mailings.versions",
    label="Earlier versions of mailings and letters",
    due=_due,
    remove=_remove,
)


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    versions.to_metadata(metadata)


def keep(
    uow: UnitOfWork, kind: str, object_id: int, version: int, title: str, body: Mapping[str, Any]
) -> None:
    """Keep what something was, in the transaction that changes it."""
    uow.execute(
        insert(versions).values(
            kind=kind,
            object_id=object_id,
            version=version,
            at=uow.now,
            user_id=uow.actor.id,
            title=title,
            body=dict(body),
        )
    )


async def versions_of(hub: Hub, kind: str, object_id: int) -> list[Version]:
    """Give the earlier versions, the newest first."""
    rows = await hub.store.all(
        select(versions)
        .where(versions.c.kind == kind, versions.c.object_id == object_id)
        .order_by(versions.c.version.desc())
        .limit(SHOWN)
    )
    return [_read(row) for row in rows]


async def version_of(hub: Hub, kind: str, object_id: int, text: str) -> Version:
    """Give one earlier version; raises NotFound."""
    number = int(text) if text.isdecimal() and len(text) < 19 else 0
    row = await hub.store.first(
        select(versions).where(
            versions.c.kind == kind,
            versions.c.object_id == object_id,
            versions.c.version == number,
        )
    )
    if row is None:
        raise NotFound("there is no such version")
    return _read(row)


def _read(row: Mapping[str, Any]) -> Version:
    return Version(**{name: row[name] for name in Version.__slots__})


def lines_of(title: str, body: Mapping[str, Any]) -> list[str]:
    """Write something as lines: what it is called, each setting, and the words as they stand."""
    found = [f"title: {title}"]
    for name, value in body.items():
        if value in ("", []):
            continue
        if isinstance(value, str) and "\n" in value:
            found += [f"{name}:", *value.splitlines()]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for n, one in enumerate(value, 1):
                found += [line.replace("title: ", f"{name} ", 1) for line in lines_of(str(n), one)]
        elif isinstance(value, list):
            found.append(f"{name}: {', '.join(map(str, value))}")
        else:
            found.append(f"{name}: {value}")
    return found


def difference(before: list[str], after: list[str]) -> list[Line]:
    """Compare two states line by line, with a little of what stayed around what changed."""
    found: list[Line] = []
    # Its first two lines name files.
    for one in islice(difflib.unified_diff(before, after, lineterm="", n=2), 2, None):
        if one.startswith("@@"):
            if found:
                found.append(Line(sign="?", text=""))
            continue
        found.append(Line(sign=one[:1], text=one[1:]))
    return found
