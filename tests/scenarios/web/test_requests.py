"""Deadlines and notices on their settings pages, the calendar feed, the words to clients."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from crm_store import sla
from crm_store import users as user_reads
from crm_store.notices import Choice, choices
from hub import (
    ChangeObject,
    CreateObject,
    MergeRequests,
    Notify,
    RequestId,
    SaveSlaPolicy,
    SetRequestStatus,
    SlaPolicyId,
    UserId,
)
from plugins import request_numbers
from tests.houses import house, letter, until
from tests.scenarios.web.house import House


async def test_policies_are_set_up_on_their_page(hub: House) -> None:
    browser = await hub.logged_in("administrator")
    page = "/settings/deadlines"
    assert "Urgent requests" in (await browser.get(page)).text
    form = {
        "do": "save",
        "policy": "0",
        "name": "VIP",
        "position": "0",
        "simple": "yes",
        "level": "premium",
        "first_minutes": "0,5",
        "solution_minutes": "8",
        "pause": "waiting",
        "tell": "yes",
        "active": "yes",
        "calendar": "2",
    }
    assert (await browser.submit(page, data=form)).status_code == 303
    made = (await hub.system.read(sla.all_policies))[0]
    assert (made.name, made.first_minutes, made.solution_minutes) == ("VIP", 30, 480)
    assert (made.pause_statuses, made.calendar_id, made.tell_client) == (("waiting",), 2, True)
    wrong = await browser.submit(page, data={**form, "first_minutes": "soon"})
    assert wrong.status_code == 422
    assert "hours are a number" in wrong.text
    # What was typed stays, where it was typed.
    new = wrong.text.split('name="policy" value="0"')[1]
    assert 'value="VIP"' in new
    assert 'value="soon" placeholder="0" aria-invalid="true" autofocus' in new
    assert 'value="soon"' not in wrong.text.split('name="policy" value="0"')[0]
    words = {"do": "texts", "ru": "Заявка {number}!", "en": "Request {number}!"}
    assert (await browser.submit(page, data=words)).status_code == 303
    brand = await hub.system.brand()
    assert request_numbers.words(brand, "ru-RU") == "Заявка {number}!"
    level = {"do": "level", "label": "Gold", "label_ru": "Золотой"}
    assert (await browser.submit(page, data=level)).status_code == 303
    assert 'value="gold"' in (await browser.get(page)).text
    gone = {"do": "remove-level", "level": "gold", "move_to": "standard"}
    assert (await browser.submit(page, data=gone)).status_code == 303
    gone = {"do": "remove", "policy": str(made.id)}
    assert (await browser.submit(page, data=gone)).status_code == 303
    agent = await hub.logged_in("agent")
    assert (await agent.submit(page, data=form)).status_code == 403


async def agent_of(hub: House) -> UserId:
    """The agent who is logged in."""
    found = await hub.system.read(user_reads.all_users)
    return next(one.id for one in found if one.role == "agent")


def lines_of(text: str) -> list[str]:
    """Unfold a calendar (RFC 5545 3.1)."""
    assert text.endswith("\r\n")
    assert all(len(one.encode()) <= 75 for one in text.split("\r\n"))
    return text.replace("\r\n ", "").split("\r\n")[:-1]


async def test_a_calendar_program_reads_my_day_by_a_secret_that_ends(hub: House) -> None:
    browser = await hub.logged_in("agent")
    page = "/settings/notices"
    made = await browser.submit(page, data={"do": "make"})
    [path] = re.findall(r'value="[^"]*(/ical/[^"]+\.ics)"', made.text)
    title = "Счёт, договор; и очень длинное название задачи, которое не входит в одну строку"
    await hub.system.as_user(await agent_of(hub)).do(
        CreateObject(kind="task", values={"title": title, "due_at": "2026-03-02T12:00:00Z"})
    )
    answer = await hub.browser().get(path)
    assert answer.headers["content-type"].startswith("text/calendar")
    lines = lines_of(answer.text)
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    opened: list[str] = []
    for line in lines:
        name, colon, value = line.partition(":")
        assert colon, line
        if name == "BEGIN":
            opened.append(value)
        elif name == "END":
            assert opened.pop() == value
    assert opened == []
    assert "DTEND:20260302T120000Z" in lines
    [summary] = [one for one in lines if one.startswith("SUMMARY:")]
    assert summary == "SUMMARY:" + title.replace(",", "\\,").replace(";", "\\;")
    assert sum(one.startswith("UID:task-") for one in lines) == 1
    assert (await browser.submit(page, data={"do": "end"})).status_code == 303
    assert (await hub.browser().get(path)).status_code == 404


async def test_notices_are_chosen_kind_by_kind(hub: House) -> None:
    browser = await hub.logged_in("agent")
    page = "/settings/notices"
    assert (await browser.submit(page, data={"do": "save", "kind": "task.due"})).status_code == 303
    await hub.system.do(
        CreateObject(kind="task", values={"title": "Quiet", "owner_id": await agent_of(hub)})
    )
    assert (await browser.get("/notices/count")).json() == {"unread": 0}
    kinds = {"do": "save", "kind": "task.assigned"}
    assert (await browser.submit(page, data=kinds)).status_code == 303
    await hub.system.do(
        CreateObject(kind="task", values={"title": "Loud", "owner_id": await agent_of(hub)})
    )
    assert (await browser.get("/notices/count")).json() == {"unread": 1}
    assert "Loud" in (await browser.get("/notices")).text
    # By e-mail too: it stands on the screen then, whatever its other box says.
    shown = (await browser.get(page)).text
    assert "No letter can leave: an administrator has to connect a mailbox first." in shown
    kinds = {"do": "save", "letter": "task.reminder"}
    assert (await browser.submit(page, data=kinds)).status_code == 303
    me = await hub.system.user(await agent_of(hub))
    chosen = choices(me.preferences)
    assert chosen["task.reminder"] == Choice(shown=True, mailed=True, pushed=False)
    assert chosen["task.assigned"] == Choice(shown=False, mailed=False, pushed=False)
    # So does what is to be pushed from now on; what is taken off the screen is pushed no more.
    kinds = {"do": "save", "push": "task.assigned"}
    assert (await browser.submit(page, data=kinds)).status_code == 303
    me = await hub.system.user(await agent_of(hub))
    assert choices(me.preferences)["task.assigned"] == Choice(True, False, True)
    assert (await browser.submit(page, data=kinds)).status_code == 303
    me = await hub.system.user(await agent_of(hub))
    assert choices(me.preferences)["task.assigned"] == Choice(False, False, False)
    mailbox = {"do": "mailbox", "account": "0"}
    assert (await browser.submit(page, data=mailbox)).status_code == 403


async def test_who_opens_a_card_has_seen_what_notices_told_of_it(hub: House) -> None:
    browser = await hub.logged_in("agent")
    me = await agent_of(hub)
    made = await hub.system.do(
        CreateObject(kind="request", values={"title": "Broken door", "owner_id": me}),
        CreateObject(kind="task", values={"title": "Call", "owner_id": me}),
        CreateObject(kind="lead", values={"name": "Anna", "owner_id": me}),
        CreateObject(kind="interest", values={"title": "Doors", "owner_id": me}),
    )
    kinds = {"request": "requests", "task": "tasks", "lead": "leads", "interest": "interests"}
    for (kind, path), number in zip(kinds.items(), made, strict=True):
        told = Notify(user_ids=(me,), kind="rule.told", object_kind=kind, object_id=number)
        await hub.system.do(told)
        assert (await browser.get("/notices/count")).json() != {"unread": 0}
        assert (await browser.get(f"/{path}/{number}")).status_code == 200
    assert (await browser.get("/notices/count")).json() == {"unread": 0}


async def test_the_client_gets_the_number_and_no_machine_does(
    tmp_path: Path, database_url: str
) -> None:
    plugins = [("request_numbers", request_numbers)]
    async with house(tmp_path, database_url, workers=True, plugins=plugins) as home:
        person = (await home.receive(letter("1", subject="A leak"), letter=True))[0]
        machine = (
            await home.receive(
                letter("2", "robot@example.com", subject="Away", automated=True), letter=True
            )
        )[0]
        for one in (machine, person):
            await home.user.do(CreateObject(kind="request", dialog_id=one.dialog_id))
        await until(lambda: home.world.sent)
        [sent] = home.world.sent
        assert sent.to.value == "anna@example.com"
        assert "#1002" in sent.text
        # It is no answer: the client still waits.
        assert (await home.user.dialog(person.dialog_id)).waiting_since
        await home.user.do(SaveSlaPolicy(policy_id=SlaPolicyId(2), tell_client=False))
        third = (await home.receive(letter("3", "boris@example.com"), letter=True))[0]
        await home.user.do(CreateObject(kind="request", dialog_id=third.dialog_id))
        fourth = (await home.receive(letter("4", "clara@example.com"), letter=True))[0]
        await home.user.do(SaveSlaPolicy(policy_id=SlaPolicyId(2), tell_client=True))
        await home.user.do(CreateObject(kind="request", dialog_id=fourth.dialog_id))
        await until(lambda: len(home.world.sent) == 2)
        assert home.world.sent[1].to.value == "clara@example.com"


async def test_requests_on_a_board_and_in_a_calendar(hub: House) -> None:
    browser = await hub.logged_in("agent")
    first, second = [
        (await hub.system.do(CreateObject(kind="request", values={"title": title})))[0]
        for title in ("Broken lamp", "Lost parcel")
    ]
    due = datetime(2031, 5, 14, 12, tzinfo=UTC)
    at = int(due.timestamp()) * 1_000_000
    await hub.system.do(
        ChangeObject(kind="request", object_id=first, values={"solution_due": at}),
        SetRequestStatus(request_id=RequestId(int(str(second))), status="in_work"),
    )
    html = (await browser.get("/requests/board")).text
    new, in_work = html.index('data-key="new"'), html.index('data-key="in_work"')
    assert new < html.index("Broken lamp") < in_work < html.index("Lost parcel")
    assert "Broken lamp" not in (await browser.get("/requests/board?view=mine")).text

    async def moved(card: object, to: str, seen: str, **more: str) -> int:
        body = {"card": str(card), "to": to, "seen": seen, **more}
        token = {"x-csrf-token": await browser.csrf()}
        return (await browser.post("/requests/move", json=body, headers=token)).status_code

    assert await moved(first, "waiting", "new") == 200
    # Somebody moved it meanwhile: told, and left where it is.
    assert await moved(first, "on_hold", "new") == 409
    assert await moved(second, "solved", "in_work", comment="Found it") == 200
    html = (await browser.get("/requests/board")).text
    assert "Lost parcel" not in html
    assert html.index('data-key="waiting"') < html.index("Broken lamp")

    # While it waits for the client its clock stands, and nothing is due.
    assert await moved(first, "in_work", "waiting") == 200
    month = (await browser.get("/requests/calendar?month=2031-05")).text
    assert month.index('datetime="2031-05-14"') < month.index("Broken lamp")
    assert month.index("Broken lamp") < month.index('datetime="2031-05-15"')
    assert "No deadline falls" in (await browser.get("/requests/calendar?month=2031-07")).text
    assert (await browser.get("/requests/calendar?month=nonsense")).status_code == 200


async def test_a_next_step_that_is_a_task_stands_in_my_day_once(hub: House) -> None:
    browser = await hub.logged_in("agent")
    token = {"x-csrf-token": await browser.csrf()}
    made = (await browser.submit("/interests", "/interests?new=1", {"title": "Ten boats"})).headers
    interest_id = made["location"].rsplit("/", 1)[1]
    body = {"text": "Call Nina today 23:58", "kind": "interest", "id": interest_id}
    assert (await browser.post("/day/task", json=body, headers=token)).status_code == 200
    assert 'value="Call Nina"' in (await browser.get(f"/interests/{interest_id}")).text
    html = (await browser.get("/day")).text
    assert html.count(">Call Nina</a>") == 1
    assert "h-steps" not in html


async def test_a_next_step_of_a_day_is_of_that_day_wherever_one_reads(hub: House) -> None:
    browser = await hub.logged_in("agent")
    made = (await browser.submit("/interests", "/interests?new=1", {"title": "Ten boats"})).headers
    interest_id = int(made["location"].rsplit("/", 1)[1])
    values = {"next_step": "Send the bill", "next_step_at": "2025-01-05"}
    await hub.system.do(ChangeObject(kind="interest", object_id=interest_id, values=values))
    for zone in ("America/New_York", "Asia/Vladivostok"):
        await browser.post(
            "/do/zone", json={"zone": zone}, headers={"x-csrf-token": await browser.csrf()}
        )
        steps = (
            (await browser.get("/day")).text.partition('id="h-steps"')[2].partition("</section>")[0]
        )
        assert "5 January 2025" in steps


async def test_a_request_that_is_taken_out_of_another_says_so(hub: House) -> None:
    browser = await hub.logged_in("administrator")
    making = [CreateObject(kind="request", values={"title": one}) for one in ("Leak", "Drip")]
    leak, drip = await hub.system.do(*making)
    await hub.system.do(MergeRequests(request_id=drip, into_id=leak))
    page = f"/requests/{drip}"
    answer = await browser.submit(f"{page}/act", page, {"do": "unmerge"})
    told = (await browser.get(answer.headers["location"])).text
    assert "this request is one of its own again" in told
    assert "merged into another" not in told
