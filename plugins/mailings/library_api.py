"""The library for programs, versions, and a service message of a letter to one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub import Answer, Conflict, Hub, Invalid, Json, PluginRequest, Route
from plugins.mailings.checking import OWN
from plugins.mailings.commands import SaveMailing
from plugins.mailings.doing import mailing_of
from plugins.mailings.endpoints import read, write
from plugins.mailings.library import (
    KeptLetter,
    RemoveLetter,
    RemoveSharedLetter,
    SaveLetter,
    ShareLetter,
    all_letters,
    letter_of,
    problems_of,
)
from plugins.mailings.library_pages import mailing_with, restored
from plugins.mailings.shapes import library as shapes
from plugins.mailings.transactional import transact
from plugins.mailings.versions import (
    LETTER,
    MAILING,
    SENT,
    Version,
    difference,
    lines_of,
    version_of,
    versions_of,
)


def routes() -> list[Route]:
    """Its endpoints, by session under /p/mailings/ and by token under /api/v1/mailings/."""
    one, mailing = "/library/{letter}", "/mailings/{mailing}"
    version_path, letter = "versions/{version}", shapes.Letter
    finds = {"q": "Words to find.", "folder": "Only of this folder."}
    return [
        read("/library", listed, shapes.Letters, **finds),
        write("POST", "/library", create, shapes.GivenLetter, letter),
        read(one, shown, letter),
        write("PUT", one, change, shapes.GivenLetter, letter),
        write("DELETE", one, remove, None, shapes.Removed),
        write("POST", f"{one}/copy", copied, shapes.Copy, letter),
        write("POST", f"{one}/mailing", taken, None, shapes.MailingMade),
        read(f"{one}/versions", versions, shapes.Versions),
        read(f"{one}/{version_path}", version, shapes.ComparedVersion),
        write("POST", f"{one}/restore", restore, shapes.Restored, letter),
        read(f"{mailing}/versions", of_mailing, shapes.MailingVersions),
        read(f"{mailing}/{version_path}", version_of_mailing, shapes.ComparedVersion),
        write(
            "POST", f"{mailing}/restore", restore_mailing, shapes.Restored, shapes.DraftRestored
        ),
        write(
            "POST", "/transactional", transactional, shapes.ServiceMessage,
            shapes.ServiceMessageQueued,
        ),
    ]  # fmt: skip


async def listed(hub: Hub, request: PluginRequest) -> Answer:
    """Every letter that the caller may use; `q` finds, `folder` limits."""
    found = await all_letters(
        hub, words=request.query.get("q", "")[:100], folder=request.query.get("folder", "")
    )
    return Json(value={"items": [one.as_json() for one in found]})


async def create(hub: Hub, request: PluginRequest) -> Answer:
    """Add a letter."""
    made = await _save(hub, KeptLetter(id=0, title=""), request.given)
    return await _answer(hub, str(made), 201)


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """One letter with its ETag."""
    return await _answer(hub, request.path.get("letter", ""))


async def change(hub: Hub, request: PluginRequest) -> Answer:
    """Change what is given; `If-Match` guards it. What it was before is kept."""
    one = await letter_of(hub, request.path.get("letter", ""))
    guard = request.headers.get("if-match", "").strip('"')
    if guard and guard != str(one.version):
        raise Conflict("somebody changed this letter meanwhile", what="version")
    await _save(hub, one, request.given)
    return await _answer(hub, str(one.id))


async def remove(hub: Hub, request: PluginRequest) -> Answer:
    """Put a letter away."""
    one = await letter_of(hub, request.path.get("letter", ""))
    kind = RemoveLetter if one.scope == "mine" else RemoveSharedLetter
    await hub.do(kind(letter_id=one.id))
    return Json(value={"removed": str(one.id)})


async def copied(hub: Hub, request: PluginRequest) -> Answer:
    """Make a copy of one's own."""
    one = await letter_of(hub, request.path.get("letter", ""))
    title = request.given.title or f"{one.title} 2"
    (made,) = await hub.do(SaveLetter(title=title[:200], body=one.body))
    return await _answer(hub, str(made), 201)


async def taken(hub: Hub, request: PluginRequest) -> Answer:
    """Make a draft of a mailing with this letter; gives its id."""
    one = await letter_of(hub, request.path.get("letter", ""))
    return Json(value={"mailing_id": str(await mailing_with(hub, one))}, status=201)


async def versions(hub: Hub, request: PluginRequest) -> Answer:
    """What a letter was before, the newest first."""
    one = await letter_of(hub, request.path.get("letter", ""))
    return Json(
        value={"items": [_version(each) for each in await versions_of(hub, LETTER, one.id)]}
    )


async def version(hub: Hub, request: PluginRequest) -> Answer:
    """One earlier version, and what changed since."""
    one = await letter_of(hub, request.path.get("letter", ""))
    was = await version_of(hub, LETTER, one.id, request.path.get("version", ""))
    return _compared(was, one.title, one.body)


async def restore(hub: Hub, request: PluginRequest) -> Answer:
    """Bring a `version` back; what the letter was until now is kept too."""
    one = await letter_of(hub, request.path.get("letter", ""))
    await restored(hub, one, str(request.given.version))
    return await _answer(hub, str(one.id))


async def of_mailing(hub: Hub, request: PluginRequest) -> Answer:
    """What a mailing was before, and which versions were sent."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    items = [_version(one) for one in await versions_of(hub, MAILING, mailing.id)]
    sent = [one.version for one in await versions_of(hub, SENT, mailing.id)]
    return Json(value={"items": items, "now": mailing.version, "sent": sent})


async def version_of_mailing(hub: Hub, request: PluginRequest) -> Answer:
    """One earlier version of a mailing, and what changed since."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    was = await version_of(hub, MAILING, mailing.id, request.path.get("version", ""))
    return _compared(was, mailing.title, mailing.plan.as_json())


async def restore_mailing(hub: Hub, request: PluginRequest) -> Answer:
    """Bring a `version` of a draft back."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    was = await version_of(hub, MAILING, mailing.id, str(request.given.version))
    await hub.do(
        SaveMailing(
            mailing_id=mailing.id, title=was.title, plan=dict(was.body), version=mailing.version
        )
    )
    return Json(value={"id": str(mailing.id), "title": was.title})


async def transactional(hub: Hub, request: PluginRequest) -> Answer:
    """Send a letter of the library to one person as a service message: a receipt, a code.

    It asks for no consent to advertising and carries none. It stands
    in the person's dialog; `GET /messages/{message_id}/delivery` says what became of it. With
    `Idempotency-Key` a repeat gives the first answer and sends nothing.
    """
    body: shapes.ServiceMessage = request.given
    to = body.address
    address = to if isinstance(to, shapes.Recipient) else shapes.Recipient(value=to or "")
    message_id, dialog_id = await transact(
        hub,
        await letter_of(hub, str(body.letter_id)),
        account_id=body.account_id,
        contact_id=body.contact_id,
        address=address.value.strip(),
        name=address.name.strip(),
        given={name: str(value) for name, value in body.given.items()},
        key=request.headers.get("idempotency-key", ""),
    )
    value = {"message_id": str(message_id), "dialog_id": str(dialog_id), "status": "queued"}
    return Json(value=value, status=202)


# -- shared ---------------------------------------------------------------------------------------


async def _save(hub: Hub, one: KeptLetter, given: shapes.GivenLetter) -> int:
    wanted = replace(one, **given.model_dump(exclude_unset=True))
    body = wanted.body
    problems = problems_of(hub, body, tuple(OWN))
    if problems:
        name, meant = problems[0]
        hint = f": did you mean {meant}?" if meant else ""
        raise Invalid(f"there is no placeholder {name}{hint}", field="text")
    kind = SaveLetter if wanted.scope == "mine" and one.scope == "mine" else ShareLetter
    command = kind(
        letter_id=one.id,
        title=wanted.title,
        folder=wanted.folder,
        scope=wanted.scope,
        team_id=wanted.team_id,
        body=body,
        version=one.version if one.id else None,
    )
    (saved,) = await hub.do(command)
    return int(saved)


async def _answer(hub: Hub, number: str, status: int = 200) -> Answer:
    one = await letter_of(hub, number)
    return Json(value=one.as_json(), status=status, headers={"etag": f'"{one.version}"'})


def _version(one: Version) -> dict[str, Any]:
    return {
        "version": one.version,
        "at": one.at,
        "user_id": str(one.user_id),
        "title": one.title,
        "body": one.body,
    }


def _compared(was: Version, title: str, body: Mapping[str, Any]) -> Answer:
    lines = difference(lines_of(was.title, was.body), lines_of(title, body))
    changes = [{"sign": one.sign, "text": one.text} for one in lines]
    return Json(value={**_version(was), "changes": changes})
