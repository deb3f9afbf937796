"""Asking: the action of rules, and the job that writes to the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel
from pydantic import Field as Param

from hub import (
    Action,
    ActionHeld,
    Button,
    Command,
    Conflict,
    DialogId,
    Facts,
    Hub,
    Invalid,
    Lane,
    RunJob,
    SendMessage,
    Unsupported,
)
from plugins.csat.commands import KeepAsk

JOB = "csat.ask"
PURPOSE = "csat.mark"
MARKS = 5


class Ask(Action):
    """Ask the client of the dialog for a mark."""

    name = "ask"
    label = "ask for a mark"
    translations: ClassVar = {"ru": "попросить оценку"}
    group = "words"
    speaks = True
    writes: ClassVar = {}
    brings = ("csat.asked", "message.sent", "message.failed", "message.read")
    needs = frozenset({"dialog"})

    class Params(BaseModel):
        """How, and how often at most."""

        text: str = Param(title="Text", min_length=1, max_length=1000)
        days: int = Param(30, title="Once in so many days", ge=1, le=3650)

    def plan(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Queue it, once for each event."""
        if facts.dialog is None:
            raise ActionHeld("this did not happen in a dialog")
        payload: dict[str, object] = {
            "dialog_id": str(facts.dialog.id),
            "text": params.text,
            "days": params.days,
        }
        return [RunJob(name=JOB, payload=payload, key=f"dialog:{facts.dialog.id}")]


async def ask(hub: Hub, payload: Mapping[str, Any]) -> None:
    """Write the ask and the message in one transaction; a second run finds the first."""
    dialog = await hub.dialog(DialogId(int(payload["dialog_id"])))
    ask_id = hub.new_id()
    account = await hub.account(dialog.account_id)
    able = hub.capabilities(account.channel)
    made = hub.fill(str(payload["text"]), (await hub.values(dialog_id=dialog.id)).texts)
    if made.missing:
        hub.log.info("csat_not_asked dialog=%d missing=%s", dialog.id, ",".join(made.missing))
        return
    text = made.text
    buttons: tuple[Button, ...] = ()
    if able is not None and able.buttons >= MARKS:
        buttons = tuple(
            Button(label=str(mark), payload=f"csat:{ask_id}:{mark}") for mark in range(1, MARKS + 1)
        )
    else:
        token = hub.sign(PURPOSE, str(ask_id))
        text = f"{text}\n\n{hub.public_url(f'/p/csat/mark/{token}')}"
    kept = KeepAsk(
        ask_id=ask_id,
        dialog_id=dialog.id,
        contact_id=dialog.contact_id,
        user_id=dialog.assignee_id,
        channel=account.channel,
        days=int(payload["days"]),
    )
    sent = SendMessage(
        dialog_id=dialog.id, text=text, buttons=buttons, lane=Lane.TRIGGER, automated=True
    )
    try:
        await hub.do(kept, sent)
    except (Conflict, Invalid, Unsupported) as error:
        hub.log.info("csat_not_asked dialog=%d error=%s", dialog.id, type(error).__name__)
