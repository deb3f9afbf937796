"""What a press of a key or a button does: small JSON requests, each one command.

One table of verbs; the body's values become the command's fields. The browser shows the
result before the answer comes, so every answer says what really is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crm_store import accounts as account_reads
from crm_store import attachments as attachment_reads
from hub import commands as c
from hub.commands import Command
from hub.errors import HubError, Invalid
from hub.feed import Signal
from hub.ids import (
    AccountId,
    AddressId,
    AttachmentId,
    ClientId,
    ContactId,
    DialogId,
    MergeId,
    MessageId,
    Micros,
    RequestId,
    SaidId,
    TaskId,
    TeamId,
    UserId,
)
from hub.messages import Address, Attachment, Button
from hub.records.dialogs import Dialog
from hub.web.addresses import given_address, owner_of
from hub.web.bodies import object_in
from hub.web.errors import as_json, status_of
from hub.web.numbers import number
from hub.zones import zone_names

Body = Mapping[str, Any]
MAX_TEXT = 200_000
MAX_DELAY = 120


def _text(body: Body, name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise Invalid("this is not a text", field=name)
    return value


def _zone(name: str) -> str:
    if name not in zone_names():
        raise Invalid("There is no such time zone.", field="zone")
    return name


def _dialog(body: Body) -> DialogId:
    return DialogId(number(body.get("dialog", ""), "dialog"))


def _message(body: Body) -> MessageId:
    return MessageId(number(body.get("message", ""), "message"))


def _ids(body: Body, name: str) -> tuple[int, ...]:
    given = body.get(name) or []
    if not isinstance(given, list) or len(given) > 200:
        raise Invalid("this is not a list of ids", field=name)
    return tuple(number(one, name) for one in given)


def _people(body: Body, name: str, kind: str) -> tuple[Address, ...]:
    given = body.get(name) or []
    if not isinstance(given, list) or len(given) > 100:
        raise Invalid("this is not a list of addresses", field=name)
    return tuple(
        Address(kind=kind, value=str(one).strip().lower()[:320])
        for one in given
        if str(one).strip()
    )


def _send(body: Body) -> Command:
    to = _text(body, "to").strip()
    return c.SendMessage(
        dialog_id=_dialog(body),
        text=_text(body, "text").strip(),
        html=_text(body, "html"),
        subject=_text(body, "subject")[:400],
        to=Address(kind="email", value=to) if to else None,
        cc=_people(body, "cc", "email"),
        bcc=_people(body, "bcc", "email"),
        attachments=tuple(AttachmentId(one) for one in _ids(body, "files")),
        buttons=_buttons(body),
        template=_text(body, "template")[:400],
        template_language=_text(body, "template_language")[:40],
        template_values=_values(body),
        reply_to=MessageId(number(body.get("reply_to") or 0, "reply_to")),
        idempotency_key=_text(body, "key"),
        seen_message_id=MessageId(number(body.get("seen") or 0, "seen")),
        send_anyway=bool(body.get("anyway")),
        due_at=Micros(number(body.get("due_at") or 0, "due_at")),
        then=_text(body, "then"),
        suggested=_text(body, "suggested")[:200],
    )


def _buttons(body: Body) -> tuple[Button, ...]:
    given = body.get("buttons") or []
    if not isinstance(given, list) or len(given) > 50:
        raise Invalid("this is not a list of buttons", field="buttons")
    found = []
    for one in given:
        label = str(one.get("label", "")).strip()[:200]
        url = str(one.get("url", "")).strip()[:2000]
        found.append(Button(label=label, payload="" if url else label, url=url))
    return tuple(found)


def _values(body: Body) -> tuple[tuple[str, str], ...]:
    given = body.get("template_values") or {}
    if not isinstance(given, dict) or len(given) > 100:
        raise Invalid("these are not a template's values", field="template_values")
    return tuple((str(name)[:100], str(value)[:2000]) for name, value in given.items())


def _delayed(body: dict[str, Any], now: Micros) -> dict[str, Any]:
    """Turn the seconds in which a send can be undone into an instant of our own clock."""
    seconds = number(body.get("delay") or 0, "delay")
    if not seconds or body.get("due_at"):
        return body
    return {**body, "due_at": now + min(seconds, MAX_DELAY) * 1_000_000}


def _note(body: Body) -> Command:
    return c.AddNote(
        dialog_id=_dialog(body),
        text=_text(body, "text").strip(),
        mentions=tuple(UserId(one) for one in _ids(body, "mentions")),
        attachments=tuple(AttachmentId(one) for one in _ids(body, "files")),
        idempotency_key=_text(body, "key"),
    )


def _assign(body: Body) -> Command:
    team = body.get("team")
    return c.AssignDialog(
        dialog_id=_dialog(body),
        user_id=UserId(number(body.get("user") or 0, "user")),
        team_id=TeamId(number(team, "team")) if team is not None else None,
        expected=UserId(number(body["expected"], "expected")) if "expected" in body else None,
    )


def _draft(body: Body) -> Command:
    return c.SaveDraft(
        dialog_id=_dialog(body),
        mode="note" if body.get("mode") == "note" else "reply",
        text=_text(body, "text"),
        attachments=tuple(AttachmentId(one) for one in _ids(body, "files")),
    )


def _contact(body: Body) -> Command:
    fields: dict[str, Any] = {
        name: _text(body, name)
        for name in ("name", "position", "language", "time_zone", "notes")
        if name in body
    }
    return c.UpdateContact(
        contact_id=ContactId(number(body.get("contact"), "contact")),
        version=int(body["version"]) if "version" in body else None,
        **fields,
    )


VERBS: dict[str, Callable[[Body], Command]] = {
    "send": _send,
    "note": _note,
    "assign": _assign,
    "draft": _draft,
    "contact": _contact,
    "status": lambda b: c.SetDialogStatus(dialog_id=_dialog(b), status=_text(b, "status")),
    "snooze": lambda b: c.SnoozeDialog(
        dialog_id=_dialog(b), until=Micros(number(b.get("until"), "until"))
    ),
    "tag": lambda b: c.TagDialog(
        dialog_id=_dialog(b),
        add=tuple(str(one)[:60] for one in b.get("add", ())),
        remove=tuple(str(one)[:60] for one in b.get("remove", ())),
    ),
    "subject": lambda b: c.SetSubject(dialog_id=_dialog(b), subject=_text(b, "subject")),
    "priority": lambda b: c.SetPriority(dialog_id=_dialog(b), priority=int(b.get("priority") or 0)),
    "read": lambda b: c.MarkRead(dialog_id=_dialog(b), message_id=_message(b)),
    "unread": lambda b: c.MarkRead(dialog_id=_dialog(b)),
    "mute": lambda b: c.MuteDialog(dialog_id=_dialog(b), muted=bool(b.get("muted"))),
    "split": lambda b: c.SplitDialog(
        dialog_id=_dialog(b), message_id=_message(b), subject=_text(b, "subject")
    ),
    "merge": lambda b: c.MergeDialogs(
        survivor_id=_dialog(b), merged_id=DialogId(number(b.get("other"), "other"))
    ),
    "apart": lambda b: c.UndoMergeDialogs(merge_id=MergeId(number(b.get("merge"), "merge"))),
    "cancel": lambda b: c.CancelSend(message_id=_message(b)),
    "reschedule": lambda b: c.RescheduleSend(
        message_id=_message(b), due_at=Micros(number(b.get("due_at") or 0, "due_at"))
    ),
    "retry": lambda b: c.RetryDelivery(
        message_id=_message(b), even_if_unknown=bool(b.get("even_if_unknown"))
    ),
    "fetch": lambda b: c.FetchAttachment(attachment_id=AttachmentId(number(b.get("file"), "file"))),
    "edit": lambda b: c.EditMessage(message_id=_message(b), text=_text(b, "text")),
    "retract": lambda b: c.RetractMessage(message_id=_message(b)),
    "react": lambda b: c.ReactToMessage(message_id=_message(b), emoji=_text(b, "emoji")[:40]),
    "label": lambda b: c.LabelMessage(message_id=_message(b), label=_text(b, "label")),
    "delete": lambda b: c.DeleteMessage(message_id=_message(b)),
    "address": lambda b: c.AddAddress(
        contact_id=ContactId(number(b.get("contact"), "contact")),
        address=given_address(_text(b, "kind"), _text(b, "value")),
    ),
    "block": lambda b: c.BlockAddress(
        address_id=AddressId(number(b.get("address"), "address")), reason=_text(b, "reason")
    ),
    "same": lambda b: c.MergeContacts(
        survivor_id=ContactId(number(b.get("survivor"), "survivor")),
        merged_id=ContactId(number(b.get("merged"), "merged")),
    ),
    "unmerge": lambda b: c.UndoMerge(merge_id=MergeId(number(b.get("merge"), "merge"))),
    "not-same": lambda b: c.RejectDuplicate(
        kind="contact", a_id=number(b.get("a"), "a"), b_id=number(b.get("b"), "b")
    ),
    "said": lambda b: c.SettleSaid(
        said_id=SaidId(number(b.get("said"), "said")), take=bool(b.get("take"))
    ),
    "aside": lambda b: c.SetAside(
        dialog_ids=tuple(DialogId(one) for one in _ids(b, "dialogs")), reason=_text(b, "reason")
    ),
    "client": lambda b: c.BelongTo(
        dialog_ids=tuple(DialogId(one) for one in _ids(b, "dialogs")),
        client_id=ClientId(number(b.get("client") or 0, "client")),
    ),
    "start": lambda b: c.StartDialog(
        account_id=AccountId(number(b.get("account"), "account")),
        to=Address(kind=_text(b, "kind"), value=_text(b, "to").strip().lower()),
        subject=_text(b, "subject"),
    ),
    "view": lambda b: c.SaveView(
        name=_text(b, "name"), filter={"query": _text(b, "query")}, shared=bool(b.get("shared"))
    ),
    "zone": lambda b: c.UpdateProfile(time_zone=_zone(_text(b, "zone"))),
    "request": lambda b: c.CreateObject(kind="request", dialog_id=_dialog(b)),
    "request-status": lambda b: c.SetRequestStatus(
        request_id=RequestId(number(b.get("request"), "request")),
        status=_text(b, "status"),
        reason=_text(b, "reason"),
        solution=_text(b, "solution"),
    ),
    "checklist": lambda b: c.ChangeChecklist(
        request_id=RequestId(number(b.get("request"), "request")),
        tick=_ids(b, "tick"),
        untick=_ids(b, "untick"),
    ),
    "task-done": lambda b: c.FinishTask(
        task_id=TaskId(number(b.get("task"), "task")), undo=bool(b.get("undo"))
    ),
    "task-review": lambda b: c.ReviewTask(
        task_id=TaskId(number(b.get("task"), "task")), accept=bool(b.get("accept"))
    ),
    "notices-read": lambda b: c.ReadNotices(
        notice_ids=_ids(b, "notices"), unread=bool(b.get("unread"))
    ),
    "drop-view": lambda b: c.RemoveView(view_id=number(b.get("view"), "view")),
}


def plain(value: object) -> object:
    """Give a command's result as JSON: ids are strings."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


async def act(request: Request) -> Response:
    """Carry out one verb."""
    build = VERBS.get(request.path_params["verb"])
    if build is None:
        return JSONResponse({"error": {"code": "notfound", "message": "no such verb"}}, 404)
    if not getattr(request.state, "csrf_checked", False):
        return JSONResponse({"error": {"code": "csrf", "message": "reload the page"}}, 403)
    try:
        body = await object_in(request)
        result = (await request.state.hub.do(build(_delayed(body, request.state.hub.now()))))[0]
    except HubError as error:
        owner = await owner_of(request, error)
        return as_json(error, status_of(error), request.state.language, owner)
    except (TypeError, ValueError, OverflowError):
        return JSONResponse({"error": {"code": "invalid", "message": "wrong values"}}, 422)
    if request.path_params["verb"] == "read" and _message(body):
        dialog = await request.state.hub.dialog(_dialog(body))
        await _show_person(request, dialog, "seen", str(_message(body)))
    return JSONResponse({"result": plain(result)})


async def _show_person(request: Request, dialog: Dialog, kind: str, value: str) -> bool:
    """Tell the person on the other side, where the channel can; never worth an error."""
    runtime = request.app.state.runtime
    capabilities = runtime.database.channels.get(dialog.channel)
    if capabilities is None or not capabilities.typing:
        return True
    try:
        to = Address(kind=dialog.address_kind, value=dialog.address)
        await runtime.signals.show_person(dialog.account_id, dialog.channel, to, kind, value)
    except HubError:
        return False
    return True


async def upload(request: Request) -> Response:
    """Keep a file until a message takes it; the limit is checked while it streams in."""
    if not getattr(request.state, "csrf_checked", False):
        return JSONResponse({"error": {"code": "csrf", "message": "reload the page"}}, 403)
    hub, runtime = request.state.hub, request.app.state.runtime
    dialog_id = DialogId(number(request.path_params["dialog_id"]))
    dialog = await hub.dialog(dialog_id)
    known = await runtime.database.read(lambda conn: account_reads.kind_of(conn, dialog.account_id))
    capabilities = runtime.database.channels.of(*known)
    media_type = request.headers.get("content-type", "application/octet-stream")[:200]
    most = runtime.settings.max_file
    limit = capabilities.limit_of(media_type) if capabilities is not None else most
    limit = min(limit or most, most)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            return JSONResponse(
                {"error": {"code": "too_large", "message": f"{limit // 1_000_000} MB"}}, 413
            )
    name = request.query_params.get("name", "file").replace("/", "_").replace("\\", "_")[:200]
    file = Attachment(
        name=name,
        media_type=media_type,
        content=bytes(content),
    )
    attachment_id = await hub.upload(file, dialog_id)
    record, _ = await hub.read(attachment_reads.attachment, attachment_id)
    return JSONResponse({"id": str(attachment_id), "name": record.name, "size": record.size})


async def signal(request: Request) -> Response:
    """Tell colleagues (and, where the channel can, the person) that somebody types or looks."""
    body = await object_in(request)
    kind = str(body.get("kind", ""))
    if kind not in ("viewing", "typing", "left"):
        return JSONResponse({"error": {"code": "invalid", "message": "no such signal"}}, 422)
    dialog = await request.state.hub.dialog(_dialog(body))
    runtime, user = request.app.state.runtime, request.state.user
    runtime.feed.signal(Signal(kind=kind, dialog_id=dialog.id, user_id=user.id, value=user.name))
    shown = True
    if kind == "typing" and not body.get("note"):
        shown = await _show_person(request, dialog, "typing", user.name)
    return JSONResponse({"result": shown})


def routes() -> list[Route]:
    """Give the routes of actions."""
    return [
        Route("/do/{verb}", act, methods=["POST"]),
        Route("/upload/{dialog_id:int}", upload, methods=["POST"]),
        Route("/signal", signal, methods=["POST"]),
    ]
