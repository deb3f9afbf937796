"""Reading dialogs: the list, one dialog. One indexed query, never over messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)

from crm_store.rows import among, listed
from crm_store.sql import page_key
from crm_store.tables.dialogs import (
    dialog_tags,
    dialogs,
    drafts,
    mentions,
    read_marks,
    tags,
)
from crm_store.tables.people import addresses, contacts
from crm_store.viewer import Reader, Viewer
from hub.errors import Invalid, NotFound
from hub.ids import DialogId, bounded_key
from hub.records.dialogs import Dialog, DialogPage, DialogQuery, DialogStatus
from hub.records.system import Tag
from hub.terms import fold

MAX_LIMIT = 200
PRIORITY_SORTS = ("newest", "oldest", "oldest_waiting", "priority", "begun")


Given = BindParameter[int]
ME: Given = bindparam("me", type_=BigInteger)
OWN: Given = bindparam("own", type_=BigInteger)
_NAMED = {
    name: bindparam(f"of_{name}", type_=BigInteger)
    for name in ("account_id", "team_id", "assignee_id", "contact_id")
}
"""What a list is of by its number: values of a question, which all colleagues, teams and people share."""
# Written into the question, so that an index of a part of the table is known to fit before any value.
ZERO = literal_column("0", BigInteger)


def _select(of: FromClause = dialogs) -> Select[Any]:
    """Make a question for dialogs; who asks is a value of it, so that it is made once for many."""
    return (
        select(
            of,
            contacts.c.name.label("contact_name"),
            addresses.c.value.label("address"),
            addresses.c.kind.label("address_kind"),
            func.coalesce(read_marks.c.inbound_seen, 0).label("inbound_seen"),
            func.coalesce(read_marks.c.muted, False).label("muted"),
            func.coalesce(drafts.c.text, "").label("draft"),
        )
        .outerjoin(contacts, contacts.c.id == of.c.contact_id)
        .outerjoin(addresses, addresses.c.id == of.c.address_id)
        .outerjoin(
            read_marks,
            and_(read_marks.c.user_id == ME, read_marks.c.dialog_id == of.c.id),
        )
        .outerjoin(
            drafts,
            and_(drafts.c.user_id == OWN, drafts.c.dialog_id == of.c.id),
        )
    )


def _asking(viewer: Viewer) -> dict[str, Any]:
    """Give the values that `_select` needs of who asks."""
    return {"me": viewer.user_id, "own": viewer.private_id}


def _named(query: DialogQuery) -> dict[str, Any]:
    """Give the values of what a list is of."""
    return {one.key: getattr(query, name) for name, one in _NAMED.items()}


def _shape(query: DialogQuery, limit: int) -> DialogQuery:
    """Give one query for all whose questions differ in their values alone."""
    some: dict[str, Any] = {name: bool(getattr(query, name)) for name in _NAMED}
    return replace(query, before="", filter=None, limit=limit, **some)


def alike(viewer: Viewer) -> Viewer:
    """Give one viewer for all to whom the same dialogs are open, so that they share questions."""
    if viewer.sees_all_dialogs:
        return Viewer(hidden_accounts=viewer.hidden_accounts)
    return viewer


def page(reader: Reader, query: DialogQuery) -> DialogPage:
    """Give a page of the list, by key: the row after `before`."""
    viewer, limit = reader.viewer, max(1, min(query.limit, MAX_LIMIT))
    asked = _shape(query, limit)
    further, dialect = bool(query.before), reader.conn.dialect.name
    if query.filter:
        narrowed = _filtered(reader, query.filter)
        statement = _listing.__wrapped__(alike(viewer), asked, further, dialect, narrowed)
    else:
        statement = _listing(alike(viewer), asked, further, dialect)
    given = _asking(viewer) | _named(query)
    if query.before:
        given["value"], given["last"] = page_key(query.before)
    rows = reader.conn.execute(statement, given).all()
    more = len(rows) > limit
    rows = rows[:limit]
    found = _records(reader, rows)
    return DialogPage(dialogs=found, next=_key(query.sort, rows[-1]) if more else "")


@lru_cache(128)
def _listing(
    viewer: Viewer, query: DialogQuery, further: bool, dialect: str, *more: ColumnElement[bool]
) -> Select[Any]:
    """Make the question once: every colleague asks for the same few lists again and again."""
    ordering, after = _sorting(query.sort)
    clauses = [*_clauses(viewer, query), *more, *([after] if further else [])]
    # Written into the question: a plan for all values (`keep_plans`) takes a bound number for a
    # tenth of all rows, looks dear by that, and is thrown away for one made anew each time.
    some = literal_column(str(query.limit + 1), BigInteger)
    if dialect == "sqlite":
        return _select().where(*clauses).order_by(*ordering).limit(some)
    # PostgreSQL may misjudge how many rows a view has, and would join them all before it sorts; and
    # what a page joins costs the same by any plan, so that the kept one is found to be as good.
    few = select(dialogs).where(*clauses).order_by(*ordering).limit(some).subquery("dialogs")
    return _select(few).order_by(*_sorting(query.sort, few)[0])


def count(reader: Reader, query: DialogQuery) -> int:
    """Count the dialogs on all pages of a list."""
    statement = select(func.count()).select_from(dialogs).where(*_clauses(reader.viewer, query))
    if query.filter:
        statement = statement.where(_filtered(reader, query.filter))
    given = _asking(reader.viewer) | _named(query)
    return int(reader.conn.execute(statement, given).scalar_one())


def _filtered(reader: Reader, tree: Mapping[str, object]) -> ColumnElement[bool]:
    # The import is late: filter_sql knows this module's columns.
    from crm_store.filter_sql import dialog_clause

    return dialog_clause(reader, tree)


def _clauses(viewer: Viewer, query: DialogQuery) -> list[ColumnElement[bool]]:
    clauses = [viewer.dialogs_clause(), dialogs.c.merged_into == ZERO]
    clauses += of_view(query.view)
    clauses += [dialogs.c[name] == one for name, one in _NAMED.items() if getattr(query, name)]
    if query.channel:
        clauses.append(dialogs.c.channel == query.channel)
    if query.address:
        owner = select(addresses.c.id, addresses.c.contact_id).where(
            addresses.c.kind == query.address_kind, addresses.c.value == bounded_key(query.address)
        )
        # The contact's index leads there; the address tells his other networks apart.
        clauses.append(dialogs.c.contact_id.in_(owner.with_only_columns(addresses.c.contact_id)))
        clauses.append(dialogs.c.address_id.in_(owner.with_only_columns(addresses.c.id)))
    if query.tag:
        clauses.append(_tagged(query.tag))
    return clauses


def of_view(view: str) -> list[ColumnElement[bool]]:
    """Give what a standing view means to who asks."""
    # `is_open AND snoozed_until = 0` is what is on the table now.
    awake = [dialogs.c.is_open, dialogs.c.snoozed_until == ZERO]
    if view == "mine":
        return [dialogs.c.assignee_id == ME, *awake]
    if view == "unassigned":
        return [dialogs.c.assignee_id == ZERO, *awake]
    if view == "waiting":
        return [*awake, dialogs.c.waiting_since > ZERO]
    if view == "waiting_client":
        return [*awake, dialogs.c.status == "waiting"]
    if view == "snoozed":
        return [dialogs.c.snoozed_until > ZERO]
    if view == "closed":
        return [~dialogs.c.is_open]
    if view == "failed":
        return [dialogs.c.failed_count > ZERO]
    if view == "mentions":
        found = select(mentions.c.dialog_id).where(
            mentions.c.user_id == ME, mentions.c.seen.is_(False)
        )
        return [dialogs.c.id.in_(found)]
    if view == "drafts":
        return [dialogs.c.id.in_(select(drafts.c.dialog_id).where(drafts.c.user_id == ME))]
    if view == "unlinked":
        # The import is late: it knows this module's handlers' tables.
        from crm_store.unlinked import unlinked_clause

        return unlinked_clause()
    if view == "everything":
        return []
    if view in ("all", ""):
        return awake
    raise Invalid(f"there is no view {view!r}", field="view")


def _tagged(name: str) -> ColumnElement[bool]:
    return dialogs.c.id.in_(
        select(dialog_tags.c.dialog_id)
        .join(tags, tags.c.id == dialog_tags.c.tag_id)
        .where(tags.c.name_folded == fold(name))
    )


def _sorting(
    sort: str, of: FromClause = dialogs
) -> tuple[list[ColumnElement[Any]], ColumnElement[bool]]:
    """Give the order of a list, and what comes after the dialog `last`."""
    value: Given = bindparam("value", type_=BigInteger)
    dialog_id: Given = bindparam("last", type_=BigInteger)
    # Compared as a row: with "or" a database would walk the index from its very end.
    place, last = tuple_(of.c.last_at, of.c.id), tuple_(value, dialog_id)
    if sort in ("newest", "", "priority"):
        return [of.c.last_at.desc(), of.c.id.desc()], place < last
    if sort == "oldest":
        return [of.c.last_at, of.c.id], place > last
    if sort == "begun":
        return [of.c.id], of.c.id > dialog_id
    if sort in ("oldest_waiting", "deadline"):
        # Whoever does not wait comes after everybody who does.
        waits = func.coalesce(func.nullif(of.c.waiting_since, 0), literal(1 << 62))
        return [waits, of.c.id], or_(waits > value, and_(waits == value, of.c.id > dialog_id))
    raise Invalid(f"a list is sorted by {', '.join(PRIORITY_SORTS)}", field="sort")


def _key(sort: str, row: Row[Any]) -> str:
    if sort in ("oldest_waiting", "deadline"):
        return f"{row.waiting_since or 1 << 62}-{row.id}"
    return f"{row.last_at}-{row.id}"


def one(reader: Reader, dialog_id: DialogId) -> Dialog:
    """Give one dialog; what the viewer may not see is not found."""
    viewer = reader.viewer
    given = {"dialog": dialog_id, **_asking(viewer)}
    rows = reader.conn.execute(_one(alike(viewer)), given).all()
    if not rows:
        raise NotFound("there is no such dialog")
    return _records(reader, rows)[0]


@lru_cache(512)
def _one(viewer: Viewer) -> Select[Any]:
    return _select().where(dialogs.c.id == bindparam("dialog"), viewer.dialogs_clause())


@lru_cache(64)
def _several(viewer: Viewer, dialect: str) -> Select[Any]:
    return _select().where(among(dialect, dialogs.c.id, "dialogs"), viewer.dialogs_clause())


def several(reader: Reader, ids: Sequence[DialogId]) -> tuple[Dialog, ...]:
    """Give dialogs by id, those that can be seen, in the order asked for."""
    if not ids:
        return ()
    viewer, dialect = reader.viewer, reader.conn.dialect.name
    given = {"dialogs": listed(dialect, ids), **_asking(viewer)}
    rows = reader.conn.execute(_several(alike(viewer), dialect), given).all()
    found = {one.id: one for one in _records(reader, rows)}
    return tuple(found[one] for one in ids if one in found)


def called_into(reader: Reader, ids: Sequence[DialogId]) -> dict[DialogId, frozenset[int]]:
    """Give who was named in the notes of dialogs: a note lets its reader see the dialog."""
    found: dict[DialogId, set[int]] = {}
    if ids:
        dialect = reader.conn.dialect.name
        given = {"dialogs": listed(dialect, ids)}
        for row in reader.conn.execute(_called(dialect), given):
            found.setdefault(DialogId(row.dialog_id), set()).add(row.user_id)
    return {key: frozenset(value) for key, value in found.items()}


@cache
def _called(dialect: str) -> Select[Any]:
    return select(mentions.c.dialog_id, mentions.c.user_id).where(
        among(dialect, mentions.c.dialog_id, "dialogs")
    )


@cache
def _labels(dialect: str) -> Select[Any]:
    """Make the question once: every page of the list asks it."""
    return (
        select(dialog_tags.c.dialog_id, tags.c.name)
        .join(tags, tags.c.id == dialog_tags.c.tag_id)
        .where(among(dialect, dialog_tags.c.dialog_id, "dialogs"))
        .order_by(tags.c.name_folded)
    )


def _records(reader: Reader, rows: Sequence[Row[Any]]) -> tuple[Dialog, ...]:
    labels: dict[int, list[str]] = {}
    if rows:
        dialect = reader.conn.dialect.name
        given = {"dialogs": listed(dialect, [row.id for row in rows])}
        for dialog_id, name in reader.conn.execute(_labels(dialect), given):
            labels.setdefault(dialog_id, []).append(name)
    return tuple(_record(row, tuple(labels.get(row.id, ()))) for row in rows)


def _record(row: Row[Any], labels: tuple[str, ...]) -> Dialog:
    status, failed, group, seen, muted = _TOLD(row)
    values: dict[str, Any] = dict(zip(_SAME, _AS_THEY_ARE(row), strict=True))
    for name in _NOBODYS:
        values[name] = values[name] or ""
    return Dialog(
        **values,
        status=DialogStatus(status),
        failed=failed > 0,
        group=group,
        tags=labels,
        unread=max(0, values["inbound_count"] - seen),
        muted=bool(muted),
    )


# By its place: a row looks for each name anew, which cost a page half of its time.
_COLUMNS = [str(one) for one in _select().selected_columns.keys()]  # noqa: SIM118 - no mapping
_SAME = tuple(
    one.name
    for one in fields(Dialog)
    if one.name in _COLUMNS and one.name not in ("status", "muted")
)
_NOBODYS = ("contact_name", "address", "address_kind")
_AS_THEY_ARE = itemgetter(*map(_COLUMNS.index, _SAME))
_TOLD = itemgetter(
    *map(_COLUMNS.index, ("status", "failed_count", "is_group", "inbound_seen", "muted"))
)


def all_tags(reader: Reader) -> list[Tag]:
    """Give every tag with how many of the dialogs that can be seen carry it."""
    rows = reader.conn.execute(
        select(tags.c.id, tags.c.name, func.count(dialogs.c.id).label("dialogs"))
        .outerjoin(dialog_tags, dialog_tags.c.tag_id == tags.c.id)
        .outerjoin(
            dialogs, and_(dialogs.c.id == dialog_tags.c.dialog_id, reader.viewer.dialogs_clause())
        )
        .group_by(tags.c.id, tags.c.name, tags.c.name_folded)
        .order_by(tags.c.name_folded)
    )
    return [Tag(id=row.id, name=row.name, dialogs=row.dialogs) for row in rows]
