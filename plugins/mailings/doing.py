"""What pages and programs both do with a mailing."""

from __future__ import annotations

import re

from hub import Conflict, FillSegment, Hub, HubError, Invalid, NotFound, SaveSegment
from plugins.mailings.audience import audience_of
from plugins.mailings.checking import MANY, findings
from plugins.mailings.commands import SaveMailing, StartMailing, SteerMailing
from plugins.mailings.contents import contents_of, steps_of
from plugins.mailings.judging import NOTHING, so_far
from plugins.mailings.library import WORDS, KeptLetter
from plugins.mailings.paths import path_of
from plugins.mailings.plans import Mailing, first_moment, read_mailing
from plugins.mailings.starters import is_lost
from plugins.mailings.tables import mailings, with_run
from plugins.mailings.texts import FROZEN, translator

YEARS = 1900
"""From here on a number at the end of a title is a year, and none of a copy."""


def id_in(text: str) -> int:
    """Give the id in an address; 0 where there is none."""
    return int(text) if text.isdecimal() and len(text) < 20 and int(text) < 2**63 else 0


async def mailing_of(hub: Hub, text: str) -> Mailing:
    """Give a mailing by the id in an address; raises NotFound."""
    row = await hub.store.first(with_run().where(mailings.c.id == id_in(text)))
    if row is None:
        raise NotFound("there is no such mailing")
    return read_mailing(row)


async def all_mailings(hub: Hub, *, before: int = 0, limit: int = 500) -> list[Mailing]:
    """Give every mailing, the newest first; drafts that were removed are left out.

    With `before` only those that were made before that one.
    """
    asked = with_run().where(mailings.c.state != "removed")
    if before:
        asked = asked.where(mailings.c.id < before)
    rows = await hub.store.all(asked.order_by(mailings.c.id.desc()).limit(limit))
    return [read_mailing(row) for row in rows]


async def send(hub: Hub, mailing: Mailing, typed: str = "", seen: str = "") -> int:
    """Check once more and let it go; above a thousand people the number is typed.

    With `seen` it goes only to as many as the button said.
    """
    try:
        path = await path_of(hub, mailing)
    except (HubError, KeyError):
        path = None  # The list says what is wrong with the audience.
    if [one for one in await findings(hub, mailing, path) if one.level == "bad"]:
        raise Invalid("the list above has something red: mend that first", field="check")
    reached = path.reached if path else 0
    digits = "".join(one for one in typed if one.isdigit())
    if reached > MANY and digits != str(reached):
        raise Conflict("type the number of people to send it", what="confirm")
    if seen and seen != str(reached):
        text = "it would go to another number of people now: look, and press again"
        raise Conflict(text, what="confirm")
    zone = (await hub.brand()).time_zone or "UTC"
    if mailing.plan.audience == "frozen":
        mailing = await frozen(hub, mailing)
    command = StartMailing(
        mailing_id=mailing.id,
        due_at=first_moment(mailing.plan, zone, hub.now()),
        contents=await contents_of(hub, mailing.plan),
        steps=await steps_of(hub, mailing.plan),
        version=mailing.version,
        sight=await hub.sight(),
    )
    (send_id,) = await hub.do(command)
    return int(send_id)


async def steer(hub: Hub, mailing: Mailing, state: str) -> None:
    """Pause, resume (`running`) or cancel; put a draft away (`removed`) and back (`draft`)."""
    seen, sight = NOTHING, None
    if state == "running" and mailing.send_id:
        seen = await so_far(hub, mailing)
        # Who lets it go on where nobody's sight counts any more lends his own: he was told so.
        if await is_lost(hub, mailing):
            sight = await hub.sight()
    await hub.do(SteerMailing(mailing_id=mailing.id, state=state, seen=seen, sight=sight))


async def frozen(hub: Hub, mailing: Mailing) -> Mailing:
    """Keep who is in the audience now: whoever comes later does not get it."""
    segment = await audience_of(hub, mailing)
    words = translator((await hub.brand()).language[:2])
    name = words(FROZEN).format(title=mailing.title)
    (kept,) = await hub.do(SaveSegment(name=name[:200], static=True))
    after = 0
    while True:
        people = await hub.audience(segment, channel="", after=after, limit=2_000)
        if people:
            after = people[-1].contact_id
            await hub.do(FillSegment(segment_id=kept, add=tuple(one.contact_id for one in people)))
        if len(people) < 2_000:
            break
    plan = {**mailing.plan.as_json(), "segment_id": str(kept), "without": []}
    await hub.do(
        SaveMailing(mailing_id=mailing.id, title=mailing.title, plan=plan, version=mailing.version)
    )
    return await mailing_of(hub, str(mailing.id))


async def people_behind(
    hub: Hub, mailing: Mailing, what: str, reason: str = "", name: str = ""
) -> int:
    """Give the segment of the people behind a number, of one cause only with `reason`.

    It is made where there is none yet, under the mailing's title with `name`.
    """
    fields = {
        "sent": "got_mailing",
        "failed": "failed_mailing",
        "clicked": "clicked_mailing",
        "answered": "answered_mailing",
        "missed": "missed_mailing",
    }
    if what not in fields:
        raise Invalid("there is no such number", field="what")
    condition = {
        "field": f"contact.{fields[what]}",
        "operator": "contains",
        "value": f"{mailing.id}:{reason}" if what == "missed" else str(mailing.id),
    }
    for known in await hub.segments():
        if known.filter == condition and not known.made_of:
            return known.id
    name = f"{mailing.title}: {name or what}{f' ({reason})' if reason and not name else ''}"
    (segment_id,) = await hub.do(SaveSegment(name=name[:200], filter=condition))
    return int(segment_id)


def _next(title: str) -> str:
    """Give the title of one more: Spring, Spring 2, Spring 3."""
    found = re.fullmatch(r"(.+) ([0-9]{1,4})", title)
    head, number = (found[1], int(found[2])) if found and int(found[2]) < YEARS else (title, 1)
    return f"{head[:190]} {number + 1}"


async def again(
    hub: Hub, mailing: Mailing, *, failed: bool, reason: str = "", name: str = ""
) -> int:
    """Make a draft like this one; only to those whom it did not reach, of one cause where asked."""
    plan = mailing.plan.as_json()
    if failed or reason:
        what = "missed" if reason else "failed"
        plan["segment_id"] = str(await people_behind(hub, mailing, what, reason, name))
        plan["without"] = []
    (copied,) = await hub.do(SaveMailing(title=_next(mailing.title), plan=plan))
    return int(copied)


def words_of(one: KeptLetter) -> dict[str, str]:
    """Give a letter as a wording of a mailing, which remembers where it was taken from."""
    return {
        **{name: getattr(one, name) for name in WORDS},
        "letter": f"{one.id}:{one.version}",
    }


async def take(hub: Hub, mailing: Mailing, one: KeptLetter) -> None:
    """Put a letter of the library into a draft, in the place of its first wording."""
    plan = mailing.plan.as_json()
    first, *others = plan["variants"]
    plan["variants"] = [{**words_of(one), "buttons": first["buttons"]}, *others]
    plan["files"] = list(dict.fromkeys([*plan["files"], *map(str, one.files)]))
    await hub.do(
        SaveMailing(mailing_id=mailing.id, title=mailing.title, plan=plan, version=mailing.version)
    )
