"""What a reply said before: listed, compared with what it says now, brought back whole.

A version is the words and all that goes with them: buttons, files, the provider's template, the
channels. Where the reply stands (folder, shortcut, key, whose it is) is no part of what it says.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import select

from hub import Hub, NotFound
from plugins.quick_replies.commands import SaveQuickReply, ShareQuickReply
from plugins.quick_replies.replies import WORDINGS, QuickReply
from plugins.quick_replies.tables import old_files, versions

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A version that was written at `at`; `lines` are signs and texts of what changed since.

    `more` is what went with the words: buttons, template, channels, names of files. It is empty
    in versions of before this was kept.
    """

    version: int
    at: int
    user_id: int
    title: str
    texts: Mapping[str, Mapping[str, str]]
    more: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[tuple[str, str], ...] = ()


def _now(reply: QuickReply) -> dict[str, Any]:
    """Give a reply as a version of it would be kept."""
    return {
        "title": reply.title,
        "texts": {language: one.as_json() for language, one in reply.texts.items()},
        "buttons": [list(one) for one in reply.buttons],
        "template": {"name": reply.template, "language": reply.template_language},
        "channels": list(reply.channels),
        "files": [[str(number), name] for number, name, _ in reply.files],
    }


def _lines(body: Mapping[str, Any]) -> list[str]:
    found = [str(body.get("title", ""))]
    texts = body.get("texts", {})
    for language in sorted(texts):
        for name in WORDINGS:
            words = str(texts[language].get(name, ""))
            if words:
                mark = "" if name == "text" else f", {name}"
                found += [f"{language.upper()}{mark}:", *words.splitlines()]
    found += [f"▢ {label} {url}".rstrip() for label, url in body.get("buttons") or ()]
    found += [name for _, name in body.get("files") or ()]
    template = body.get("template") or {}
    if template.get("name"):
        found.append(f"{template['name']} {template.get('language', '')}".rstrip())
    if body.get("channels"):
        found.append(", ".join(body["channels"]))
    return found


async def versions_of(hub: Hub, reply: QuickReply) -> list[Earlier]:
    """Give the earlier versions, the newest first, each compared with what the reply says now."""
    now = _now(reply)
    rows = await hub.store.all(
        select(versions)
        .where(versions.c.reply_id == reply.id)
        .order_by(versions.c.version.desc())
        .limit(SHOWN)
    )
    found = []
    for row in rows:
        body = row["body"]
        # What a version does not know is not compared: bringing it back leaves that as it is.
        known = {name: value for name, value in now.items() if name in body}
        # The first two lines of a comparison name files, the third one a place.
        compared = islice(
            difflib.unified_diff(_lines(body), _lines(known), lineterm="", n=50), 3, None
        )
        more = {name: body[name] for name in ("buttons", "template", "channels") if name in body}
        if "files" in body:
            more["files"] = [name for _, name in body["files"]]
        found.append(
            Earlier(
                version=row["version"],
                at=row["at"],
                user_id=row["by"],
                title=str(body.get("title", "")),
                texts=body.get("texts", {}),
                more=more,
                lines=tuple((one[:1], one[1:]) for one in compared),
            )
        )
    return found


async def bring_back(hub: Hub, reply: QuickReply, text: str) -> None:
    """Make a reply what it was in a version; what it is now is kept too."""
    wanted: Any = None
    if text.isdecimal() and len(text) < 19:
        wanted = await hub.store.first(
            select(versions).where(versions.c.reply_id == reply.id, versions.c.version == int(text))
        )
    if wanted is None:
        raise NotFound("there is no such version")
    body = {**_now(reply), **wanted["body"]}
    had = {int(number) for number, _ in body["files"]}
    have = {number for number, _, _ in reply.files}
    kept = await hub.store.all(
        select(old_files.c.id).where(
            old_files.c.reply_id == reply.id, old_files.c.id.in_(had - have)
        )
    )
    kind = SaveQuickReply if reply.scope == "mine" else ShareQuickReply
    await hub.do(
        kind(
            reply_id=reply.id,
            title=str(body["title"]),
            texts=body["texts"],
            shortcut=reply.shortcut,
            folder=reply.folder,
            scope=reply.scope,
            team_id=reply.team_id,
            slot=reply.slot,
            buttons=tuple((str(label), str(url)) for label, url in body["buttons"]),
            template=str(body["template"].get("name", "")),
            template_language=str(body["template"].get("language", "")),
            channels=tuple(body["channels"]),
            version=reply.version,
            drop_files=tuple(have - had),
            bring_files=tuple(one["id"] for one in kept),
        )
    )
