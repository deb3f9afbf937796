"""People and clients over the API: cards in full, merges, pairs, what was told, timelines."""

from __future__ import annotations

import json
from typing import Any

from tests.scenarios.http_api.world import World


async def test_a_person_in_full_merged_undone_and_split_over_the_api(world: World) -> None:
    program = await world.program("agent")
    values = {"position": "buyer", "is_key": True, "influence": "high", "tags": ["boats"]}
    phone = {"kind": "phone", "value": "+79123456789"}
    anna = await program.ok("POST", "/contacts", json={"name": "Anna", "addresses": [phone]})
    path = f"/contacts/{anna['id']}"
    anna = await program.ok("PATCH", path, json={**values, "version": anna["version"]})
    assert {name: anna[name] for name in values} == values
    where = json.dumps({"field": "contact.is_key", "operator": "equals", "value": True})
    found = await program.ok("GET", "/contacts", params={"filter": where, "sort": "name"})
    assert [one["id"] for one in found["items"]] == [anna["id"]]
    [own] = anna["addresses"]
    await program.ok("PUT", f"/addresses/{own['id']}/verified", json={"by": "click"})
    anna = await program.ok("GET", path)
    assert (anna["addresses"][0]["verified_by"], anna["addresses"][0]["verified"]) == (
        "click",
        True,
    )
    mail = {"kind": "email", "value": "anya@example.org"}
    anya = await program.ok(
        "POST", "/contacts", json={"name": "Anya", "addresses": [mail], "language": "ru"}
    )
    preview = await program.ok("GET", f"{path}/merge", params={"with": anya["id"]})
    assert preview["moves"] == {"addresses": 1}
    assert {one["name"]: one["fills"] for one in preview["fields"]} == {
        "name": False,
        "language": True,
    }
    body = {"merged_id": anya["id"], "take": ["name"], "version": anna["version"]}
    await program.refused(
        409, "version", "POST", f"{path}/merge", json={**body, "version": anna["version"] + 9}
    )
    merge = await program.ok("POST", f"{path}/merge", json=body)
    one = await program.ok("GET", path)
    assert (one["name"], one["language"], len(one["addresses"])) == ("Anya", "ru", 2)
    gone = await program.request("GET", f"/contacts/{anya['id']}")
    assert (gone.status_code, gone.headers["location"]) == (308, f"/api/v1{path}")
    [left] = (await program.ok("GET", f"{path}/merges"))["items"]
    assert (left["id"], left["merged_name"]) == (merge["id"], "Anya")
    back = await program.ok("DELETE", f"/merges/{merge['id']}")
    assert back["id"] == anya["id"]
    assert (await program.ok("GET", path))["name"] == "Anna"
    await program.refused(409, "undone", "DELETE", f"/merges/{merge['id']}")
    merge = await program.ok("POST", f"{path}/merge", json={"merged_id": anya["id"]})
    one = await program.ok("GET", path)
    address = next(each for each in one["addresses"] if each["kind"] == "email")
    apart = await program.ok("POST", f"/addresses/{address['id']}/split", json={"name": "Boss"})
    assert (apart["name"], [each["value"] for each in apart["addresses"]]) == (
        "Boss",
        ["anya@example.org"],
    )
    back = f"/contacts/{apart['id']}/split"
    again = await program.ok("DELETE", back)
    assert (again["id"], again["addresses"]) == (one["id"], one["addresses"])
    await program.refused(409, "undone", "DELETE", back)
    await program.refused(404, "not_found", "DELETE", f"{path}/split")


async def test_likenesses_and_clients_over_the_api(world: World) -> None:
    program = await world.program("agent")
    one = await program.ok("POST", "/clients", json={"name": "Boats", "phone": "8 912 000-00-01"})
    other = await program.ok("POST", "/clients", json={"name": "Boats Ltd", "region": "Karelia"})
    pair = {"a_id": one["id"], "b_id": other["id"]}
    assert (await program.ok("GET", "/duplicates/client"))["items"] == []
    await program.ok("POST", "/duplicates/client/rejected", json=pair)
    path = f"/clients/{one['id']}"
    preview = await program.ok("GET", f"{path}/merge", params={"with": other["id"]})
    assert {each["name"] for each in preview["fields"]} == {"name", "region"}
    await program.ok("POST", f"{path}/merge", json={"merged_id": other["id"]})
    assert (await program.ok("GET", path))["region"] == "Karelia"
    gone = await program.request("GET", f"/clients/{other['id']}")
    assert (gone.status_code, gone.headers["location"]) == (308, f"/api/v1{path}")
    assert gone.json()["error"]["code"] == "merged"
    await program.refused(404, "not_found", "GET", "/clients/7")
    described = await program.ok("GET", "/openapi.json")
    assert "308" in described["paths"]["/clients/{client_id}"]["get"]["responses"]
    [left] = (await program.ok("GET", f"{path}/merges"))["items"]
    await program.ok("DELETE", f"/merges/{left['id']}")
    like = await program.ok("GET", "/duplicates/contact/like", params={"phone": "8912"})
    assert like["items"] == []


async def test_a_timeline_is_one_stream_of_everything(world: World) -> None:
    program = await world.program("agent")
    loft = await world.account()
    for n in range(3):
        await world.letter(loft, "anna", text=f"words {n}")
    [talk, *_] = (await program.ok("GET", "/dialogs", params={"view": "all"}))["items"]
    contact_id = talk["contact_id"]
    await program.ok("POST", "/leads", json={"dialog_id": talk["id"]})
    meeting = await program.ok(
        "POST",
        "/meetings",
        json={
            "title": "Lunch",
            "form": "meeting",
            "at": "2026-03-01T12:00:00Z",
            "contact_id": contact_id,
            "next_step": "send the offer",
        },
    )
    path = f"/contacts/{contact_id}/timeline"
    whole = (await program.ok("GET", path, params={"limit": 100}))["items"]
    kinds = {one["kind"] for one in whole}
    assert {"message", "act", "lead", "meeting"} <= kinds
    assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)
    walked: list[Any] = []
    before = ""
    while True:
        page = await program.ok("GET", path, params={"limit": 2, "before": before})
        walked += page["items"]
        before = page["next"]
        if not before:
            break
    assert [one["id"] for one in walked] == [one["id"] for one in whole]
    only = await program.ok("GET", path, params={"kind": ["meeting", "lead"]})
    assert {one["kind"] for one in only["items"]} == {"meeting", "lead"}
    entry = next(one for one in only["items"] if one["kind"] == "meeting")
    assert (entry["ref_id"], entry["data"]["next_step"]) == (meeting["id"], "send the offer")
    await program.refused(422, "invalid", "GET", path, params={"kind": "gossip"})
    client = await program.ok("PUT", "/dialogs/unlinked/client", json={"dialog_ids": [talk["id"]]})
    client_id = client["items"][0]["id"]
    of_client = (await program.ok("GET", f"/clients/{client_id}/timeline"))["items"]
    assert {one["id"] for one in whole} <= {one["id"] for one in of_client}
    steps = (await program.ok("GET", f"/clients/{client_id}/journey"))["items"]
    assert {"first", "client", "lead", "meeting"} <= {one["kind"] for one in steps}
    assert (await program.ok("GET", f"/dialogs/{talk['id']}/said"))["items"] == []
    aside = {"dialog_ids": [talk["id"]], "reason": "private"}
    await program.ok("PUT", "/dialogs/unlinked/aside", json=aside)


async def test_leads_are_merged_and_taken_apart_over_the_api(world: World) -> None:
    program = await world.program()
    first = await program.ok("POST", "/leads", json={"title": "Boats", "email": "a@example.org"})
    again = await program.ok("POST", "/leads", json={"title": "Oars", "email": "a@example.org"})
    path = f"/leads/{first['id']}"
    seen = await program.ok("GET", f"{path}/merge", params={"with": again["id"]})
    assert [one["name"] for one in seen["fields"]] == ["title"]
    body = {"merged_id": again["id"], "take": ["title"], "version": 1, "merged_version": 1}
    merge = await program.ok("POST", f"{path}/merge", json=body)
    assert (await program.ok("GET", path))["title"] == "Oars"
    gone = await program.request("GET", f"/leads/{again['id']}")
    assert (gone.status_code, gone.headers["location"]) == (308, f"/api/v1{path}")
    await program.refused(409, "merged", "POST", f"{path}/merge", json={"merged_id": again["id"]})
    await program.refused(404, "not_found", "DELETE", f"/merges/{merge['id']}")
    [left] = (await program.ok("GET", f"{path}/merges"))["items"]
    back = await program.ok("DELETE", f"/leads/merges/{left['id']}")
    assert back["id"] == again["id"]
    assert (await program.ok("GET", path))["title"] == "Boats"
    assert (await program.ok("GET", f"/leads/{again['id']}"))["deleted_at"] is None
