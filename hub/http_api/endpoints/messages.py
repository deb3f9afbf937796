"""Messages: answering, noting, and everything that can become of an answer."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import Path, Request, Response

from crm_store import deliveries as delivery_reads
from crm_store import messages as message_reads
from hub import commands as c
from hub.http_api import rights
from hub.http_api.caller import Caller, runtime_of
from hub.http_api.endpoints.dialogs import DialogKey, address_of
from hub.http_api.errors import failures
from hub.http_api.keyed import HEADER
from hub.http_api.shapes import messages as s
from hub.ids import NEVER, AttachmentId, DialogId, MessageId, UserId
from hub.measuring import measure
from hub.messages import Button
from hub.shapes import GivenId, Shape
from hub.wire_json import rfc3339

router = rights.router("Messages")

MessageKey = Annotated[GivenId, Path(alias="message_id", description="The message.")]
BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}


class TakenBack(Shape):
    """The text of a message that was taken back, to be written anew."""

    text: str


async def shown(caller: Caller, message_id: int) -> s.Message:
    """Give a message as it is now."""
    found = await caller.hub.read(message_reads.one, MessageId(message_id), False)
    return s.Message.model_validate(found)


@router.post(
    "/dialogs/{dialog_id}/messages", status_code=201, summary="Answer", responses=failures(409)
)
async def send(
    request: Request, caller: rights.MayAnswer, dialog_id: DialogKey, body: s.SendMessage
) -> s.Message:
    """Put an answer in the outbox. With `seen_message_id` the answer is refused (409
    `newer_messages`, with the number and the newest id in `details`) where something was written
    since; `send_anyway` sends it all the same. With `due_at` it leaves later and can be taken
    back until then. An `Idempotency-Key` makes it leave once, however often it is asked."""
    made = await caller.hub.do(
        c.SendMessage(
            dialog_id=DialogId(dialog_id),
            text=body.text,
            html=body.html,
            subject=body.subject,
            to=address_of(body.to) if body.to else None,
            cc=tuple(address_of(one) for one in body.cc),
            bcc=tuple(address_of(one) for one in body.bcc),
            attachments=tuple(AttachmentId(one) for one in body.attachments),
            buttons=tuple(
                Button(label=one.label, payload=one.payload, url=one.url) for one in body.buttons
            ),
            reply_to=MessageId(body.reply_to or 0),
            template=body.template,
            template_language=body.template_language,
            template_values=tuple(body.template_values.items()),
            # The outbox keeps the key too: a crash between the two still sends once.
            idempotency_key=_key(request),
            seen_message_id=MessageId(body.seen_message_id or 0),
            send_anyway=body.send_anyway,
            due_at=body.due_at or NEVER,
            then=body.then,
        )
    )
    return await shown(caller, made[0])


@router.post("/dialogs/{dialog_id}/measure", summary="Count a text before it is sent")
async def measured(
    request: Request, caller: rights.MayAnswer, dialog_id: DialogKey, body: s.MeasureText
) -> s.Measured:
    """Say in how many messages a text would leave, and what its channel knows of their cost."""
    dialog = await caller.hub.dialog(DialogId(dialog_id))
    found = await measure(runtime_of(request), dialog.account_id, body.text)
    return s.Measured.model_validate(found)


def _key(request: Request) -> str:
    given = request.headers.get(HEADER, "")
    return f"api:{given}" if given else ""


@router.post("/dialogs/{dialog_id}/notes", status_code=201, summary="Write a note")
async def note(
    request: Request, caller: rights.MayNote, dialog_id: DialogKey, body: s.AddNote
) -> s.Message:
    """Write a note that only colleagues see; those mentioned are told."""
    made = await caller.hub.do(
        c.AddNote(
            dialog_id=DialogId(dialog_id),
            text=body.text,
            mentions=tuple(UserId(one) for one in body.mentions),
            attachments=tuple(AttachmentId(one) for one in body.attachments),
            idempotency_key=_key(request),
        )
    )
    return await shown(caller, made[0])


@router.get("/messages/{message_id}", summary="One message, whole")
async def one(caller: rights.MayViewDialogs, message_id: MessageKey) -> s.WholeMessage:
    """Give a message with its full text and its HTML as it came."""
    return s.WholeMessage.model_validate(await caller.hub.message(MessageId(message_id)))


@router.get("/messages/{message_id}/versions", summary="Earlier texts")
async def versions(caller: rights.MayViewDialogs, message_id: MessageKey) -> list[s.MessageVersion]:
    """Give what an edited message said before, oldest first."""
    found = await caller.hub.read(message_reads.versions, MessageId(message_id))
    return [s.MessageVersion(at=rfc3339(at), text=text) for at, text in found]


@router.get("/messages/{message_id}/delivery", summary="What became of it")
async def delivery(caller: rights.MayViewDialogs, message_id: MessageKey) -> s.Delivery:
    """Give the delivery of an answer with every attempt; 404 for what came in."""
    found = await caller.hub.read(delivery_reads.delivery, MessageId(message_id))
    return s.Delivery.model_validate(found)


@router.get(
    "/messages/{message_id}/raw",
    summary="As it came",
    response_class=Response,
    responses=BYTES,
)
async def raw(request: Request, caller: rights.MayViewDialogs, message_id: MessageKey) -> Response:
    """Give the raw bytes of a message as a download."""
    content, blob_id, _ = await caller.hub.read(message_reads.raw, MessageId(message_id))
    if blob_id:
        content = await asyncio.to_thread(runtime_of(request).blobs.get, blob_id)
    return download(content, f"{message_id}.eml")


def download(content: bytes, name: str) -> Response:
    """Answer with bytes that no browser opens by itself."""
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


@router.post("/messages/{message_id}/cancel", summary="Take back", responses=failures(409))
async def cancel(caller: rights.MayAnswer, message_id: MessageKey) -> TakenBack:
    """Take an answer back that has not left; 409 `already_sent` once it is on its way."""
    found = await caller.hub.do(c.CancelSend(message_id=MessageId(message_id)))
    return TakenBack(text=found[0])


@router.post("/messages/{message_id}/reschedule", summary="Send later", responses=failures(409))
async def reschedule(
    caller: rights.MayAnswer, message_id: MessageKey, body: s.Reschedule
) -> s.Message:
    """Give a waiting answer another time to leave."""
    await caller.hub.do(c.RescheduleSend(message_id=MessageId(message_id), due_at=body.due_at))
    return await shown(caller, message_id)


@router.post("/messages/{message_id}/retry", summary="Send again", responses=failures(409))
async def retry(caller: rights.MayAnswer, message_id: MessageKey, body: s.Retry) -> s.Message:
    """Send a failed answer again; one that may have arrived (409 `unknown`) only when told so."""
    await caller.hub.do(
        c.RetryDelivery(message_id=MessageId(message_id), even_if_unknown=body.even_if_unknown)
    )
    return await shown(caller, message_id)


@router.patch("/messages/{message_id}", summary="Edit", responses=failures(409))
async def edit(caller: rights.MayAnswer, message_id: MessageKey, body: s.EditMessage) -> s.Message:
    """Change an answer that the person has, where the channel can. The text here changes when the
    provider has done it; until then, and where it refuses, `extra.acts.edit` says how it stands."""
    await caller.hub.do(c.EditMessage(message_id=MessageId(message_id), text=body.text))
    return await shown(caller, message_id)


@router.put("/messages/{message_id}/label", summary="Say what it is about")
async def label(caller: rights.MayAnswer, message_id: MessageKey, body: s.SayLabel) -> s.Message:
    """Overrule what a classifier said; `extra.label` has the name, the reason, who says so."""
    await caller.hub.do(c.LabelMessage(message_id=MessageId(message_id), label=body.label))
    return await shown(caller, message_id)


@router.post("/messages/{message_id}/retract", summary="Take back", responses=failures(409))
async def retract(caller: rights.MayAnswer, message_id: MessageKey) -> s.Message:
    """Take an answer back that the person has, where the channel can; here it stays readable."""
    await caller.hub.do(c.RetractMessage(message_id=MessageId(message_id)))
    return await shown(caller, message_id)


@router.put("/messages/{message_id}/reaction", summary="React", responses=failures(409))
async def react(caller: rights.MayAnswer, message_id: MessageKey, body: s.React) -> s.Message:
    """Show the person a reaction to a message, one of the channel's `reaction_choices`."""
    await caller.hub.do(c.ReactToMessage(message_id=MessageId(message_id), emoji=body.emoji))
    return await shown(caller, message_id)


@router.delete("/messages/{message_id}", status_code=204, summary="Delete")
async def delete(caller: rights.MayDelete, message_id: MessageKey) -> Response:
    """Remove a message from here for good."""
    await caller.hub.do(c.DeleteMessage(message_id=MessageId(message_id)))
    return Response(status_code=204)
