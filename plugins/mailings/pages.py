"""The pages of mailings: the list, one page with anchors, the letter, the numbers live."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hub import (
    Answer,
    Conflict,
    File,
    Hub,
    HubError,
    Invalid,
    Json,
    Page,
    PluginRequest,
    Redirect,
    Route,
)
from plugins.mailings.audience import audience_of, kind_of
from plugins.mailings.checking import MANY, Finding, findings
from plugins.mailings.commands import SaveMailing
from plugins.mailings.contents import is_letter, letters_of
from plugins.mailings.doing import (
    again,
    all_mailings,
    id_in,
    mailing_of,
    people_behind,
    send,
    steer,
    take,
)
from plugins.mailings.files import files_of, keep, megabytes
from plugins.mailings.forms import plan_of, test_of, typed
from plugins.mailings.library import SaveLetter, all_letters, letter_of
from plugins.mailings.library_pages import wording_of
from plugins.mailings.links import look
from plugins.mailings.looks import preview, variables
from plugins.mailings.messages import looks_of
from plugins.mailings.pace import told
from plugins.mailings.paths import Path, path_of
from plugins.mailings.plans import (
    MOST_STEPS,
    Mailing,
    Plan,
    Step,
    Variant,
    about_held_out,
    money,
)
from plugins.mailings.reached import WAYS_PAGE, ways
from plugins.mailings.results import Funnel, funnel_of, funnels_of, pace_of, state_of
from plugins.mailings.texts import (
    NUMBER_WORDS,
    REASON_WORDS,
    REFUSED,
    STATES,
    TEST_STATES,
    translator,
)
from plugins.mailings.trying import OPEN, own_address, samples, tests_of, try_out, values_for
from plugins.mailings.wordings import as_json as wordings_as_json
from plugins.mailings.wordings import chosen_at, wordings_of

MOST_BODY = 60_000_000
SOME = 20
SHOWN = 50
"""So many mailings stand on one page of the list."""


def _(text: str) -> str:
    return text


def routes() -> list[Route]:
    """Its endpoints; a colleague must be logged in."""
    see, do = "mailings.view", "mailings.send"
    return [
        Route(path="/", endpoint=overview, permission=see),
        Route(path="/new", endpoint=shown, permission=do),
        Route(path="/new", endpoint=save, methods=("POST",), permission=do, max_body=MOST_BODY),
        Route(path="/{mailing}", endpoint=shown, permission=see),
        Route(
            path="/{mailing}", endpoint=save, methods=("POST",), permission=do, max_body=MOST_BODY
        ),
        Route(path="/{mailing}/letter", endpoint=drawn, permission=see),
        Route(path="/{mailing}/tried", endpoint=tests_shown, permission=see),
        Route(path="/{mailing}/numbers", endpoint=numbers, permission=see),
        Route(path="/{mailing}/people", endpoint=people_page, permission=see),
    ]


async def overview(hub: Hub, request: PluginRequest) -> Answer:
    """The list, the newest first; what became of a mailing is counted for those shown."""
    before = id_in(request.query.get("before", ""))
    found = await all_mailings(hub, before=before, limit=SHOWN + 1)
    funnels = await funnels_of(hub, found[:SHOWN])
    rows = [(one, funnels[one.id], state_of(one, funnels[one.id])) for one in found[:SHOWN]]
    words = translator(request.language)
    return Page(
        template="list.html",
        title=words(_("Mailings")),
        values={
            **_frame(request),
            "rows": rows,
            "states": STATES,
            "next": rows[-1][0].id if found[SHOWN:] else 0,
        },
    )


def _frame(request: PluginRequest) -> dict[str, object]:
    return {"section": "marketing", "tab": "Mailings", "edits": "mailings.send" in request.may}


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """One mailing, or a new one."""
    number = request.path.get("mailing", "")
    mailing = await mailing_of(hub, number) if number else Mailing(id=0, title="")
    return await _page(hub, request, mailing)


async def _page(
    hub: Hub,
    request: PluginRequest,
    mailing: Mailing,
    problem: str = "",
    status: int = 200,
    looked: Sequence[Finding] = (),
) -> Page:
    plan = mailing.plan
    is_draft = mailing.state == "draft"
    words = translator(request.language)
    accounts = []
    for one in await hub.accounts():
        capabilities = hub.capabilities(one.channel)
        if capabilities is not None and capabilities.sends and not one.removed:
            accounts.append((one.id, one.title))
    funnel = await funnel_of(hub, mailing) if mailing.id else Funnel()
    found: list[Any] = []
    path: Path | None = None
    if mailing.id and mailing.state == "draft":
        try:
            # What is said to a form that was refused is said of what is counted.
            exact = bool(problem) or request.query.get("exact") == "1"
            path = await path_of(hub, mailing, exact=exact) if plan.segment_id else None
        except (HubError, KeyError):
            path = None
        # What is typed and not possible is said by `problem`; there is no list of it.
        with suppress(Invalid):
            found = await findings(hub, mailing, path)
    path = path or Path()
    try:
        files = await files_of(hub, plan.files)
    except Invalid:
        files = []
    return Page(
        template="one.html",
        title=mailing.title or words(_("New mailing")),
        status=status,
        values={
            **_frame(request),
            "mailing": mailing,
            "plan": plan,
            "variants": [*plan.variants, Variant()][:2],
            "segments": await hub.segments(),
            "topics": await hub.topics() if mailing.state == "draft" else [],
            "accounts": accounts,
            "is_draft": is_draft,
            "is_letter": await is_letter(hub, plan),
            "findings": found,
            "looked": looked,
            "ready": mailing.id and not [one for one in found if one.level == "bad"],
            "path": path,
            "money": money,
            "reached": path.reached,
            "variables": variables(request.language),
            "steps": [*plan.steps, *[Step(days=0)] * 3][:MOST_STEPS],
            "templates": await _has_templates(hub, plan),
            "many": MANY,
            "files": files,
            "megabytes": megabytes,
            "looks": await looks_of(hub, plan, request.language) if is_draft else [],
            "test": await _testing(hub, mailing) if mailing.id else {},
            "letters": await all_letters(hub) if mailing.state == "draft" else [],
            "taken": await _taken(hub, plan),
            "test_states": TEST_STATES,
            "test_open": OPEN,
            "funnel": funnel,
            "state": state_of(mailing, funnel),
            "states": STATES,
            "wordings": await wordings_of(hub, mailing),
            "chosen_at": await chosen_at(hub, mailing),
            "problem": problem,
            "typed": request.fields,
            "refused": REFUSED,
            "held_out": about_held_out(plan, path.reached),
            "zone": (await hub.brand()).time_zone or "UTC",
        },
    )


async def _testing(hub: Hub, mailing: Mailing) -> dict[str, Any]:
    """What the small form of a test needs: whose data, where to, and the tests so far."""
    found: dict[str, Any] = {"tests": await tests_of(hub, mailing), "people": [], "own": ""}
    plan = mailing.plan
    if mailing.state != "draft" or not plan.accounts:
        return found
    try:
        kind = await kind_of(hub, plan.accounts[0])
        found["own"] = await own_address(hub, kind)
        if plan.segment_id:
            segment = await audience_of(hub, mailing)
            found["people"] = await hub.audience(segment, channel=kind, limit=SOME)
    except (HubError, KeyError):
        return found
    return found


async def _taken(hub: Hub, plan: Plan) -> list[tuple[int, str, int, int]]:
    """Say which letters of the library the wordings began as, in which version, and the newest."""
    found = []
    for one in plan.variants:
        number, _, version = one.letter.partition(":")
        if number.isdecimal() and version.isdecimal():
            try:
                kept = await letter_of(hub, number)
            except HubError:
                continue
            found.append((kept.id, kept.title, int(version), kept.version))
    return found


async def _has_templates(hub: Hub, plan: Plan) -> bool:
    for one in await hub.accounts():
        capabilities = hub.capabilities(one.channel)
        if one.id in plan.accounts and capabilities is not None and capabilities.templates:
            return True
    return False


async def save(hub: Hub, request: PluginRequest) -> Answer:
    """Take the page: save, send, pause, resume, cancel, again, or the people behind a number."""
    number = request.path.get("mailing", "")
    mailing = await mailing_of(hub, number) if number else Mailing(id=0, title="")
    what = request.fields.get("do", "save")
    words = translator(request.language)
    try:
        if (
            what in ("save", "close", "send", "test", "keep", "take", "links")
            and mailing.state == "draft"
        ):
            mailing = await _saved(hub, request, mailing)
        if what == "close":
            return Redirect(to="/p/mailings/")
        if what == "send":
            people, seen = (request.fields.get(name, "") for name in ("people", "seen"))
            await send(hub, mailing, people, seen)
        elif what == "keep":
            body = {**wording_of(mailing.plan.variants[0]), "files": mailing.plan.files}
            (made,) = await hub.do(SaveLetter(title=mailing.title, body=body))
            return Redirect(to=f"/p/mailings/letters/{made}")
        elif what == "take":
            await take(hub, mailing, await letter_of(hub, request.fields.get("take_letter", "")))
            return Redirect(to=f"/p/mailings/{mailing.id}#content")
        elif what == "links":
            return await _page(hub, request, mailing, looked=(await look(hub, mailing.plan))[0])
        elif what == "test":
            await try_out(hub, mailing, **test_of(request.fields), language=request.language)
        elif what in ("paused", "running", "cancelled", "removed", "draft"):
            await steer(hub, mailing, what)
        elif what in ("again", "again_failed") or what.startswith("again-"):
            reason = what.removeprefix("again-") if what.startswith("again-") else ""
            cause = words(_("Failed"))
            if reason:
                cause = f"{words(_('Did not get it'))} · {words(REASON_WORDS.get(reason, reason))}"
            copied = await again(
                hub, mailing, failed=what == "again_failed", reason=reason, name=cause
            )
            return Redirect(to=f"/p/mailings/{copied}")
        elif what.startswith("people-"):
            number = what.removeprefix("people-")
            name = words(NUMBER_WORDS.get(number, number))
            segment = await people_behind(hub, mailing, number, name=name)
            return Redirect(to=f"/segments/{segment}")
    except (Invalid, Conflict) as error:
        return await _page(hub, request, typed(request, mailing), words(str(error)), 422)
    return Redirect(to=f"/p/mailings/{mailing.id}{'#check' if what in ('save', 'test') else ''}")


async def _saved(hub: Hub, request: PluginRequest, mailing: Mailing) -> Mailing:
    version = request.fields.get("version", "")
    plan = plan_of(request)
    plan["files"] += [str(one) for one in await keep(hub, request.files)]
    command = SaveMailing(
        mailing_id=mailing.id,
        title=request.fields.get("title", ""),
        plan=plan,
        version=int(version) if mailing.id and version.isdecimal() else None,
    )
    (saved,) = await hub.do(command)
    return await mailing_of(hub, str(saved))


async def tests_shown(hub: Hub, request: PluginRequest) -> Answer:
    """What became of the last tests, for the page to draw while one is on its way."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    words = translator(request.language)
    return Json(
        value={
            str(one.send_id): {"text": words(TEST_STATES[one.state]), "open": one.state in OPEN}
            for one in await tests_of(hub, mailing)
        }
    )


async def drawn(hub: Hub, request: PluginRequest) -> Answer:
    """The letter as a sample person would see it."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    made = await letters_of(hub, mailing.plan)
    n = 1 if request.query.get("variant") == "1" and len(made) > 1 else 0
    if not made:
        return File(content=b"", media_type="text/plain; charset=utf-8")
    values = samples(request.language)
    contact = request.query.get("contact", "")
    if contact.isdecimal() and len(contact) < 19:
        values = await values_for(hub, int(contact), request.language)
    values |= {"unsubscribe_url": "#", "view_url": "#"}
    filled = hub.fill(made[n].html, values, html=True).text
    return preview(filled, dark=bool(request.query.get("dark")))


async def numbers(hub: Hub, request: PluginRequest) -> Answer:
    """The numbers now, for the page to draw."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    funnel = await funnel_of(hub, mailing)
    pace = pace_of(hub, mailing, funnel)
    return Json(
        value={
            "pace": told(pace, hub.now(), translator(request.language)) if pace else "",
            "state": state_of(mailing, funnel),
            "planned": funnel.planned,
            "waiting": funnel.waiting,
            "sent": funnel.sent,
            "delivered": funnel.delivered,
            "failed": funnel.failed,
            "unknown": funnel.unknown,
            "kept_back": funnel.kept_back,
            "seen": funnel.seen,
            "clicked": funnel.clicked,
            "answered": funnel.answered,
            "wordings": wordings_as_json(await wordings_of(hub, mailing)),
        }
    )


async def people_page(hub: Hub, request: PluginRequest) -> Answer:
    """Who got it, who did not and why: each person with the ways that were tried."""
    mailing = await mailing_of(hub, request.path.get("mailing", ""))
    words = translator(request.language)
    after = request.query.get("after", "")
    found = await ways(
        hub,
        mailing,
        state=request.query.get("state", ""),
        reason=request.query.get("reason", ""),
        after=int(after) if after.isdecimal() and len(after) < 19 else 0,
    )
    return Page(
        template="people.html",
        title=f"{mailing.title}: {words(_('who got it and who did not'))}",
        values={
            **_frame(request),
            "mailing": mailing,
            "people": found,
            "state": request.query.get("state", ""),
            "reason": request.query.get("reason", ""),
            "more": found[-1].delivery_id if len(found) == WAYS_PAGE else 0,
            "accounts": {one.id: one.title for one in await hub.accounts()},
        },
    )
