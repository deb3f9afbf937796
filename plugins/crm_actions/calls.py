"""Telling others: a webhook is called, signed and repeated, or an event is published for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel, Field

from hub import (
    Action,
    ActionHeld,
    Command,
    ContactId,
    Facts,
    PublishEvent,
    Ref,
    RepeatWebhook,
    WebhookId,
    ready_text,
)
from plugins.crm_actions.work import EVERYTHING


class CallWebhook(Action):
    """Post what happened to an outgoing webhook."""

    name = "call_webhook"
    label = "call a webhook"
    translations: ClassVar = {"ru": "вызвать веб-хук"}
    group = "outside"

    class Params(BaseModel):
        """Which one."""

        webhook: str = Field(
            title="Webhook", pattern="^[0-9]{1,19}$", json_schema_extra={"ref": "webhook"}
        )

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Queue the fact for it."""
        if not facts.event.id:
            raise ActionHeld("a time that came is no fact to post")
        return [RepeatWebhook(webhook_id=WebhookId(int(params.webhook)), event_id=facts.event.id)]


class Publish(Action):
    """Publish an event of one's own: other rules, plugins and webhooks hear of it."""

    name = "publish"
    label = "publish an event"
    translations: ClassVar = {"ru": "опубликовать событие"}
    group = "outside"
    needs = EVERYTHING

    class Params(BaseModel):
        """Its name, and what is told with it."""

        name: str = Field(title="Name of the event", pattern="^[a-z][a-z0-9_.-]{0,59}$")
        text: str = Field("", title="Text", max_length=4000, json_schema_extra={"multiline": True})

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Publish it about what this rule's event is about."""
        about = facts.subject
        return [
            PublishEvent(
                name=params.name,
                text=ready_text(params.text, facts),
                dialog_id=facts.dialog_id,
                contact_id=facts.contact.id if facts.contact is not None else ContactId(0),
                about=about if facts.object(about.kind) is not None else Ref(kind="", id=0),
            )
        ]
