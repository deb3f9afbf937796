"""The pages of results: one mailing to the money, its links over the letter, and mailings side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub import (
    Answer,
    File,
    Hub,
    Invalid,
    Json,
    Page,
    PluginRequest,
    Redirect,
    Route,
)
from plugins.mailings.contents import is_letter, letters_of
from plugins.mailings.doing import all_mailings, mailing_of
from plugins.mailings.endpoints import read, write
from plugins.mailings.looks import POLICY
from plugins.mailings.reports import (
    CUTS,
    WINDOWS,
    Report,
    as_csv,
    as_json,
    asked,
    merged,
    people_of,
    report_of,
)
from plugins.mailings.shapes import results as shapes
from plugins.mailings.texts import CUT_WORDS, NUMBER_WORDS, TOUCH_WORDS, translator
from plugins.mailings.wordings import wordings_of

MOST_COMPARED = 10
_LINK = re.compile(r'(<a\b[^>]*\bhref=")([^"]*)("[^>]*>)(.*?)(</a>)', re.IGNORECASE | re.DOTALL)
BADGE = (
    "<span style='display:inline-block;margin-left:6px;padding:1px 7px;border-radius:9px;"
    "background:#b3261e;color:#fff;font:bold 12px/1.4 Arial,sans-serif'>{}</span>"
)

ASKED = {
    "days": "The window after a touch, 30 unless said.",
    "touch": "Whose an interest is that several mailings touched: any, first, last.",
}


def _(text: str) -> str:
    return text


def routes() -> list[Route]:
    """Its endpoints: pages, and the same for programs."""
    see, do = "mailings.view", "mailings.send"
    one, api = "/{mailing}/report", "/mailings/{mailing}/results"
    return [
        Route(path="/compare", endpoint=compared, permission=see),
        Route(path=one, endpoint=shown, permission=see),
        Route(path=one, endpoint=behind, methods=("POST",), permission=do),
        Route(path=f"{one}.csv", endpoint=exported, permission=see),
        Route(path="/{mailing}/linkmap", endpoint=link_map, permission=see),
        read(api, given, shapes.Report, **ASKED, by=f"Only one cut: {', '.join(CUTS)}."),
        write("POST", f"{api}/people", people, shapes.NumberBehind, shapes.Segment),
        read(
            "/results",
            given_together,
            shapes.Reports,
            **ASKED,
            ids="Ids with commas; none: the last ones.",
        ),
    ]


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """What a mailing brought."""
    return await _page(hub, request)


async def _page(hub: Hub, request: PluginRequest, problem: str = "", status: int = 200) -> Answer:
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    words = translator(request.language)
    try:
        days, touch = asked(request.query)
    except Invalid as error:
        days, touch, problem, status = 30, "any", words(str(error)), 422
    cut = request.query.get("by", "")
    cut = cut if cut in CUTS else "variant" if mailing.plan.tests else "channel"
    report = await report_of(
        hub, mailing, days=days, touch=touch, cuts=(cut,), title=request.channel_title
    )
    return Page(
        template="report.html",
        title=mailing.title,
        status=status,
        values={
            "section": "marketing",
            "tab": "Mailings",
            "edits": "mailings.send" in request.may,
            "mailing": mailing,
            "is_letter": await is_letter(hub, mailing.plan),
            "report": report,
            "parts": report.parts.get(cut, ()),
            "wordings": {one.name: one for one in await wordings_of(hub, mailing)},
            "cut": cut,
            "cuts": CUT_WORDS,
            "days": days,
            "windows": sorted({*WINDOWS, days}),
            "touch": touch,
            "touches": TOUCH_WORDS,
            "numbers": NUMBER_WORDS,
            "problem": problem,
        },
    )


async def behind(hub: Hub, request: PluginRequest) -> Answer:
    """Open the people behind a number as a segment: `what` is number|cut|part or number|link|url."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    words = translator(request.language)
    number, by, key = [*request.fields.get("what", "").split("|", 2), "", ""][:3]
    try:
        days, touch = asked(request.fields)
        segment = await people_of(
            hub,
            mailing,
            number,
            name=words(NUMBER_WORDS.get(number, number)),
            by=by if by in CUTS else "",
            key=key,
            link=key if by == "link" else "",
            days=days,
            touch=touch,
        )
    except Invalid as error:
        return await _page(hub, request, words(str(error)), 422)
    return Redirect(to=f"/segments/{segment}")


async def exported(hub: Hub, request: PluginRequest) -> Answer:
    """Every number of every cut as a table."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    days, touch = asked(request.query)
    title = request.channel_title
    report = await report_of(hub, mailing, days=days, touch=touch, title=title)
    return File(
        content=as_csv(report, translator(request.language)),
        media_type="text/csv; charset=utf-8",
        name=f"mailing-{mailing.id}.csv",
    )


async def link_map(hub: Hub, request: PluginRequest) -> Answer:
    """The letter with the number of people at each link."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    made = await letters_of(hub, mailing.plan)
    n = 1 if request.query.get("variant") == "1" and len(made) > 1 else 0
    links = await hub.send_links(await hub.sends_of(mailing.id))
    if mailing.plan.tests and not mailing.plan.repeat:
        # Each wording with the clicks on its own links, though both lead to the same places.
        links = [one for one in links if one.content_id == mailing.contents[n]]
    numbers = {one.url: one.people for one in merged(links)}
    html = with_numbers(made[n].html, numbers) if made else ""
    headers = {"content-security-policy": POLICY}
    return File(content=html.encode(), media_type="text/html; charset=utf-8", headers=headers)


def with_numbers(html: str, numbers: Mapping[str, int]) -> str:
    """Put the number of people behind each link of a letter; links lead nowhere here."""

    def marked(found: re.Match[str]) -> str:
        url = found[2].replace("&amp;", "&")
        badge = BADGE.format(numbers[url]) if url in numbers else ""
        return f"{found[1]}#{found[3]}{found[4]}{badge}{found[5]}"

    return _LINK.sub(marked, html)


async def compared(hub: Hub, request: PluginRequest) -> Answer:
    """Mailings side by side: the last ones, or those of the address."""
    days, touch = asked(request.query)
    rows = await _together(hub, request.query.get("ids", ""), days, touch)
    words = translator(request.language)
    return Page(
        template="compare.html",
        title=words(_("Mailings side by side")),
        values={
            "section": "marketing",
            "tab": "Mailings",
            "rows": rows,
            "days": days,
            "windows": sorted({*WINDOWS, days}),
            "touch": touch,
            "touches": TOUCH_WORDS,
        },
    )


async def _together(hub: Hub, ids: str, days: int, touch: str) -> list[tuple[Any, Report]]:
    wanted = {one for one in ids.split(",") if one}
    found = []
    for mailing in await all_mailings(hub):
        if mailing.started_at and (not wanted or str(mailing.id) in wanted):
            report = await report_of(hub, mailing, days=days, touch=touch, cuts=())
            found.append((mailing, report))
        if len(found) >= MOST_COMPARED:
            break
    return found


async def given(hub: Hub, request: PluginRequest) -> Answer:
    """What a mailing brought: numbers, cuts, links, money, and the same without it."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    days, touch = asked(request.query)
    cut = request.query.get("by", "")
    if cut and cut not in CUTS:
        raise Invalid("numbers cannot be cut by this", field="by")
    report = await report_of(hub, mailing, days=days, touch=touch, cuts=(cut,) if cut else CUTS)
    return Json(value={"id": str(mailing.id), "days": days, "touch": touch, **as_json(report)})


async def given_together(hub: Hub, request: PluginRequest) -> Answer:
    """The last mailings, or those of `ids`, side by side."""
    days, touch = asked(request.query)
    rows = await _together(hub, request.query.get("ids", ""), days, touch)
    items = [{"id": str(one.id), "title": one.title, **as_json(report)} for one, report in rows]
    return Json(value={"days": days, "touch": touch, "items": items})


async def people(hub: Hub, request: PluginRequest) -> Answer:
    """Make a segment of the people behind a `number`, of a part with `by` and `key`, or of a `link`."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    body: shapes.NumberBehind = request.given
    days, touch = asked({"days": str(body.days), "touch": body.touch})
    segment = await people_of(
        hub,
        mailing,
        body.number,
        by=body.by,
        key=body.key,
        link=body.link,
        days=days,
        touch=touch,
    )
    return Json(value={"segment_id": str(segment)}, status=201)
