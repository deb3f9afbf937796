"""Requests, tasks and notices over the API: the way of a job from its number to its solution."""

from __future__ import annotations

from tests.scenarios.http_api.world import World


async def test_a_request_over_the_api_from_its_number_to_its_solution(world: World) -> None:
    program = await world.program()
    account = await world.account()
    dialog_id = str((await world.letter(account, "anna", "The boat leaks")).dialog_id)
    made = await program.ok(
        "POST", "/requests", json={"dialog_id": dialog_id, "type": "incident", "priority": "urgent"}
    )
    assert (made["number"], made["title"], made["status"]) == (1001, "The boat leaks", "new")
    path = f"/requests/{made['id']}"
    points = await program.ok("POST", f"{path}/checklist", json={"add": ["plank", "paint"]})
    await program.ok("POST", f"{path}/checklist", json={"tick": [points[0]["id"]]})
    part = await program.ok("POST", "/requests", json={"title": "Paint", "parent_id": made["id"]})
    details = await program.ok("GET", f"{path}/details")
    assert [one["goal"] for one in details["deadlines"]] == ["first", "solution"]
    assert [bool(one["done_at"]) for one in details["checklist"]] == [True, False]
    assert (details["dialogs"], details["parts"]) == ([dialog_id], [part["id"]])
    noted = await program.ok("POST", f"{path}/times", json={"minutes": 25})
    await program.ok("POST", f"{path}/times", json={"minutes": 5})
    await program.ok("DELETE", f"{path}/times/{noted[0]['id']}")
    assert (await program.ok("GET", path))["spent_minutes"] == 5
    assert [one["minutes"] for one in (await program.ok("GET", f"{path}/details"))["times"]] == [5]
    await program.ok("POST", "/support-levels", json={"label": "Night and day"})
    await program.ok("PUT", "/support-levels/night_and_day", json={"label": "Night", "position": 9})
    levels = await program.ok("GET", "/support-levels")
    assert [one["label"] for one in levels] == ["standard", "extended", "premium", "Night"]
    await program.ok("PATCH", path, json={"level": "night_and_day"})
    await program.refused(409, "used", "DELETE", "/support-levels/night_and_day")
    gone = "/support-levels/night_and_day"
    await program.ok("DELETE", gone, params={"move_to": "standard"})
    waiting = {"status": "waiting", "reason": "a photo"}
    moved = await program.ok("PUT", f"{path}/status", json=waiting)
    assert (moved["status"], moved["pause_reason"]) == ("waiting", "a photo")
    expected = {"status": "solved", "expected": "new"}
    await program.refused(409, "status", "PUT", f"{path}/status", json=expected)
    refused = await program.refused(422, "invalid", "PATCH", path, json={"satisfaction": 7})
    assert refused["field"] == "satisfaction"
    await program.ok("PUT", f"{path}/status", json={"status": "solved", "solution": "a plank"})
    late = {"json": {"category": "hull"}, "headers": {"if-match": '"1"'}}
    await program.refused(412, "version", "PATCH", path, **late)
    overdue = '{"field": "request.status", "operator": "equals", "value": "solved"}'
    found = await program.ok("GET", "/requests", params={"filter": overdue, "sort": "-number"})
    assert [one["number"] for one in found["items"]] == [1001]
    merged = await program.ok("POST", f"/requests/{part['id']}/merge", json={"into_id": made["id"]})
    assert merged["merged_into"] == made["id"]
    back = await program.ok("DELETE", f"/requests/{part['id']}/merge")
    assert (back["status"], back["merged_into"]) == ("new", None)


async def test_policies_of_deadlines_are_made_and_asked_in_order(world: World) -> None:
    program = await world.program()
    wrong = {"name": "VIP", "filter": {"field": "request.colour", "operator": "equals"}}
    await program.refused(422, "invalid", "POST", "/sla-policies", json=wrong)
    premium = {"field": "request.level", "operator": "equals", "value": "premium"}
    made = await program.ok(
        "POST",
        "/sla-policies",
        json={"name": "VIP", "position": 0, "filter": premium, "first_minutes": 5},
    )
    listed = await program.ok("GET", "/sla-policies")
    assert listed[0]["name"] == "VIP"
    one = await program.ok("POST", "/requests", json={"title": "Boats", "level": "premium"})
    assert (one["policy_id"], one["solution_due"]) == (made["id"], None)
    assert (await program.ok("PATCH", f"/requests/{one['id']}", json={"level": "standard"}))[
        "solution_due"
    ]
    await program.ok("DELETE", f"/sla-policies/{made['id']}")


async def test_a_task_is_done_checked_repeated_and_told(world: World) -> None:
    boss, hand = await world.program("supervisor"), await world.program("agent")
    agent = str(await world.user("agent"))
    task = await boss.ok(
        "POST",
        "/tasks",
        json={
            "title": "Call the yard",
            "owner_id": agent,
            "needs_review": True,
            "repeat": "daily",
            "due_at": "2026-03-02T09:00:00Z",
        },
    )
    told = await hand.ok("GET", "/notices", params={"unread": True})
    assert [(one["kind"], one["object_id"]) for one in told["items"]] == [
        ("task.assigned", task["id"])
    ]
    await hand.ok("POST", "/notices/read", json={})
    assert (await hand.ok("GET", "/notices", params={"unread": True}))["items"] == []
    path = f"/tasks/{task['id']}"
    assert (await hand.ok("PUT", f"{path}/done", json={"result": "nobody"}))["status"] == "review"
    await hand.refused(403, "not_allowed", "PUT", f"{path}/review", json={"accept": True})
    assert (await boss.ok("PUT", f"{path}/review", json={"accept": False}))["status"] == "open"
    await hand.ok("PUT", f"{path}/done", json={})
    assert (await boss.ok("PUT", f"{path}/review", json={"accept": True}))["status"] == "done"
    [following] = [
        one for one in (await boss.ok("GET", "/tasks"))["items"] if one["status"] == "open"
    ]
    assert following["repeat_of"] == task["id"]
    assert following["due_at"].endswith("T09:00:00.000000Z")
    await boss.ok("DELETE", f"{path}/done")
    left = (await boss.ok("GET", "/tasks"))["items"]
    assert [(one["id"], one["status"]) for one in left] == [(task["id"], "open")]


async def test_a_task_in_one_line_and_the_address_of_a_calendar(world: World) -> None:
    program = await world.program("agent")
    made = await program.ok("POST", "/tasks/line", json={"text": "позвонить Анне завтра 15:00 !"})
    assert (made["title"], made["priority"]) == ("позвонить Анне", "high")
    assert made["due_at"].endswith("T15:00:00.000000Z")
    await program.refused(422, "invalid", "POST", "/tasks/line", json={"text": "завтра 15:00"})
    address = (await program.ok("POST", "/me/calendar"))["url"]
    assert "/ical/" in address
    await program.ok("DELETE", "/me/calendar")


async def test_how_one_is_told_is_chosen_over_the_api(world: World) -> None:
    hand, boss = await world.program("agent"), await world.program("administrator")
    wanted = [
        {"kind": "task.reminder", "by_email": True},
        {"kind": "rule.told", "on_screen": False},
    ]
    told = await hand.ok("PATCH", "/notices/choices", json={"kinds": wanted})
    assert told == await hand.ok("GET", "/notices/choices")
    kinds = {one["kind"]: (one["on_screen"], one["by_email"]) for one in told["kinds"]}
    assert (kinds["task.reminder"], kinds["rule.told"]) == ((True, True), (False, False))
    assert (told["account_id"], told["last_letter_status"]) == (None, "")
    unknown = {"kinds": [{"kind": "task.forgotten", "by_email": True}]}
    await hand.refused(422, "invalid", "PATCH", "/notices/choices", json=unknown)
    await boss.refused(422, "invalid", "PUT", "/notices/mailbox", json={"account_id": "1"})
    await boss.ok("PUT", "/notices/mailbox", json={"account_id": "0"})
