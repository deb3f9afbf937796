"""The list before sending: red blocks, amber warns, green is fine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub import AccountId, Hub, HubError
from plugins.mailings.audience import UNKNOWN_TOPIC, audience_of, missing, unknown_topic
from plugins.mailings.complaints import complaints
from plugins.mailings.contents import capabilities_of, chain_of, has_counted_links, is_letter
from plugins.mailings.files import HEAVY, files_of, megabytes, objections
from plugins.mailings.marks import creatives_of
from plugins.mailings.obligations import obligatory
from plugins.mailings.paths import Path, path_of
from plugins.mailings.plans import Mailing, Plan, Step, Variant, about_held_out, money
from plugins.mailings.times import passed, past, past_somewhere, untimely


def _(text: str) -> str:
    return text


NAMED = 5
"""So many time zones are named."""
MANY = 1_000
"""Above so many, the number is typed before it leaves."""
OWN = {"unsubscribe_url": "https://example.org/u", "view_url": "https://example.org/v"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the list: bad, warn or good."""

    level: str
    text: str
    detail: str = ""


async def findings(hub: Hub, mailing: Mailing, path: Path | None = None) -> list[Finding]:
    """Give the list; `path` is that of its audience, where it was looked at already."""
    plan = mailing.plan
    found = [Finding(level="bad", text=text) for text in await missing(hub, plan)]
    for number in plan.accounts:
        try:
            account = await hub.account(AccountId(number))
        except HubError:
            found.append(Finding(level="bad", text=_("A channel is gone")))
            continue
        if account.paused or account.removed or account.state == "down":
            found.append(
                Finding(level="bad", text=_("A channel does not work"), detail=account.title)
            )
        for one in await hub.check_sender(account.id):
            if not one.ok:
                level = "bad" if one.blocks else "warn"
                detail = f"{one.name}: {one.text}"
                found.append(
                    Finding(level=level, text=_("What providers ask of the sender"), detail=detail)
                )
    if topic := await unknown_topic(hub, plan.topic):
        found.append(Finding(level="warn", text=UNKNOWN_TOPIC, detail=topic))
    found += await _words(hub, plan)
    found += await _attached(hub, plan)
    found += await _pressed(hub, plan)
    if not [one for one in found if one.level == "bad"]:
        path = path or await path_of(hub, mailing)
        about = "≈ " if path.estimated else ""
        # An estimate of nobody may still be some: it is said when they are counted.
        if not path.reached and not path.estimated:
            # Whoever comes later gets it: an empty beginning is no mistake there.
            level = "warn" if plan.repeat == "enter" else "bad"
            found.append(Finding(level=level, text=_("Nobody would get it")))
        elif path.reached:
            text = _("People who get it")
            found.append(Finding(level="good", text=text, detail=f"{about}{path.reached}"))
            if out := about_held_out(plan, path.reached):
                text = _("About so many of them are kept out to compare")
                found.append(Finding(level="good", text=text, detail=f"{about}{out}"))
        if path.prices != path.most:
            text = _("It costs, if the first channel of everybody arrives")
            found += _sums(text, path.prices, about)
        found += _sums(_("It costs at most"), path.most, about)
        found += await _times(hub, plan)
        found += await _past(hub, mailing, exact=not path.estimated)
    if plan.advertising:
        found.append(Finding(level="good", text=_("Everybody can unsubscribe by one press")))
    else:
        found.append(
            Finding(level="warn", text=_("A service message goes to who refused advertising too"))
        )
    return found


def _sums(text: str, sums: Sequence[tuple[str, int]], about: str) -> list[Finding]:
    return [Finding(level="good", text=text, detail=f"{about}{money(n, c)}") for c, n in sums]


async def _times(hub: Hub, plan: Plan) -> list[Finding]:
    """Say what of the order and the times does not go together."""
    found = []
    for one in plan.accounts[:-1] if plan.fall_back_minutes else ():
        capabilities = await capabilities_of(hub, one)
        if capabilities is not None and capabilities.receipts not in ("delivered", "read"):
            account = await hub.account(AccountId(one))
            text = _("This channel never tells that it arrived: only a failure goes on from it")
            found.append(Finding(level="warn", text=text, detail=account.title))
    zone = (await hub.brand()).time_zone or "UTC"
    found += [Finding(level=level, text=text) for level, text in passed(plan, zone, hub.now())]
    found += await _marks(hub, plan)
    if plan.ad_kind and not plan.advertising:
        text = _("A service message carries no advertising")
        found.append(Finding(level="bad", text=text))
    if plan.repeat == "enter" and plan.audience == "frozen":
        found.append(Finding(level="bad", text=_("A frozen audience has nobody who comes later")))
    if plan.tests and not await has_counted_links(hub, plan):
        text = _("No links are counted here: the wording more people answer is the better")
        found.append(Finding(level="warn", text=text))
    if plan.repeat and plan.tests:
        text = _("Two wordings compete anew each time")
        found.append(Finding(level="warn", text=text))
    found += [Finding(level="warn", text=text) for text in untimely(plan)]
    return found


async def _past(hub: Hub, mailing: Mailing, *, exact: bool) -> list[Finding]:
    """Say where it goes at once, for the hour of the plan has passed there."""
    # People are asked for only where there may be some: in the last day before it.
    if not past_somewhere(mailing.plan, hub.now()):
        return []
    zone = (await hub.brand()).time_zone or "UTC"
    people = await hub.time_zones(await audience_of(hub, mailing), exact=exact)
    zones = past(mailing.plan, zone, hub.now(), people)
    if not zones:
        return []
    about = "" if exact else "≈ "
    named = ", ".join(f"{name} ({n})" for name, n in zones[:NAMED])
    more = ", …" if len(zones) > NAMED else ""
    text = _("Its hour has passed in some time zones: so many people there get it at once")
    detail = f"{about}{sum(n for _, n in zones)}: {named}{more}"
    return [Finding(level="warn", text=text, detail=detail)]


async def _marks(hub: Hub, plan: Plan) -> list[Finding]:
    """Say what of the mark of advertising is missing, as this organisation holds it."""
    wanted = await obligatory(hub)
    if not plan.ad_kind:
        if plan.advertising and "own" in wanted:
            text = _("Say what kind of advertising it is: here every one carries its mark")
            return [Finding(level="bad", text=text)]
        return []
    bare = [name for name, erid in creatives_of(plan) if not erid]
    if plan.ad_kind in wanted and (bare or not plan.advertiser):
        if plan.ad_kind == "third":
            text = _("Advertising of others needs its advertiser and erid")
        else:
            text = _("Advertising of your own needs its advertiser and erid here")
        detail = ", ".join(bare) if len(bare) < len(creatives_of(plan)) else ""
        return [Finding(level="bad", text=text, detail=detail)]
    if bare:
        text = _("Advertising of your own may need an erid: ask a lawyer, this is no advice")
        return [Finding(level="warn", text=text)]
    return []


async def _attached(hub: Hub, plan: Plan) -> list[Finding]:
    """Say which channels of the order do not take the files, and how heavy they are."""
    if not plan.files:
        return []
    try:
        files = await files_of(hub, plan.files)
    except HubError as error:
        return [Finding(level="bad", text=str(error))]
    found = []
    for n, account_id in enumerate(plan.accounts):
        capabilities = await capabilities_of(hub, account_id)
        if capabilities is None:
            continue
        title = (await hub.account(AccountId(account_id))).title
        if n and not capabilities.max_attachment_bytes:
            text = _("Over this channel it goes without its files")
            found.append(Finding(level="warn", text=text, detail=title))
            continue
        for text, detail in objections(capabilities, files):
            named = f"{title}: {detail}" if detail else title
            found.append(Finding(level="bad", text=text, detail=named))
    whole = sum(one.size for one in files)
    # A letter carries bytes as text: four for three.
    if whole * 4 // 3 > HEAVY and await is_letter(hub, plan):
        text = _("Many providers refuse letters above 10 MB: give a link to the files instead")
        found.append(Finding(level="warn", text=text, detail=megabytes(whole * 4 // 3)))
    if not found:
        found.append(Finding(level="good", text=_("Files go with it"), detail=megabytes(whole)))
    return found


async def _pressed(hub: Hub, plan: Plan) -> list[Finding]:
    """Say which channels of the order do not show the buttons as they are."""
    wordings: list[Variant | Step] = [*plan.variants, *plan.steps]
    sets = [one.buttons for one in wordings if one.buttons]
    if not sets:
        return []
    labels = dict.fromkeys(one.label for each in sets for one in each)
    payloads = dict.fromkeys(one.label for each in sets for one in each if not one.url)
    most = max(map(len, sets))
    found = []
    for account_id in plan.accounts:
        capabilities = await capabilities_of(hub, account_id)
        # A letter has the buttons of its own words.
        if capabilities is None or capabilities.html:
            continue
        title = (await hub.account(AccountId(account_id))).title
        if not capabilities.buttons:
            text = _("Over this channel it goes without its buttons")
            found.append(Finding(level="warn", text=text, detail=title))
            continue
        if plan.template and capabilities.templates:
            text = _("A template has its own buttons: over this channel yours do not go")
            found.append(Finding(level="warn", text=text, detail=title))
            continue
        if most > capabilities.buttons:
            text = _("This channel shows fewer buttons")
            found.append(Finding(level="bad", text=text, detail=f"{title}: {capabilities.buttons}"))
        for label in labels:
            if 0 < capabilities.button_label < len(label):
                text = _("This channel cuts the words of a button")
                detail = f"{title}: {label[: capabilities.button_label]}"
                found.append(Finding(level="warn", text=text, detail=detail))
        for label in payloads:
            if 0 < capabilities.button_bytes < len(label.encode()):
                text = _("This channel takes shorter words on a button that answers")
                found.append(Finding(level="bad", text=text, detail=f"{title}: {label}"))
    return found


async def _words(hub: Hub, plan: Plan) -> list[Finding]:
    found = []
    wordings: list[Variant | Step] = [*plan.variants, *plan.steps]
    for wording in wordings:
        keys = [text for one in wording.buttons for text in (one.label, one.url)]
        for text in (wording.subject, wording.text, wording.short, *keys):
            for problem in hub.check_template(text):
                if problem.name not in OWN:
                    detail = problem.name or problem.text
                    if problem.suggestion:
                        detail += f" → {problem.suggestion}"
                    found.append(
                        Finding(level="bad", text=_("A placeholder is not known"), detail=detail)
                    )
    if not plan.variants[0].text.strip():
        return [*found, Finding(level="bad", text=_("Write what it says"))]
    if not all(one.text.strip() for one in plan.steps):
        found.append(Finding(level="bad", text=_("A later letter says nothing")))
    if not await is_letter(hub, plan):
        return found
    if not all(one.subject.strip() for one in plan.steps):
        found.append(Finding(level="bad", text=_("A later letter needs a subject")))
    if not all(one.subject.strip() for one in plan.variants if one.text.strip()):
        found.append(Finding(level="bad", text=_("A letter needs a subject")))
    try:
        made = await chain_of(hub, plan)
    except HubError as error:
        return [
            *found,
            Finding(level="bad", text=_("The letter cannot be laid out"), detail=str(error)),
        ]
    for wording, letter in made:
        about = f"«{wording.subject}»" if plan.steps and wording.subject else ""
        for level, words, detail in complaints(
            wording.text, letter, subject=wording.subject, advertising=plan.advertising
        ):
            # In a chain it is said which of its letters is meant.
            named = ": ".join(filter(None, (about, detail)))
            found.append(Finding(level=level, text=words, detail=named))
    return found
