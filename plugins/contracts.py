"""Contracts: what a client has bought for how long, at which level of support.

A kind of its own, brought by `register_kinds`: its list, card, API, imports and history are made of
the description below. Beside a dialog stands what holds now for its client.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub import (
    Choice,
    Dialog,
    Hub,
    Kind,
    NavEntry,
    Panel,
    PanelLine,
    Property,
    PropertyType,
    described,
    hookimpl,
)

NAME = "contracts.contract"
SHOWN = 3
_T = PropertyType


def _prop(
    name: str, label: str, russian: str, type: PropertyType = _T.LINE, **more: Any
) -> Property:
    return Property(name=name, label=label, type=type, translations={"ru": russian}, **more)


def _choice(value: str, label: str, russian: str) -> Choice:
    return Choice(value, label, {"ru": russian})


CONTRACT = described(
    name=NAME,
    words=("contract", "contracts", "договор", "договоры"),
    read="contacts.view",
    write="contacts.edit",
    title="number",
    icon="file",
    keys=("number",),
    properties=(
        _prop("number", "Number", "Номер", required=True, listed=True, sortable=True),
        _prop("client_id", "Client", "Клиент", _T.REF, ref="client", listed=True),
        _prop("contact_id", "Signed by", "Подписал", _T.REF, ref="contact"),
        _prop(
            "status",
            "Status",
            "Состояние",
            _T.CHOICE,
            listed=True,
            choices=(
                _choice("draft", "being agreed", "согласуется"),
                _choice("active", "in force", "действует"),
                _choice("ended", "ended", "окончен"),
            ),
        ),
        _prop("subject", "Subject", "Предмет", listed=True),
        _prop("starts_on", "From", "С", _T.DATE),
        _prop("ends_on", "Until", "По", _T.DATE, listed=True, sortable=True),
        _prop("amount", "Amount", "Сумма", _T.MONEY, sortable=True),
        _prop("currency", "Currency", "Валюта"),
        _prop("owner_id", "Responsible", "Ответственный", _T.REF, ref="user", listed=True),
        _prop("team_id", "Team", "Команда", _T.REF, ref="team"),
        _prop("notes", "Terms", "Условия", _T.TEXT, personal=True),
        _prop("tags", "Tags", "Метки", _T.TAGS),
        _prop("created_at", "Created", "Создан", _T.INSTANT, editable=False, sortable=True),
    ),
)


@hookimpl
def register_kinds() -> list[Kind]:
    """Give the contracts."""
    return [CONTRACT]


@hookimpl
def register_ui() -> list[NavEntry]:
    """Stand in the rail."""
    return [
        NavEntry(
            key=NAME,
            title="Contracts",
            path=f"/{NAME}",
            icon="file",
            permission="contacts.view",
            order=130,
        )
    ]


@hookimpl
async def dialog_panels(hub: Hub, dialog: Dialog) -> list[Panel]:
    """Show which contracts are in force for the client of a dialog."""
    contact = await hub.contact(dialog.contact_id)
    if not contact.client_id:
        return []
    of_client = {
        "field": f"{NAME}.client",
        "operator": "equals",
        "value": str(contact.client_id),
    }
    in_force = {"field": f"{NAME}.status", "operator": "in", "value": ["active"]}
    found = await hub.find(NAME, filter={"all": [of_client, in_force]}, sort="ends_on", limit=SHOWN)
    if not found.items:
        return []
    lines = tuple(
        PanelLine(
            label=one.number,
            value=_until(one.ends_on),
            href=f"/{NAME}/{one.id}",
            tone="bad" if 0 < one.ends_on < hub.now() else "",
        )
        for one in found.items
    )
    return [Panel(key="contracts", title="Contracts", lines=lines, order=40)]


def _until(ends_on: int) -> str:
    return datetime.fromtimestamp(ends_on / 1_000_000, UTC).date().isoformat() if ends_on else ""
