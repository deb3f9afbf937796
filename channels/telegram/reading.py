"""Updates of the Bot API become arrivals. Pure: the same update gives the same arrivals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from aiogram import types as t
from pydantic import ValidationError

from channels.telegram.content import files, formatted, is_service, own_phone, words
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
    Reaction,
)

KIND = "telegram"
GROUP = "telegram_group"
BUSINESS = "business:"
DIRECT = "direct:"
GONE = ("kicked", "left")
UPDATES = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "callback_query",
    "message_reaction",
    "my_chat_member",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
]
"""What we ask Telegram for; everything else would only be thrown away."""


def read(body: object, bot_id: int) -> list[Arrival]:
    """Turn one update into what it means for us; raises MalformedPayload.

    A kind of update that this release does not know becomes an *unsupported* message where it
    says who caused it; where it does not, the raw update goes to quarantine.
    """
    if not isinstance(body, Mapping) or not isinstance(body.get("update_id"), int):
        raise MalformedPayload("this is not an update of the Bot API")
    key = f"update:{body['update_id']}"
    raw = json.dumps(body).encode()
    try:
        return _read(body, bot_id, key, raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise MalformedPayload(f"update: {place}: {first['msg']}") from None
    except ValueError as error:
        # Right by its types and yet impossible: a file without an id, half a surrogate pair.
        raise MalformedPayload(f"update: {error}") from None


def _read(body: Mapping[str, object], bot_id: int, key: str, raw: bytes) -> list[Arrival]:
    update = t.Update.model_validate(body)
    message = update.message or update.channel_post or update.business_message
    if message is not None:
        return _message(message, key, bot_id, raw)
    edited = update.edited_message or update.edited_channel_post or update.edited_business_message
    if edited is not None:
        return _edited(edited, key, bot_id)
    if update.callback_query is not None:
        return _pressed(update.callback_query, key)
    if update.message_reaction is not None:
        return _reacted(update.message_reaction, key)
    if update.my_chat_member is not None:
        return _member(update.my_chat_member, key)
    if update.deleted_business_messages is not None:
        gone = update.deleted_business_messages
        where = f"{BUSINESS}{gone.business_connection_id}:{gone.chat.id}"
        return [
            MessageDeleted(dedupe_key=f"{key}:{one}", external_id=f"{where}:{one}")
            for one in gone.message_ids
        ]
    return [_unknown(body, key, raw)]


def instant(moment: datetime | int) -> Micros:
    """Give microseconds UTC; what lies outside Telegram's own time is no instant (0)."""
    seconds = moment.timestamp() if isinstance(moment, datetime) else moment
    return Micros(int(seconds * 1_000_000) if 1e9 < seconds < 4e9 else 0)


def person(user: t.User) -> Address:
    """Give the address of a Telegram user."""
    return Address(kind=KIND, value=str(user.id), name=user.full_name)


def name_of(message: t.Message, number: int | None = None) -> str:
    """Name a message (or another one of the same chat) as our external id.

    The chats of a business account count their messages on their own, under the same chat ids.
    """
    business = message.business_connection_id
    chat = f"{BUSINESS}{business}:{message.chat.id}" if business else str(message.chat.id)
    return f"{chat}:{message.message_id if number is None else number}"


def place_of(message: t.Message) -> str:
    """Give the thread a message belongs to: "" in a private chat, else the group or its topic.

    Who writes to a channel privately (Bot API, "Direct messages topic") has a topic of his own in
    the chat of all such messages; who writes to a business account has that connection.
    """
    if message.business_connection_id:
        return f"{BUSINESS}{message.business_connection_id}"
    if message.direct_messages_topic is not None:
        return f"{DIRECT}{message.chat.id}:{message.direct_messages_topic.topic_id}"
    if message.chat.type == "private":
        return ""
    if message.is_topic_message and message.message_thread_id:
        return f"{message.chat.id}:{message.message_thread_id}"
    return str(message.chat.id)


def _sender(message: t.Message) -> Address | None:
    if message.sender_chat is not None and message.sender_chat.id != message.chat.id:
        # A channel that writes into its discussion group, or somebody in a channel's name.
        chat = message.sender_chat
        return Address(kind=KIND, value=str(chat.id), name=chat.title or chat.full_name or "")
    if message.from_user is not None:
        return person(message.from_user)
    chat = message.chat
    return Address(kind=KIND, value=str(chat.id), name=chat.title or chat.full_name or "")


def _is_own(message: t.Message, bot_id: int) -> bool:
    author = message.from_user
    if author is not None and author.id == bot_id:
        return True
    # In a connected business account the owner's own words come too: they are no customer's.
    return bool(
        message.business_connection_id and author is not None and author.id != message.chat.id
    )


def _message(message: t.Message, key: str, bot_id: int, raw: bytes) -> list[Arrival]:
    sender = _sender(message)
    if sender is None or _is_own(message, bot_id):
        return []
    where = place_of(message)
    if message.migrate_to_chat_id is not None:
        return [
            PeerEvent(
                dedupe_key=key,
                sender=Address(kind=GROUP, value=str(message.chat.id)),
                change=PeerChange.MOVED,
                text=str(message.migrate_to_chat_id),
                at=instant(message.date),
            )
        ]
    if is_service(message):
        return []
    text, attachments = words(message), files(message)
    profile = _profile(message)
    return [
        InboundMessage(
            dedupe_key=key,
            external_id=name_of(message),
            sender=sender,
            text=text,
            html=formatted(message),
            thread_key=where,
            group=_is_group(where),
            in_reply_to=_answered(message),
            attachments=attachments,
            album=f"{message.chat.id}:{message.media_group_id}" if message.media_group_id else "",
            sent_at=instant(message.date),
            language=(message.from_user.language_code or "") if message.from_user else "",
            # A post is said to everybody: nobody waits for an answer to it.
            automated=bool(message.from_user and message.from_user.is_bot)
            or bool(message.is_automatic_forward)
            or message.chat.type == "channel",
            unsupported="" if text or attachments else _kind_of(message),
            profile=profile,
            raw=raw,
        )
    ]


def _is_group(where: str) -> bool:
    return bool(where) and not where.startswith((BUSINESS, DIRECT))


def _answered(message: t.Message) -> str:
    """Name the message that this one answers: a comment's is the post it stands below."""
    replied = message.reply_to_message
    if replied is None:
        return ""
    # In a topic every message "replies" to the message that opened the topic.
    if message.is_topic_message and replied.message_id == message.message_thread_id:
        return ""
    return name_of(message, replied.message_id)


def _profile(message: t.Message) -> dict[str, str]:
    found = {
        "username": (message.from_user.username or "") if message.from_user else "",
        "phone": own_phone(message),
        "group_name": "" if message.chat.type == "private" else message.chat.title or "",
        "forwarded_from": _origin(message),
    }
    return {name: value for name, value in found.items() if value}


def _origin(message: t.Message) -> str:
    origin = message.forward_origin
    for name in ("sender_user", "sender_chat", "chat"):
        who = getattr(origin, name, None)
        if who is not None:
            return str(getattr(who, "title", None) or who.full_name)
    return str(getattr(origin, "sender_user_name", "") or "")


def _kind_of(message: t.Message) -> str:
    kind = str(getattr(message.content_type, "value", message.content_type))
    return kind if kind not in ("unknown", "text") else "a message of a new kind"


def _edited(message: t.Message, key: str, bot_id: int) -> list[Arrival]:
    if _is_own(message, bot_id):
        return []
    return [
        MessageEdited(
            dedupe_key=key,
            external_id=name_of(message),
            text=words(message),
            at=instant(message.edit_date or message.date),
        )
    ]


def _pressed(query: t.CallbackQuery, key: str) -> list[Arrival]:
    message = query.message
    if message is None or query.data is None:
        return []
    thread = place_of(message) if isinstance(message, t.Message) else ""
    label = ""
    markup = message.reply_markup if isinstance(message, t.Message) else None
    for row in markup.inline_keyboard if markup is not None else ():
        for button in row:
            if button.callback_data == query.data:
                label = button.text
    return [
        ButtonPressed(
            dedupe_key=key,
            external_id=name_of(message)
            if isinstance(message, t.Message)
            else f"{message.chat.id}:{message.message_id}",
            sender=person(query.from_user),
            payload=query.data,
            label=label,
            thread_key=thread,
            group=_is_group(thread),
            callback=query.id,
        )
    ]


def _reacted(change: t.MessageReactionUpdated, key: str) -> list[Arrival]:
    if change.user is not None:
        sender = person(change.user)
    elif change.actor_chat is not None:
        name = change.actor_chat.title or ""
        sender = Address(kind=KIND, value=str(change.actor_chat.id), name=name)
    else:
        return []
    emoji = next((getattr(one, "emoji", "") or "⭐" for one in change.new_reaction), "")
    return [
        Reaction(
            dedupe_key=key,
            external_id=f"{change.chat.id}:{change.message_id}",
            sender=sender,
            emoji=emoji,
            at=instant(change.date),
        )
    ]


def _member(change: t.ChatMemberUpdated, key: str) -> list[Arrival]:
    gone = change.new_chat_member.status in GONE
    at = instant(change.date)
    if change.chat.type == "private":
        what = PeerChange.BLOCKED if gone else PeerChange.ALLOWED
        return [PeerEvent(dedupe_key=key, sender=person(change.from_user), change=what, at=at)]
    group = Address(kind=GROUP, value=str(change.chat.id), name=change.chat.title or "")
    what = PeerChange.LEFT if gone else PeerChange.JOINED
    return [
        PeerEvent(dedupe_key=key, sender=group, change=what, thread_key=str(change.chat.id), at=at)
    ]


def _unknown(body: Mapping[str, object], key: str, raw: bytes) -> InboundMessage:
    kind = next((name for name in body if name != "update_id"), "")
    content = body.get(kind)
    author = content.get("from") or content.get("user") if isinstance(content, Mapping) else None
    if not isinstance(author, Mapping) or not isinstance(author.get("id"), int):
        raise MalformedPayload(f"an update of a kind that is not known: {kind or 'empty'}")
    name = " ".join(str(author[part]) for part in ("first_name", "last_name") if author.get(part))
    return InboundMessage(
        dedupe_key=key,
        external_id=key,
        sender=Address(kind=KIND, value=str(author["id"]), name=name),
        unsupported=kind,
        raw=raw,
    )
