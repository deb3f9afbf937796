"""Mailings for programs: everything that the pages do."""

from __future__ import annotations

from contextlib import suppress

from hub import (
    Answer,
    Attachment,
    Conflict,
    File,
    Hub,
    HubError,
    Invalid,
    Json,
    PluginRequest,
    Route,
)
from plugins.mailings.audience import missing
from plugins.mailings.checking import findings
from plugins.mailings.commands import SaveMailing
from plugins.mailings.creatives import creatives
from plugins.mailings.doing import again, all_mailings, mailing_of, people_behind, send, steer
from plugins.mailings.endpoints import read, write
from plugins.mailings.files import MOST, files_of, keep
from plugins.mailings.links import look
from plugins.mailings.paths import path_of
from plugins.mailings.reached import WAYS_PAGE, ways
from plugins.mailings.results import FUNNELS, as_json, funnel_of, pace_of
from plugins.mailings.shapes import mailings as shapes
from plugins.mailings.shapes.results import Segment
from plugins.mailings.trying import tests_of, try_out
from plugins.mailings.wordings import as_json as wordings_as_json
from plugins.mailings.wordings import wordings_of

LISTED = 500
"""So many mailings are given at once."""


def routes() -> list[Route]:
    """Its endpoints, by session under /p/mailings/ and by token under /api/v1/mailings/."""
    one, whole = "/mailings/{mailing}", shapes.WholeMailing
    return [
        read("/creatives", register, "text/csv"),
        read(
            "/mailings",
            listed,
            shapes.Mailings,
            before="The `next` of the page before.",
            exact="`true`: count all of them now.",
        ),
        write("POST", "/mailings", create, shapes.GivenMailing, whole),
        read(one, shown, whole),
        write("PUT", one, change, shapes.GivenMailing, whole),
        read(
            f"{one}/check",
            checked,
            shapes.Findings,
            exact="`true`: count everybody, also where an estimate would be quicker.",
        ),
        write("POST", f"{one}/links", links_checked, None, shapes.Links),
        write("POST", f"{one}/send", started, shapes.Confirmed, whole),
        write("PUT", f"{one}/state", steered, shapes.Steered, whole),
        write("POST", f"{one}/people", people, shapes.Behind, Segment),
        write("POST", f"{one}/again", repeated, shapes.Again, whole),
        read(
            f"{one}/ways",
            ways_of,
            shapes.AllWays,
            state="Only people whose last way is in this state.",
            reason="Only of this reason.",
            after="The `next` of the page before.",
        ),
        write("POST", f"{one}/test", tried, shapes.Test, shapes.TestsMade),
        read(f"{one}/tests", tests_listed, shapes.Tests),
        write(
            "POST",
            "/files",
            file_kept,
            "application/octet-stream",
            shapes.KeptFile,
            max_body=MOST + 100_000,
            asks={"name": "The file's name."},
        ),
    ]


async def register(hub: Hub, request: PluginRequest) -> Answer:
    """Every mailing that carries the mark of advertising, with dates and counts, as CSV."""
    content = (await creatives(hub)).encode()
    return File(content=content, media_type="text/csv; charset=utf-8")


async def listed(hub: Hub, request: PluginRequest) -> Answer:
    """Mailings with their numbers, the newest first, continued with `before`.

    Those of large ones are kept for a while (`counted_at`) unless they shall be `exact`.
    """
    before = request.query.get("before", "")
    found = await all_mailings(
        hub, before=int(before) if before.isdecimal() and len(before) < 19 else 0, limit=LISTED
    )
    numbers = await FUNNELS.lately(hub, found, exact=_exact(request))
    items = [
        {**as_json(one, numbers[one.id][0]), "counted_at": numbers[one.id][1]} for one in found
    ]
    return Json(value={"items": items, "next": str(found[-1].id) if len(found) == LISTED else ""})


def _exact(request: PluginRequest) -> bool:
    return request.query.get("exact", "").lower() in ("1", "true", "yes")


async def create(hub: Hub, request: PluginRequest) -> Answer:
    """Make a draft of a title and a plan."""
    body: shapes.GivenMailing = request.given
    command = SaveMailing(title=body.title, plan=body.plan.model_dump(exclude_unset=True))
    (mailing_id,) = await hub.do(command)
    return await _answer(hub, str(mailing_id), 201)


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """One mailing with its numbers and its ETag."""
    return await _answer(hub, request.path.get("mailing", ""))


async def change(hub: Hub, request: PluginRequest) -> Answer:
    """Change what is given of a draft; `If-Match` guards it."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    body: shapes.GivenMailing = request.given
    guard = request.headers.get("if-match", "").strip('"')
    if guard and guard != str(mailing.version):
        raise Conflict("somebody changed this mailing meanwhile", what="version")
    plan = {**mailing.plan.as_json(), **body.plan.model_dump(exclude_unset=True)}
    title = body.title if "title" in body.model_fields_set else mailing.title
    await hub.do(
        SaveMailing(mailing_id=mailing.id, title=title, plan=plan, version=mailing.version)
    )
    return await _answer(hub, str(mailing.id))


async def checked(hub: Hub, request: PluginRequest) -> Answer:
    """The list before sending.

    Where very many would get it their number and the price are an estimate (`estimated`), and the
    details say ≈, unless they shall be `exact`.
    """
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    path = None
    # What is missing, or gone, is said by the list.
    if not await missing(hub, mailing.plan):
        with suppress(HubError, KeyError):
            path = await path_of(hub, mailing, exact=_exact(request))
    found = await findings(hub, mailing, path)
    return Json(
        value={
            "estimated": path is not None and path.estimated,
            "ready": not [one for one in found if one.level == "bad"],
            "findings": [
                {"level": one.level, "text": one.text, "detail": one.detail} for one in found
            ],
        }
    )


async def links_checked(hub: Hub, request: PluginRequest) -> Answer:
    """Whether the links of the words answer, looked at now: alive, dead or unsure, with the cause."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    _findings, checks = await look(hub, mailing.plan)
    return Json(
        value={
            "items": [
                {"url": one.url, "state": one.state, "cause": one.cause, "code": one.code}
                for one in checks
            ]
        }
    )


async def started(hub: Hub, request: PluginRequest) -> Answer:
    """Let it go; `people` confirms the number above a thousand."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    await send(hub, mailing, str(request.given.people))
    return await _answer(hub, str(mailing.id))


async def steered(hub: Hub, request: PluginRequest) -> Answer:
    """Pause, resume (`running`) or cancel; put a draft away (`removed`) and back (`draft`)."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    await steer(hub, mailing, request.given.state)
    return await _answer(hub, str(mailing.id))


async def people(hub: Hub, request: PluginRequest) -> Answer:
    """Make a segment of who stands behind a number: sent, failed, clicked, answered, or missed
    for a `reason`."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    segment_id = await people_behind(hub, mailing, request.given.what, request.given.reason)
    return Json(value={"segment_id": str(segment_id)}, status=201)


async def repeated(hub: Hub, request: PluginRequest) -> Answer:
    """Make a draft like this one, to those who failed with `failed`, or of one `reason`."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    body: shapes.Again = request.given
    copied = await again(hub, mailing, failed=body.failed, reason=body.reason)
    return await _answer(hub, str(copied), 201)


async def tried(hub: Hub, request: PluginRequest) -> Answer:
    """Send a test: `to` addresses (none: the caller's own), over `account_id` of the plan, filled in
    for `contact_id` (none: a sample), of `variant` 0 or 1 or a later `step` of the chain."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    body: shapes.Test = request.given
    made = await try_out(
        hub,
        mailing,
        to=[body.to] if isinstance(body.to, str) else body.to,
        account_id=body.account_id,
        contact_id=body.contact_id,
        variant=body.variant,
        step=body.step,
        language=body.language or request.language,
    )
    return Json(value={"send_ids": [str(one) for one in made]}, status=201)


async def tests_listed(hub: Hub, request: PluginRequest) -> Answer:
    """The last tests of a mailing, and what became of each."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    items = [
        {
            "send_id": str(one.send_id),
            "account_id": str(one.account_id),
            "at": one.at,
            "state": one.state,
            "reason": one.reason,
        }
        for one in await tests_of(hub, mailing)
    ]
    return Json(value={"items": items})


async def file_kept(hub: Hub, request: PluginRequest) -> Answer:
    """Keep a file for letters, as a form's file or as the body with `?name=`; gives its id, which a
    plan names in `files`."""
    given = request.files or (
        Attachment(
            name=request.query.get("name", "file"),
            media_type=request.headers.get("content-type", ""),
            content=request.body,
            size=len(request.body),
        ),
    )
    kept = await files_of(hub, await keep(hub, given))
    if not kept:
        raise Invalid("the file is empty", field="files")
    items = [{"id": str(one.id), "name": one.name, "size": one.size} for one in kept]
    return Json(value=items[0], status=201)


async def ways_of(hub: Hub, request: PluginRequest) -> Answer:
    """People with the ways that were tried, by `state` and `reason`, continued with `after`."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    after = request.query.get("after", "")
    found = await ways(
        hub,
        mailing,
        state=request.query.get("state", ""),
        reason=request.query.get("reason", ""),
        after=int(after) if after.isdecimal() and len(after) < 19 else 0,
    )
    items = [
        {
            "contact_id": str(one.contact_id),
            "delivery_id": str(one.delivery_id),
            "name": one.name,
            "ways": [
                {
                    "account_id": str(each.account_id),
                    "state": each.state,
                    "reason": each.reason,
                    "text": each.text,
                    "at": each.at,
                    "told": each.told,
                    "told_at": each.told_at,
                }
                for each in one.ways
            ],
        }
        for one in found
    ]
    following = str(found[-1].delivery_id) if len(found) == WAYS_PAGE else ""
    return Json(value={"items": items, "next": following})


async def _answer(hub: Hub, number: str, status: int = 200) -> Answer:
    mailing = await mailing_of(hub, number)
    funnel = await funnel_of(hub, mailing)
    pace = pace_of(hub, mailing, funnel)
    value = {
        **as_json(mailing, funnel),
        "per_minute": pace.per_minute if pace else None,
        "ends_at": pace.ends_at if pace else 0,
        "wordings": wordings_as_json(await wordings_of(hub, mailing)),
    }
    return Json(value=value, status=status, headers={"etag": f'"{mailing.version}"'})
