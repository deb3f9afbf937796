"""The kinds with their tables: what handlers and queries need to speak of any kind's objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Index, MetaData, Table

from crm_store.tables.base import key, num
from crm_store.tables.interests import interests
from crm_store.tables.meetings import meetings
from crm_store.tables.objects import columns_of, leads
from crm_store.tables.people import clients, contacts
from crm_store.tables.requests import requests, tasks
from hub.kinds import Kind
from hub.nouns import CLIENTS, CONTACTS, INTERESTS, LEADS, MEETINGS, REQUESTS, TASKS
from hub.properties import PropertyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """A kind with its table; `plugin` names who brought it, "" the hub itself."""

    kind: Kind
    table: Table
    plugin: str = ""

    @property
    def title(self) -> ColumnElement[str]:
        """The column that names an object."""
        return self.table.c[self.kind.title]


def noun_of(kind: Kind, plugin: str, metadata: MetaData) -> Noun:
    """Give a plugin's kind with the table that is made of its description."""
    own = columns_of(kind)
    names = {one.name for one in own}
    more = [] if "created_at" in names else [num("created_at")]
    name = kind.name.replace(".", "_")
    indexed = [
        one.name
        for one in kind.properties
        if one.type is PropertyType.REF or one.name in kind.keys or one.name == kind.owner
    ]
    table = Table(
        name,
        metadata,
        key(),
        *own,
        *more,
        num("deleted_at"),
        num("version", 1),
        Index(f"ix_{name}_deleted_at", "deleted_at", "id"),
        *(
            Index(f"ix_{name}_{column}", column)
            for column in (f"{one}_folded" if f"{one}_folded" in names else one for one in indexed)
        ),
    )
    return Noun(kind=kind, table=table, plugin=plugin)


def pointing(nouns: Mapping[str, Noun], kind: str) -> list[Noun]:
    """Give the plugins' kinds whose objects name a contact, or a client."""
    return [one for one in nouns.values() if one.plugin and f"{kind}_id" in one.table.c]


NOUNS: Mapping[str, Noun] = {
    "client": Noun(kind=CLIENTS, table=clients),
    "contact": Noun(kind=CONTACTS, table=contacts),
    "interest": Noun(kind=INTERESTS, table=interests),
    "lead": Noun(kind=LEADS, table=leads),
    "meeting": Noun(kind=MEETINGS, table=meetings),
    "request": Noun(kind=REQUESTS, table=requests),
    "task": Noun(kind=TASKS, table=tasks),
}
