"""The provider's templates of an account: kept as last synchronised, filled in when sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from crm_store.tables.users import accounts, templates
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import SaveTemplates
from hub.errors import Invalid, NotFound
from hub.events import TemplatesChanged
from hub.ids import AccountId
from hub.messages import Button
from hub.templates import Template, TemplateState

_PLACE = re.compile(r"\{\{\s*([^{}\s]{1,100})\s*\}\}")
MAX_TEMPLATES = 5000


def all_templates(
    reader: Reader, account_id: AccountId, *, approved: bool = False
) -> list[Template]:
    """Give the catalogue of an account, by name and language."""
    if not reader.viewer.sees_account(account_id):
        raise NotFound("there is no such account")
    statement = (
        select(templates)
        .where(templates.c.account_id == account_id)
        .order_by(templates.c.name, templates.c.language)
    )
    if approved:
        statement = statement.where(templates.c.state == TemplateState.APPROVED.value)
    return [_record(row) for row in reader.conn.execute(statement)]


def _record(row: Row[Any]) -> Template:
    return Template(
        name=row.name,
        language=row.language,
        category=row.category,
        header=row.header,
        media=row.media,
        body=row.body,
        footer=row.footer,
        variables=tuple(row.variables),
        examples=row.examples,
        buttons=tuple(Button(label=one[0], payload=one[1], url=one[2]) for one in row.buttons),
        state=TemplateState(row.state),
        reason=row.reason,
        reference=row.reference,
    )


def filled(template: Template, values: Mapping[str, str]) -> str:
    """Give how a template reads with these values; raises Invalid for what is missing."""
    missing = [one for one in template.variables if not values.get(one, "").strip()]
    if missing:
        raise Invalid(f"the template needs {', '.join(missing)}", field="template_values")

    def put(found: re.Match[str]) -> str:
        return values.get(found[1], found[0])

    parts = (template.header, template.body, template.footer)
    return "\n\n".join(_PLACE.sub(put, one) for one in parts if one)


def approved(conn: Connection, account_id: int, name: str, language: str) -> Template:
    """Give a template that may be sent; without a language the only one there is.

    Raises Invalid where there is none, or the provider has not approved it.
    """
    statement = select(templates).where(
        templates.c.account_id == account_id, templates.c.name == name
    )
    if language:
        statement = statement.where(templates.c.language == language)
    rows = conn.execute(statement.order_by(templates.c.language)).all()
    if not rows:
        raise Invalid("there is no such template", field="template")
    if len(rows) > 1:
        raise Invalid("say in which language", field="template_language")
    if rows[0].state != TemplateState.APPROVED.value:
        raise Invalid("the provider has not approved this template", field="template")
    return _record(rows[0])


def save_templates(uow: UnitOfWork, command: SaveTemplates) -> int:
    """Put a fresh catalogue in the place of the old one; gives how many entries differ."""
    account_id = command.account_id
    if command.error:
        uow.conn.execute(
            update(accounts)
            .where(accounts.c.id == account_id)
            .values(templates_error=command.error[:2000])
        )
        return 0
    # Locks the account's row: the loop and somebody's button may ask side by side.
    asked_at = command.asked_at or uow.now
    newest = uow.conn.execute(
        update(accounts)
        .where(accounts.c.id == account_id, accounts.c.templates_at <= asked_at)
        .values(templates_at=asked_at, templates_error="")
    )
    if not newest.rowcount:
        return 0
    old = {
        (row.name, row.language): _record(row)
        for row in uow.conn.execute(select(templates).where(templates.c.account_id == account_id))
    }
    new = {(one.name[:400], one.language[:40]): one for one in command.templates[:MAX_TEMPLATES]}
    changed = [key for key, one in new.items() if old.get(key) != one]
    gone = [key for key in old if key not in new]
    for name, language in (*gone, *(key for key in changed if key in old)):
        uow.conn.execute(
            delete(templates).where(
                templates.c.account_id == account_id,
                templates.c.name == name,
                templates.c.language == language,
            )
        )
    if changed:
        rows = [_row(account_id, key, new[key], uow.now) for key in changed]
        uow.conn.execute(insert(templates), rows)
    if changed or gone:
        uow.record(TemplatesChanged(account_id=account_id))
    return len(changed) + len(gone)


def _row(account_id: int, key: tuple[str, str], one: Template, now: int) -> dict[str, Any]:
    values = asdict(one)
    values |= {
        "account_id": account_id,
        "name": key[0],
        "language": key[1],
        "variables": list(one.variables),
        "examples": dict(one.examples),
        "buttons": [[each.label, each.payload, each.url] for each in one.buttons],
        "state": one.state.value,
        "changed_at": now,
    }
    return values
