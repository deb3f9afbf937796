"""Twilio's contents as templates: their words, variables, buttons, and what WhatsApp thinks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.whatsapp.variables import names
from hub import Button, Template, TemplateState

STATES = {
    "approved": TemplateState.APPROVED,
    "rejected": TemplateState.REJECTED,
    "paused": TemplateState.PAUSED,
    "disabled": TemplateState.DISABLED,
}
NOT_SUBMITTED = "not submitted to WhatsApp"
PLAIN = ("twilio/", "whatsapp/")


def template(content: Any) -> Template | None:
    """Read one content; None where it has nothing that WhatsApp shows."""
    shapes = {name: one for name, one in (content.types or {}).items() if name.startswith(PLAIN)}
    if not shapes:
        return None
    shape: Mapping[str, Any] = next(iter(shapes.values())) or {}
    approval: Mapping[str, Any] = content.approval_requests or {}
    status = str(approval.get("status", "unsubmitted"))
    header = str(shape.get("title") or shape.get("header_text") or "")
    body, footer = str(shape.get("body") or ""), str(shape.get("subtitle") or "")
    media = [str(one) for one in shape.get("media") or ()]
    defaults = {str(name): str(value) for name, value in (content.variables or {}).items()}
    found = names(header, body, footer, *media) or tuple(defaults)
    reason = str(approval.get("rejection_reason") or "")
    return Template(
        name=str(approval.get("name") or content.friendly_name or content.sid),
        language=str(content.language or ""),
        category=str(approval.get("category") or "").lower(),
        header=header,
        body=body,
        footer=footer,
        variables=found,
        examples=defaults,
        buttons=tuple(_buttons(shape)),
        state=STATES.get(status, TemplateState.PENDING),
        reason=NOT_SUBMITTED if status == "unsubmitted" else reason,
        reference=str(content.sid),
    )


def _buttons(shape: Mapping[str, Any]) -> list[Button]:
    found = []
    for one in shape.get("actions") or ():
        label = str(one.get("title") or "")
        address = str(one.get("url") or "")
        found.append(Button(label=label, payload=str(one.get("id") or ""), url=address))
    for one in shape.get("items") or ():
        label = str(one.get("item") or one.get("name") or "")
        found.append(Button(label=label, payload=str(one.get("id") or "")))
    return [one for one in found if one.label]
