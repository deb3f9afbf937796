"""Who works, how dialogs are given out, who is away, and work that changes hands: on screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crm_store import absences, desks
from hub import (
    AssignDialog,
    CarryMoves,
    CreateAccount,
    CreateClient,
    CreateContact,
    CreateLead,
    CreateObject,
    DialogId,
    InboundMessage,
    RouteWaiting,
    SavePipeline,
    SaveStage,
    UserId,
)
from hub.messages import Address
from tests.houses import until
from tests.scenarios.web.house import Browser, House
from tests.scenarios.web.pigeons import SETTINGS


async def _writes(hub: House, account_id: int, name: str) -> int:
    account = await hub.system.account(account_id)  # type: ignore[arg-type]
    message = InboundMessage(
        dedupe_key=name, external_id=name, sender=Address(kind="pigeon", value=name), text="coo"
    )
    return int((await hub.runtime.receive(account, [message]))[0].dialog_id)


async def assigned(hub: House, dialog_id: int, user_id: UserId) -> None:
    """Wait until a dialog is somebody's: what a loop of the hub holds at that moment, a command of
    the test passes by."""

    async def look() -> bool:
        return (await hub.system.dialog(DialogId(dialog_id))).assignee_id == user_id

    await until(look)


async def shown(browser: Browser, path: str, *words: str) -> None:
    """Wait until a page says so."""

    async def look() -> bool:
        text = (await browser.get(path)).text
        return all(one in text for one in words)

    await until(look)


async def test_a_shift_from_the_first_status_to_the_handover(hub: House) -> None:
    boss = await hub.logged_in()
    vera = await hub.user("agent", "vera@example.org")
    carl = await hub.user("supervisor", "carl@example.org")
    account = (
        await hub.system.do(CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS))
    )[0]
    # A rule, and a dialog that waits because nobody is there.
    rule = {"kind": "account", "subject": str(account), "mode": "evenly", "idle_minutes": "10"}
    answer = await boss.submit("/settings/routing", data=rule)
    assert answer.headers["location"] == "/settings/routing?said=saved"
    assert 'value="10"' in (await boss.get("/settings/routing")).text
    first = await _writes(hub, account, "anna")
    await hub.system.do(RouteWaiting())
    await shown(boss, "/settings/desks", "1 dialog waits", "nobody is there (1)")
    # She comes; her status stands in the frame of every page, and the dialog is hers.
    browser = hub.browser("203.0.113.40")
    await browser.log_in("vera@example.org")
    assert "data-desk" in (await browser.get("/inbox", headers={"accept": "text/html"})).text
    answer = await browser.submit("/settings/desks", data={"status": "1", "back": "/leads"})
    assert answer.headers["location"] == "/leads"
    await hub.system.do(RouteWaiting())
    await assigned(hub, first, vera)
    assert (await hub.system.read(desks.desk, vera)).load == 1
    # Others' statuses and places are not hers to set.
    answer = await browser.submit("/settings/desks", data={"user": str(carl), "status": "1"})
    assert answer.status_code == 422
    answer = await boss.submit("/settings/desks", data={"user": str(vera), "capacity": "1"})
    assert answer.status_code == 303
    assert "full" in (await boss.get("/settings/desks")).text
    answer = await boss.submit(
        "/settings/desks/statuses", page="/settings/desks", data={"name": "Lunch", "works": "yes"}
    )
    assert "Lunch" in (await boss.get("/settings/desks")).text
    # Away: beside the name, and back again.
    today = datetime.now(UTC).date()
    data = {
        "kind": "vacation",
        "from": today.isoformat(),
        "to": (today + timedelta(days=3)).isoformat(),
        "substitute": str(carl),
        "what": ["dialogs", "intake"],
    }
    # A mistake loses nothing of the form.
    answer = await browser.submit("/settings/absences", data={**data, "to": "2020-01-01"})
    assert answer.status_code == 422
    assert f'value="{today.isoformat()}"' in answer.text
    assert answer.text.count("checked") == 2
    answer = await browser.submit("/settings/absences", data=data)
    assert answer.headers["location"] == "/settings/absences?said=saved"
    await hub.system.do(CarryMoves())
    await assigned(hub, first, carl)
    # Whoever reads the dialog sees why it is with somebody else.
    assert ": a handover or an absence" in (await boss.get(f"/inbox/dialog/{first}")).text
    assert "away until" in (await boss.get("/settings/desks")).text
    # Wherever somebody is chosen, it stands beside his name.
    for page in ("/leads", "/settings/handovers", "/settings/users", "/settings/absences"):
        assert "(away until" in (await boss.get(page)).text, page
    await shown(browser, "/settings/absences", "handed over: 1")
    found = (await hub.system.read(absences.all_absences))[0]
    await browser.submit(
        "/settings/absences/end", page="/settings/absences", data={"absence": str(found.id)}
    )
    await hub.system.do(CarryMoves())
    await assigned(hub, first, vera)
    # For good: counted, handed over, taken back.
    await hub.system.do(CreateLead(values={"title": "boat", "owner_id": vera, "tags": "vip"}))
    data = {"from": str(vera), "to": str(carl), "what": ["dialogs", "lead"], "do": "preview"}
    page = (await boss.submit("/settings/handovers", data=data)).text
    assert 'data-count="lead">1' in page
    assert "Hand over 2" in page
    # Only what has a tag, or came by one channel.
    part = (await boss.submit("/settings/handovers", data={**data, "tag": "vip"})).text
    assert 'data-count="dialogs">0' in part
    assert 'data-count="lead">1' in part
    gone = (await boss.submit("/settings/handovers", data={**data, "tag": "cold"})).text
    assert 'data-count="lead">0' in gone
    other = (await boss.submit("/settings/handovers", data={**data, "account": "999"})).text
    assert 'data-count="dialogs">0' in other
    assert 'data-count="lead">1' in other
    answer = await boss.submit("/settings/handovers", data={**data, "do": "go"})
    assert answer.status_code == 303
    await hub.system.do(CarryMoves())
    await shown(boss, "/settings/handovers", "2 / 2")
    made = (await hub.system.read(absences.all_handovers))[0]
    await boss.submit("/settings/handovers", data={"handover": str(made.id), "do": "undo"})
    await hub.system.do(CarryMoves())
    await shown(boss, "/settings/handovers", "taken back: 2")
    await hub.system.do(AssignDialog(dialog_id=first, user_id=UserId(0)))  # type: ignore[arg-type]


async def test_points_of_a_task_are_added_and_ticked_on_its_card(hub: House) -> None:
    boss = await hub.logged_in()
    values = {"title": "Prepare", "description": "Soon"}
    task = (await hub.system.do(CreateObject(kind="task", values=values)))[0]
    path = f"/tasks/{task}"
    for words in ("Call", "Write"):
        answer = await boss.submit(f"{path}/act", path, {"do": "point", "text": words})
        assert answer.headers["location"] == path
    tick = {"do": "tick", "line": "1", "text": "Call"}
    assert (await boss.submit(f"{path}/act", path, tick)).status_code == 303
    page = (await boss.get(path)).text
    assert "Soon\n☑ Call\n☐ Write</textarea>" in page
    assert '<span class="muted">1/2</span>' in page
    # What a linked object is told by is no field for a person.
    assert "object_kind" not in page
    # The line says something else by now.
    stale = await boss.submit(f"{path}/act", path, {**tick, "text": "Write"})
    assert stale.status_code == 422
    assert "somebody changed the points meanwhile" in stale.text


NAME = '<img src=x onerror="x">50% off'


async def test_what_people_name_is_shown_as_they_wrote_it(hub: House) -> None:
    """Names are looked up among the hub's words, for some are its own; none is markup or a pattern."""
    pipeline = (await hub.system.do(SavePipeline(name=NAME)))[0]
    await hub.system.do(SaveStage(pipeline_id=pipeline, name=NAME))
    browser = await hub.logged_in()
    for path in (f"/interests?pipeline={pipeline}", f"/interests/funnel?pipeline={pipeline}"):
        answer = await browser.get(path)
        assert answer.status_code == 200, path
        assert "&lt;img src=x onerror=" in answer.text, path
        assert "<img src=x" not in answer.text, path


async def test_a_task_is_planned_on_the_card_of_any_object(hub: House) -> None:
    browser = await hub.logged_in("supervisor")
    token = {"x-csrf-token": await browser.csrf()}
    talk = {"title": "Talk", "at": "2031-05-05T10:00:00Z"}
    made = await hub.system.do(
        CreateLead(values={"title": "Two boats"}),
        CreateClient(name="Harbour"),
        CreateContact(name="Anna"),
        CreateObject(kind="meeting", values=talk),
        CreateObject(kind="task", values={"title": "Count the boats"}),
    )
    for kind, one in zip(("lead", "client", "contact", "meeting", "task"), made, strict=True):
        line = {"text": f"think of the {kind}", "kind": kind, "id": str(one)}
        answer = await browser.post("/day/task", json=line, headers=token)
        assert answer.status_code == 200, answer.text
        page = (await browser.get(f"/{kind}s/{one}")).text
        assert f'data-quick data-kind="{kind}" data-id="{one}"' in page
        assert f'{answer.json()["result"]}">think of the {kind}</a>' in page
        assert "js/day" in page
