"""What leaves: one message of ours as one or more of Telegram's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiogram import Bot, methods
from aiogram import exceptions as e
from aiogram import types as t

from channels.telegram.channel import MAX_PAYLOAD
from channels.telegram.reading import BUSINESS, DIRECT, GROUP
from channels.telegram.wire import SECONDS, UPLOAD_SECONDS, call
from hub import (
    Attachment,
    Button,
    Formatted,
    HubError,
    OutboundMessage,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    formatted,
)

# Bot API, "sendMessage" and "sendPhoto": counted after entities are parsed.
MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_PHOTO = 10_000_000
ALBUM = 10
# Bot API, "MessageEntity".
_ENTITIES = {
    "bold": "bold",
    "italic": "italic",
    "struck": "strikethrough",
    "code": "code",
    "link": "text_link",
}
_PHOTOS = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a message goes: a chat, perhaps a topic of it, perhaps for a business account.

    `direct` is a person's topic among the private messages of a channel.
    """

    chat_id: int
    topic: int | None = None
    business: str | None = None
    direct: int | None = None

    @classmethod
    def of(cls, message: OutboundMessage) -> Target:
        """Read the place from the dialog's address and thread; raises PermanentFailure."""
        chat, _, topic = message.to.value.partition(":")
        try:
            if message.thread_key.startswith(DIRECT):
                chat, _, topic = message.thread_key.removeprefix(DIRECT).partition(":")
                return cls(chat_id=int(chat), direct=int(topic))
            business = (
                message.thread_key.removeprefix(BUSINESS)
                if message.thread_key.startswith(BUSINESS)
                else None
            )
            is_group = message.to.kind == GROUP
            return cls(
                chat_id=int(chat),
                topic=int(topic) if topic and is_group else None,
                business=business,
            )
        except ValueError:
            raise PermanentFailure(
                RejectReason.INVALID_ADDRESS, "this is not a Telegram chat"
            ) from None

    def name(self, sent: t.Message) -> str:
        """Name a message of ours as people's are named (see `reading.name_of`)."""
        chat = f"{BUSINESS}{self.business}:{sent.chat.id}" if self.business else str(sent.chat.id)
        return f"{chat}:{sent.message_id}"


async def send(bot: Bot, message: OutboundMessage) -> tuple[str, ...]:
    """Send; gives the external ids of the parts.

    Once a part was taken, a failure of a later one cannot be repaired by sending all again:
    it is OutcomeUnknown then.
    """
    target = Target.of(message)
    plan = _plan(message, target)
    done: list[str] = []
    for step in plan:
        try:
            sent = await _call(bot, step)
        except e.TelegramMigrateToChat as error:
            raise error if not done else OutcomeUnknown("the group became a supergroup") from error
        except HubError as error:
            if not done or isinstance(error, OutcomeUnknown):
                raise
            raise OutcomeUnknown(
                f"{len(done)} of {len(plan)} parts were taken, the next was not: {error}"
            ) from error
        done += [target.name(one) for one in sent]
    return tuple(done)


def markup(buttons: Sequence[Button]) -> t.InlineKeyboardMarkup | None:
    """Give inline buttons, two in a row; raises PermanentFailure where one does not fit."""
    if not buttons:
        return None
    keys = []
    for one in buttons:
        if one.url:
            keys.append(t.InlineKeyboardButton(text=one.label, url=one.url))
            continue
        payload = one.payload or one.label
        if len(payload.encode()) > MAX_PAYLOAD:
            raise PermanentFailure(
                RejectReason.TOO_LARGE, f"what a button carries is at most {MAX_PAYLOAD} bytes"
            )
        keys.append(t.InlineKeyboardButton(text=one.label, callback_data=payload))
    rows = [keys[n : n + 2] for n in range(0, len(keys), 2)]
    return t.InlineKeyboardMarkup(inline_keyboard=rows)


def pieces(words: Formatted, most: int = MAX_TEXT) -> list[Formatted]:
    """Cut a text into parts that fit, at a line or a word where possible.

    Telegram counts UTF-16 code units: an emoji is two.
    """
    found = []
    text, place = words.text.rstrip(), 0
    while place < len(text):
        rest = text[place:]
        cut = min(most, len(rest))
        while units(rest[:cut]) > most:
            cut -= max(1, (units(rest[:cut]) - most) // 2)
        if cut < len(rest):
            best = max(rest.rfind("\n", cut // 2, cut), rest.rfind(" ", cut // 2, cut))
            cut = best if best > 0 else cut
        found.append(words.part(place, place + len(rest[:cut].rstrip())))
        place += cut + len(rest[cut:]) - len(rest[cut:].lstrip())
    return [one for one in found if one.text]


def entities(words: Formatted) -> list[t.MessageEntity] | None:
    """Give what stands out as Telegram takes it; None where nothing does."""
    return [
        t.MessageEntity(
            type=_ENTITIES[one.kind],
            offset=units(words.text[: one.start]),
            length=units(words.text[one.start : one.end]),
            url=one.url or None,
        )
        for one in words.spans
    ] or None


def units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


Step = methods.TelegramMethod[Any]


async def _call(bot: Bot, step: Step) -> list[t.Message]:
    seconds = SECONDS if isinstance(step, methods.SendMessage) else UPLOAD_SECONDS
    found: Any = await call(bot, step, seconds)
    return found if isinstance(found, list) else [found]


def _plan(message: OutboundMessage, target: Target) -> list[Step]:
    common: dict[str, Any] = {
        "chat_id": target.chat_id,
        "message_thread_id": target.topic,
        "direct_messages_topic_id": target.direct,
        "business_connection_id": target.business,
    }
    keys = markup(message.buttons)
    reply = _reply(message)
    words = formatted(message.text)
    as_caption = (
        bool(message.attachments)
        and units(words.text) <= MAX_CAPTION
        and not (keys and len(message.attachments) > 1)
    )
    steps: list[Step] = []
    texts = [] if as_caption else pieces(words)
    for n, text in enumerate(texts):
        last = n == len(texts) - 1
        steps.append(
            methods.SendMessage(
                text=text.text,
                entities=entities(text),
                reply_parameters=reply if not steps else None,
                reply_markup=keys if last else None,
                **common,
            )
        )
    caption = words if as_caption and words.text else None
    for group in _groups(message.attachments):
        here: dict[str, Any] = {
            **common,
            "reply_parameters": reply if not steps else None,
        }
        if len(group) > 1:
            media: list[Any] = [
                _media(one, caption if n == 0 else None) for n, one in enumerate(group)
            ]
            steps.append(methods.SendMediaGroup(media=media, **here))
        else:
            here["reply_markup"] = keys if as_caption else None
            steps.append(_single(group[0], caption, here))
        caption = None
    if not steps:
        raise PermanentFailure(RejectReason.OTHER, "there is nothing to send")
    return steps


def _reply(message: OutboundMessage) -> t.ReplyParameters | None:
    _, _, number = message.quotes.rpartition(":")
    if not number.isdecimal():
        return None
    return t.ReplyParameters(message_id=int(number), allow_sending_without_reply=True)


def _class(file: Attachment) -> str:
    """How Telegram shows a file: what goes into one album must be of one class."""
    size = file.size or len(file.content or b"")
    if file.media_type in _PHOTOS and size <= MAX_PHOTO:
        return "photo"
    if file.media_type == "video/mp4":
        return "video"
    if file.media_type in ("audio/mpeg", "audio/mp4", "audio/x-m4a"):
        return "audio"
    if file.media_type in ("audio/ogg", "audio/opus"):
        return "voice"
    return "document"


def _groups(files: Sequence[Attachment]) -> list[list[Attachment]]:
    """Put neighbours that may stand in one album together."""
    album = {"photo": "picture", "video": "picture", "audio": "audio", "document": "document"}
    groups: list[list[Attachment]] = []
    before = ""
    for one in files:
        kind = album.get(_class(one), "")
        if kind and kind == before and len(groups[-1]) < ALBUM:
            groups[-1].append(one)
        else:
            groups.append([one])
        before = kind
    return groups


def _upload(file: Attachment) -> t.BufferedInputFile:
    return t.BufferedInputFile(file.content or b"", filename=file.name)


def _media(file: Attachment, caption: Formatted | None) -> t.InputMedia:
    kinds: dict[str, type[t.InputMedia]] = {
        "photo": t.InputMediaPhoto,
        "video": t.InputMediaVideo,
        "audio": t.InputMediaAudio,
    }
    kind = kinds.get(_class(file), t.InputMediaDocument)
    return kind(media=_upload(file), **_caption(caption))


def _caption(words: Formatted | None) -> dict[str, Any]:
    return {"caption": words.text, "caption_entities": entities(words)} if words else {}


def _single(file: Attachment, caption: Formatted | None, common: dict[str, Any]) -> Step:
    upload, common = _upload(file), common | _caption(caption)
    match _class(file):
        case "photo":
            return methods.SendPhoto(photo=upload, **common)
        case "video":
            return methods.SendVideo(video=upload, **common)
        case "audio":
            return methods.SendAudio(audio=upload, **common)
        case "voice":
            return methods.SendVoice(voice=upload, **common)
        case _:
            return methods.SendDocument(document=upload, **common)
