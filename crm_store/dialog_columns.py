"""Where the fields of dialogs stand in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, select

from crm_store.filter_sql import QueryField, Subject
from crm_store.search import terms_clause
from crm_store.tables.dialogs import dialog_tags, dialogs, messages, tags
from crm_store.tables.people import addresses, contacts


def _column(expression: ColumnElement[Any]) -> QueryField:
    return QueryField(sql=lambda _: expression, nullable=False)


def _contact(column: ColumnElement[Any]) -> QueryField:
    statement = select(column).where(contacts.c.id == dialogs.c.contact_id)
    return QueryField(sql=lambda _: statement.correlate(dialogs).scalar_subquery())


def _address(column: ColumnElement[Any]) -> QueryField:
    statement = select(column).where(addresses.c.id == dialogs.c.address_id)
    return QueryField(sql=lambda _: statement.correlate(dialogs).scalar_subquery())


def _tags(subject: Subject) -> Any:
    return (
        select(tags.c.name_folded)
        .join(dialog_tags, dialog_tags.c.tag_id == tags.c.id)
        .where(dialog_tags.c.dialog_id == subject)
    )


def _any_message(subject: Subject, wanted: Any, dialect: str) -> ColumnElement[bool]:
    found = select(messages.c.dialog_id).where(
        terms_clause(dialect, "message_terms", messages.c.id, wanted)
    )
    return subject.in_(found)


DIALOG_COLUMNS: Mapping[str, QueryField] = {
    "dialog.status": _column(dialogs.c.status),
    "dialog.channel": _column(dialogs.c.channel),
    "dialog.account": _column(dialogs.c.account_id),
    "dialog.assignee": _column(dialogs.c.assignee_id),
    "dialog.team": _column(dialogs.c.team_id),
    "dialog.contact": _column(dialogs.c.contact_id),
    "dialog.priority": _column(dialogs.c.priority),
    "dialog.subject": QueryField(
        sql=lambda _: dialogs.c.subject_folded,
        words=lambda subject, wanted, dialect: terms_clause(
            dialect, "dialog_terms", subject, wanted
        ),
        nullable=False,
    ),
    "dialog.tags": QueryField(sql=_tags),
    "dialog.address": _address(addresses.c.value),
    "dialog.address_kind": _address(addresses.c.kind),
    "dialog.last_direction": _column(dialogs.c.last_direction),
    "dialog.created_at": _column(dialogs.c.created_at),
    "dialog.last_at": _column(dialogs.c.last_at),
    "dialog.waiting_since": _column(dialogs.c.waiting_since),
    "dialog.last_inbound_at": _column(dialogs.c.last_inbound_at),
    "dialog.closed_at": _column(dialogs.c.closed_at),
    "dialog.snoozed_until": _column(dialogs.c.snoozed_until),
    "dialog.message_count": _column(dialogs.c.message_count),
    "dialog.inbound_count": _column(dialogs.c.inbound_count),
    "dialog.failed": _column(dialogs.c.failed_count > 0),
    "dialog.group": _column(dialogs.c.is_group),
    "dialog.text": QueryField(sql=lambda _: None, words=_any_message),
    "contact.name": _contact(contacts.c.name_folded),
}
