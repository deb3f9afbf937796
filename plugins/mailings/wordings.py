"""Two wordings side by side while they are tried: what each led to, and which one goes to the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub import Hub, Tally
from plugins.mailings.counting import COUNTS
from plugins.mailings.plans import Mailing
from plugins.mailings.results import OPEN

HOUR_US = 3_600_000_000
LONGEST_US = 48 * HOUR_US
"""So long after a test's first letter its others are waited for: a day of zones, and a night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One of the two: its letter, its subject or first words, and what people did with it."""

    name: str
    subject: str
    content_id: int
    sent: int = 0
    clicked: int = 0
    answered: int = 0
    won: bool = False

    @property
    def share(self) -> float:
        """How many per cent of who got it followed a link."""
        return self.clicked * 100 / self.sent if self.sent else 0.0


async def wordings_of(hub: Hub, mailing: Mailing) -> list[Wording]:
    """Give both wordings of a mailing that tries two, over all its channels; nothing for others."""
    if not mailing.plan.tests or len(mailing.contents) < 2:
        return []
    tallies: Sequence[Tally] = ()
    if mailing.send_id:
        tallies = await hub.send_tallies([mailing.send_id], by="variant")
    known = {one.key: one for one in tallies}
    found = []
    for n, variant in enumerate(mailing.plan.variants[:2]):
        one = known.get(str(n), Tally())
        content_id = mailing.contents[n]
        found.append(
            Wording(
                name=chr(ord("A") + n),
                subject=variant.subject or " ".join(variant.text.split())[:80],
                content_id=content_id,
                sent=one.sent,
                clicked=one.clicked,
                answered=one.answered,
                won=bool(mailing.winner) and mailing.winner == content_id,
            )
        )
    return found


def better(wordings: Sequence[Wording]) -> Wording:
    """Give the one whose links a larger share followed, where they are alike the one more answered.

    The first one where nobody can tell.
    """

    def worth(one: Wording) -> tuple[float, float, bool]:
        return one.share, one.answered / one.sent if one.sent else 0.0, one.name == "A"

    return max(wordings, key=worth)


async def chosen_at(hub: Hub, mailing: Mailing) -> int:
    """Give when the better one is chosen, 0 where that is over or nobody can tell yet.

    So many hours after the last of the test's letters left, so that everybody had them to read in;
    after the first one where the others are held up for longer than `LONGEST_US`.
    """
    waits = mailing.plan.tests and mailing.phase == 2 and not mailing.winner
    if not waits or mailing.state not in ("filling", "paused"):
        return 0
    numbers = await COUNTS.lately(hub, [mailing.send_id])
    first, last = await hub.send_span([mailing.send_id])
    waiting = any(n for (status, _), n in numbers.items() if status in OPEN)
    if not first:
        # Where none can leave, none is the better one: nobody waits for it.
        return 0 if waiting else mailing.started_at
    latest = first + LONGEST_US
    through = latest if waiting else min(last, latest)
    return through + mailing.plan.winner_hours * HOUR_US


def as_json(wordings: Sequence[Wording]) -> list[dict[str, object]]:
    """Give them for programs."""
    return [
        {
            "name": one.name,
            "subject": one.subject,
            "sent": one.sent,
            "clicked": one.clicked,
            "answered": one.answered,
            "share": round(one.share, 1),
            "won": one.won,
        }
        for one in wordings
    ]
