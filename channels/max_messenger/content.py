"""What a MAX message holds beside its text: files to fetch, and lines for what is no file. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub import Attachment

Data = Mapping[str, Any]
MEDIA = {
    "image": ("image/jpeg", "jpg"),
    "video": ("video/mp4", "mp4"),
    "audio": ("audio/ogg", "ogg"),
    "sticker": ("image/webp", "webp"),
}
_VCARD = re.compile(r"^(FN|TEL|EMAIL)[^:\r\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)


class Content:
    """What was found so far."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.files: list[Attachment] = []
        self.unknown: list[str] = []
        self.profile: dict[str, str] = {}

    def read(self, body: Data, mark: str = "") -> None:
        """Read the attachments of a message's body; `mark` stands before lines of a quote."""
        for one in body.get("attachments") or ():
            if isinstance(one, Mapping):
                line = self._attachment(one, str(body.get("mid") or ""))
                self.lines += [f"{mark}{each}" for each in line.splitlines()]

    def _attachment(self, one: Data, mid: str) -> str:
        kind = str(one.get("type") or "")
        payload = one.get("payload")
        payload = payload if isinstance(payload, Mapping) else {}
        url = str(payload.get("url") or "")
        if kind == "inline_keyboard":
            return ""
        if kind == "location":
            at = f"{one.get('latitude')}, {one.get('longitude')}"
            link = f"https://yandex.ru/maps/?pt={one.get('longitude')},{one.get('latitude')}&z=16"
            return f"📍 {at} {link}"
        if kind == "contact":
            return self._contact(payload)
        if kind == "share":
            return " ".join(filter(None, ("🔗", str(one.get("title") or ""), url)))
        if kind == "file" and url:
            name = str(one.get("filename") or "file").replace("/", "_")[:200]
            size = int(one.get("size") or 0)
            self.files.append(Attachment(name=name, size=size, reference=url))
            return ""
        if kind in MEDIA and url:
            media_type, ending = MEDIA[kind]
            name = f"{kind}{len(self.files) + 1}.{ending}"
            self.files.append(Attachment(name=name, media_type=media_type, reference=url))
            return ""
        self.unknown.append(kind or "attachment")
        return ""

    def _contact(self, payload: Data) -> str:
        """A shared contact; the person's own number becomes part of his profile."""
        parts: dict[str, str] = {}
        for name, value in _VCARD.findall(str(payload.get("vcf_info") or "")):
            parts.setdefault(name.upper(), value.strip())
        known = payload.get("max_info")
        if isinstance(known, Mapping):
            parts.setdefault("FN", name_of(known))
        if parts.get("TEL"):
            self.profile["shared_phone"] = parts["TEL"]
        return " ".join(filter(None, ("👤", parts.get("FN"), parts.get("TEL"), parts.get("EMAIL"))))


def name_of(user: Data) -> str:
    """Give what a person calls himself."""
    parts = (str(user.get(one) or "") for one in ("first_name", "last_name"))
    return " ".join(filter(None, parts)) or str(user.get("name") or "")


def plain(text: object) -> str:
    """Give a text without nul bytes."""
    return text.replace("\x00", "") if isinstance(text, str) else ""
