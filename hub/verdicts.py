"""The verdict on an enquiry: a lead, a request, an interest, attached to what is open, rejected.

The screen and the API share it. Each verdict is one or two ordinary commands; whatever is said can
be taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.commands import (
    AddNote,
    BlockAddress,
    Command,
    CreateLead,
    CreateObject,
    LinkDialog,
    RemoveObject,
    SetDialogStatus,
)
from hub.errors import Invalid
from hub.ids import AddressId
from hub.objects import Ref
from hub.records.dialogs import Dialog

MADE = ("lead", "request", "interest")
VERDICTS = (*MADE, "attached", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What somebody says an enquiry is; `remember` refuses the sender from now on."""

    what: str
    reason: str = ""
    remember: bool = True
    to: Ref = Ref(kind="", id=0)


def carried_out(dialog: Dialog, verdict: Verdict) -> list[Command]:
    """Give the commands that carry a verdict out; raises Invalid."""
    match verdict.what:
        case "lead":
            return [CreateLead(dialog_id=dialog.id, unless_open=True)]
        case "request" | "interest":
            return [CreateObject(kind=verdict.what, dialog_id=dialog.id)]
        case "attached":
            if not verdict.to.id:
                raise Invalid("say what it belongs to", field="to")
            return [LinkDialog(kind=verdict.to.kind, dialog_id=dialog.id, object_id=verdict.to.id)]
        case "rejected":
            return _rejected(dialog, verdict)
    raise Invalid("there is no such verdict", field="verdict")


def _rejected(dialog: Dialog, verdict: Verdict) -> list[Command]:
    reason = verdict.reason.strip()[:200]
    if not reason:
        raise Invalid("say why it is rejected", field="reason")
    commands: list[Command] = [
        AddNote(dialog_id=dialog.id, text=reason),
        SetDialogStatus(dialog_id=dialog.id, status="closed"),
    ]
    if verdict.remember and dialog.address_id:
        commands.insert(0, BlockAddress(address_id=AddressId(dialog.address_id), reason=reason))
    return commands


def taken_back(dialog: Dialog, verdict: Verdict) -> Sequence[Command]:
    """Give the commands that take a verdict back; `to` names what was made or attached."""
    match verdict.what:
        case "lead" | "request" | "interest" | "attached":
            kind, number = verdict.to.kind or verdict.what, verdict.to.id
            loose = LinkDialog(kind=kind, dialog_id=dialog.id, object_id=number, unlink=True)
            if verdict.what == "attached":
                return [loose]
            # It goes into the bin, and the enquiry waits for a verdict again.
            return [loose, RemoveObject(kind=kind, object_id=number)]
    commands: list[Command] = [SetDialogStatus(dialog_id=dialog.id, status="open")]
    if verdict.remember and dialog.address_id:
        commands.insert(0, BlockAddress(address_id=AddressId(dialog.address_id), reason=""))
    return commands
