"""Quick replies for programs: list, read, save, remove, take out and bring in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub import (
    Answer,
    Conflict,
    Endpoint,
    File,
    Hub,
    Invalid,
    Json,
    NotFound,
    PluginRequest,
    Redirect,
    Route,
)
from plugins.quick_replies import shapes
from plugins.quick_replies.commands import (
    RemoveQuickReply,
    RemoveSharedReply,
    SaveQuickReply,
    ShareQuickReply,
)
from plugins.quick_replies.earlier import bring_back, versions_of
from plugins.quick_replies.favourites import FAVOURS, FavourReply
from plugins.quick_replies.finding import score
from plugins.quick_replies.reading import problems_of, reply_id_of
from plugins.quick_replies.replies import (
    LANGUAGES,
    WORDINGS,
    QuickReply,
    all_replies,
    one_reply,
    reader_of,
)
from plugins.quick_replies.uses import Numbers, numbers

SCHEMA = 1
MOST = 2_000
UNTOLD = ("id", "owner_id", "team_id", "files", "version", "uses", "last_used_at", "favourite")
"""What says nothing in another hub."""


def routes() -> list[Route]:
    """Its endpoints, by session under /p/quick_replies/ and by token under /api/v1/quick_replies/."""

    def route(verb: str, path: str, endpoint: Endpoint, gives: Any, **more: Any) -> Route:
        return Route(path=path, endpoint=endpoint, methods=(verb,), api=True, gives=gives, **more)

    one, reply, given = "/replies/{reply}", shapes.Reply, shapes.GivenReply
    finds = {
        "q": "Words to find.",
        "folder": "Only of this folder.",
        "favourite": "`1`: only the caller's favourites.",
    }
    star = f"{one}/favourite"
    return [
        route("GET", "/export", export, "application/json"),
        route(
            "POST", "/import", bring_in, shapes.BroughtIn,
            takes="application/json", max_body=5_000_000,
        ),
        route("GET", "/replies", listed, shapes.Replies, asks=finds),
        route("POST", "/replies", create, reply, takes=given),
        route("GET", one, shown, reply),
        route("PUT", one, change, reply, takes=given),
        route("DELETE", one, remove, shapes.Removed),
        route("PUT", star, favour, reply, permission=FAVOURS),
        route("DELETE", star, unfavour, reply, permission=FAVOURS),
        route("GET", f"{one}/versions", versions, shapes.Versions),
        route("POST", f"{one}/restore", restore, reply, takes=shapes.Restored),
    ]  # fmt: skip


def as_json(reply: QuickReply, used: Numbers | None = None) -> dict[str, Any]:
    """Give a reply as JSON; ids are strings."""
    found: dict[str, Any] = {
        "id": str(reply.id),
        "title": reply.title,
        "shortcut": reply.shortcut,
        "folder": reply.folder,
        "scope": reply.scope,
        "owner_id": str(reply.owner_id),
        "team_id": str(reply.team_id),
        "slot": reply.slot,
        "texts": {language: one.as_json() for language, one in reply.texts.items()},
        "buttons": [{"label": label, "url": url} for label, url in reply.buttons],
        "template": reply.template,
        "template_language": reply.template_language,
        "channels": list(reply.channels),
        "files": [{"id": str(one), "name": name, "size": size} for one, name, size in reply.files],
        "version": reply.version,
        "uses": reply.uses,
        "last_used_at": reply.last_used_at,
        "favourite": reply.favourite,
    }
    if used is not None:
        found |= {"used_by": used.people, "dialogs": used.dialogs, "solved_percent": used.share}
    return found


async def listed(hub: Hub, request: PluginRequest) -> Answer:
    """Every reply that the caller may use; `q` finds, `folder` and `favourite` limit."""
    text, folder = request.query.get("q", "")[:100], request.query.get("folder", "")
    known = await all_replies(hub, await reader_of(hub))
    only = request.query.get("favourite") == "1"
    known = [
        one for one in known if (not folder or one.folder == folder) and (one.favourite or not only)
    ]
    if text:
        ranked = sorted(((score(one, text), one) for one in known), key=lambda each: -each[0])
        known = [one for points, one in ranked if points]
    counted = await numbers(hub)
    return Json(value={"items": [as_json(one, counted.get(one.id, Numbers())) for one in known]})


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """One reply, with its ETag."""
    reply = await _found(hub, request)
    counted = (await numbers(hub)).get(reply.id, Numbers())
    return Json(value=as_json(reply, counted), headers={"etag": f'"{reply.version}"'})


async def create(hub: Hub, request: PluginRequest) -> Answer:
    """Make a reply."""
    (reply_id,) = await hub.do(_command(hub, request.given.model_dump(exclude_unset=True), 0))
    made = await one_reply(hub, reply_id, await reader_of(hub))
    assert made is not None
    return Json(value=as_json(made), status=201, headers={"etag": f'"{made.version}"'})


async def change(hub: Hub, request: PluginRequest) -> Answer:
    """Change what is given of a reply; `If-Match` guards against a change in between."""
    reply = await _found(hub, request)
    guard = request.headers.get("if-match", "").strip('"')
    if guard and guard != str(reply.version):
        raise Conflict("somebody changed this reply meanwhile", what="version")
    body = {**as_json(reply), **request.given.model_dump(exclude_unset=True)}
    command = _command(hub, body, reply.id, shared=reply.scope != "mine", version=reply.version)
    await hub.do(command)
    changed = await one_reply(hub, reply.id, await reader_of(hub))
    assert changed is not None
    return Json(value=as_json(changed), headers={"etag": f'"{changed.version}"'})


async def favour(hub: Hub, request: PluginRequest) -> Answer:
    """Make a reply a favourite of the caller's; his favourites come first in a dialog."""
    return await _favoured(hub, request, True)


async def unfavour(hub: Hub, request: PluginRequest) -> Answer:
    """Make a reply no favourite of the caller's any more."""
    return await _favoured(hub, request, False)


async def _favoured(hub: Hub, request: PluginRequest, favourite: bool) -> Answer:
    reply = await _found(hub, request)
    await hub.do(FavourReply(reply_id=reply.id, favourite=favourite))
    return Json(value=as_json(await _found(hub, request)))


async def versions(hub: Hub, request: PluginRequest) -> Answer:
    """What a reply said before, the newest first, with what changed since."""
    items = [
        {
            "version": one.version,
            "at": one.at,
            "user_id": str(one.user_id),
            "title": one.title,
            "texts": one.texts,
            **one.more,
            "changes": [{"sign": sign, "text": text} for sign, text in one.lines],
        }
        for one in await versions_of(hub, await _found(hub, request))
    ]
    return Json(value={"items": items})


async def restore(hub: Hub, request: PluginRequest) -> Answer:
    """Bring what a reply said in a `version` back."""
    reply = await _found(hub, request)
    await bring_back(hub, reply, str(request.given.version))
    changed = await one_reply(hub, reply.id, await reader_of(hub))
    assert changed is not None
    return Json(value=as_json(changed), headers={"etag": f'"{changed.version}"'})


async def remove(hub: Hub, request: PluginRequest) -> Answer:
    """Put a reply away."""
    reply = await _found(hub, request)
    kind = RemoveQuickReply if reply.scope == "mine" else RemoveSharedReply
    await hub.do(kind(reply_id=reply.id))
    return Json(value={"removed": str(reply.id)})


async def export(hub: Hub, request: PluginRequest) -> Answer:
    """Every reply as a file that `import` takes."""
    known = await all_replies(hub, await reader_of(hub))
    kept = []
    for one in known:
        each = as_json(one)
        for name in UNTOLD:
            each.pop(name)
        kept.append(each)
    text = json.dumps({"schema": SCHEMA, "replies": kept}, ensure_ascii=False, indent=1)
    return File(content=text.encode(), media_type="application/json", name="quick-replies.json")


async def bring_in(hub: Hub, request: PluginRequest) -> Answer:
    """Take an exported file: a reply of a known shortcut or title and scope is changed, others made."""
    from_form = bool(request.files)
    raw = (request.files[0].content or b"") if from_form else request.body
    try:
        data = json.loads(raw)
        given = data["replies"] if isinstance(data, dict) else data
        if not isinstance(given, list) or len(given) > MOST:
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Invalid("this is not a file of quick replies", field="file") from error
    known = await all_replies(hub, await reader_of(hub))
    by_name = {(one.scope, one.shortcut or one.title): one for one in known}
    commands = []
    made = 0
    for each in given:
        if not isinstance(each, dict):
            raise Invalid("this is not a file of quick replies", field="file")
        scope = str(each.get("scope", "mine"))
        # A team of another hub is nobody here.
        if scope == "team" and not str(each.get("team_id", "0")).strip("0"):
            scope = "mine"
        name = str(each.get("shortcut") or each.get("title", ""))
        before = by_name.get((scope, name))
        body = {**(as_json(before) if before else {}), **each, "scope": scope}
        commands.append(
            _command(
                hub,
                body,
                before.id if before else 0,
                shared=before is not None and before.scope != "mine",
            )
        )
        made += before is None
    if commands:
        await hub.do(*commands)
    if from_form:
        return Redirect(to="/p/quick_replies/")
    return Json(value={"created": made, "changed": len(commands) - made})


async def _found(hub: Hub, request: PluginRequest) -> QuickReply:
    number = reply_id_of(request.path.get("reply", ""))
    reply = await one_reply(hub, number, await reader_of(hub))
    if reply is None:
        raise NotFound("there is no such reply")
    return reply


def _command(
    hub: Hub,
    body: Mapping[str, Any],
    reply_id: int,
    *,
    shared: bool = False,
    version: int | None = None,
) -> SaveQuickReply:
    scope = str(body.get("scope", "mine"))
    try:
        texts = {
            language: {name: str(one.get(name, "")) for name in WORDINGS}
            for language, one in dict(body.get("texts", {})).items()
            if language in LANGUAGES
        }
        buttons = tuple(
            (str(one.get("label", "")), str(one.get("url", ""))) for one in body.get("buttons", ())
        )
        team_id, slot = int(body.get("team_id") or 0), int(body.get("slot") or 0)
        channels = tuple(str(one) for one in body.get("channels", ()))
    except (TypeError, ValueError, AttributeError) as error:
        raise Invalid("this is not a quick reply", field="texts") from error
    problems = problems_of(hub, texts, str)
    if problems:
        raise Invalid("; ".join(problems), field="texts")
    kind = SaveQuickReply if scope == "mine" and not shared else ShareQuickReply
    return kind(
        reply_id=reply_id,
        title=str(body.get("title", "")),
        shortcut=str(body.get("shortcut", "")),
        folder=str(body.get("folder", "")),
        scope=scope,
        team_id=team_id,
        slot=slot,
        texts=texts,
        buttons=buttons,
        template=str(body.get("template", "")),
        template_language=str(body.get("template_language", "")),
        channels=channels,
        version=version,
    )
