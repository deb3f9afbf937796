"""Kinds: what makes a sort of object listable, filterable, exportable and auditable.

A Kind is a description, not a framework: the list page, the resource of the API, exports and
saved views read it. Clients, leads and a plugin's own objects are described alike. What a screen
needs beyond it is written as a screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hub.filters import Field, Fields, Use
from hub.properties import Property, PropertyType


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
    `title` the property that names an object, `owner` the one that says whose it is (scopes of
    roles go by it).
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
    icon: str = "tag"

    def __post_init__(self) -> None:
        sortable = {one.name for one in self.columns if one.sortable} | {"id"}
        if self.sort.removeprefix("-") not in sortable:
            raise ValueError(f"kind {self.name}: no list can be sorted by {self.sort!r}")
        if len({one.name for one in self.columns}) != len(self.columns):
            raise ValueError(f"kind {self.name}: two columns have one name")
        self.registered()

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
    record: type[object],
    read: str,
    write: str,
    path: str,
    properties: tuple[Property, ...],
    title: str = "title",
    owner: str = "owner_id",
    icon: str = "tag",
    sort: str = "-id",
) -> Kind:
    """Make a kind out of its properties; `words` are singular and plural, English and Russian."""
    return Kind(
        name=name,
        label=words[0],
        plural=words[1],
        translations={"ru": words[2]},
        plurals={"ru": words[3]},
        record=record,
        read=read,
        write=write,
        path=path,
        title=title,
        owner=owner,
        icon=icon,
        properties=properties,
        fields=tuple(
            one.filter_field(name) for one in properties if one.type is not PropertyType.TEXT
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
