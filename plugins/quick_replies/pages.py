"""The pages of quick replies: the list under Marketing, one reply, what it would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from urllib.parse import urlencode

from sqlalchemy import select

from hub import (
    VARIABLES,
    Answer,
    Attachment,
    Conflict,
    DialogId,
    File,
    Hub,
    HubError,
    Invalid,
    Json,
    NotFound,
    Page,
    PluginRequest,
    Redirect,
    Route,
)
from plugins.quick_replies.commands import (
    MAX_FILE,
    RemoveQuickReply,
    RemoveSharedReply,
    SaveQuickReply,
    ShareQuickReply,
)
from plugins.quick_replies.earlier import bring_back, versions_of
from plugins.quick_replies.favourites import FAVOURS, FavourReply
from plugins.quick_replies.finding import score
from plugins.quick_replies.reading import command_of, problems_of, reply_id_of, samples
from plugins.quick_replies.replies import (
    LANGUAGES,
    WORDINGS,
    QuickReply,
    Wording,
    all_replies,
    one_reply,
    reader_of,
)
from plugins.quick_replies.tables import files
from plugins.quick_replies.texts import translator
from plugins.quick_replies.uses import DAY_US, STALE_DAYS, Numbers, by_whom, numbers


def _(text: str) -> str:
    return text


VIEWS = {
    "all": _("All"),
    "favourites": _("Favourites"),
    "mine": _("Mine"),
    "shared": _("Shared"),
    "stale": _("Not used lately"),
}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src *; frame-ancestors 'self'; sandbox"
SCOPES = {"mine": _("Only mine"), "team": _("My team's"), "all": _("Everybody's")}


def routes() -> list[Route]:
    """Its endpoints; a colleague must be logged in."""
    return [
        Route(path="/", endpoint=overview),
        Route(path="/new", endpoint=edit),
        Route(path="/new", endpoint=save, methods=("POST",), max_body=3 * MAX_FILE),
        Route(path="/preview", endpoint=preview, methods=("POST",)),
        Route(path="/attach/{reply}", endpoint=attach, methods=("POST",)),
        Route(path="/{reply}", endpoint=edit),
        Route(path="/{reply}", endpoint=save, methods=("POST",), max_body=3 * MAX_FILE),
        Route(path="/{reply}/drawn", endpoint=drawn),
        Route(path="/{reply}/favourite", endpoint=favour, methods=("POST",), permission=FAVOURS),
        Route(path="/{reply}/restore", endpoint=restore, methods=("POST",)),
        Route(path="/{reply}/remove", endpoint=remove, methods=("POST",)),
    ]


async def overview(hub: Hub, request: PluginRequest) -> Answer:
    """The list: by folder, searched, or those that nobody uses."""
    user = await reader_of(hub)
    view = request.query.get("view", "all")
    view = view if view in VIEWS else "all"
    text = request.query.get("q", "")[:100]
    folder = request.query.get("folder", "")[:100]
    known = await all_replies(hub, user)
    stale_before = hub.now() - STALE_DAYS * DAY_US
    shown = [
        one
        for one in known
        if (view != "favourites" or one.favourite)
        and (view != "mine" or one.scope == "mine")
        and (view != "shared" or one.scope != "mine")
        and (view != "stale" or max(one.last_used_at, one.changed_at) < stale_before)
        and (not folder or one.folder == folder)
    ]
    if text:
        ranked = [(score(one, text), one) for one in shown]
        shown = [one for points, one in sorted(ranked, key=lambda each: -each[0]) if points]
    return Page(
        template="list.html",
        title=translator(request.language)(_("Quick replies")),
        values={
            **_frame(request),
            "replies": shown,
            "any": bool(known),
            "numbers": await numbers(hub),
            "nothing": Numbers(),
            "folders": sorted({one.folder for one in known if one.folder}, key=str.lower),
            "stars": FAVOURS in request.may,
            "view": view,
            "views": VIEWS,
            "folder": folder,
            "text": text,
            "excerpt": {one.id: one.wording(request.language).text[:160] for one in shown},
            "scopes": SCOPES,
        },
    )


async def edit(hub: Hub, request: PluginRequest) -> Answer:
    """One reply, or a new one."""
    user = await reader_of(hub)
    number = request.path.get("reply", "")
    reply = QuickReply(id=0, title="", owner_id=user.id if user else 0)
    if number:
        found = await one_reply(hub, reply_id_of(number), user)
        if found is None:
            raise NotFound("there is no such reply")
        reply = found
    return await _form(hub, request, reply)


async def _form(
    hub: Hub,
    request: PluginRequest,
    reply: QuickReply,
    problems: tuple[str, ...] = (),
    field: str = "",
    status: int = 200,
) -> Page:
    user = await reader_of(hub)
    shares = "templates.edit" in request.may
    words = translator(request.language)
    people = []
    for user_id, n in await by_whom(hub, reply.id) if reply.id else ():
        try:
            people.append((await hub.user(user_id), n))  # type: ignore[arg-type]
        except HubError:
            continue
    own = set(user.teams) if user is not None else set()
    teams = [(one.id, one.name) for one in await hub.teams() if one.id in own or shares]
    return Page(
        template="edit.html",
        title=reply.title or words(_("New quick reply")),
        status=status,
        values={
            **_frame(request),
            "reply": reply,
            "may_edit": reply.scope == "mine" or shares,
            "shares": shares,
            "scopes": {key: text for key, text in SCOPES.items() if key == "mine" or shares},
            "teams": teams,
            "languages": LANGUAGES,
            "empty_wording": Wording(),
            "buttons": "\n".join(f"{label} {url}".strip() for label, url in reply.buttons),
            "variables": [(one.name, words(one.label), one.sample) for one in VARIABLES.values()],
            "problems": problems,
            "field": field,
            "numbers": (await numbers(hub)).get(reply.id, Numbers()),
            "people": people,
            "previews": _previews(hub, reply),
            "earlier": await versions_of(hub, reply) if reply.id else [],
        },
    )


def _previews(hub: Hub, reply: QuickReply) -> dict[str, str]:
    found = {}
    for language in reply.languages:
        try:
            found[language] = hub.fill(reply.texts[language].text, samples(language)).text
        except HubError:
            found[language] = ""
    return found


def _frame(request: PluginRequest) -> dict[str, object]:
    return {"section": "marketing", "tab": "Templates", "shares": "templates.edit" in request.may}


async def save(hub: Hub, request: PluginRequest) -> Answer:
    """Take the form; what is wrong is said at it, and nothing that was typed is lost."""
    user = await reader_of(hub)
    number = request.path.get("reply", "")
    reply_id = reply_id_of(number) if number else 0
    before = await one_reply(hub, reply_id, user) if reply_id else None
    if reply_id and before is None:
        raise NotFound("there is no such reply")
    command = command_of(request.fields, request.files, reply_id)
    shared = command.scope != "mine" or (before is not None and before.scope != "mine")
    if shared:
        command = ShareQuickReply(
            **{one.name: getattr(command, one.name) for one in fields(command)}
        )
    words = translator(request.language)
    problems = problems_of(hub, command.texts, words)
    if not problems:
        try:
            (saved,) = await hub.do(command)
            closes = request.fields.get("do") == "close"
            return Redirect(
                to="/p/quick_replies/" if closes else f"/p/quick_replies/{saved}?saved=1"
            )
        except Invalid as error:
            return await _form(
                hub, request, _typed(command, before), (words(str(error)),), error.field, 422
            )
        except Conflict:
            text = words(
                _(
                    "Somebody changed this reply meanwhile. Your text is below; look at theirs and save again."
                )
            )
            typed = replace(_typed(command, before), version=before.version if before else 1)
            return await _form(hub, request, typed, (text,), "", 409)
    return await _form(hub, request, _typed(command, before), tuple(problems), "text", 422)


def _typed(command: SaveQuickReply, before: QuickReply | None) -> QuickReply:
    kept = before or QuickReply(id=0, title="")
    return replace(
        kept,
        title=command.title,
        shortcut=command.shortcut,
        folder=command.folder,
        scope=command.scope,
        team_id=command.team_id,
        slot=command.slot,
        texts={
            language: Wording(**{name: one.get(name, "") for name in WORDINGS})
            for language, one in command.texts.items()
        },
        buttons=command.buttons,
        template=command.template,
        template_language=command.template_language,
        channels=command.channels,
    )


async def restore(hub: Hub, request: PluginRequest) -> Answer:
    """Bring what a reply said before back."""
    reply = await one_reply(hub, reply_id_of(request.path.get("reply", "")), await reader_of(hub))
    if reply is None:
        raise NotFound("there is no such reply")
    await bring_back(hub, reply, request.fields.get("version", ""))
    return Redirect(to=f"/p/quick_replies/{reply.id}?saved=1")


async def favour(hub: Hub, request: PluginRequest) -> Answer:
    """The star of a row: pressed and pressed again; the list opens where it stood."""
    reply = await one_reply(hub, reply_id_of(request.path.get("reply", "")), await reader_of(hub))
    if reply is None:
        raise NotFound("there is no such reply")
    favourite = request.fields.get("favourite") == "yes"
    await hub.do(FavourReply(reply_id=reply.id, favourite=favourite))
    kept = {name: request.fields.get(name, "")[:100] for name in ("view", "folder", "q")}
    return Redirect(to=f"/p/quick_replies/?{urlencode(kept)}#reply-{reply.id}")


async def remove(hub: Hub, request: PluginRequest) -> Answer:
    """Put a reply away."""
    reply_id = reply_id_of(request.path.get("reply", ""))
    reply = await one_reply(hub, reply_id, await reader_of(hub))
    if reply is None:
        raise NotFound("there is no such reply")
    kind = RemoveQuickReply if reply.scope == "mine" else RemoveSharedReply
    await hub.do(kind(reply_id=reply_id))
    return Redirect(to="/p/quick_replies/")


async def preview(hub: Hub, request: PluginRequest) -> Answer:
    """What a text would say to a sample person, and what is wrong with it."""
    language = "en" if request.fields.get("language") == "en" else "ru"
    text = request.fields.get("text", "")
    words = translator(request.language)
    problems = problems_of(hub, {language: {"text": text}}, words)
    if problems:
        return Json(value={"text": "", "problems": list(problems)})
    made = hub.fill(text, samples(language))
    without = hub.fill(text, {"company": samples(language)["company"]})
    return Json(
        value={
            "text": made.text,
            "unknown_person": without.text,
            "missing": list(without.missing),
            "problems": [],
        }
    )


async def drawn(hub: Hub, request: PluginRequest) -> Answer:
    """How the HTML of a reply looks, filled in for a sample person; nothing in it runs or loads."""
    language = "en" if request.query.get("language") == "en" else "ru"
    reply = await one_reply(hub, reply_id_of(request.path.get("reply", "")), await reader_of(hub))
    if reply is None:
        raise NotFound("there is no such reply")
    html = hub.fill(reply.texts.get(language, Wording()).html, samples(language), html=True).text
    headers = {"content-security-policy": POLICY}
    return File(content=html.encode(), media_type="text/html; charset=utf-8", headers=headers)


async def attach(hub: Hub, request: PluginRequest) -> Answer:
    """Put a reply's files into the composer of a dialog."""
    reply_id = reply_id_of(request.path.get("reply", ""))
    dialog_id = DialogId(reply_id_of(request.query.get("dialog", "")))
    if await one_reply(hub, reply_id, await reader_of(hub)) is None:
        raise NotFound("there is no such reply")
    await hub.dialog(dialog_id)
    found = []
    for one in await hub.store.all(
        select(files).where(files.c.reply_id == reply_id).order_by(files.c.id)
    ):
        file = _attachment(one)
        found.append({"id": str(await hub.upload(file, dialog_id)), "name": one["name"]})
    return Json(value={"files": found})


def _attachment(row: Mapping[str, object]) -> Attachment:
    content = row["content"]
    assert isinstance(content, bytes)
    return Attachment(
        name=str(row["name"]), media_type=str(row["media_type"]), content=content, size=len(content)
    )
