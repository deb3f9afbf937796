"""What references are called: the names behind ids in lists, chips and forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crm_store import objects as reads
from crm_store import people
from crm_store import users as user_reads
from crm_store.nouns import Noun
from crm_store.pipelines import all_pipelines
from crm_store.viewer import Reader
from hub.ids import ContactId
from hub.kinds import Kind
from hub.properties import PropertyType, value_of

Names = dict[str, dict[int, str]]


def _users(reader: Reader) -> dict[int, str]:
    return {int(one.id): one.name for one in user_reads.all_users(reader)}


def _teams(reader: Reader) -> dict[int, str]:
    return {int(one.id): one.name for one in user_reads.all_teams(reader)}


def _pipelines(reader: Reader) -> dict[int, str]:
    return {int(one.id): one.name for one in all_pipelines(reader)}


def _stages(reader: Reader) -> dict[int, str]:
    return {int(each.id): each.name for one in all_pipelines(reader) for each in one.stages}


def _reasons(reader: Reader) -> dict[int, str]:
    return {int(each.id): each.name for one in all_pipelines(reader) for each in one.reasons}


SMALL: Mapping[str, Callable[[Reader], dict[int, str]]] = {
    "user": _users,
    "team": _teams,
    "pipeline": _pipelines,
    "stage": _stages,
    "loss_reason": _reasons,
}
"""References whose whole choice is short: they are chosen from a list."""


def small_names(reader: Reader, kind: Kind) -> Names:
    """Give every name that a kind's references to short lists can have."""
    wanted = {one.ref for one in kind.properties if one.type is PropertyType.REF} & SMALL.keys()
    return {ref: SMALL[ref](reader) for ref in sorted(wanted | {"user", "team"})}


def names_of(
    reader: Reader, nouns: Mapping[str, Noun], kind: Kind, records: Iterable[Any]
) -> Names:
    """Give the names behind every reference of some records."""
    found = small_names(reader, kind)
    records = list(records)
    for prop in kind.properties:
        if prop.type is not PropertyType.REF or prop.ref in SMALL:
            continue
        ids = {int(str(value_of(one, prop.name))) for one in records} - {0}
        found.setdefault(prop.ref, {}).update(names_by_id(reader, nouns, prop.ref, ids))
    return found


def names_by_id(
    reader: Reader, nouns: Mapping[str, Noun], ref: str, ids: Iterable[int]
) -> dict[int, str]:
    """Give what objects of one kind are called, where the reader may see them."""
    wanted = sorted(set(ids) - {0})
    if not wanted:
        return {}
    if ref in SMALL:
        return SMALL[ref](reader)
    if ref == "contact":
        if not reader.viewer.may("contacts.view"):
            return {}
        found = people.contacts_of(reader, [ContactId(one) for one in wanted])
        return {int(one.id): one.name for one in found}
    noun = nouns.get(ref)
    return reads.titles(reader, noun, wanted) if noun else {}
