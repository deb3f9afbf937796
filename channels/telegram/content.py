"""What stands in a Telegram message: words, formatting, files (Bot API, "Message")."""

from __future__ import annotations

from aiogram import types as t

from hub import Attachment, MalformedPayload

# What only decorates a chat and is nobody's word (Bot API, "Service messages").
SERVICE = frozenset(
    {
        "new_chat_title", "new_chat_photo", "delete_chat_photo", "group_chat_created",
        "supergroup_chat_created", "channel_chat_created", "message_auto_delete_timer_changed",
        "pinned_message", "forum_topic_created", "forum_topic_edited", "forum_topic_closed",
        "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden",
        "video_chat_scheduled", "video_chat_started", "video_chat_ended",
        "video_chat_participants_invited", "write_access_allowed", "boost_added",
        "chat_background_set", "proximity_alert_triggered", "connected_website",
        "new_chat_members", "left_chat_member", "migrate_to_chat_id", "migrate_from_chat_id",
        "chat_owner_left", "chat_owner_changed",
    }
)  # fmt: skip
_FORMATS = frozenset(
    {
        "bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "text_link",
        "blockquote", "expandable_blockquote",
    }
)  # fmt: skip
_MAP = "https://www.openstreetmap.org/?mlat={0:.6f}&mlon={1:.6f}#map=16/{0:.6f}/{1:.6f}"


def is_service(message: t.Message) -> bool:
    """Say whether a message only tells of the chat itself."""
    return any(getattr(message, name, None) for name in SERVICE)


def words(message: t.Message) -> str:
    """Give what the message says, in plain text; "" where nothing of it is known."""
    text = message.text or message.caption or ""
    if text:
        return _with_links(text, message.entities or message.caption_entities or [])
    if message.venue is not None:
        place = message.venue
        lines = (place.title, place.address, _map(place.location))
        return "📍 " + "\n".join(one for one in lines if one)
    if message.location is not None:
        return f"📍 {_map(message.location)}"
    if message.contact is not None:
        person = message.contact
        name = " ".join(filter(None, (person.first_name, person.last_name)))
        return f"👤 {name}\n{_phone(person.phone_number)}"
    if message.poll is not None:
        options = "\n".join(f"– {one.text}" for one in message.poll.options)
        return f"📊 {message.poll.question}\n{options}"
    if message.dice is not None:
        return f"{message.dice.emoji} {message.dice.value}"
    if message.sticker is not None:
        return message.sticker.emoji or "🏷"
    return ""


def formatted(message: t.Message) -> str:
    """Give the message as HTML where its author formatted it, else ""."""
    entities = message.entities or message.caption_entities or []
    if not any(one.type in _FORMATS for one in entities):
        return ""
    return message.html_text.replace("\n", "<br>")


def files(message: t.Message) -> tuple[Attachment, ...]:
    """Give the files of a message; `Channel.fetch` gets the bytes by their file_id."""
    if message.photo:
        best = max(message.photo, key=lambda one: one.width * one.height)
        return (_file(best.file_id, "photo.jpg", "image/jpeg", best.file_size),)
    # An animation comes with a twin in `document`, for programs that know no animations.
    for kind, name, media_type in (
        ("animation", "animation.mp4", "video/mp4"),
        ("video", "video.mp4", "video/mp4"),
        ("video_note", "video.mp4", "video/mp4"),
        ("voice", "voice.ogg", "audio/ogg"),
        ("audio", "audio.mp3", "audio/mpeg"),
        ("document", "file", "application/octet-stream"),
    ):
        found = getattr(message, kind)
        if found is not None:
            return (
                _file(
                    found.file_id,
                    getattr(found, "file_name", None) or name,
                    getattr(found, "mime_type", None) or media_type,
                    found.file_size,
                ),
            )
    if message.sticker is not None:
        sticker = message.sticker
        name, media_type = (
            ("sticker.tgs", "application/x-tgsticker")
            if sticker.is_animated
            else ("sticker.webm", "video/webm")
            if sticker.is_video
            else ("sticker.webp", "image/webp")
        )
        return (_file(sticker.file_id, name, media_type, sticker.file_size),)
    return ()


def own_phone(message: t.Message) -> str:
    """Give the sender's own number where he shared it himself."""
    person, sender = message.contact, message.from_user
    if person is None or sender is None or person.user_id != sender.id:
        return ""
    return _phone(person.phone_number)


def _file(file_id: str, name: str, media_type: str, size: int | None) -> Attachment:
    if not (file_id and file_id.isprintable()):
        raise MalformedPayload("update: a file without its file_id")
    return Attachment(name=name, media_type=media_type, size=size or 0, reference=file_id)


def _phone(number: str) -> str:
    return number if number.startswith("+") else f"+{number}"


def _map(place: t.Location) -> str:
    return _MAP.format(place.latitude, place.longitude)


def _with_links(text: str, entities: list[t.MessageEntity]) -> str:
    """Plain text would lose where a linked word leads to: it follows in brackets."""
    # Offsets count UTF-16 code units (Bot API, "MessageEntity").
    units = text.encode("utf-16-le")
    for one in sorted(entities, key=lambda entity: -entity.offset):
        if one.type == "text_link" and one.url:
            end = 2 * (one.offset + one.length)
            if units[2 * one.offset : end].decode("utf-16-le", "replace") != one.url:
                units = units[:end] + f" ({one.url})".encode("utf-16-le") + units[end:]
    return units.decode("utf-16-le", "replace")
