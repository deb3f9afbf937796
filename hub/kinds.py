"""Kinds: what makes a sort of object listable, filterable, exportable and auditable.

A Kind is a description, not a framework: the list page, the resource of the API, exports and
saved views read it. Clients, leads and a plugin's own objects are described alike. What a screen
needs beyond it is written as a screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, make_dataclass
from typing import Any

from hub.card_addresses import CardAddress
from hub.filters import Field, Fields, Use
from hub.properties import CustomValues, Property, PropertyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a kind's list: a field of the record, its heading, whether lists sort by it."""

    name: str
    label: str
    sortable: bool = False
    translations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort of object.

    `name` is a word, a plugin's with its own name and a dot before it. `record` is the frozen
    class that readers get. `read` and `write` are the rights asked for. `sort` names a column,
    with a minus for descending. `path` is the word of its pages and of its resource in the API,
    `title` the property that names an object. `keys` are the properties by which an import
    recognises an object; a kind without any is not imported. `binned` is false for a kind whose
    objects never go into the bin: then no rule can begin with their removal. `over` are the
    values of its `status` with which work on it has ended: who is away or leaves hands over what
    is left to do, not what was done.

    The scopes of roles go by `owner` (the property that names who is responsible), `team` (the
    team it belongs to) and `shared_with` (further properties that name a colleague who may see
    it: its author, who checks it). They are asked of the right's own word: `leads` of
    `leads.view`.
    """

    name: str
    label: str
    plural: str
    record: type[object]
    read: str
    write: str
    fields: tuple[Field, ...] = ()
    columns: tuple[Column, ...] = ()
    sort: str = "-id"
    translations: Mapping[str, str] = field(default_factory=dict)
    plurals: Mapping[str, str] = field(default_factory=dict)
    properties: tuple[Property, ...] = ()
    path: str = ""
    title: str = "title"
    owner: str = ""
    team: str = ""
    shared_with: tuple[str, ...] = ()
    icon: str = "tag"
    keys: tuple[str, ...] = ()
    binned: bool = True
    over: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sortable = {one.name for one in self.columns if one.sortable} | {"id"}
        if self.sort.removeprefix("-") not in sortable:
            raise ValueError(f"kind {self.name}: no list can be sorted by {self.sort!r}")
        if len({one.name for one in self.columns}) != len(self.columns):
            raise ValueError(f"kind {self.name}: two columns have one name")
        self.registered()

    @property
    def subject(self) -> str:
        """The word that scopes of roles go by: the first half of the right to read."""
        return self.read.partition(".")[0]

    def property(self, name: str) -> Property:
        """Give a property by its name; raises KeyError."""
        found = next((one for one in self.properties if one.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def registered(self) -> Fields:
        """Give the fields of this kind's filters; raises ValueError for a name used twice."""
        return Fields(self.fields)

    def filterable(self) -> tuple[Field, ...]:
        """Give the fields that a list of this kind can be filtered by."""
        return tuple(one for one in self.fields if one.operators(Use.QUERY))


def described(
    *,
    name: str,
    words: tuple[str, str, str, str],
    read: str,
    write: str,
    properties: tuple[Property, ...],
    record: type[object] | None = None,
    path: str = "",
    title: str = "title",
    owner: str = "owner_id",
    team: str = "team_id",
    shared_with: tuple[str, ...] = (),
    icon: str = "tag",
    keys: tuple[str, ...] = (),
    binned: bool = True,
    over: tuple[str, ...] = (),
    sort: str = "-id",
    more_fields: tuple[Field, ...] = (),
) -> Kind:
    """Make a kind out of its properties; `words` are singular and plural, English and Russian.

    `more_fields` can be asked of it besides its properties; their SQL stands in the store.
    Without a `record` one is made of the properties; without a `path` it is the name.
    """
    names = {one.name for one in properties}
    return Kind(
        name=name,
        label=words[0],
        plural=words[1],
        translations={"ru": words[2]},
        plurals={"ru": words[3]},
        record=record or record_of(name, properties),
        read=read,
        write=write,
        path=path or name,
        title=title,
        owner=owner if owner in names else "",
        team=team if team in names else "",
        shared_with=shared_with,
        icon=icon,
        keys=keys,
        binned=binned,
        over=over,
        properties=properties,
        fields=(
            *(one.filter_field(name) for one in properties if one.type is not PropertyType.TEXT),
            *more_fields,
        ),
        columns=tuple(
            Column(
                name=one.name,
                label=one.label,
                sortable=one.sortable,
                translations=one.translations,
            )
            for one in properties
            if one.listed or one.sortable
        ),
        sort=sort,
    )


_HELD: Mapping[PropertyType, Any] = {
    PropertyType.NUMBER: int,
    PropertyType.MONEY: int,
    PropertyType.FLAG: bool,
    PropertyType.INSTANT: int,
    PropertyType.DATE: int,
    PropertyType.REF: int,
    PropertyType.TAGS: tuple[str, ...],
    PropertyType.FILE: int,
    PropertyType.ADDRESSES: tuple[CardAddress, ...],
}


def record_of(name: str, properties: Iterable[Property]) -> type[object]:
    """Make the frozen class of a kind's objects: its properties, and what every object has."""
    own = [(one.name, _HELD.get(one.type, str)) for one in properties]
    custom: Any = field(default_factory=CustomValues)
    return make_dataclass(
        "".join(part.capitalize() for part in name.replace(".", "_").split("_")),
        [
            ("id", int),
            *own,
            ("deleted_at", int),
            ("version", int),
            ("custom", CustomValues, custom),
        ],
        frozen=True,
        slots=True,
        kw_only=True,
    )


class Kinds(Mapping[str, Kind]):
    """Registered kinds by name."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._kinds: dict[str, Kind] = {}
        for one in kinds:
            if one.name in self._kinds:
                raise ValueError(f"there are two kinds {one.name!r}")
            self._kinds[one.name] = one

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)
