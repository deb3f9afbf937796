"""What a call list is: whom, what is asked, what may come of a call, when and by whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import count
from typing import Any

from hub import Invalid, Reachable

PHONE = "phone"
MOST_QUESTIONS, MOST_RESULTS, MOST_TEXT = 30, 4, 4_000
MOST_NUMBER, NEW, ALIKE = 1_000_000, -1, 0.8
TALKED, MISSED, LATER, REFUSED, WRONG = "talked", "missed", "later", "refused", "wrong"


def _(text: str) -> str:
    return text


BUILT_IN = {
    TALKED: _("Talked"),
    MISSED: _("Not reached"),
    LATER: _("Call back at"),
    REFUSED: _("Refused"),
    WRONG: _("Wrong number"),
}
"""The results that every list has, in the order of their keys."""
STATES = {
    "draft": _("Draft"),
    "running": _("Running"),
    "paused": _("Paused"),
    "done": _("Done"),
    "removed": _("Removed"),
}
NOT_ASKED = "no_consent"
KINDS = ("text", "choice", "yesno", "number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of the script; `text` may hold placeholders.

    `number` is its own for good: answers are kept by it, wherever it stands in the script.
    """

    text: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    number: int = 0

    @property
    def line(self) -> str:
        """The question as it is written in the form."""
        if self.kind == "choice":
            return f"{self.text} | {' / '.join(self.choices)}"
        kind = "yes/no" if self.kind == "yesno" else self.kind
        return self.text if kind == "text" else f"{self.text} | {kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What may come of a call; after `again` the person stays on the list."""

    code: str
    label: str
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the form of a list holds; times of day are minutes, of the person's own clock."""

    segment_id: int = 0
    advertising: bool = True
    words: str = ""
    questions: tuple[Question, ...] = ()
    numbered: int = 0
    """So many numbers were given to questions, those that are gone among them."""
    own_results: tuple[Result, ...] = ()
    attempts: int = 3
    interval_minutes: int = 120
    call_from: int = 10 * 60
    call_until: int = 20 * 60
    team_id: int = 0
    callers: tuple[int, ...] = ()

    @property
    def results(self) -> tuple[Result, ...]:
        """All results in the order of their keys."""
        again = (MISSED, LATER)
        found = [Result(code=c, label=words, again=c in again) for c, words in BUILT_IN.items()]
        return (*found, *self.own_results)

    def result(self, code: str) -> Result:
        """Give a result by its code; raises Invalid."""
        for one in self.results:
            if one.code == code:
                return one
        raise Invalid("this list has no such result", field="result")

    def as_json(self) -> dict[str, Any]:
        """Give it as the API shows it."""
        return {
            "segment_id": str(self.segment_id),
            "advertising": self.advertising,
            "words": self.words,
            "questions": [
                {
                    "text": one.text,
                    "kind": one.kind,
                    "choices": list(one.choices),
                    "number": one.number,
                }
                for one in self.questions
            ],
            "results": [
                {"code": one.code, "label": one.label, "again": one.again}
                for one in self.own_results
            ],
            "attempts": self.attempts,
            "interval_minutes": self.interval_minutes,
            "call_from": clock(self.call_from),
            "call_until": clock(self.call_until),
            "team_id": str(self.team_id),
            "callers": [str(one) for one in self.callers],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CallList:
    """A call list."""

    id: int
    title: str
    state: str = "draft"
    plan: Plan = field(default_factory=Plan)
    created_at: int = 0
    started_at: int = 0
    user_id: int = 0
    version: int = 1


def may_call(plan: Plan, way: Reachable | None) -> bool:
    """Say whether a person of a list is called: he is there, has a telephone in use, and refused no
    advertising where the list is one. Who was never asked for his consent is: the list's page warns.
    """
    if way is None or not way.address_id:
        return False
    return not plan.advertising or way.refusal in ("", NOT_ASKED)


def read_list(row: Mapping[str, Any]) -> CallList:
    """Read a row."""
    return CallList(
        **{name: row[name] for name in ("id", "title", "state", "created_at", "started_at")},
        user_id=row["user_id"],
        version=row["version"],
        plan=read_plan(row["plan"]),
    )


def clock(minute: int) -> str:
    """Write a minute of the day as 09:30."""
    return f"{minute // 60:02}:{minute % 60:02}"


def as_number(text: str) -> float | None:
    """Read a number as people write it; None for what is none."""
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        return None
    return found if abs(found) < 1e15 else None


def minute_of(text: str, name: str) -> int:
    """Read 09:30; raises Invalid."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?::\d\d)?", text.strip())
    if found is None:
        raise Invalid("a time of day is written 21:00", field=name)
    return int(found[1]) * 60 + int(found[2])


def read_plan(given: Mapping[str, Any], before: Plan | None = None) -> Plan:
    """Read what is kept, or what the form or a program gave for the plan `before`; raises Invalid."""
    questions = tuple(_question(one) for one in given.get("questions") or ())
    if len(questions) > MOST_QUESTIONS:
        raise Invalid("a script has at most 30 questions", field="questions")
    numbered = int(given.get("numbered") or 0) if before is None else before.numbered
    questions = with_numbers(questions, before.questions if before else None, numbered)
    start = minute_of(str(given.get("call_from") or "10:00"), "call_from")
    end = minute_of(str(given.get("call_until") or "20:00"), "call_until")
    return Plan(
        segment_id=_whole(given, "segment_id", 0, 2**63 - 1, 0),
        advertising=bool(given.get("advertising", True)),
        words=str(given.get("words") or "").replace("\r\n", "\n").strip()[:MOST_TEXT],
        questions=questions,
        numbered=max([numbered, *(one.number + 1 for one in questions)]),
        own_results=_results(given.get("results") or ()),
        attempts=_whole(given, "attempts", 1, 50, 3),
        interval_minutes=_whole(given, "interval_minutes", 1, 60 * 24 * 30, 120),
        call_from=start,
        call_until=end,
        team_id=_whole(given, "team_id", 0, 2**63 - 1, 0),
        callers=tuple(int(one) for one in given.get("callers") or () if str(one).isdecimal()),
    )


def _whole(given: Mapping[str, Any], name: str, least: int, most: int, other: int) -> int:
    value = given.get(name)
    text = str(other if value in (None, "") else value).strip()
    if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= most:
        raise Invalid("this number is not possible", field=name)
    return int(text)


def _question(given: Mapping[str, Any]) -> Question:
    text = " ".join(str(given.get("text") or "").split())[:500]
    kind = str(given.get("kind") or "text")
    choices = tuple(
        str(one).strip()[:100] for one in given.get("choices") or () if str(one).strip()
    )
    number = given.get("number")
    number = number if isinstance(number, int) and 0 <= number < MOST_NUMBER else NEW
    if not text or kind not in KINDS or (kind == "choice" and not 2 <= len(choices) <= 20):
        raise Invalid("a question has words, and 2 to 20 answers to choose from", field="questions")
    choices = choices if kind == "choice" else ()
    return Question(text=text, kind=kind, choices=choices, number=number)


def with_numbers(
    given: Sequence[Question], before: Sequence[Question] | None, numbered: int
) -> tuple[Question, ...]:
    """Give questions their numbers: of a question that was there `before` (None: whatever they have),
    the old one, so that its answers stay its own; of others a new one.

    Written anew, a question is known by its words, and by words much like them: a slip was mended.
    """
    left = {one.number: one for one in before or ()}
    known: dict[int, int] = {}

    def find(same: Callable[[Question, Question], bool]) -> None:
        for place, one in enumerate(given):
            if place not in known:
                number = next((n for n, old in left.items() if same(one, old)), NEW)
                if number != NEW:
                    known[place] = number
                    del left[number]

    if before is None:
        left = {one.number: one for one in given if one.number != NEW}
    find(lambda one, old: one.number == old.number)
    find(lambda one, old: (one.text, one.kind) == (old.text, old.kind))
    find(lambda one, old: one.kind == old.kind and _alike(one.text, old.text))
    new = count(max([numbered, *(number + 1 for number in known.values())]))
    return tuple(
        replace(one, number=known[place] if place in known else next(new))
        for place, one in enumerate(given)
    )


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one.casefold(), other.casefold()).ratio() >= ALIKE


def _results(given: Any) -> tuple[Result, ...]:
    found = []
    for one in given:
        label = " ".join(str(one.get("label") or "").split())[:60]
        if label:
            found.append((label, bool(one.get("again"))))
    if len(found) > MOST_RESULTS or len({label for label, _again in found}) < len(found):
        raise Invalid("a list has at most 4 results of its own, each another", field="results")
    return tuple(
        # The words are the code: a result that is only moved stays what it was.
        Result(code=f"own:{label.casefold()}"[:40], label=label, again=again)
        for label, again in found
    )


def script_of(text: str) -> list[dict[str, Any]]:
    """Read the script as people write it: one question a line, `| yes/no`, `| number`, `| a / b`."""
    found: list[dict[str, Any]] = []
    for line in text.splitlines():
        words, bar, kind = (part.strip() for part in line.rpartition("|"))
        if not bar:
            words, kind = line.strip(), "text"
        if not words:
            continue
        named = {"yes/no": "yesno", "да/нет": "yesno", "число": "number", "текст": "text"}
        kind_is = named.get(kind.casefold().replace(" ", ""), kind.casefold())
        if kind_is in ("text", "yesno", "number"):
            found.append({"text": words, "kind": kind_is})
        else:
            found.append({"text": words, "kind": "choice", "choices": kind.split("/")})
    return found


def results_of(text: str) -> list[dict[str, Any]]:
    """Read a list's own results: one a line, `+` before one after which is called again."""
    found = []
    for line in text.splitlines():
        label = line.strip().removeprefix("+").strip()
        if label:
            found.append({"label": label, "again": line.strip().startswith("+")})
    return found
