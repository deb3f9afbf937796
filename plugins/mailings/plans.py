"""A mailing as it is planned, read out of a form or JSON, and checked before it leaves."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub import Invalid, is_countable

US = 1_000_000
STATES = ("draft", "removed", "scheduled", "filling", "sending", "paused", "cancelled")
NUMBERS = (
    "segment_id",
    "share",
    "winner_hours",
    "hold_out",
    "cap_count",
    "cap_days",
    "per_minute",
    "minutes",
    "domain_per_minute",
    "domain_minutes",
    "fail_percent",
    "fall_back_minutes",
    "repeat_every",
)
FLAGS = ("advertising", "local", "tracks_clicks", "tracks_opens", "stop_answered")
WORDS = (
    "topic", "at", "quiet_from", "quiet_until", "utm", "sender_name",
    "template", "template_language", "template_values", "audience", "repeat", "repeat_until",
    "ad_kind", "advertiser", "inn", "erid",
)  # fmt: skip
AD_KINDS = ("", "own", "third")
ERIDS = ("erid", "short_erid")
REPEATS = ("", "day", "week", "month", "enter")
AUDIENCES = ("living", "frozen")
MOST_STEPS = 10
MOST_FILES = 10
MOST_BUTTONS = 30
MOST_MINUTES = 1_440
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanButton:
    """A button under a message: it leads to its address, or is an answer where it has none."""

    label: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One wording: the subject and the letter in light markup, or the message as text.

    `short` is what channels that take no letters get instead; `plain` is the letter's plain twin
    where somebody wrote it. `buttons` stand under messages, not under letters. `letter` says which version of the library's it began as, `id:version`.
    Each is a creative of its own: `erid` is the text's, `short_erid` that of the short words; empty
    ones are the plan's.
    """

    subject: str = ""
    text: str = ""
    short: str = ""
    plain: str = ""
    letter: str = ""
    erid: str = ""
    short_erid: str = ""
    buttons: tuple[PlanButton, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A later letter of a chain: so many days after the first one, unless it was answered."""

    days: int
    subject: str = ""
    text: str = ""
    short: str = ""
    erid: str = ""
    short_erid: str = ""
    buttons: tuple[PlanButton, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What shall be sent to whom, over what, when, and how fast."""

    segment_id: int = 0
    without: tuple[int, ...] = ()
    accounts: tuple[int, ...] = ()
    topic: str = ""
    advertising: bool = True
    variants: tuple[Variant, ...] = (Variant(),)
    share: int = 20
    winner_hours: int = 4
    hold_out: int = 0
    at: str = ""
    local: bool = False
    quiet_from: str = ""
    quiet_until: str = ""
    cap_count: int = 0
    cap_days: int = 7
    per_minute: int = 0
    minutes: int = 1
    domain_per_minute: int = 0
    domain_minutes: int = 1
    fail_percent: int = 20
    utm: str = ""
    tracks_clicks: bool = True
    tracks_opens: bool = False
    sender_name: str = ""
    fall_back_minutes: int = 0
    template: str = ""
    template_language: str = ""
    template_values: str = ""
    audience: str = "living"
    repeat: str = ""
    repeat_every: int = 1
    repeat_until: str = ""
    steps: tuple[Step, ...] = ()
    stop_answered: bool = True
    files: tuple[int, ...] = ()
    ad_kind: str = ""
    advertiser: str = ""
    inn: str = ""
    erid: str = ""

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON; ids are strings."""
        found = asdict(self)
        found["segment_id"] = str(self.segment_id)
        for name in ("without", "accounts", "files"):
            found[name] = [str(one) for one in found[name]]
        # As it is kept: what is compared with an earlier version must have its shape.
        for name in ("variants", "steps"):
            found[name] = [{**one, "buttons": list(one["buttons"])} for one in found[name]]
        return found

    @property
    def tests(self) -> bool:
        """Whether two wordings compete."""
        return len(self.variants) > 1 and bool(self.variants[1].text.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """One mailing with its plan and where it stands."""

    id: int
    title: str
    state: str = "draft"
    plan: Plan = field(default_factory=Plan)
    reason: str = ""
    send_id: int = 0
    contents: tuple[int, ...] = ()
    cursor: int = 0
    phase: int = 0
    planned: int = 0
    held_out: int = 0
    due_at: int = 0
    started_at: int = 0
    winner: int = 0
    version: int = 1
    occurrence: int = 0

    @property
    def looks(self) -> bool:
        """Whether it has begun and only looks who came since: its due moment is the next look."""
        return self.plan.repeat == "enter" and bool(self.started_at)


def read_mailing(row: Mapping[str, Any]) -> Mailing:
    """Make a mailing of its row."""
    return Mailing(
        id=row["id"],
        title=row["title"],
        state=row["state"],
        plan=read_plan(row["plan"]),
        reason=row["reason"],
        send_id=row["send_id"],
        contents=tuple(int(one) for one in row["contents"]),
        occurrence=row["occurrence"] or 0,
        cursor=row["cursor"],
        phase=row["phase"],
        planned=row["planned"],
        held_out=row["held_out"],
        due_at=row["due_at"],
        started_at=row["started_at"],
        winner=row["winner"],
        version=row["version"],
    )


def read_plan(given: Mapping[str, Any]) -> Plan:
    """Read a plan out of JSON; raises Invalid."""
    plan = plan_as_typed(given)
    _check(plan)
    return plan


def plan_as_typed(given: Mapping[str, Any]) -> Plan:
    """Read a plan out of JSON, whether or not it is possible; raises Invalid for what is none."""
    try:
        variants = tuple(
            Variant(
                **{
                    name: str(one.get(name, ""))
                    for name in ("subject", "text", "short", "plain", "letter", *ERIDS)
                },
                buttons=_buttons(one),
            )
            for one in given.get("variants", ())[:2]
        )
        steps = tuple(
            Step(
                days=int(one.get("days") or 0),
                **{name: str(one.get(name, "")) for name in ("subject", "text", "short", *ERIDS)},
                buttons=_buttons(one),
            )
            for one in given.get("steps", ())[:MOST_STEPS]
        )
        numbers = {name: int(given.get(name) or 0) for name in NUMBERS if name in given}
        flags = {name: bool(given[name]) for name in FLAGS if name in given}
        words = {name: str(given[name])[:300] for name in WORDS if given.get(name)}
        lists = {
            name: tuple(dict.fromkeys(int(one) for one in given.get(name, ()) if one))
            for name in ("without", "accounts", "files")
        }
    except (TypeError, ValueError, AttributeError) as error:
        raise Invalid("this is not a plan of a mailing", field="plan") from error
    values: dict[str, Any] = {**numbers, **flags, **words, **lists, "steps": steps}
    return Plan(variants=variants or (Variant(),), **values)


def _buttons(given: Mapping[str, Any]) -> tuple[PlanButton, ...]:
    return tuple(
        PlanButton(label=str(one.get("label", "")).strip(), url=str(one.get("url", "")).strip())
        for one in given.get("buttons") or ()
    )


def _check(plan: Plan) -> None:
    if len(plan.files) > MOST_FILES:
        raise Invalid("a letter has at most 10 files", field="files")
    wordings: list[Variant | Step] = [*plan.variants, *plan.steps]
    for wording in wordings:
        if len(wording.buttons) > MOST_BUTTONS:
            raise Invalid("a message has at most 30 buttons", field="buttons")
        if not all(one.label for one in wording.buttons):
            raise Invalid("a button needs a label", field="buttons")
        if any(one.url and not is_countable(one.url) for one in wording.buttons):
            raise Invalid("a button leads to an https:// address", field="buttons")
    for name in ("quiet_from", "quiet_until"):
        if getattr(plan, name) and not _CLOCK.fullmatch(getattr(plan, name)):
            raise Invalid("a time of day is written 21:00", field=name)
    for name in NUMBERS:
        if getattr(plan, name) < 0:
            raise Invalid("this number is not possible", field=name)
    if not all(0 < one <= MOST_MINUTES for one in (plan.minutes, plan.domain_minutes)):
        raise Invalid("a limit is for 1 to 1440 minutes", field="minutes")
    if plan.share > 100:
        raise Invalid("it is tried on at most 100 per cent", field="share")
    if plan.hold_out > 90:
        raise Invalid("at most 90 per cent are kept out", field="hold_out")
    for moment_of_plan in (plan.at, plan.repeat_until):
        if moment_of_plan:
            local_time(moment_of_plan)
    if plan.repeat not in REPEATS or plan.audience not in AUDIENCES:
        raise Invalid("this way to repeat is not known", field="repeat")
    if plan.repeat_every > 365:
        raise Invalid("it repeats every 1 to 365 days, weeks or months", field="repeat_every")
    if plan.ad_kind not in AD_KINDS:
        raise Invalid("there is no such kind of advertising", field="ad_kind")
    if [one for one in plan.steps if not 0 < one.days <= 365]:
        raise Invalid("a later letter comes 1 to 365 days after the first", field="steps")


def minute_of(clock: str) -> int:
    """Give the minute of the day of 21:00; 0 for nothing."""
    found = _CLOCK.fullmatch(clock)
    return int(found[1]) * 60 + int(found[2]) if found else 0


def local_time(text: str) -> datetime:
    """Read the wall clock of a plan; raises Invalid."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise Invalid("a moment is written 2027-03-10T09:00", field="at") from None


def _place(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def moment(text: str, zone: str) -> int:
    """Give the instant of a wall clock in a zone."""
    return int(local_time(text).replace(tzinfo=_place(zone)).timestamp() * US)


def clock_at(at: int, zone: str) -> str:
    """Give what the wall clock of a zone showed at an instant."""
    return datetime.fromtimestamp(at / US, _place(zone)).replace(tzinfo=None).isoformat()


def first_moment(plan: Plan, zone: str, now: int) -> int:
    """Give when the filling may begin: at once, at a time, or before the world's earliest zone."""
    if not plan.at:
        return now
    at = moment(plan.at, zone)
    if plan.local:
        at = min(
            at, moment(plan.at, "Etc/GMT-14") - int(timedelta(minutes=10).total_seconds()) * US
        )
    return max(now, at)


def bucket_of(contact_id: int, mailing_id: int) -> int:
    """Give a number that is a person's own in a mailing, the same each time, evenly spread."""
    digest = hashlib.blake2b(f"{mailing_id}:{contact_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest)


def part_of(plan: Plan, contact_id: int, mailing_id: int) -> str:
    """Say to which part a person belongs: `out`, `a`, `b` or `rest`."""
    number = bucket_of(contact_id, mailing_id)
    if number % 100 < plan.hold_out:
        return "out"
    if not plan.tests:
        return "a"
    # Each question of its own digits, so that no part leans on another.
    if number // 100 % 100 >= plan.share:
        return "rest"
    return "a" if number // 10_000 % 2 == 0 else "b"


def about_held_out(plan: Plan, reached: int) -> int:
    """Give about how many of those who would get it are kept out to compare."""
    return round(reached * plan.hold_out / 100)


def money(minor: int, currency: str) -> str:
    """Write a sum."""
    return f"{minor // 100}.{minor % 100:02} {currency}"


def ids(texts: Sequence[str]) -> tuple[int, ...]:
    """Read ids of a form."""
    return tuple(int(one) for one in texts if one.isdecimal() and int(one) < 2**63)
