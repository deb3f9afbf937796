"""The list before sending: red blocks, amber warns, green is fine. And the words as they will leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub import AccountId, Capabilities, Hub, HubError, ManyContent, Reach, Segment
from plugins.mailings.audience import audience_of
from plugins.mailings.files import HEAVY, files_of, megabytes, objections
from plugins.mailings.letter import LOOSE, Letter, complaints, letter, loose, with_marks
from plugins.mailings.marks import creatives_of, erid_of, link_marks, marked
from plugins.mailings.obligations import obligatory
from plugins.mailings.plans import Mailing, Plan, Step, Variant, about_held_out, money
from plugins.mailings.times import passed


def _(text: str) -> str:
    return text


SAMPLE = 30
"""So many of the people are filled in to count the parts of a message."""
TOKEN_LENGTH = 120
"""About as long is the signed part of a link."""
MANY = 1_000
"""Above so many, the number is typed before it leaves."""
OWN = {"unsubscribe_url": "https://example.org/u", "view_url": "https://example.org/v"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the list: bad, warn or good."""

    level: str
    text: str
    detail: str = ""


async def is_letter(hub: Hub, plan: Plan) -> bool:
    """Say whether it goes by a channel of letters."""
    if not plan.accounts:
        return True
    try:
        account = await hub.account(AccountId(plan.accounts[0]))
    except HubError:
        return True
    capabilities = hub.capabilities(account.channel)
    return capabilities is not None and capabilities.html


async def letters_of(hub: Hub, plan: Plan) -> list[Letter]:
    """Give each wording as a letter."""
    language = "ru" if (await hub.brand()).language.startswith("ru") else "en"
    return [_letter(plan, one, language) for one in plan.variants if one.text.strip()]


def _letter(plan: Plan, wording: Variant, language: str, *, short: bool = False) -> Letter:
    erid = erid_of(plan, wording, short=short)
    return letter(
        marked(plan, wording.text, erid),
        language=language,
        utm=link_marks(plan, erid),
        advertising=plan.advertising,
        plain_twin=marked(plan, wording.plain, erid),
    )


async def contents_of(hub: Hub, plan: Plan) -> tuple[ManyContent, ...]:
    """Give the words as the outbox keeps them: each wording, and its own form for other channels."""
    variants = [one for one in plan.variants if one.text.strip()]
    return await _contents(hub, plan, variants)


async def steps_of(hub: Hub, plan: Plan) -> tuple[tuple[ManyContent, ...], ...]:
    """Give the words of the later letters of a chain."""
    return tuple([await _contents(hub, plan, [_as_variant(one)]) for one in plan.steps])


def _as_variant(one: Step) -> Variant:
    erids = {"erid": one.erid, "short_erid": one.short_erid}
    return Variant(subject=one.subject, text=one.text, short=one.short, **erids)


async def _contents(hub: Hub, plan: Plan, variants: Sequence[Variant]) -> tuple[ManyContent, ...]:
    first, *others = plan.accounts or (0,)
    language = "ru" if (await hub.brand()).language.startswith("ru") else "en"
    # The wordings for the first channel come first: a test of two counts on their places.
    found = [
        await _form(hub, plan, variant, f"{n}", first, language)
        for n, variant in enumerate(variants)
    ]
    for account_id in others:
        found += [
            replace(
                await _form(hub, plan, variant, f"{n}", account_id, language),
                account_id=AccountId(account_id),
            )
            for n, variant in enumerate(variants)
        ]
    return tuple(found)


async def _form(
    hub: Hub, plan: Plan, variant: Variant, name: str, account_id: int, language: str
) -> ManyContent:
    """Give one wording as a kind of channel takes it: a letter, a template, or plain words."""
    capabilities = await capabilities_of(hub, account_id)
    # Over the channels after the first one another text leaves: a creative of its own.
    short = bool(plan.accounts) and account_id != plan.accounts[0]
    files: tuple[tuple[str, str, int, str], ...] = ()
    if capabilities is not None and capabilities.max_attachment_bytes:
        files = tuple(one.sent for one in await files_of(hub, plan.files))
    if capabilities is None or capabilities.html:
        made = _letter(plan, variant, language, short=short)
        return ManyContent(
            variant=name,
            subject=variant.subject,
            text=made.text,
            html=made.html,
            attachments=files,
            sender_name=plan.sender_name,
            tracks_clicks=plan.tracks_clicks,
            tracks_opens=plan.tracks_opens,
        )
    erid = erid_of(plan, variant, short=short)
    said = variant.short.strip() or variant.text
    words = with_marks(marked(plan, said, erid), link_marks(plan, erid))
    if plan.template and capabilities.templates:
        lines = [one.partition("=") for one in plan.template_values.splitlines() if "=" in one]
        return ManyContent(
            variant=name,
            text=words,
            template=plan.template,
            template_language=plan.template_language,
            template_values=tuple((key.strip(), value.strip()) for key, _, value in lines),
            sender_name=plan.sender_name,
        )
    return ManyContent(variant=name, text=words, attachments=files, sender_name=plan.sender_name)


async def capabilities_of(hub: Hub, account_id: int) -> Capabilities | None:
    """Give what an account's channel can do, None where it is gone."""
    try:
        account = await hub.account(AccountId(account_id))
    except HubError:
        return None
    return hub.capabilities(account.channel, account.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """How an audience goes: by each account of the order so many, at what price."""

    total: int = 0
    ways: tuple[tuple[str, int, str], ...] = ()
    prices: tuple[tuple[str, int], ...] = ()

    @property
    def reached(self) -> int:
        """How many are reached at all."""
        return sum(n for _, n, _ in self.ways)


async def path_of(hub: Hub, mailing: Mailing) -> Path:
    """Say how the audience goes over the order of accounts, and what it costs."""
    segment = await audience_of(hub, mailing)
    accounts, kinds = [], []
    for number in mailing.plan.accounts:
        capabilities = await capabilities_of(hub, number)
        if capabilities is not None:
            accounts.append(await hub.account(AccountId(number)))
            kinds.append(capabilities.address_kind)
    total, numbers = await hub.reach_in_order(
        segment, channels=kinds, topic=mailing.plan.topic, advertising=mailing.plan.advertising
    )
    limits = {one.account_id: one for one in await hub.sending_limits()}
    ways, prices = [], Counter[str]()
    for account, n in zip(accounts, numbers, strict=True):
        own = limits.get(account.id)
        if own is None or not own.price or not n:
            ways.append((account.title, n, ""))
            continue
        parts = await parts_of(hub, mailing.plan, account.id, segment)
        price = own.price * n * sum(parts)
        prices[own.currency] += price
        # Where a message is several for its provider, it is said how many.
        many = " + ".join(map(str, parts)) if max(parts) > 1 else ""
        ways.append((account.title, n, money(price, own.currency) + (f", ×{many}" if many else "")))
    return Path(total=total, ways=tuple(ways), prices=tuple(sorted(prices.items())))


async def parts_of(hub: Hub, plan: Plan, account_id: int, segment: Segment) -> list[int]:
    """Give in how many parts each letter of a mailing leaves, at most among some of its people."""
    first = plan.accounts[0] == account_id if plan.accounts else False
    people = await hub.audience(segment, channel="", limit=SAMPLE)
    known = [await hub.values(contact_id=one.contact_id) for one in people]
    link = hub.public_url("/u/" + "x" * TOKEN_LENGTH)
    found = []
    for contents in (await contents_of(hub, plan), *(await steps_of(hub, plan))):
        own = [one for one in contents if one.account_id == (0 if first else account_id)]
        texts = [
            hub.fill(one.text, {**each.texts, "unsubscribe_url": link, "view_url": link}).text
            for one in own
            for each in known
        ]
        counted = [await hub.measure(AccountId(account_id), text) for text in texts]
        found.append(max((one.parts for one in counted if one is not None), default=1))
    return found


async def reach_of(hub: Hub, mailing: Mailing) -> list[tuple[str, Reach]]:
    """Give how many each account reaches, in order, with the reasons."""
    found = []
    segment = await audience_of(hub, mailing)
    for number in mailing.plan.accounts:
        account = await hub.account(AccountId(number))
        capabilities = hub.capabilities(account.channel)
        if capabilities is not None:
            reach = await hub.reach(
                segment,
                channel=capabilities.address_kind,
                topic=mailing.plan.topic,
                advertising=mailing.plan.advertising,
            )
            found.append((account.title, reach))
    return found


async def findings(hub: Hub, mailing: Mailing, path: Path | None = None) -> list[Finding]:
    """Give the list; `path` is that of its audience, where it was looked at already."""
    plan = mailing.plan
    found: list[Finding] = []
    known = {one.id for one in await hub.segments()}
    if plan.segment_id not in known:
        found.append(Finding(level="bad", text=_("Choose who shall get it")))
    if not plan.accounts:
        found.append(Finding(level="bad", text=_("Choose a channel")))
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
    found += await _words(hub, plan)
    found += await _attached(hub, plan)
    if not [one for one in found if one.level == "bad"]:
        path = path or await path_of(hub, mailing)
        if not path.reached:
            # Whoever comes later gets it: an empty beginning is no mistake there.
            level = "warn" if plan.repeat == "enter" else "bad"
            found.append(Finding(level=level, text=_("Nobody would get it")))
        else:
            text = _("People who get it")
            found.append(Finding(level="good", text=text, detail=str(path.reached)))
            if out := about_held_out(plan, path.reached):
                text = _("About so many of them are kept out to compare")
                found.append(Finding(level="good", text=text, detail=str(out)))
        for currency, price in path.prices:
            found.append(
                Finding(level="good", text=_("It costs at most"), detail=money(price, currency))
            )
        found += await _times(hub, plan)
    if plan.advertising:
        found.append(Finding(level="good", text=_("Everybody can unsubscribe by one press")))
    else:
        found.append(
            Finding(level="warn", text=_("A service message goes to who refused advertising too"))
        )
    return found


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
    if plan.repeat and plan.tests:
        text = _("Two wordings compete anew each time")
        found.append(Finding(level="warn", text=text))
    return found


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


async def _words(hub: Hub, plan: Plan) -> list[Finding]:
    found = []
    wordings: list[Variant | Step] = [*plan.variants, *plan.steps]
    for wording in wordings:
        for text in (wording.subject, wording.text, wording.short):
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
        made = await letters_of(hub, plan)
    except HubError as error:
        return [
            *found,
            Finding(level="bad", text=_("The letter cannot be laid out"), detail=str(error)),
        ]
    for variant, one in zip(plan.variants, made, strict=False):
        found += [
            Finding(level=level, text=words) for level, words in complaints(variant.text, one)
        ]
    if any(loose(one.text) for one in plan.steps):
        found.append(Finding(level="bad", text=LOOSE))
    return found
