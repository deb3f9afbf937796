"""VK's events as arrivals: the same for the Callback API and for Bots Long Poll. Pure.

A message is known by its peer and its number in the dialog (`peer:number`): both ways of
receiving name them, edits, read marks, buttons and reactions refer to them, and so a message
that comes twice, or both ways, is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from channels.vk.content import content_of, plain_text
from channels.vk.keyboard import read_payload
from channels.vk.orders import order_entry
from channels.vk.reactions import emoji_of
from hub import (
    Address,
    Arrival,
    ButtonPressed,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    MalformedPayload,
    MessageEdited,
    Micros,
    PeerChange,
    PeerEvent,
    Presence,
    PresenceKind,
    Reaction,
    bounded_key,
)

KIND = "vk"
CHATS_FROM = 2_000_000_000
"""Peers above it are chats of several people (dev.vk.com, "peer_id")."""
US = 1_000_000
LANGUAGES = {0: "ru", 1: "uk", 2: "be", 3: "en", 4: "es", 5: "fi", 6: "de", 7: "it"}
OF_NO_INTEREST = frozenset(
    [
        "audio_new",
        "board_post_delete",
        "board_post_edit",
        "board_post_new",
        "board_post_restore",
        "confirmation",
        "donut_money_withdraw",
        "donut_money_withdraw_error",
        "donut_subscription_cancelled",
        "donut_subscription_create",
        "donut_subscription_expired",
        "donut_subscription_price_changed",
        "donut_subscription_prolonged",
        "app_payload",
        "group_change_photo",
        "group_change_settings",
        "group_join",
        "group_leave",
        "group_officers_edit",
        "like_add",
        "like_remove",
        "market_comment_delete",
        "market_comment_edit",
        "market_comment_new",
        "market_comment_restore",
        "message_reply",
        "photo_comment_delete",
        "photo_comment_edit",
        "photo_comment_new",
        "photo_comment_restore",
        "photo_new",
        "poll_vote_new",
        "user_block",
        "user_unblock",
        "video_comment_delete",
        "video_comment_edit",
        "video_comment_new",
        "video_comment_restore",
        "video_new",
        "vkpay_transaction",
        "wall_post_new",
        "wall_reply_delete",
        "wall_reply_edit",
        "wall_reply_new",
        "wall_reply_restore",
        "wall_repost",
        "wall_schedule_post_delete",
        "wall_schedule_post_new",
    ]
)
"""Events of a community that are not part of its dialogs; `message_reply` is our own echo."""
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class VkEvent:
    """One event as VK sent it."""

    type: str
    group_id: int
    key: str
    body: Data
    raw: bytes
    received_at: Micros


def read_event(data: object, received_at: Micros) -> list[Arrival]:
    """Give the arrivals of one event; raises MalformedPayload for what nobody can read."""
    if not isinstance(data, Mapping) or not isinstance(data.get("type"), str):
        raise MalformedPayload("this is not an event of VK")
    kind = data["type"]
    if kind in OF_NO_INTEREST:
        return []
    body = data.get("object")
    if not isinstance(body, Mapping):
        raise MalformedPayload(f"the event {kind!r} has no object")
    raw = json.dumps(data, ensure_ascii=False, sort_keys=True).encode(errors="replace")
    event = VkEvent(
        type=kind,
        group_id=_number(data, "group_id"),
        key=bounded_key(f"event:{data.get('event_id') or raw.decode(errors='replace')}"),
        body=body,
        raw=raw,
        received_at=received_at,
    )
    try:
        return _READERS.get(kind, _unknown)(event)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedPayload(f"the event {kind!r} cannot be read: {error!r}") from error


def external_id(peer: int, number: int) -> str:
    """Name a message: its peer, and its number in the dialog with it."""
    return f"{peer}:{number}"


def place_of(external: str) -> tuple[int, int]:
    """Give the peer and the number of a message; raises ValueError."""
    peer, _, number = external.partition(":")
    return int(peer), int(number)


def _number(data: Data, name: str) -> int:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise MalformedPayload(f"{name} is missing")
    try:
        return int(value)
    except ValueError as error:
        raise MalformedPayload(f"{name} is not a number") from error


def _instant(seconds: int) -> Micros:
    """Give microseconds UTC; what lies outside VK's own time is no instant (0)."""
    return Micros(seconds * US if 1_000_000_000 < seconds < 4_000_000_000 else 0)


def _chat(peer: int) -> str:
    """Give the key of a chat of several people, "" for a dialog with one."""
    return str(peer) if peer >= CHATS_FROM else ""


def _person(number: int) -> Address:
    return Address(kind=KIND, value=str(number))


def _message_new(event: VkEvent) -> list[Arrival]:
    body = event.body
    message = body.get("message")
    info = body.get("client_info")
    # Before version 5.103 the message itself was the object.
    message = message if isinstance(message, Mapping) else body
    sender = _number(message, "from_id")
    if message.get("out") or sender == -event.group_id:
        return []
    peer = _number(message, "peer_id")
    key = external_id(peer, _message_number(message))
    content = content_of(message)
    action = message.get("action")
    service = str(action.get("type", "")) if isinstance(action, Mapping) else ""
    if message.get("is_cropped"):
        content.unknown.append("cropped")
    text = "\n".join(filter(None, (plain_text(message.get("text")), *content.lines)))
    missing = [service] if service else content.unknown
    empty = not text and not content.files and not missing
    return [
        InboundMessage(
            dedupe_key=f"message:{key}",
            external_id=key,
            sender=_person(sender),
            text=text,
            thread_key=_chat(peer),
            group=bool(_chat(peer)),
            in_reply_to=_answered(message, peer),
            dialog_token=_text(message.get("ref")),
            attachments=tuple(content.files),
            sent_at=_instant(_number(message, "date")),
            automated=bool(service) or sender < 0,
            language=_language(info),
            unsupported=", ".join(dict.fromkeys(missing)) or ("empty message" if empty else ""),
            profile=_profile(message),
            raw=event.raw,
        )
    ]


def _message_number(message: Data) -> int:
    return _number(message, "conversation_message_id" if _in_dialog(message) else "id")


def _in_dialog(message: Data) -> bool:
    return bool(message.get("conversation_message_id"))


def _answered(message: Data, peer: int) -> str:
    answered = message.get("reply_message")
    if not isinstance(answered, Mapping) or not _in_dialog(answered):
        return ""
    return external_id(int(answered.get("peer_id") or peer), _message_number(answered))


def _language(info: object) -> str:
    return LANGUAGES.get(info.get("lang_id", -1), "") if isinstance(info, Mapping) else ""


def _text(value: object) -> str:
    return value[:1000] if isinstance(value, str) else ""


def _profile(message: Data) -> dict[str, str]:
    found = {
        "ref": _text(message.get("ref")),
        "ref_source": _text(message.get("ref_source")),
        "payload": _text(message.get("payload")),
    }
    return {name: value for name, value in found.items() if value}


def _message_edit(event: VkEvent) -> list[Arrival]:
    message = event.body
    if message.get("out") or _number(message, "from_id") == -event.group_id:
        return []
    content = content_of(message)
    return [
        MessageEdited(
            dedupe_key=event.key,
            external_id=external_id(_number(message, "peer_id"), _message_number(message)),
            text="\n".join(filter(None, (plain_text(message.get("text")), *content.lines))),
            at=_instant(int(message.get("update_time") or 0)) or event.received_at,
        )
    ]


def _message_event(event: VkEvent) -> list[Arrival]:
    body = event.body
    payload, label = read_payload(body.get("payload"))
    number, peer = body.get("conversation_message_id"), _number(body, "peer_id")
    return [
        ButtonPressed(
            dedupe_key=bounded_key(f"press:{body['event_id']}"),
            external_id=external_id(peer, int(number)) if number else "",
            sender=_person(_number(body, "user_id")),
            payload=payload,
            label=label,
            thread_key=_chat(peer),
            group=bool(_chat(peer)),
            callback=f"{peer}:{body['event_id']}",
            at=event.received_at,
        )
    ]


def _message_read(event: VkEvent) -> list[Arrival]:
    """The mark names the last message read: it holds for all of ours before it."""
    peer = _number(event.body, "peer_id")
    return [
        DeliveryReceipt(
            dedupe_key=event.key,
            external_id=external_id(peer, _number(event.body, "conversation_message_id")),
            status=DeliveryStatus.READ,
            at=event.received_at,
            recipient=str(_number(event.body, "from_id")),
            earlier=True,
        )
    ]


def _typing(event: VkEvent) -> list[Arrival]:
    sender = _number(event.body, "from_id")
    if sender <= 0:
        return []
    return [Presence(sender=_person(sender), kind=PresenceKind.TYPING)]


def _reaction(event: VkEvent) -> list[Arrival]:
    sender = _number(event.body, "reacted_id")
    if sender <= 0:
        return []
    number = event.body.get("reaction_id")
    return [
        Reaction(
            dedupe_key=event.key,
            external_id=external_id(_number(event.body, "peer_id"), _number(event.body, "cmid")),
            sender=_person(sender),
            emoji=emoji_of(int(number)) if number else "",
            at=event.received_at,
        )
    ]


def _allowed(event: VkEvent) -> list[Arrival]:
    return _consent(event, PeerChange.ALLOWED)


def _denied(event: VkEvent) -> list[Arrival]:
    return _consent(event, PeerChange.BLOCKED)


def _consent(event: VkEvent, change: PeerChange) -> list[Arrival]:
    person = _person(_number(event.body, "user_id"))
    return [PeerEvent(dedupe_key=event.key, sender=person, change=change, at=event.received_at)]


def _order(event: VkEvent) -> list[Arrival]:
    edited = event.type == "market_order_edit"
    written = _instant(int(event.body.get("date") or 0))
    return [
        order_entry(
            event.body,
            key=event.key if edited else f"order:{_number(event.body, 'id')}",
            sender=_person(_number(event.body, "user_id")),
            at=event.received_at if edited or not written else written,
            edited=edited,
            raw=event.raw,
        )
    ]


def _lead_form(event: VkEvent) -> list[Arrival]:
    """A filled-in form of an advertisement: its answers are the person's first words."""
    body = event.body
    lines = [_text(body.get("form_name"))]
    for one in body.get("answers") or ():
        if isinstance(one, Mapping):
            answer = one.get("answer")
            answer = ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer or "")
            lines.append(f"{one.get('question') or one.get('key') or ''}: {answer}")
    return [
        InboundMessage(
            dedupe_key=event.key,
            external_id=f"lead:{body.get('lead_id')}",
            sender=_person(_number(body, "user_id")),
            text="\n".join(filter(None, lines)),
            sent_at=event.received_at,
            profile={"event": "lead_form", "form_id": str(body.get("form_id", ""))},
            raw=event.raw,
        )
    ]


def _unknown(event: VkEvent) -> list[Arrival]:
    """An event that VK invents later is shown at the person it is about, and kept as it came."""
    for name in ("from_id", "user_id"):
        value = event.body.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return [
                InboundMessage(
                    dedupe_key=event.key,
                    external_id=event.key,
                    sender=_person(value),
                    sent_at=event.received_at,
                    automated=True,
                    unsupported=event.type[:100],
                    raw=event.raw,
                )
            ]
    raise MalformedPayload(f"nobody knows events of the type {event.type!r}")


_READERS: dict[str, Callable[[VkEvent], list[Arrival]]] = {
    "message_new": _message_new,
    "message_edit": _message_edit,
    "message_event": _message_event,
    "message_read": _message_read,
    "message_typing_state": _typing,
    "message_reaction_event": _reaction,
    "message_allow": _allowed,
    "message_deny": _denied,
    "market_order_new": _order,
    "market_order_edit": _order,
    "lead_forms_new": _lead_form,
}
