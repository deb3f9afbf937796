"""Dialogs: the list, one, its thread, and everything that an agent does to it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response

from crm_store import dialog_counts
from crm_store import messages as message_reads
from crm_store.dialog_merges import merges_of
from hub import commands as c
from hub.errors import Invalid, NotFound
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.errors import failures
from hub.http_api.shapes import dialogs as s
from hub.http_api.shapes.messages import Message
from hub.http_api.shapes.thread import HistoryLine, Thread
from hub.ids import AccountId, AttachmentId, ContactId, DialogId, MergeId, MessageId, TeamId, UserId
from hub.messages import Address
from hub.records.dialogs import DialogQuery
from hub.shapes import GivenId, Listing, Made, check_storable
from hub.wire_json import plain_values, rfc3339

router = rights.router("Dialogs")

DialogKey = Annotated[GivenId, Path(alias="dialog_id", description="The dialog.")]
MAX_FILTER = 20_000


async def shown(caller: Caller, dialog_id: int) -> s.Dialog:
    """Give a dialog as it is now."""
    return s.Dialog.model_validate(await caller.hub.dialog(DialogId(dialog_id)))


@router.get("/dialogs", summary="List dialogs")
async def page(
    caller: rights.MayViewDialogs,
    view: Annotated[
        str,
        Query(
            max_length=40,
            description="mine, unassigned, all, waiting, waiting_client, snoozed, closed, failed, "
            "mentions, drafts, everything",
        ),
    ] = "all",
    account_id: GivenId | None = None,
    channel: Annotated[str, Query(max_length=100)] = "",
    team_id: GivenId | None = None,
    assignee_id: GivenId | None = None,
    contact_id: GivenId | None = None,
    address: Annotated[
        str, Query(max_length=400, description="The person's exact address; needs address_kind.")
    ] = "",
    address_kind: Annotated[str, Query(max_length=100)] = "",
    tag: Annotated[str, Query(max_length=400)] = "",
    filter: Annotated[
        str,
        Query(max_length=MAX_FILTER, description="A tree of the filter language, as JSON."),
    ] = "",
    sort: Literal["newest", "oldest", "oldest_waiting"] = "newest",
    before: Annotated[str, Query(max_length=50, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.Dialog]:
    """Give a page of the dialogs you may see. Pages are continued by key, so that a dialog that
    moves while you read is neither lost nor given twice within what stands still."""
    found = await caller.hub.dialogs(
        DialogQuery(
            view=view,
            account_id=AccountId(account_id or 0),
            channel=channel,
            team_id=TeamId(team_id or 0),
            assignee_id=UserId(assignee_id or 0),
            contact_id=ContactId(contact_id or 0),
            address=address,
            address_kind=address_kind,
            tag=tag,
            filter=tree_of(filter),
            sort=sort,
            before=before,
            limit=limit,
        )
    )
    return Listing[s.Dialog](
        items=[s.Dialog.model_validate(one) for one in found.dialogs], next=found.next
    )


def tree_of(given: str) -> dict[str, Any] | None:
    if not given:
        return None
    try:
        tree = json.loads(given)
        check_storable(tree)
    except (ValueError, RecursionError) as error:
        raise Invalid("the filter is not JSON", field="filter") from error
    if not isinstance(tree, dict):
        raise Invalid("a filter is an object", field="filter")
    return tree


@router.post(
    "/dialogs", status_code=201, summary="Write to somebody first", responses=failures(409)
)
async def start(caller: rights.MayAnswer, body: s.StartDialog) -> s.Dialog:
    """Open a dialog with somebody, or give the open one where the channel has one per person."""
    made = await caller.hub.do(
        c.StartDialog(
            account_id=AccountId(body.account_id), to=address_of(body.to), subject=body.subject
        )
    )
    return await shown(caller, made[0])


def address_of(given: s.GivenAddress) -> Address:
    """Give an address as the core spells it: mail addresses in lower case."""
    value = given.value.strip()
    return Address(
        kind=given.kind.strip(),
        value=value.lower() if given.kind.strip() == "email" else value,
        name=given.name.strip(),
    )


@router.get("/dialogs/counters", summary="Count dialogs by view")
async def counters(caller: rights.MayViewDialogs) -> s.Counters:
    """Count what each standing view holds for you."""
    return s.Counters.model_validate(await caller.hub.read(dialog_counts.counters))


@router.get("/dialogs/{dialog_id}", summary="One dialog")
async def one(caller: rights.MayViewDialogs, dialog_id: DialogKey) -> s.Dialog:
    """Give one dialog."""
    return await shown(caller, dialog_id)


@router.patch("/dialogs/{dialog_id}", summary="Change a dialog", responses=failures(409))
async def change(caller: rights.MayAnswer, dialog_id: DialogKey, body: s.ChangeDialog) -> s.Dialog:
    """Set the status, the subject, the priority, snooze or mute: all in one transaction."""
    key = DialogId(dialog_id)
    commands: list[c.Command] = []
    if body.status is not None:
        commands.append(
            c.SetDialogStatus(
                dialog_id=key, status=body.status, expected=body.expected_status or ""
            )
        )
    elif body.expected_status is not None:
        raise Invalid("expected_status belongs to a status", field="expected_status")
    if body.snoozed_until is not None:
        if body.status is not None:
            raise Invalid("either a status or a snooze", field="snoozed_until")
        commands.append(c.SnoozeDialog(dialog_id=key, until=body.snoozed_until))
    if body.subject is not None:
        commands.append(c.SetSubject(dialog_id=key, subject=body.subject))
    if body.priority is not None:
        commands.append(c.SetPriority(dialog_id=key, priority=body.priority))
    if body.muted is not None:
        commands.append(c.MuteDialog(dialog_id=key, muted=body.muted))
    if commands:
        await caller.hub.do(*commands)
    return await shown(caller, dialog_id)


@router.put("/dialogs/{dialog_id}/assignee", summary="Assign", responses=failures(409))
async def assign(caller: rights.MayAssign, dialog_id: DialogKey, body: s.Assign) -> s.Dialog:
    """Give a dialog to a colleague, a team, or nobody."""
    await caller.hub.do(
        c.AssignDialog(
            dialog_id=DialogId(dialog_id),
            user_id=UserId(body.user_id or 0),
            team_id=TeamId(body.team_id or 0) if "team_id" in body.model_fields_set else None,
            expected=UserId(body.expected) if body.expected is not None else None,
        )
    )
    return await shown(caller, dialog_id)


@router.post("/dialogs/{dialog_id}/tags", summary="Add and remove tags")
async def tag(caller: rights.MayAnswer, dialog_id: DialogKey, body: s.ChangeTags) -> s.Dialog:
    """Add and remove tags by name."""
    await caller.hub.do(
        c.TagDialog(dialog_id=DialogId(dialog_id), add=tuple(body.add), remove=tuple(body.remove))
    )
    return await shown(caller, dialog_id)


@router.put("/dialogs/{dialog_id}/read", summary="Mark read or unread")
async def mark(caller: rights.MayViewDialogs, dialog_id: DialogKey, body: s.MarkRead) -> s.Dialog:
    """Move your own mark."""
    await caller.hub.do(
        c.MarkRead(dialog_id=DialogId(dialog_id), message_id=MessageId(body.message_id or 0))
    )
    return await shown(caller, dialog_id)


@router.post(
    "/dialogs/{dialog_id}/split", status_code=201, summary="Split", responses=failures(409)
)
async def split(caller: rights.MayAnswer, dialog_id: DialogKey, body: s.SplitDialog) -> s.Dialog:
    """Move a message and all after it to a new dialog; gives the new one."""
    made = await caller.hub.do(
        c.SplitDialog(
            dialog_id=DialogId(dialog_id),
            message_id=MessageId(body.message_id),
            subject=body.subject,
        )
    )
    return await shown(caller, made[0])


@router.post("/dialogs/{dialog_id}/merge", summary="Merge", responses=failures(409))
async def merge(caller: rights.MayAnswer, dialog_id: DialogKey, body: s.MergeDialogs) -> s.Dialog:
    """Append another dialog of the account to this one; gives the survivor."""
    await caller.hub.do(
        c.MergeDialogs(survivor_id=DialogId(dialog_id), merged_id=DialogId(body.merged_id))
    )
    return await shown(caller, dialog_id)


@router.get("/dialogs/{dialog_id}/merges", summary="Its merges")
async def merges(caller: rights.MayViewDialogs, dialog_id: DialogKey) -> Listing[s.DialogMerge]:
    """Give the merges into this dialog that were not undone, the newest first: that one is undone
    first."""
    await caller.hub.dialog(DialogId(dialog_id))
    found = await caller.hub.read(merges_of, DialogId(dialog_id))
    return Listing[s.DialogMerge](items=[s.DialogMerge.model_validate(one) for one in found])


@router.delete(
    "/dialogs/merges/{merge_id}", summary="Undo a merge of dialogs", responses=failures(409)
)
async def undo_merge(
    caller: rights.MayAnswer, merge_id: Annotated[GivenId, Path(description="The merge.")]
) -> s.Dialog:
    """Make one dialog two again; gives the one that comes back. What was written since stays with the
    survivor. 409 says why the two cannot be told apart any more."""
    back = (await caller.hub.do(c.UndoMergeDialogs(merge_id=MergeId(merge_id))))[0]
    return await shown(caller, back)


@router.put("/dialogs/{dialog_id}/contact", summary="Link to a contact", responses=failures(409))
async def link(caller: rights.MayEditContacts, dialog_id: DialogKey, body: s.LinkContact) -> Made:
    """Say that the dialog is with another contact than was thought."""
    await caller.hub.do(
        c.LinkContact(dialog_id=DialogId(dialog_id), contact_id=ContactId(body.contact_id))
    )
    return Made(id=str(dialog_id))


@router.get("/dialogs/{dialog_id}/thread", summary="What was said")
async def thread(
    caller: rights.MayViewDialogs,
    dialog_id: DialogKey,
    before: Annotated[GivenId | None, Query(description="Entries before this message.")] = None,
    after: Annotated[GivenId | None, Query(description="Entries after this message.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Thread:
    """Give a window of a dialog, oldest first: the newest one, or before or after a message."""
    if before and after:
        raise Invalid("either before or after", field="after")
    found = await caller.hub.thread(
        DialogId(dialog_id),
        before=MessageId(before or 0),
        after=MessageId(after or 0),
        limit=limit,
    )
    lines = [
        HistoryLine(
            event_id=f"{caller.hub.runtime.epoch}-{line.event_id}",
            at=rfc3339(line.at),
            type=line.type,
            actor=s.Actor.model_validate(line.actor),
            actor_name=line.actor_name,
            cause=s.Cause.model_validate(line.cause),
            data=plain_values(line.data),
        )
        for line in found.history
    ]
    return Thread(
        dialog=s.Dialog.model_validate(found.dialog),
        messages=[Message.model_validate(each) for each in found.messages],
        history=lines,
        has_older=found.has_older,
        has_newer=found.has_newer,
        read_up_to=str(found.read_up_to) if found.read_up_to else None,
    )


@router.get("/dialogs/{dialog_id}/draft", summary="The own draft")
async def draft(caller: rights.MayViewDialogs, dialog_id: DialogKey) -> s.Draft:
    """Give what you have not sent yet; 404 where there is nothing."""
    await caller.hub.dialog(DialogId(dialog_id))
    found = await caller.hub.read(message_reads.draft, DialogId(dialog_id))
    if found is None:
        raise NotFound("there is no draft")
    return s.Draft.model_validate(found)


@router.put("/dialogs/{dialog_id}/draft", status_code=204, summary="Save the own draft")
async def save_draft(caller: rights.MayNote, dialog_id: DialogKey, body: s.SaveDraft) -> Response:
    """Keep your unsent text; an empty one removes it."""
    await caller.hub.do(
        c.SaveDraft(
            dialog_id=DialogId(dialog_id),
            mode=body.mode,
            text=body.text,
            attachments=tuple(AttachmentId(each) for each in body.attachments),
            reply_to=MessageId(body.reply_to or 0),
        )
    )
    return Response(status_code=204)
