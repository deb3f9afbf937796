"""What a reply said before: listed, compared with what it says now, brought back."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select

from hub import Hub, NotFound
from plugins.quick_replies.commands import SaveQuickReply, ShareQuickReply
from plugins.quick_replies.replies import QuickReply
from plugins.quick_replies.tables import versions

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A version that was written at `at`; `lines` are signs and texts of what changed since."""

    version: int
    at: int
    user_id: int
    title: str
    texts: Mapping[str, Mapping[str, str]]
    lines: tuple[tuple[str, str], ...] = ()


def _texts(reply: QuickReply) -> dict[str, dict[str, str]]:
    return {
        language: {"text": one.text, "short": one.short} for language, one in reply.texts.items()
    }


def _lines(title: str, texts: Mapping[str, Mapping[str, str]]) -> list[str]:
    found = [title]
    for language in sorted(texts):
        for name in ("text", "short"):
            words = str(texts[language].get(name, ""))
            if words:
                found += [f"{language.upper()}:", *words.splitlines()]
    return found


async def versions_of(hub: Hub, reply: QuickReply) -> list[Earlier]:
    """Give the earlier versions, the newest first, each compared with what the reply says now."""
    now = _lines(reply.title, _texts(reply))
    rows = await hub.store.all(
        select(versions)
        .where(versions.c.reply_id == reply.id)
        .order_by(versions.c.version.desc())
        .limit(SHOWN)
    )
    found = []
    for row in rows:
        title, texts = str(row["body"].get("title", "")), row["body"].get("texts", {})
        # The first two lines of a comparison name files, the third one a place.
        compared = islice(
            difflib.unified_diff(_lines(title, texts), now, lineterm="", n=50), 3, None
        )
        found.append(
            Earlier(
                version=row["version"],
                at=row["at"],
                user_id=row["by"],
                title=title,
                texts=texts,
                lines=tuple((one[:1], one[1:]) for one in compared),
            )
        )
    return found


async def bring_back(hub: Hub, reply: QuickReply, text: str) -> None:
    """Make a reply say what it said in a version; what it says now is kept too."""
    wanted: Any = None
    if text.isdecimal() and len(text) < 19:
        wanted = await hub.store.first(
            select(versions).where(versions.c.reply_id == reply.id, versions.c.version == int(text))
        )
    if wanted is None:
        raise NotFound("there is no such version")
    kind = SaveQuickReply if reply.scope == "mine" else ShareQuickReply
    await hub.do(
        kind(
            reply_id=reply.id,
            title=str(wanted["body"]["title"]),
            texts=wanted["body"]["texts"],
            shortcut=reply.shortcut,
            folder=reply.folder,
            scope=reply.scope,
            team_id=reply.team_id,
            slot=reply.slot,
            buttons=reply.buttons,
            template=reply.template,
            template_language=reply.template_language,
            channels=reply.channels,
            version=reply.version,
        )
    )
