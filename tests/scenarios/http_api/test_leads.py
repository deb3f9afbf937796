"""Leads and clients over the API: made, changed with If-Match, moved, listed, exported, explained."""

from __future__ import annotations

import csv
import json

from tests.scenarios.http_api.world import World


async def test_a_lead_over_the_api_from_first_word_to_client(world: World) -> None:
    program = await world.program("agent")
    made = await program.ok(
        "POST",
        "/leads",
        json={"title": "Boats", "name": "Anna", "email": "a@example.org", "tags": ["hot"]},
    )
    path = f"/leads/{made['id']}"
    assert (made["status"], made["owner_id"], made["tags"]) == ("new", None, ["hot"])
    changed = await program.request(
        "PATCH", path, json={"source": "fair", "tags": None}, headers={"if-match": '"1"'}
    )
    assert changed.headers["etag"] == '"2"'
    assert (changed.json()["source"], changed.json()["tags"]) == ("fair", [])
    late = {"json": {"source": "x"}, "headers": {"if-match": '"1"'}}
    await program.refused(412, "version", "PATCH", path, **late)
    await program.refused(412, "version", "DELETE", path, headers=late["headers"])
    refused = await program.refused(422, "invalid", "PATCH", path, json={"title": " "})
    assert refused["field"] == "title"
    await program.refused(422, "invalid", "PATCH", path, json={"status": "qualified"})
    assert changed.json()["received_at"] == made["created_at"]
    assert (made["first_responded_at"], made["first_response_us"]) == (None, 0)
    for name in ("received_at", "first_responded_at", "first_response_us"):
        await program.refused(422, "invalid", "PATCH", path, json={name: 5})
    assert (await program.ok("POST", f"{path}/take"))["status"] == "in_work"
    await program.ok("POST", f"{path}/reject", json={"reason": "dear"})
    await program.refused(409, "closed", "POST", f"{path}/convert", json={})
    await program.ok("POST", f"{path}/reopen")
    lead = await program.ok("POST", f"{path}/convert", json={"name": "Boats Ltd"})
    client = await program.ok("GET", f"/clients/{lead['client_id']}")
    assert (client["name"], client["email"], client["source"]) == (
        "Boats Ltd",
        "a@example.org",
        "fair",
    )
    people = await program.ok("GET", f"/clients/{client['id']}/contacts")
    assert [one["name"] for one in people["items"]] == ["Anna"]
    again = await program.ok("POST", "/leads", json={"email": "a@example.org"} | {"title": "More"})
    assert again["repeat_of"] == made["id"]
    where = json.dumps({"field": "lead.source", "operator": "equals", "value": "FAIR"})
    listed = await program.ok("GET", "/leads", params={"filter": where})
    assert [one["id"] for one in listed["items"]] == [made["id"]]
    assert (await program.ok("DELETE", f"{path}/conversion"))["client_id"] is None
    assert (await program.ok("GET", f"/clients/{client['id']}"))["deleted_at"]
    await program.ok("DELETE", path)
    listed = (await program.ok("GET", "/leads"))["items"]
    assert [one["id"] for one in listed] == [again["id"]]
    await program.ok("POST", f"{path}/restore")

    history = (await program.ok("GET", f"{path}/history"))["items"]
    moves = [(one["before"], one["after"]) for one in history if one["field"] == "status"]
    assert moves[-1] == ("new", "in_work")
    assert moves[0] == ("qualified", "in_work")
    assert {one["actor"]["kind"] for one in history} == {"token"}
    first = await program.ok("GET", f"{path}/history", params={"limit": 1})
    second = await program.ok(
        "GET", f"{path}/history", params={"limit": 1, "before": first["next"]}
    )
    assert first["items"][0]["event_id"] > second["items"][0]["event_id"]


async def test_a_whole_list_is_exported_by_who_may(world: World) -> None:
    program = await world.program("marketer")
    for n in range(203):
        await program.ok("POST", "/clients", json={"name": f"Client {n}", "notes": '=1+1, "x"'})
    answer = await program.request("GET", "/clients/export", params={"sort": "created_at"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))
    assert [one["name"] for one in rows] == [f"Client {n}" for n in range(203)]
    assert {one["notes"] for one in rows} == {'\'=1+1, "x"'}
    await program.refused(422, "invalid", "GET", "/clients/export", params={"sort": "notes"})
    agent = await world.program("agent")
    await agent.refused(403, "not_allowed", "GET", "/clients/export")
