"""Calling a webhook: the fact goes to one of the hub's outgoing webhooks, signed and repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel, Field

from hub import Action, ActionHeld, Command, Facts, RepeatWebhook, WebhookId


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
