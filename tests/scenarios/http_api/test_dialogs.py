"""What an agent's program does all day."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

from hub import Received
from tests.scenarios.http_api.world import Program, World


async def _sent(program: Program, message_id: str) -> None:
    async with asyncio.timeout(30):
        while True:
            found = await program.ok("GET", f"/messages/{message_id}/delivery")
            if found["status"] == "sent":
                return
            await asyncio.sleep(0.05)


async def test_a_letter_is_listed_answered_and_sent(world: World) -> None:
    account = await world.account()
    came: Received = await world.letter(account, "anna", "Where is my parcel?")
    program = await world.program("agent")
    page = await program.ok("GET", "/dialogs")
    dialog = page["items"][0]
    assert dialog["id"] == str(came.dialog_id)
    assert dialog["contact_name"] == "Anna"
    assert dialog["preview"] == "Where is my parcel?"
    assert dialog["assignee_id"] is None
    assert dialog["last_at"].endswith("Z")
    datetime.fromisoformat(dialog["last_at"])

    answer = await program.request(
        "POST",
        f"/dialogs/{came.dialog_id}/messages",
        json={
            "text": "It leaves today.",
            "seen_message_id": str(came.message_id),
            "then": "closed",
        },
    )
    assert answer.status_code == 201
    message = answer.json()
    assert message["direction"] == "out"
    assert message["author_name"] == "Agent"
    await _sent(program, message["id"])
    delivery = await program.ok("GET", f"/messages/{message['id']}/delivery")
    assert delivery["attempts"][0]["outcome"] == "sent"

    thread = await program.ok("GET", f"/dialogs/{came.dialog_id}/thread")
    assert [one["text"] for one in thread["messages"]] == [
        "Where is my parcel?",
        "It leaves today.",
    ]
    assert thread["dialog"]["status"] == "closed"
    assert {one["type"] for one in thread["history"]} >= {"dialog.opened"}
    assert all(one["data"]["dialog_id"] == str(came.dialog_id) for one in thread["history"])


async def test_a_newer_message_guards_the_answer(world: World) -> None:
    account = await world.account()
    first = await world.letter(account, "anna", "one")
    second = await world.letter(account, "anna", "two")
    program = await world.program("agent")
    path = f"/dialogs/{first.dialog_id}/messages"
    body = {"text": "late", "seen_message_id": str(first.message_id)}
    error = await program.refused(409, "newer_messages", "POST", path, json=body)
    assert error["details"] == {"count": 1, "message_id": str(second.message_id)}
    await program.ok("POST", path, json={**body, "send_anyway": True})


async def test_an_answer_can_be_moved_and_taken_back_while_it_waits(world: World) -> None:
    account = await world.account()
    came = await world.letter(account, "anna")
    program = await world.program("agent")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    path = f"/dialogs/{came.dialog_id}/messages"
    made = await program.ok("POST", path, json={"text": "soon", "due_at": later})
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=5)
    moved = await program.ok(
        "POST", f"/messages/{made['id']}/reschedule", json={"due_at": tomorrow.isoformat()}
    )
    assert datetime.fromisoformat(moved["due_at"]) == tomorrow
    taken = await program.ok("POST", f"/messages/{made['id']}/cancel")
    assert taken == {"text": "soon"}
    await program.refused(404, "not_found", "GET", f"/messages/{made['id']}")
    sent = await program.ok("POST", path, json={"text": "now"})
    await _sent(program, sent["id"])
    await program.refused(409, "already_sent", "POST", f"/messages/{sent['id']}/cancel")
    await program.refused(409, "not_failed", "POST", f"/messages/{sent['id']}/retry", json={})


async def test_a_dialog_is_worked_on(world: World) -> None:
    account = await world.account()
    came = await world.letter(account, "anna")
    agent = await world.user("agent")
    program = await world.program("agent")
    path = f"/dialogs/{came.dialog_id}"
    found = await program.ok("PUT", f"{path}/assignee", json={"user_id": str(agent)})
    assert found["assignee_id"] == str(agent)
    await program.refused(
        409, "assignee", "PUT", f"{path}/assignee", json={"user_id": None, "expected": "0"}
    )
    found = await program.ok(
        "PATCH", path, json={"subject": "Parcel", "priority": 2, "status": "waiting", "muted": True}
    )
    assert (found["subject"], found["priority"], found["status"]) == ("Parcel", 2, "waiting")
    assert found["muted"] is True
    found = await program.ok("POST", f"{path}/tags", json={"add": ["VIP", "post"]})
    assert found["tags"] == ["post", "VIP"]
    found = await program.ok("POST", f"{path}/tags", json={"remove": ["post"]})
    assert found["tags"] == ["VIP"]
    assert [(one["name"], one["dialogs"]) for one in await program.ok("GET", "/tags")] == [
        ("post", 0),
        ("VIP", 1),
    ]
    until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    found = await program.ok("PATCH", path, json={"snoozed_until": until})
    assert found["status"] == "snoozed"
    assert (await program.ok("GET", "/dialogs/counters"))["snoozed"] == 1
    found = await program.ok("PUT", f"{path}/read", json={"message_id": str(came.message_id)})
    assert found["unread"] == 0
    found = await program.ok("PUT", f"{path}/read", json={})
    assert found["unread"] == 1


async def test_notes_and_drafts_stay_inside(world: World) -> None:
    account = await world.account()
    came = await world.letter(account, "anna")
    supervisor = await world.user("supervisor")
    program = await world.program("agent")
    path = f"/dialogs/{came.dialog_id}"
    note = await program.ok(
        "POST", f"{path}/notes", json={"text": "Careful", "mentions": [str(supervisor)]}
    )
    assert note["direction"] == "note"
    assert note["mentions"] == [str(supervisor)]
    boss = await world.program("supervisor")
    assert (await boss.ok("GET", "/dialogs/counters"))["mentions"] == 1
    await program.refused(404, "not_found", "GET", f"{path}/draft")
    await program.ok("PUT", f"{path}/draft", json={"text": "Dear Anna", "mode": "reply"})
    assert (await program.ok("GET", f"{path}/draft"))["text"] == "Dear Anna"
    await boss.refused(404, "not_found", "GET", f"{path}/draft")
    await program.ok("PUT", f"{path}/draft", json={"text": ""})
    await program.refused(404, "not_found", "GET", f"{path}/draft")
    await boss.ok("DELETE", f"/messages/{note['id']}")
    await boss.refused(404, "not_found", "GET", f"/messages/{note['id']}")


async def test_a_dialog_is_begun_split_merged_and_linked(world: World) -> None:
    account = await world.account()
    program = await world.program("agent")
    begun = await program.ok(
        "POST",
        "/dialogs",
        json={"account_id": str(account.id), "to": {"kind": "pigeon", "value": "boris"}},
    )
    assert begun["address"] == "boris"
    await program.refused(
        422,
        "invalid",
        "POST",
        "/dialogs",
        json={"account_id": str(account.id), "to": {"kind": "email", "value": "b@example.org"}},
    )
    came = await world.letter(account, "anna", "first thing")
    other = await world.letter(account, "anna", "another thing")
    part = await program.ok(
        "POST",
        f"/dialogs/{came.dialog_id}/split",
        json={"message_id": str(other.message_id), "subject": "Another"},
    )
    assert part["id"] != str(came.dialog_id)
    assert part["subject"] == "Another"
    whole = await program.ok(
        "POST", f"/dialogs/{part['id']}/merge", json={"merged_id": str(came.dialog_id)}
    )
    assert whole["message_count"] == 2
    [merge] = (await program.ok("GET", f"/dialogs/{part['id']}/merges"))["items"]
    assert (merge["merged_id"], merge["survivor_id"]) == (str(came.dialog_id), part["id"])
    back = await program.ok("DELETE", f"/dialogs/merges/{merge['id']}")
    assert (back["id"], back["message_count"], back["merged_into"]) == (merge["merged_id"], 1, None)
    await program.refused(409, "undone", "DELETE", f"/dialogs/merges/{merge['id']}")
    assert (await program.ok("GET", f"/dialogs/{part['id']}/merges"))["items"] == []
    await program.ok("POST", f"/dialogs/{part['id']}/merge", json={"merged_id": back["id"]})
    contact = await program.ok("POST", "/contacts", json={"name": "Anna Petrova"})
    await program.ok("PUT", f"/dialogs/{part['id']}/contact", json={"contact_id": contact["id"]})
    assert (await program.ok("GET", f"/dialogs/{part['id']}"))["contact_name"] == "Anna Petrova"


async def test_pages_stay_stable_while_letters_come(world: World) -> None:
    account = await world.account()
    ids = [str((await world.letter(account, f"bird-{n:02}")).dialog_id) for n in range(25)]
    program = await world.program("agent")
    seen: list[str] = []
    before = ""
    while True:
        page = await program.ok("GET", "/dialogs", params={"limit": 7, "before": before})
        seen += [one["id"] for one in page["items"]]
        # What comes meanwhile goes to the top, and moves nothing below.
        await world.letter(account, f"late-{len(seen)}")
        before = page["next"]
        if not before:
            break
    assert seen == ids[::-1]


async def test_lists_are_filtered(world: World) -> None:
    lofts = [await world.account("One"), await world.account("Two")]
    first = await world.letter(lofts[0], "anna")
    await world.letter(lofts[1], "boris")
    program = await world.program("agent")

    async def ids(**params: str) -> list[str]:
        found = await program.ok("GET", "/dialogs", params=params)
        return [one["id"] for one in found["items"]]

    mine = [str(first.dialog_id)]
    assert await ids(account_id=str(lofts[0].id)) == mine
    assert await ids(contact_id=str(first.contact_id)) == mine
    assert await ids(address="anna", address_kind="pigeon") == mine
    await program.ok("POST", f"/dialogs/{first.dialog_id}/tags", json={"add": ["vip"]})
    tree = {"field": "dialog.tags", "operator": "contains", "value": ["VIP"]}
    assert await ids(filter=json.dumps(tree)) == mine
    assert await ids(tag="Vip") == mine
    urgent = {"field": "dialog.priority", "operator": "greater", "value": 0}
    assert await ids(filter=json.dumps({"all": [tree, urgent]})) == []
    await program.ok("PATCH", f"/dialogs/{first.dialog_id}", json={"priority": 1})
    assert await ids(filter=json.dumps({"all": [tree, urgent]})) == mine
    await program.ok("PATCH", f"/dialogs/{first.dialog_id}", json={"status": "closed"})
    assert await ids(view="closed") == mine
    await program.refused(422, "invalid", "GET", "/dialogs", params={"view": "nonsense"})
    for wrong in ("x", "1", "1-x", "9" * 19 + "-1", "-1-2"):
        await program.refused(422, "invalid", "GET", "/dialogs", params={"before": wrong})
    for wrong in ("{", "[]", '{"all":[{"field":"no"}]}'):
        await program.refused(422, "invalid", "GET", "/dialogs", params={"filter": wrong})
