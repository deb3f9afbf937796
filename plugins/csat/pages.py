"""The public page of a signed link, and the report with its API twin."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from sqlalchemy import select

from hub import (
    Answer,
    Conflict,
    File,
    Hub,
    Id,
    Invalid,
    Json,
    Listing,
    NotFound,
    Page,
    PluginRequest,
    Redirect,
    Route,
    Shape,
    UntrustedRequest,
    UserId,
)
from plugins.csat.asking import MARKS, PURPOSE
from plugins.csat.commands import MAX_COMMENT, Rate
from plugins.csat.reports import Line, report
from plugins.csat.tables import asks

LINK_DAYS = 30
STYLE = (
    ":root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;"
    "margin:2rem auto;padding:0 1rem}button,textarea,label{font:inherit}fieldset{border:0;padding:0}"
    "button,fieldset label{min-height:2.75rem;padding:.4rem 1rem;margin:.2rem}"
    "fieldset label{display:block}textarea{width:100%;box-sizing:border-box;margin:.5rem 0 1rem}"
)
WORDS = {
    "en": {
        "title": "How did we do?",
        "comment": "A word, if you like",
        "send": "Give the mark",
        "thanks": "Thank you! Your mark: {mark} of 5. You can change it for a day.",
        "closed": "This mark can no longer be given or changed. Thank you!",
        "choose": "Choose a mark from 1 to 5.",
        "marks": ("very bad", "bad", "so-so", "good", "excellent"),
    },
    "ru": {
        "title": "Как мы справились?",
        "comment": "Пара слов, если хотите",
        "send": "Поставить оценку",
        "thanks": "Спасибо! Ваша оценка: {mark} из 5. Её можно изменить в течение суток.",
        "closed": "Эту оценку уже нельзя поставить или изменить. Спасибо!",
        "choose": "Выберите оценку от 1 до 5.",
        "marks": ("очень плохо", "плохо", "так себе", "хорошо", "отлично"),
    },
}


class Marks(Shape):
    """The marks of one week, colleague and channel; `mean` is 0 where nobody answered."""

    week: str
    user_id: Id
    channel: str
    asked: int
    rated: int
    mean: float


def routes() -> list[Route]:
    """Its endpoints; only the signed link is public."""
    return [
        Route(path="/mark/{token}", endpoint=question, public=True),
        Route(path="/mark/{token}", endpoint=vote, methods=("POST",), public=True, max_body=20_000),
        Route(path="/", endpoint=shown, permission="rules.view"),
        Route(
            path="/report",
            endpoint=numbers,
            permission="rules.view",
            api=True,
            gives=Listing[Marks],
        ),
    ]


async def question(hub: Hub, request: PluginRequest) -> Answer:
    """Show the question; looking changes nothing."""
    return await _page(hub, request)


async def vote(hub: Hub, request: PluginRequest) -> Answer:
    """Take a mark: the button was pressed."""
    ask_id = _ask_of(hub, request)
    if not ask_id:
        return _html(request, f"<p>{_words(request)['closed']}</p>", 404)
    given = request.fields.get("mark", "")
    mark = int(given) if given in ("1", "2", "3", "4", "5") else 0
    try:
        await hub.do(Rate(ask_id=ask_id, mark=mark, comment=request.fields.get("comment", "")))
    except Invalid:
        return await _page(hub, request, problem=True)
    except (Conflict, NotFound):
        return _html(request, f"<p>{_words(request)['closed']}</p>", 410)
    return Redirect(to=f"/p/csat/mark/{request.path['token']}")


def _words(request: PluginRequest) -> dict[str, object]:
    return WORDS["ru" if request.language == "ru" else "en"]  # type: ignore[return-value]


def _ask_of(hub: Hub, request: PluginRequest) -> int:
    try:
        return int(hub.unsign(PURPOSE, request.path.get("token", ""), max_age_days=LINK_DAYS))
    except (UntrustedRequest, ValueError):
        return 0


async def _page(hub: Hub, request: PluginRequest, *, problem: bool = False) -> File:
    words = _words(request)
    ask_id = _ask_of(hub, request)
    row = await hub.store.first(select(asks).where(asks.c.id == ask_id)) if ask_id else None
    if row is None:
        return _html(request, f"<p>{words['closed']}</p>", 404)
    said = ""
    if problem:
        said = f'<p role="alert">{words["choose"]}</p>'
    elif row["mark"]:
        said = f'<p role="status">{str(words["thanks"]).format(mark=row["mark"])}</p>'
    labels = words["marks"]
    assert isinstance(labels, tuple)
    marks = "".join(
        f'<label><input type="radio" name="mark" value="{n}" required'
        f"{' checked' if row['mark'] == n else ''}> {n} — {labels[n - 1]}</label>"
        for n in range(1, MARKS + 1)
    )
    body = (
        f"{said}<form method=post><fieldset><legend>{words['title']}</legend>{marks}</fieldset>"
        f"<label>{words['comment']}"
        f'<textarea name="comment" rows="3" maxlength="{MAX_COMMENT}"></textarea></label>'
        f"<button>{words['send']}</button></form>"
    )
    return _html(request, body, 422 if problem else 200)


def _html(request: PluginRequest, body: str, status: int) -> File:
    title = escape(str(_words(request)["title"]))
    language = "ru" if request.language == "ru" else "en"
    html = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{title}</title><style>{STYLE}</style>'
        f"<main><h1>{title}</h1>{body}</main></html>"
    )
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return File(
        content=html.encode(),
        media_type="text/html; charset=utf-8",
        status=status,
        headers={
            "cache-control": "no-store",
            "content-security-policy": f"default-src 'none'; style-src 'sha256-{digest}'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
            "referrer-policy": "no-referrer",
        },
    )


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """The marks of twelve weeks by colleague, channel and week."""
    lines = await report(hub)
    names: dict[int, str] = {}
    for one in lines:
        if one.user_id and one.user_id not in names:
            names[one.user_id] = (await hub.user(UserId(one.user_id))).name
    return Page(
        template="report.html",
        title=str({"ru": "Оценки"}.get(request.language, "Marks")),
        values={
            "section": "marketing",
            "tab": "Marks",
            "lines": lines,
            "names": names,
            "bars": _bars(lines),
        },
    )


def _bars(lines: list[Line]) -> list[tuple[str, float]]:
    """Give the mean mark of each week, the oldest first."""
    weeks: dict[str, list[int]] = {}
    for one in lines:
        sums = weeks.setdefault(one.week, [0, 0])
        sums[0] += one.total
        sums[1] += one.rated
    return [(week, round(total / n, 1)) for week, (total, n) in sorted(weeks.items()) if n]


async def numbers(hub: Hub, request: PluginRequest) -> Answer:
    """The marks of twelve weeks by colleague, channel and week, for programs."""
    items = [
        {
            "week": one.week,
            "user_id": str(one.user_id),
            "channel": one.channel,
            "asked": one.asked,
            "rated": one.rated,
            "mean": one.mean,
        }
        for one in await report(hub)
    ]
    return Json(value={"items": items})
