"""Objects of every kind: making, changing, linking and removing them.

What is the same for all kinds stands here once; what a kind does beyond it stands with its noun.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from crm_store import card_files, custom, leftovers
from crm_store.completeness import completeness_of
from crm_store.lead_times import response_of
from crm_store.nouns import Noun
from crm_store.objects import FOLDED, records, visible
from crm_store.sql import locked, upsert
from crm_store.tables.base import CardAddresses
from crm_store.tables.objects import dialog_links, object_tags
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.errors import Conflict, Invalid, NotFound
from hub.events import ObjectChanged, ObjectCreated, ObjectLinked, ObjectRemoved
from hub.ids import DialogId
from hub.kinds import Kind
from hub.objects import Change, Ref
from hub.properties import CardFile, PropertyType, empty_value, read_value, value_of
from hub.terms import fold

NO_FILES: Mapping[int, CardFile] = {}


def read_values(kind: Kind, given: Mapping[str, object], *, new: bool) -> dict[str, object]:
    """Check properties from outside; raises Invalid. A new object gets what is required.

    Custom fields (`custom.<name>`, or a mapping `custom`) are checked where they are written.
    """
    given, more = custom.split(given)
    known = {prop.name: prop for prop in kind.properties if prop.editable}
    for name in given:
        if name not in known:
            raise Invalid(f"a {kind.label} has no property {name!r} to change", field=name)
    missing = [
        prop.name for prop in known.values() if new and prop.required and not given.get(prop.name)
    ]
    if missing:
        raise Invalid("this is needed", field=missing[0])
    return {**{name: read_value(known[name], value) for name, value in given.items()}, **more}


def create(
    uow: UnitOfWork,
    noun: Noun,
    object_id: int,
    values: Mapping[str, object],
    dialog_id: DialogId = DialogId(0),
) -> None:
    """Write a new row; `values` are checked ones, and those that only the hub sets.

    `dialog_id` is the dialog that it was made of; it is linked.
    """
    values, more = custom.split(values)
    row: dict[str, Any] = {"id": object_id, "created_at": uow.now}
    row |= _stored(noun, values)
    row |= owned(uow, noun, row)
    row |= derived(noun, row)
    uow.conn.execute(insert(noun.table).values(**row))
    if more:
        whole = custom.whole(uow.conn, noun)
        own = custom.read(whole, more)
        card_files.take(uow, custom.files_in(whole, own))
        custom.write(uow, whole, [(object_id, own)])
    tags = values.get("tags")
    if isinstance(tags, tuple):
        write_tags(uow, noun, object_id, tags)
    uow.record(ObjectCreated(object_kind=noun.kind.name, object_id=object_id, dialog_id=dialog_id))
    if dialog_id:
        link(uow, dialog_id, Ref(kind=noun.kind.name, id=object_id))


def owned(uow: UnitOfWork, noun: Noun, row: Mapping[str, Any]) -> dict[str, object]:
    """Give the owner of a new row: whoever could not see what he makes has it himself."""
    owner = noun.kind.owner
    if owner and not row.get(owner) and not uow.viewer.sees_object(noun.kind, _Unowned(noun, row)):
        return {owner: uow.viewer.user_id}
    return {}


class _Unowned:
    """A row to be, as `Viewer.sees_object` asks for it."""

    def __init__(self, noun: Noun, row: Mapping[str, Any]) -> None:
        names = (noun.kind.owner, noun.kind.team, *noun.kind.shared_with)
        for name in filter(None, names):
            setattr(self, name, row.get(name, 0))


def lock(uow: UnitOfWork, noun: Noun, object_id: int, version: int | None = None) -> Any:
    """Lock an object and give its row; raises NotFound, or Conflict for another version."""
    row = uow.conn.execute(
        locked(
            uow.dialect,
            select(noun.table).where(noun.table.c.id == object_id, visible(uow.viewer, noun)),
        )
    ).first()
    if row is None:
        raise NotFound(f"there is no such {noun.kind.label}")
    if version is not None and version != row.version:
        raise Conflict(
            f"the {noun.kind.label} was changed meanwhile",
            what="version",
            details={"version": row.version},
        )
    return row


def change(
    uow: UnitOfWork,
    noun: Noun,
    row: Any,
    values: Mapping[str, object],
    lent: Collection[int] = (),
) -> int:
    """Write what differs from a locked row, with its Changes on record; gives the new version.

    `lent` are files of other cards that this one may hold too.
    """
    reader = Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)
    before = records(reader, noun, [row])[0]
    values, more = custom.split(values)
    if more:
        noun = custom.whole(uow.conn, noun)
        values |= custom.read(noun, more)
    new = {name: value for name, value in values.items() if value_of(before, name) != value}
    if not new:
        return int(row.version)
    also = derived(noun, {**row._mapping, **new})
    new |= {name: value for name, value in also.items() if getattr(before, name) != value}
    uow.conn.execute(
        update(noun.table)
        .where(noun.table.c.id == row.id)
        .values(version=noun.table.c.version + 1, **_stored(noun, new))
    )
    taken = card_files.take(uow, custom.files_in(noun, new), lent)
    files = {**before.custom.files, **taken} if more else {}
    custom.write(uow, noun, [(row.id, new)])
    tags = new.get("tags")
    if isinstance(tags, tuple):
        write_tags(uow, noun, row.id, tags)
    changes = tuple(
        change_of(noun.kind, row.id, name, value_of(before, name), value, files)
        for name, value in new.items()
    )
    uow.record(ObjectChanged(object_kind=noun.kind.name, object_id=row.id, changes=changes))
    return int(row.version) + 1


def derived(noun: Noun, row: Mapping[str, Any]) -> dict[str, object]:
    """Give the properties that follow from the others."""
    if noun.kind.name == "client":
        return {"completeness": completeness_of(row)}
    if noun.kind.name == "lead":
        return response_of(row)
    return {}


def touch(uow: UnitOfWork, noun: Noun, row: Any, values: Mapping[str, object]) -> None:
    """Give a locked object a new version, because something that belongs to it changed."""
    if change(uow, noun, row, values) != row.version:
        return
    uow.conn.execute(
        update(noun.table).where(noun.table.c.id == row.id).values(version=noun.table.c.version + 1)
    )
    uow.record(ObjectChanged(object_kind=noun.kind.name, object_id=row.id, changes=()))


def change_of(
    kind: Kind,
    object_id: int,
    name: str,
    before: object,
    after: object,
    files: Mapping[int, CardFile] = NO_FILES,
) -> Change:
    """The journal keeps no personal text: of such a property only that it changed.

    A file is kept by its name; `files` describes those that the object has and had.
    """
    prop = kind.property(name)
    if prop.personal:
        before = after = None
    elif prop.type is PropertyType.REF:
        before, after = str(before), str(after)
    elif prop.type is PropertyType.TAGS:
        before, after = list(before), list(after)  # type: ignore[call-overload]
    elif prop.type is PropertyType.FILE:
        before, after = _file_name(before, files), _file_name(after, files)
    return Change(kind=kind.name, id=object_id, field=name, before=before, after=after)


def _file_name(file_id: object, files: Mapping[int, CardFile]) -> str:
    found = files.get(file_id) if isinstance(file_id, int) else None
    return found.name if found is not None else ""


def remove(uow: UnitOfWork, noun: Noun, object_id: int, *, restore: bool) -> None:
    """Put an object into the bin, or take it out."""
    row = lock(uow, noun, object_id)
    if bool(row.deleted_at) is not restore:
        return
    uow.conn.execute(
        update(noun.table)
        .where(noun.table.c.id == object_id)
        .values(deleted_at=0 if restore else uow.now, version=noun.table.c.version + 1)
    )
    uow.record(ObjectRemoved(object_kind=noun.kind.name, object_id=object_id, restored=restore))


def link(uow: UnitOfWork, dialog_id: DialogId, ref: Ref) -> None:
    """Say that a dialog is about an object; saying it twice changes nothing."""
    new = (
        upsert(uow.dialect, dialog_links)
        .values(dialog_id=dialog_id, kind=ref.kind, object_id=ref.id, created_at=uow.now)
        .on_conflict_do_nothing()
        .returning(dialog_links.c.object_id)
    )
    if uow.conn.execute(new).first() is None:
        return
    uow.record(ObjectLinked(object_kind=ref.kind, object_id=ref.id, dialog_id=dialog_id))


def unlink(uow: UnitOfWork, dialog_id: DialogId, ref: Ref) -> None:
    """Say that a dialog is not about an object."""
    done = uow.conn.execute(
        delete(dialog_links).where(
            dialog_links.c.dialog_id == dialog_id,
            dialog_links.c.kind == ref.kind,
            dialog_links.c.object_id == ref.id,
        )
    )
    if done.rowcount:
        uow.record(
            ObjectLinked(object_kind=ref.kind, object_id=ref.id, dialog_id=dialog_id, unlinked=True)
        )


def blank(uow: UnitOfWork, noun: Noun, ids: Sequence[int]) -> int:
    """Empty everything personal of objects; their rows stay. Gives how many there were."""
    values = {prop.name: empty_value(prop.type) for prop in noun.kind.properties if prop.personal}
    uow.conn.execute(
        delete(object_tags).where(
            object_tags.c.kind == noun.kind.name, object_tags.c.object_id.in_(ids)
        )
    )
    custom.erase(uow, noun, ids)
    done = uow.conn.execute(
        update(noun.table)
        .where(noun.table.c.id.in_(ids))
        .values(version=noun.table.c.version + 1, **_stored(noun, values))
    )
    leftovers.mark(uow.conn, uow.now)
    return int(done.rowcount)


def _stored(noun: Noun, values: Mapping[str, object]) -> dict[str, object]:
    row: dict[str, object] = {}
    for name, value in values.items():
        if name not in noun.table.c:
            continue
        row |= columns_of(noun, name, value)
    return row


def columns_of(noun: Noun, name: str, value: object) -> dict[str, object]:
    """Give the columns of one value as they are stored, its folded twin with it."""
    if isinstance(noun.table.c[name].type, CardAddresses):
        addresses: Any = value
        said = "\n".join(fold(one.value) for one in addresses if one.value)
        return {name: CardAddresses.as_text(addresses), f"{name}_folded": said}
    if f"{name}_folded" in noun.table.c:
        return {name: value, f"{name}_folded": fold(str(value))[:FOLDED]}
    return {name: value}


def tags_of(uow: UnitOfWork, noun: Noun, object_id: int) -> list[str]:
    """Give the tags of an object, in their order."""
    mine = (object_tags.c.kind == noun.kind.name) & (object_tags.c.object_id == object_id)
    statement = select(object_tags.c.tag).where(mine).order_by(object_tags.c.tag_folded)
    return list(uow.conn.execute(statement).scalars())


def write_tags(uow: UnitOfWork, noun: Noun, object_id: int, tags: Sequence[str]) -> None:
    kind = noun.kind.name
    uow.conn.execute(
        delete(object_tags).where(object_tags.c.kind == kind, object_tags.c.object_id == object_id)
    )
    rows = {fold(tag)[:FOLDED]: tag for tag in tags if fold(tag)}
    if rows:
        uow.conn.execute(
            insert(object_tags),
            [
                {"kind": kind, "object_id": object_id, "tag_folded": folded, "tag": tag}
                for folded, tag in rows.items()
            ],
        )
