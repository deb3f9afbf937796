"""MAX's updates as arrivals: the same for the webhook and for long polling. Pure.

A message is known by its `mid`, which edits, take-backs, replies and presses of buttons name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from channels.max_messenger.content import Content, name_of, plain
from hub import (
    Address,
    Arrival,
    ButtonPressed,
    InboundMessage,
    MalformedPayload,
    MessageDeleted,
    MessageEdited,
    Micros,
    PeerChange,
    PeerEvent,
    bounded_key,
)

KIND = "max"
MS = 1000
Data = Mapping[str, Any]
OF_NO_INTEREST = frozenset(
    {
        "bot_added",
        "bot_removed",
        "chat_title_changed",
        "dialog_cleared",
        "dialog_muted",
        "dialog_removed",
        "dialog_unmuted",
        "message_chat_created",
    }
)
WANTED = (
    "message_created",
    "message_edited",
    "message_removed",
    "message_callback",
    "bot_started",
    "bot_stopped",
    "user_added",
    "user_removed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One update as MAX sent it."""

    type: str
    data: Data
    at: Micros
    raw: bytes


def read_update(data: object, received_at: Micros) -> list[Arrival]:
    """Give the arrivals of one update; raises MalformedPayload for what nobody can read."""
    if not isinstance(data, Mapping) or not isinstance(data.get("update_type"), str):
        raise MalformedPayload("this is not an update of MAX")
    kind = data["update_type"]
    if kind in OF_NO_INTEREST:
        return []
    stamp = data.get("timestamp")
    update = Update(
        type=kind,
        data=data,
        at=_instant(stamp) or received_at,
        raw=json.dumps(data, ensure_ascii=False, sort_keys=True).encode(errors="replace"),
    )
    try:
        return _READERS.get(kind, _unknown)(update)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedPayload(f"the update {kind!r} cannot be read: {error!r}") from error


def _instant(stamp: object) -> Micros:
    """Give microseconds UTC; what lies outside MAX's own time is no instant (0)."""
    if not isinstance(stamp, int) or not 10**12 < stamp < 4 * 10**12:
        return Micros(0)
    return Micros(stamp * MS)


def _name(value: object) -> str:
    """Give the name of a message or a press; raises MalformedPayload for what is none."""
    if not isinstance(value, str) or not 0 < len(value) <= 300 or not value.isprintable():
        raise MalformedPayload("a message or a press has no name")
    return value


def place(data: object) -> tuple[str, str]:
    """Give the person and the chat of an update about a dialog of two, empty where it is not."""
    message = data.get("message") if isinstance(data, Mapping) else None
    if not isinstance(message, Mapping):
        return "", ""
    sender, recipient = message.get("sender"), message.get("recipient")
    if not isinstance(sender, Mapping) or not isinstance(recipient, Mapping):
        return "", ""
    if recipient.get("chat_type") != "dialog" or sender.get("is_bot"):
        return "", ""
    return str(sender.get("user_id") or ""), str(recipient.get("chat_id") or "")


def person(user: Data) -> Address:
    """Give the address of a person."""
    return Address(kind=KIND, value=str(int(user["user_id"])), name=name_of(user))


def _group(message: Data) -> str:
    recipient = message["recipient"]
    return "" if recipient.get("chat_type") == "dialog" else str(recipient["chat_id"])


def _language(update: Update) -> str:
    return str(update.data.get("user_locale") or "")[:2].lower()


def _created(update: Update) -> list[Arrival]:
    message = update.data["message"]
    sender = message.get("sender")
    if not isinstance(sender, Mapping) or sender.get("is_bot"):
        # Our own echo, another bot, or a post in a channel, which nobody signed.
        return []
    body = message.get("body") or {}
    mid = _name(body["mid"])
    content, answered, quoted = Content(), "", []
    content.read(body)
    link = message.get("link")
    if isinstance(link, Mapping) and isinstance(link.get("message"), Mapping):
        if link.get("type") == "reply":
            answered = str(link["message"].get("mid") or "")
        else:
            quoted = [f"> {one}" for one in plain(link["message"].get("text")).splitlines()]
            content.read(link["message"], "> ")
    text = "\n".join(filter(None, (plain(body.get("text")), *quoted, *content.lines)))
    empty = not (text or content.files or content.unknown)
    group = _group(message)
    username = str(sender.get("username") or "")
    return [
        InboundMessage(
            dedupe_key=f"message:{mid}",
            external_id=mid,
            sender=person(sender),
            text=text,
            thread_key=group,
            group=bool(group),
            in_reply_to=answered,
            attachments=tuple(content.files),
            sent_at=_instant(message.get("timestamp")) or update.at,
            language=_language(update),
            unsupported=", ".join(content.unknown) or ("empty message" if empty else ""),
            profile={**content.profile, **({"username": username} if username else {})},
            raw=update.raw,
        )
    ]


def _edited(update: Update) -> list[Arrival]:
    message = update.data["message"]
    sender = message.get("sender")
    if not isinstance(sender, Mapping) or sender.get("is_bot"):
        return []
    body = message.get("body") or {}
    mid = _name(body["mid"])
    content = Content()
    content.read(body)
    return [
        MessageEdited(
            dedupe_key=f"edit:{mid}:{update.at}",
            external_id=mid,
            text="\n".join(filter(None, (plain(body.get("text")), *content.lines))),
            at=update.at,
        )
    ]


def _removed(update: Update) -> list[Arrival]:
    mid = _name(update.data["message_id"])
    return [MessageDeleted(dedupe_key=f"removed:{mid}", external_id=mid, at=update.at)]


def _callback(update: Update) -> list[Arrival]:
    callback = update.data["callback"]
    message = update.data.get("message")
    message = message if isinstance(message, Mapping) else {}
    press = _name(callback["callback_id"])
    payload = str(callback.get("payload") or "")
    group = _group(message) if message.get("recipient") else ""
    body = message.get("body") or {}
    return [
        ButtonPressed(
            dedupe_key=f"press:{press}",
            external_id=str(body.get("mid") or ""),
            sender=person(callback["user"]),
            payload=payload,
            label=_label(body, payload),
            thread_key=group,
            group=bool(group),
            callback=press,
            at=update.at,
        )
    ]


def _label(body: Data, payload: str) -> str:
    """Give the words of the button that has this payload."""
    for one in body.get("attachments") or ():
        if isinstance(one, Mapping) and one.get("type") == "inline_keyboard":
            for row in (one.get("payload") or {}).get("buttons") or ():
                for button in row:
                    if button.get("payload") == payload:
                        return str(button.get("text") or "")
    return ""


def _started(update: Update) -> list[Arrival]:
    """The person began: he may be written to. A start link's payload may name a dialog of ours."""
    sender = person(update.data["user"])
    key = f"started:{sender.value}:{update.at}"
    found: list[Arrival] = [
        PeerEvent(dedupe_key=key, sender=sender, change=PeerChange.ALLOWED, at=update.at)
    ]
    payload = plain(update.data.get("payload"))[:1000]
    if payload:
        found.append(
            InboundMessage(
                dedupe_key=f"{key}:payload",
                external_id=f"{key}:payload",
                sender=sender,
                text=f"/start {payload}",
                dialog_token=payload,
                sent_at=update.at,
                automated=True,
                language=_language(update),
                profile={"start": payload},
                raw=update.raw,
            )
        )
    return found


def _stopped(update: Update) -> list[Arrival]:
    sender = person(update.data["user"])
    key = f"stopped:{sender.value}:{update.at}"
    return [PeerEvent(dedupe_key=key, sender=sender, change=PeerChange.BLOCKED, at=update.at)]


def _member(update: Update) -> list[Arrival]:
    sender, chat = person(update.data["user"]), str(update.data["chat_id"])
    change = PeerChange.JOINED if update.type == "user_added" else PeerChange.LEFT
    key = f"{update.type}:{chat}:{sender.value}:{update.at}"
    return [PeerEvent(dedupe_key=key, sender=sender, change=change, thread_key=chat, at=update.at)]


def _unknown(update: Update) -> list[Arrival]:
    """An update that MAX invents later is shown at the person it is about, and kept as it came."""
    user = update.data.get("user")
    if not isinstance(user, Mapping) or not user.get("user_id") or user.get("is_bot"):
        raise MalformedPayload(f"nobody knows updates of the type {update.type!r}")
    sender = person(user)
    key = bounded_key(f"{update.type}:{sender.value}:{update.at}")
    return [
        InboundMessage(
            dedupe_key=key,
            external_id=key,
            sender=sender,
            sent_at=update.at,
            automated=True,
            unsupported=update.type[:100],
            raw=update.raw,
        )
    ]


_READERS: dict[str, Callable[[Update], list[Arrival]]] = {
    "message_created": _created,
    "message_edited": _edited,
    "message_removed": _removed,
    "message_callback": _callback,
    "bot_started": _started,
    "bot_stopped": _stopped,
    "user_added": _member,
    "user_removed": _member,
}
