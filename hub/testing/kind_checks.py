"""One object of a plugin's kind lives its whole life in a real hub: what `register_kinds` promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm_store.history import changes_of
from crm_store.nouns import Noun
from crm_store.objects import ObjectQuery
from hub import csv_lists
from hub.commands import ChangeObject, CreateObject, RemoveObject
from hub.properties import Property, PropertyType, value_of
from hub.testing.checks import expect

if TYPE_CHECKING:
    from hub.testing.real_hub import RunningHub

_SAMPLES: dict[PropertyType, object] = {
    PropertyType.NUMBER: 7,
    PropertyType.MONEY: 7,
    PropertyType.FLAG: True,
    PropertyType.INSTANT: 1_700_000_000_000_000,
    PropertyType.DATE: "2026-01-31",
    PropertyType.TAGS: ["blue"],
}


def _sample(prop: Property) -> object:
    if prop.type is PropertyType.CHOICE:
        return prop.choices[-1].value
    return _SAMPLES.get(prop.type, "Blue")


async def try_kind(house: RunningHub, noun: Noun) -> None:
    """Make, find, sort, change, export, bin and restore one object."""
    kind, hub = noun.kind, house.hub
    editable = [one for one in kind.properties if one.editable and one.type is not PropertyType.REF]
    values = {one.name: _sample(one) for one in editable}
    number = (await hub.do(CreateObject(kind=kind.name, values=values)))[0]
    made: Any = await hub.get(kind.name, number)
    for prop in editable:
        expect(value_of(made, prop.name), f"{kind.name}: {prop.name} is not kept")
    asked = [one for one in kind.filterable() if not one.name.endswith((".client", ".contact"))]
    for field in asked:
        # Both together find everything, whatever the value is.
        tree = {"any": [{"field": field.name, "operator": one} for one in ("empty", "not_empty")]}
        found = await hub.find(kind.name, filter=tree)
        expect(len(found.items) == 1, f"{kind.name}: a filter by {field.name} loses objects")
    for column in kind.columns:
        if column.sortable:
            await hub.find(kind.name, sort=column.name)
    name = kind.property(kind.title)
    change = ChangeObject(kind=kind.name, object_id=number, values={name.name: "Red"})
    await hub.do(change)
    lines = await hub.read(changes_of, noun, number)
    expect([one.field for one in lines] == [name.name], f"{kind.name}: its history is not kept")
    rows = [one async for one in csv_lists.rows(hub, noun, ObjectQuery())]
    expect(b"Red" in b"".join(rows), f"{kind.name}: its list is not exported")
    await hub.do(RemoveObject(kind=kind.name, object_id=number))
    expect(not (await hub.find(kind.name)).items, f"{kind.name}: what is binned is still listed")
    await hub.do(RemoveObject(kind=kind.name, object_id=number, restore=True))
