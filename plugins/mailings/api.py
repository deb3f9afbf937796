"""Mailings for programs: everything that the pages do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub import (
    Answer,
    Attachment,
    Conflict,
    File,
    Hub,
    Invalid,
    Json,
    MalformedPayload,
    PluginRequest,
    Route,
)
from plugins.mailings.checking import findings
from plugins.mailings.commands import SaveMailing, SteerMailing
from plugins.mailings.creatives import creatives
from plugins.mailings.doing import again, all_mailings, mailing_of, people_behind, send
from plugins.mailings.files import MOST, files_of, keep
from plugins.mailings.links import look
from plugins.mailings.reached import WAYS_PAGE, ways
from plugins.mailings.results import as_json, funnel_of
from plugins.mailings.trying import tests_of, try_out
from plugins.mailings.wordings import as_json as wordings_as_json
from plugins.mailings.wordings import wordings_of


def routes() -> list[Route]:
    """Its endpoints, by session under /p/mailings/ and by token under /api/v1/mailings/."""
    see, do = "mailings.view", "mailings.send"

    def route(path: str, endpoint: Any, method: str, right: str) -> Route:
        return Route(path=path, endpoint=endpoint, methods=(method,), permission=right, api=True)

    one = "/mailings/{mailing}"
    return [
        route("/creatives", register, "GET", see),
        route("/mailings", listed, "GET", see),
        route("/mailings", create, "POST", do),
        route(one, shown, "GET", see),
        route(one, change, "PUT", do),
        route(f"{one}/check", checked, "GET", see),
        route(f"{one}/links", links_checked, "POST", do),
        route(f"{one}/send", started, "POST", do),
        route(f"{one}/state", steered, "PUT", do),
        route(f"{one}/people", people, "POST", do),
        route(f"{one}/again", repeated, "POST", do),
        route(f"{one}/ways", ways_of, "GET", see),
        route(f"{one}/test", tried, "POST", do),
        route(f"{one}/tests", tests_listed, "GET", see),
        Route(
            path="/files",
            endpoint=file_kept,
            methods=("POST",),
            permission=do,
            api=True,
            max_body=MOST + 100_000,
        ),
    ]


async def register(hub: Hub, request: PluginRequest) -> Answer:
    """Every mailing that carries the mark of advertising, with dates and counts, as CSV."""
    content = (await creatives(hub)).encode()
    return File(content=content, media_type="text/csv; charset=utf-8")


async def listed(hub: Hub, request: PluginRequest) -> Answer:
    """Every mailing with its numbers, the newest first."""
    found = await all_mailings(hub)
    return Json(value={"items": [as_json(one, await funnel_of(hub, one)) for one in found]})


async def create(hub: Hub, request: PluginRequest) -> Answer:
    """Make a draft of a title and a plan."""
    body = _body(request)
    command = SaveMailing(title=str(body.get("title", "")), plan=dict(body.get("plan", {})))
    (mailing_id,) = await hub.do(command)
    return await _answer(hub, str(mailing_id), 201)


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """One mailing with its numbers and its ETag."""
    return await _answer(hub, request.path.get("mailing", ""))


async def change(hub: Hub, request: PluginRequest) -> Answer:
    """Change a draft whole; `If-Match` guards it."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    body = _body(request)
    guard = request.headers.get("if-match", "").strip('"')
    if guard and guard != str(mailing.version):
        raise Conflict("somebody changed this mailing meanwhile", what="version")
    plan = {**mailing.plan.as_json(), **dict(body.get("plan", {}))}
    title = str(body.get("title", mailing.title))
    await hub.do(
        SaveMailing(mailing_id=mailing.id, title=title, plan=plan, version=mailing.version)
    )
    return await _answer(hub, str(mailing.id))


async def checked(hub: Hub, request: PluginRequest) -> Answer:
    """The list before sending."""
    found = await findings(hub, await mailing_of(hub, request.path.get("mailing", "")))
    return Json(
        value={
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
    await send(hub, mailing, str(_body(request).get("people", "")))
    return await _answer(hub, str(mailing.id))


async def steered(hub: Hub, request: PluginRequest) -> Answer:
    """Pause, resume (`running`) or cancel."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    await hub.do(SteerMailing(mailing_id=mailing.id, state=str(_body(request).get("state", ""))))
    return await _answer(hub, str(mailing.id))


async def people(hub: Hub, request: PluginRequest) -> Answer:
    """Make a segment of who stands behind a number: sent, failed, clicked, answered, or missed
    for a `reason`."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    body = _body(request)
    segment_id = await people_behind(
        hub, mailing, str(body.get("what", "")), str(body.get("reason", ""))
    )
    return Json(value={"segment_id": str(segment_id)}, status=201)


async def repeated(hub: Hub, request: PluginRequest) -> Answer:
    """Make a draft like this one, to those who failed with `failed`, or of one `reason`."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    body = _body(request)
    copied = await again(
        hub, mailing, failed=bool(body.get("failed")), reason=str(body.get("reason", ""))
    )
    return await _answer(hub, str(copied), 201)


async def tried(hub: Hub, request: PluginRequest) -> Answer:
    """Send a test: `to` addresses (none: the caller's own), over `account_id` of the plan, filled in
    for `contact_id` (none: a sample), of `variant` 0 or 1 or a later `step` of the chain."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    body = _body(request)
    to = body.get("to", [])
    if not isinstance(to, str | list):
        raise MalformedPayload("`to` is an address or a list of them")
    try:
        numbers = {
            name: int(body.get(name) or 0)
            for name in ("account_id", "contact_id", "variant", "step")
        }
    except (TypeError, ValueError) as error:
        raise MalformedPayload("ids are numbers") from error
    made = await try_out(
        hub,
        mailing,
        to=[to] if isinstance(to, str) else [str(one) for one in to],
        language=str(body.get("language") or request.language),
        **numbers,
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
    value = {
        **as_json(mailing, await funnel_of(hub, mailing)),
        "wordings": wordings_as_json(await wordings_of(hub, mailing)),
    }
    return Json(value=value, status=status, headers={"etag": f'"{mailing.version}"'})


def _body(request: PluginRequest) -> Mapping[str, Any]:
    try:
        data = json.loads(request.body or b"{}")
    except ValueError as error:
        raise MalformedPayload("the body is not JSON") from error
    if not isinstance(data, dict):
        raise MalformedPayload("the body is not a JSON object")
    return data
