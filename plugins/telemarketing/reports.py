"""What a call list brought: by result, by caller, by answer, and the money behind it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from hub import Hub, HubError, UserId
from plugins.telemarketing.doing import progress
from plugins.telemarketing.plans import TALKED, CallList, as_number
from plugins.telemarketing.tables import calls, people


def _(text: str) -> str:
    return text


HEADS = (_("Time"), _("Person"), _("Colleague"), _("Result"), _("Call back at"))
"""The columns of a file before those of the questions."""
MOST_ANSWERS = 20
"""So many different answers to a question are counted apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The calls of one colleague."""

    user_id: int
    name: str
    calls: int
    talked: int
    made: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was answered to one question: (answer, people), the most frequent first."""

    number: int
    text: str
    kind: str
    people: int
    answers: tuple[tuple[str, int], ...] = ()
    mean: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The numbers of a list."""

    people: int
    done: int
    called: int
    due: int
    calls: int
    results: tuple[tuple[str, str, int], ...] = ()
    callers: tuple[Caller, ...] = ()
    questions: tuple[Answered, ...] = ()
    made: Mapping[str, int] = field(default_factory=dict)
    won: int = 0
    sums: tuple[tuple[str, int], ...] = ()
    attempts: tuple[tuple[int, int], ...] = ()
    """(attempts, people who were called so often)."""


async def calls_of(hub: Hub, one: CallList) -> Sequence[Mapping[str, Any]]:
    """Give the calls of a list that count, the oldest first."""
    kept = (calls.c.list_id == one.id) & (calls.c.undone_at == 0)
    return await hub.store.all(select(calls).where(kept).order_by(calls.c.id))


async def report_of(hub: Hub, one: CallList) -> Report:
    """Count."""
    counted = (await progress(hub, [one.id]))[one.id]
    rows = await calls_of(hub, one)
    by_result = Counter(row["result"] for row in rows)
    results = [(each.code, each.label, by_result.pop(each.code, 0)) for each in one.plan.results]
    # What was a result of the list's own before it was renamed still counts.
    results += [(code, code.removeprefix("own:"), n) for code, n in by_result.items()]
    won, sums = await _won(hub, [row["made_id"] for row in rows if row["made_kind"] == "interest"])
    return Report(
        people=counted["people"],
        done=counted["done"],
        called=counted["called"],
        due=counted["due"],
        calls=len(rows),
        results=tuple(results),
        callers=await _callers(hub, rows),
        questions=_answers(one, rows),
        made=Counter(row["made_kind"] for row in rows if row["made_id"]),
        won=won,
        sums=sums,
        attempts=await _attempts(hub, one),
    )


async def _attempts(hub: Hub, one: CallList) -> tuple[tuple[int, int], ...]:
    counted = select(people.c.attempts, func.count().label("n")).where(
        people.c.list_id == one.id, people.c.attempts > 0
    )
    rows = await hub.store.all(counted.group_by(people.c.attempts).order_by(people.c.attempts))
    return tuple((int(row["attempts"]), int(row["n"])) for row in rows)


async def _callers(hub: Hub, rows: Sequence[Mapping[str, Any]]) -> tuple[Caller, ...]:
    found = []
    for user_id, n in Counter(row["user_id"] for row in rows).most_common():
        own = [row for row in rows if row["user_id"] == user_id]
        found.append(
            Caller(
                user_id=user_id,
                name=await name_of(hub, user_id),
                calls=n,
                talked=sum(row["result"] == TALKED for row in own),
                made=sum(bool(row["made_id"]) for row in own),
            )
        )
    return tuple(found)


async def name_of(hub: Hub, user_id: int) -> str:
    """Give a colleague's name, "" where he is gone."""
    try:
        return (await hub.user(UserId(user_id))).name
    except HubError:
        return ""


def _answers(one: CallList, rows: Sequence[Mapping[str, Any]]) -> tuple[Answered, ...]:
    found = []
    for question in one.plan.questions:
        number = question.number
        # Who was called twice has answered once: as he did at last.
        newest = {
            row["contact_id"]: row["answers"][str(number)]
            for row in rows
            if str(number) in row["answers"]
        }
        said = Counter(newest.values())
        # What was answered before the question asked for a number may be none.
        read = map(as_number, newest.values()) if question.kind == "number" else ()
        numbers = [each for each in read if each is not None]
        found.append(
            Answered(
                number=number,
                text=question.text,
                kind=question.kind,
                people=len(newest),
                answers=tuple(said.most_common(MOST_ANSWERS)),
                mean=round(sum(numbers) / len(numbers), 2) if numbers else 0.0,
            )
        )
    return tuple(found)


async def _won(hub: Hub, ids: Sequence[int]) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Give how many of the interests made in calls were won, and their sums by currency."""
    won, sums = 0, Counter[str]()
    if ids and not await hub.may("interests.view"):
        return 0, ()
    for number in ids:
        try:
            interest = await hub.get("interest", number)
        except HubError:
            continue
        if interest.status == "won" and not interest.deleted_at:
            won += 1
            sums[interest.currency] += interest.amount
    return won, tuple(sorted((currency, n) for currency, n in sums.items() if n))


async def table_of(
    hub: Hub, one: CallList, words: Callable[[str], str], wall: Callable[[int], str]
) -> list[list[object]]:
    """Give every call as a row under its heading, for a file."""
    labels = {each.code: words(each.label) for each in one.plan.results}
    head = [words(text) for text in HEADS]
    table: list[list[object]] = [[*head, *(each.text for each in one.plan.questions)]]
    names: dict[int, str] = {}
    for row in await calls_of(hub, one):
        user_id = row["user_id"]
        if user_id not in names:
            names[user_id] = await name_of(hub, user_id)
        try:
            person = (await hub.contact(row["contact_id"])).name
        except HubError:
            person = ""
        label = labels.get(row["result"], row["result"].removeprefix("own:"))
        again = wall(row["again_at"]) if row["again_at"] else ""
        answers = [row["answers"].get(str(each.number), "") for each in one.plan.questions]
        table.append([wall(row["at"]), person, names[user_id], label, again, *answers])
    return table


def as_csv(table: Sequence[Sequence[object]]) -> bytes:
    """Write a table as a spreadsheet reads it; no cell becomes a formula (OWASP, "CSV Injection")."""
    file = io.StringIO()
    out = csv.writer(file, delimiter=";")
    for row in table:
        out.writerow([_cell(str(one)) for one in row])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def as_xlsx(table: Sequence[Sequence[object]]) -> bytes:
    """Write a table as a workbook of texts."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in table:
        sheet.append([_cell(_storable(str(one))) for one in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _storable(text: str) -> str:
    return "".join(one for one in text if one >= " " or one in "\n\t")[:32_000]


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
