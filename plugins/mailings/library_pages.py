"""The pages of the library of letters, and what a mailing or a letter was before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import Any

from hub import Answer, Conflict, File, Hub, HubError, Invalid, Page, PluginRequest, Redirect, Route
from plugins.mailings.checking import OWN
from plugins.mailings.commands import SaveMailing
from plugins.mailings.complaints import complaints
from plugins.mailings.doing import mailing_of, words_of
from plugins.mailings.files import files_of, keep, megabytes
from plugins.mailings.letter import letter
from plugins.mailings.library import (
    WORDS,
    KeptLetter,
    RemoveLetter,
    RemoveSharedLetter,
    SaveLetter,
    ShareLetter,
    all_letters,
    letter_of,
    problems_of,
    reader_of,
)
from plugins.mailings.looks import preview, variables
from plugins.mailings.plans import Variant
from plugins.mailings.texts import SCOPE_WORDS, translator
from plugins.mailings.trying import samples
from plugins.mailings.versions import (
    LETTER,
    MAILING,
    SENT,
    difference,
    lines_of,
    version_of,
    versions_of,
)

MOST_BODY = 60_000_000


def _(text: str) -> str:
    return text


def routes() -> list[Route]:
    """Its endpoints; they stand before `/{mailing}`."""
    see, do = "mailings.view", "mailings.send"
    one = "/letters/{letter}"
    return [
        Route(path="/letters", endpoint=overview, permission=see),
        Route(path="/letters/new", endpoint=shown, permission=do),
        Route(
            path="/letters/new", endpoint=save, methods=("POST",), permission=do, max_body=MOST_BODY
        ),
        Route(path=one, endpoint=shown, permission=see),
        Route(path=one, endpoint=save, methods=("POST",), permission=do, max_body=MOST_BODY),
        Route(path=f"{one}/drawn", endpoint=drawn, permission=see),
        Route(path=f"{one}/versions/{{version}}", endpoint=before, permission=see),
        Route(
            path=f"{one}/versions/{{version}}", endpoint=restore, methods=("POST",), permission=do
        ),
        Route(path="/{mailing}/versions", endpoint=of_mailing, permission=see),
        Route(path="/{mailing}/versions/{version}", endpoint=before_mailing, permission=see),
        Route(
            path="/{mailing}/versions/{version}",
            endpoint=restore_mailing,
            methods=("POST",),
            permission=do,
        ),
    ]


def _frame(request: PluginRequest) -> dict[str, object]:
    return {"section": "marketing", "tab": "Mailings", "edits": "mailings.send" in request.may}


async def overview(hub: Hub, request: PluginRequest) -> Answer:
    """The library: by folder, searched."""
    words, folder = request.query.get("q", "")[:100], request.query.get("folder", "")[:100]
    known = await all_letters(hub)
    return Page(
        template="letters.html",
        title=translator(request.language)(_("Letters")),
        values={
            **_frame(request),
            "letters": await all_letters(hub, words=words, folder=folder),
            "any": bool(known),
            "folders": sorted({one.folder for one in known if one.folder}, key=str.lower),
            "folder": folder,
            "text": words,
            "scopes": SCOPE_WORDS,
        },
    )


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """One letter, or a new one."""
    number = request.path.get("letter", "")
    one = await letter_of(hub, number) if number else KeptLetter(id=0, title="")
    return await _page(hub, request, one)


async def _page(
    hub: Hub, request: PluginRequest, one: KeptLetter, problem: str = "", status: int = 200
) -> Page:
    shares = "templates.edit" in request.may
    user = await reader_of(hub)
    own = set(user.teams) if user is not None else set()
    try:
        files = await files_of(hub, one.files)
    except Invalid:
        files = []
    words = translator(request.language)
    return Page(
        template="letter.html",
        title=one.title or words(_("New letter")),
        status=status,
        values={
            **_frame(request),
            "letter": one,
            "may_edit": "mailings.send" in request.may and (one.scope == "mine" or shares),
            "scopes": {k: v for k, v in SCOPE_WORDS.items() if k == "mine" or shares},
            "teams": [(each.id, each.name) for each in await hub.teams() if each.id in own],
            "files": files,
            "megabytes": megabytes,
            "problem": problem,
            "variables": variables(request.language),
            "problems": _problems(hub, one) if one.id else [],
            "versions": await versions_of(hub, LETTER, one.id) if one.id else [],
            "people": await _names(hub),
        },
    )


async def _names(hub: Hub) -> Mapping[int, str]:
    names: dict[int, str] = {}
    user = await reader_of(hub)
    if user is not None:
        names[user.id] = user.name
    return names


def _problems(hub: Hub, one: KeptLetter) -> list[tuple[str, str, str]]:
    """Say what is wrong or doubtful: (level, words, detail)."""
    found = []
    for name, meant in problems_of(hub, one.body, tuple(OWN)):
        detail = f"{name} → {meant}" if meant else name
        found.append(("bad", "A placeholder is not known", detail))
    try:
        made = letter(one.text, plain_twin=one.plain)
    except HubError as error:
        return [*found, ("bad", "The letter cannot be laid out", str(error))]
    return found + complaints(one.text, made, subject=one.subject)


async def save(hub: Hub, request: PluginRequest) -> Answer:
    """Take the page: save, copy, take into a mailing, put away."""
    number = request.path.get("letter", "")
    one = await letter_of(hub, number) if number else KeptLetter(id=0, title="")
    what = request.fields.get("do", "save")
    words = translator(request.language)
    try:
        if what == "remove":
            kind = RemoveLetter if one.scope == "mine" else RemoveSharedLetter
            await hub.do(kind(letter_id=one.id))
            return Redirect(to="/p/mailings/letters")
        if what == "copy":
            (copied,) = await hub.do(SaveLetter(title=f"{one.title} 2"[:200], body=one.body))
            return Redirect(to=f"/p/mailings/letters/{copied}")
        if what == "mailing":
            mailing = await mailing_with(hub, one)
            return Redirect(to=f"/p/mailings/{mailing}#content")
        saved = await _saved(hub, request, one)
    except (Invalid, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 422
        return await _page(hub, request, _typed(request, one), words(str(error)), status)
    to = "/p/mailings/letters" if what == "close" else f"/p/mailings/letters/{saved}?saved=1"
    return Redirect(to=to)


async def _saved(hub: Hub, request: PluginRequest, one: KeptLetter) -> int:
    typed = _typed(request, one)
    version = request.fields.get("version", "")
    command = SaveLetter(
        letter_id=one.id,
        title=typed.title,
        folder=typed.folder,
        scope=typed.scope,
        team_id=typed.team_id,
        body={
            **typed.body,
            "files": [*typed.body["files"], *map(str, await keep(hub, request.files))],
        },
        version=int(version) if one.id and version.isdecimal() else None,
    )
    if command.scope != "mine" or one.scope != "mine":
        command = ShareLetter(
            **{each.name: getattr(command, each.name) for each in fields_of(command)}
        )
    (saved,) = await hub.do(command)
    return int(saved)


def _typed(request: PluginRequest, one: KeptLetter) -> KeptLetter:
    """Give back what was typed: nothing is lost."""
    given = request.fields
    team = given.get("team_id", "")
    words: dict[str, Any] = {name: given.get(name, "").replace("\r\n", "\n") for name in WORDS}
    return replace(
        one,
        title=given.get("title", ""),
        folder=given.get("folder", ""),
        scope=given.get("scope", "mine"),
        team_id=int(team) if team.isdecimal() and len(team) < 19 else 0,
        **words,
        files=tuple(
            int(name.removeprefix("file_"))
            for name in given
            if name.startswith("file_") and name.removeprefix("file_").isdecimal()
        ),
    )


async def mailing_with(hub: Hub, one: KeptLetter) -> int:
    """Make a draft of a mailing with a letter; gives its id."""
    plan = {"variants": [words_of(one)], "files": [str(each) for each in one.files]}
    (made,) = await hub.do(SaveMailing(title=one.title, plan=plan))
    return int(made)


def wording_of(given: Variant) -> dict[str, Any]:
    """Give a wording of a mailing as a letter of the library."""
    return {name: getattr(given, name) for name in WORDS}


async def drawn(hub: Hub, request: PluginRequest) -> Answer:
    """The letter as a sample person would see it."""
    one = await letter_of(hub, request.path.get("letter", ""))
    try:
        made = letter(one.text, language=request.language[:2], plain_twin=one.plain).html
        values = {**samples(request.language), "unsubscribe_url": "#", "view_url": "#"}
        html = hub.fill(made, values, html=True).text
    except HubError as error:
        words = translator(request.language)(str(error))
        return File(content=words.encode(), media_type="text/plain; charset=utf-8")
    return preview(html, dark=bool(request.query.get("dark")))


# -- what it was before ---------------------------------------------------------------------------


async def before(hub: Hub, request: PluginRequest) -> Answer:
    """What changed in a letter since a version."""
    one = await letter_of(hub, request.path.get("letter", ""))
    was = await version_of(hub, LETTER, one.id, request.path.get("version", ""))
    return Page(
        template="version.html",
        title=one.title,
        values={
            **_frame(request),
            "version": was,
            "lines": difference(lines_of(was.title, was.body), lines_of(one.title, one.body)),
            "back": f"/p/mailings/letters/{one.id}",
            "restores": "mailings.send" in request.may
            and (one.scope == "mine" or "templates.edit" in request.may),
        },
    )


async def restore(hub: Hub, request: PluginRequest) -> Answer:
    """Bring a version of a letter back; what it was until now is kept too."""
    one = await letter_of(hub, request.path.get("letter", ""))
    await restored(hub, one, request.path.get("version", ""))
    return Redirect(to=f"/p/mailings/letters/{one.id}?saved=1")


async def restored(hub: Hub, one: KeptLetter, version: str) -> None:
    """Make a letter what it was."""
    was = await version_of(hub, LETTER, one.id, version)
    kind = SaveLetter if one.scope == "mine" else ShareLetter
    command = kind(
        letter_id=one.id,
        title=was.title,
        body=was.body,
        folder=one.folder,
        scope=one.scope,
        team_id=one.team_id,
        version=one.version,
    )
    await hub.do(command)


async def of_mailing(hub: Hub, request: PluginRequest) -> Answer:
    """What a mailing was before, and which version was sent."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    return Page(
        template="versions.html",
        title=mailing.title,
        values={
            **_frame(request),
            "mailing": mailing,
            "versions": await versions_of(hub, MAILING, mailing.id),
            "sent": await versions_of(hub, SENT, mailing.id),
        },
    )


async def before_mailing(hub: Hub, request: PluginRequest) -> Answer:
    """What changed in a mailing since a version."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    was = await version_of(hub, MAILING, mailing.id, request.path.get("version", ""))
    now = lines_of(mailing.title, mailing.plan.as_json())
    return Page(
        template="version.html",
        title=mailing.title,
        values={
            **_frame(request),
            "version": was,
            "lines": difference(lines_of(was.title, was.body), now),
            "back": f"/p/mailings/{mailing.id}/versions",
            "restores": "mailings.send" in request.may and mailing.state == "draft",
        },
    )


async def restore_mailing(hub: Hub, request: PluginRequest) -> Answer:
    """Bring a version of a draft back; what it was until now is kept too."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    was = await version_of(hub, MAILING, mailing.id, request.path.get("version", ""))
    await hub.do(
        SaveMailing(
            mailing_id=mailing.id, title=was.title, plan=dict(was.body), version=mailing.version
        )
    )
    return Redirect(to=f"/p/mailings/{mailing.id}")
