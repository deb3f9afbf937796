"""What a VK message holds beside its text: files to fetch, and lines for what is no file.

Everything the agent needs to see becomes either an attachment or a line of text; what neither
fits is named, so that the bubble can say that something came. Pure.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub import Attachment

MAX_FORWARDED = 50
MAX_DEPTH = 5
_MENTION = re.compile(r"\[(?:id|club|public|event)\d+\|([^\[\]]+)\]")
Data = Mapping[str, Any]


@dataclass(slots=True)
class Content:
    """What was found so far."""

    lines: list[str] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def plain_text(text: object) -> str:
    """Give a text with VK's mentions (`[id1|Anna]`) as people see them, and no nul bytes."""
    if not isinstance(text, str):
        return ""
    return _MENTION.sub(r"\1", text).replace("\x00", "")


def content_of(message: Data) -> Content:
    """Read the attachments, the place and the forwarded messages of a message."""
    found = Content()
    _read(message, found)
    forwarded = message.get("fwd_messages")
    if isinstance(forwarded, list):
        _forwarded(forwarded, found, 1)
    return found


def _read(message: Data, found: Content) -> None:
    for one in message.get("attachments") or ():
        if isinstance(one, Mapping):
            _attachment(one, found)
    geo = message.get("geo")
    if isinstance(geo, Mapping):
        found.lines.append(_place(geo))


def _forwarded(messages: list[Any], found: Content, depth: int) -> None:
    """Quote forwarded messages as they nest; a chain is cut where nobody would read on."""
    if depth > MAX_DEPTH:
        return
    for message in messages[:MAX_FORWARDED]:
        if not isinstance(message, Mapping):
            continue
        mark = "> " * depth
        text = plain_text(message.get("text"))
        found.lines += [f"{mark}{line}" for line in text.splitlines() if line.strip()]
        inner = Content()
        _read(message, inner)
        found.lines += [f"{mark}{line}" for line in inner.lines]
        found.files += inner.files
        found.unknown += inner.unknown
        nested = message.get("fwd_messages")
        if isinstance(nested, list):
            _forwarded(nested, found, depth + 1)


def _attachment(one: Data, found: Content) -> None:
    kind = str(one.get("type", ""))
    body = one.get(kind)
    reader = _READERS.get(kind)
    if reader is None or not isinstance(body, Mapping):
        found.unknown.append(kind or "attachment")
        return
    result = reader(body)
    if isinstance(result, Attachment):
        found.files.append(result)
    elif result:
        found.lines.append(result)
    else:
        found.unknown.append(kind)


def _place(geo: Data) -> str:
    at = geo.get("coordinates")
    if isinstance(at, Mapping):
        latitude, longitude = at.get("latitude"), at.get("longitude")
    else:  # older clients send "59.9 30.3"
        latitude, _, longitude = str(at or "").partition(" ")
    place = geo.get("place")
    title = str(place.get("title", "")) if isinstance(place, Mapping) else ""
    link = f"https://yandex.ru/maps/?pt={longitude},{latitude}&z=16"
    return _join("📍", title, f"{latitude}, {longitude}", link)


def _join(*parts: object) -> str:
    return " ".join(str(one).strip() for one in parts if str(one or "").strip())


def _id(body: Data) -> str:
    return f"{body.get('owner_id', 0)}_{body.get('id', 0)}"


def _largest(pictures: object) -> Data | None:
    """Give the picture with the most points; VK lists a photo in several sizes."""
    if not isinstance(pictures, list):
        return None
    known = [one for one in pictures if isinstance(one, Mapping) and _link(one)]
    return max(
        known,
        key=lambda one: int(one.get("width") or 0) * int(one.get("height") or 0),
        default=None,
    )


def _link(picture: Data) -> str:
    return str(picture.get("url") or picture.get("src") or "")


def _photo(body: Data) -> Attachment | str:
    best = body.get("orig_photo")
    if not isinstance(best, Mapping) or not _link(best):
        best = _largest(body.get("sizes")) or _largest(body.get("images"))
    if best is None:
        return f"🖼 https://vk.com/photo{_id(body)}"
    return Attachment(name=f"photo{_id(body)}.jpg", media_type="image/jpeg", reference=_link(best))


def _doc(body: Data) -> Attachment | str:
    title, ext = str(body.get("title") or "file"), str(body.get("ext") or "")
    name = title if not ext or title.lower().endswith(f".{ext.lower()}") else f"{title}.{ext}"
    if not body.get("url"):
        return f"📄 {name} https://vk.com/doc{_id(body)}"
    return Attachment(
        name=name.replace("/", "_")[:200],
        media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        size=int(body.get("size") or 0),
        reference=str(body["url"]),
    )


def _voice(body: Data) -> Attachment | str:
    link = str(body.get("link_ogg") or body.get("link_mp3") or "")
    if not link:
        return ""
    ogg = bool(body.get("link_ogg"))
    return Attachment(
        name=f"voice{_id(body)}.{'ogg' if ogg else 'mp3'}",
        media_type="audio/ogg" if ogg else "audio/mpeg",
        reference=link,
    )


def _sticker(body: Data) -> Attachment | str:
    best = _largest(body.get("images")) or _largest(body.get("images_with_background"))
    if best is None:
        return ""
    return Attachment(
        name=f"sticker{body.get('sticker_id', '')}.png",
        media_type="image/png",
        reference=_link(best),
    )


def _graffiti(body: Data) -> Attachment | str:
    link = _link(body)
    name = f"graffiti{_id(body)}.png"
    return Attachment(name=name, media_type="image/png", reference=link) if link else ""


def _video(body: Data) -> str:
    seconds = int(body.get("duration") or 0)
    length = f"({seconds // 60}:{seconds % 60:02d})" if seconds else ""
    return _join("🎬", body.get("title"), length, f"https://vk.com/video{_id(body)}")


def _audio(body: Data) -> str:
    name = " – ".join(str(body[one]) for one in ("artist", "title") if body.get(one))
    return _join("🎵", name, f"https://vk.com/audio{_id(body)}")


def _wall(body: Data) -> str:
    owner = body.get("owner_id") or body.get("to_id") or body.get("from_id") or 0
    text = " ".join(plain_text(body.get("text")).split())[:300]
    return _join("📰", text, f"https://vk.com/wall{owner}_{body.get('id', 0)}")


def _wall_reply(body: Data) -> str:
    text = " ".join(plain_text(body.get("text")).split())[:300]
    post = f"{body.get('owner_id', 0)}_{body.get('post_id', 0)}"
    return _join("💬", text, f"https://vk.com/wall{post}?reply={body.get('id', 0)}")


def _market(body: Data) -> str:
    price = body.get("price")
    cost = str(price.get("text", "")) if isinstance(price, Mapping) else ""
    link = f"https://vk.com/product{_id(body)}"
    return _join("🛍", body.get("title"), cost and f"({cost})", link)


def _web_link(body: Data) -> str:
    return _join("🔗", body.get("title") or body.get("caption"), body.get("url"))


def _poll(body: Data) -> str:
    answers = [
        f"\n· {one.get('text', '')}"
        for one in body.get("answers") or ()
        if isinstance(one, Mapping)
    ]
    return _join("📊", body.get("question")) + "".join(answers)


def _gift(body: Data) -> Attachment | str:
    link = str(body.get("thumb_256") or body.get("thumb_96") or body.get("thumb_48") or "")
    name = f"gift{body.get('id', '')}.jpg"
    return Attachment(name=name, media_type="image/jpeg", reference=link) if link else ""


def _story(body: Data) -> str:
    return f"📖 https://vk.com/story{_id(body)}"


def _article(body: Data) -> str:
    return _join("📝", body.get("title"), body.get("url") or body.get("view_url"))


_READERS: dict[str, Callable[[Data], Attachment | str]] = {
    "photo": _photo,
    "doc": _doc,
    "audio_message": _voice,
    "sticker": _sticker,
    "graffiti": _graffiti,
    "video": _video,
    "audio": _audio,
    "wall": _wall,
    "wall_reply": _wall_reply,
    "market": _market,
    "link": _web_link,
    "poll": _poll,
    "gift": _gift,
    "story": _story,
    "article": _article,
}
