"""Interests and pipelines over the API: set up, begun, gated, lost, counted."""

from __future__ import annotations

from tests.scenarios.http_api.world import World


async def test_an_interest_over_the_api_through_its_gates(world: World) -> None:
    admin = await world.program("administrator")
    agent = await world.program("agent")
    [sales] = await agent.ok("GET", "/pipelines")
    first, second = sales["stages"][:2]
    stage = {
        "name": "Qualified",
        "required": ["amount"],
        "checklist": [{"id": "x", "text": "Called", "required": True}],
    }
    path = f"/pipelines/{sales['id']}/stages/{second['id']}"
    await agent.refused(403, "not_allowed", "PUT", path, json=stage)
    await admin.ok("PUT", path, json=stage)
    made = await agent.ok("POST", "/interests", json={"title": "Boats", "currency": "EUR"})
    at = f"/interests/{made['id']}"
    assert (made["stage_id"], made["status"], made["amount"]) == (first["id"], "in_work", 0)
    refused = await agent.refused(409, "missing", "POST", f"{at}/win")
    assert refused["details"] == {"fields": ["amount"], "points": []}
    move = {"stage_id": second["id"], "seen": first["id"]}
    refused = await agent.refused(409, "missing", "POST", f"{at}/move", json=move)
    assert refused["details"] == {"fields": ["amount"], "points": []}
    lines = {"lines": [{"name": "Boat", "quantity": 2000, "price": 99_900}]}
    more = await agent.ok("PUT", f"{at}/lines", json=lines)
    assert more["lines"][0]["sum"] == 199_800
    moved = await agent.ok("POST", f"{at}/move", json=move)
    assert (moved["amount"], moved["stage_id"]) == (199_800, second["id"])
    refused = await agent.refused(409, "moved", "POST", f"{at}/move", json=move | {"stage_id": "3"})
    assert refused["details"]["stage_id"] == second["id"]
    await agent.refused(409, "missing", "POST", f"{at}/win")
    ticked = await agent.ok("POST", f"{at}/ticks", json={"point": "x"})
    assert ticked["ticks"][0]["point"] == "x"
    reason = sales["reasons"][0]["id"]
    lost = await agent.ok("POST", f"{at}/lose", json={"reason_id": reason})
    assert (lost["status"], lost["loss_reason_id"]) == ("lost", reason)
    assert (await agent.ok("POST", f"{at}/reopen"))["status"] == "in_work"
    assert (await agent.ok("POST", f"{at}/win"))["status"] == "won"
    query = {"pipeline_id": sales["id"]}
    funnel = await agent.ok("GET", "/interests/funnel", params=query)
    assert [one["count"] for one in funnel["steps"]] == [1] * 5
    assert funnel["won_sums"] == [{"currency": "EUR", "amount": 199_800}]
    listed = await agent.ok("GET", "/interests", params={"sort": "-amount"})
    assert [one["id"] for one in listed["items"]] == [made["id"]]


async def test_a_lead_is_converted_with_an_interest_over_the_api(world: World) -> None:
    agent = await world.program("agent")
    lead = await agent.ok("POST", "/leads", json={"title": "Boats", "name": "Anna"})
    body = {"name": "Boats Ltd", "interest": "Two boats", "amount": 100}
    done = await agent.ok("POST", f"/leads/{lead['id']}/convert", json=body)
    [interest] = (await agent.ok("GET", "/interests"))["items"]
    assert (interest["client_id"], interest["title"]) == (done["client_id"], "Two boats")
    await agent.ok("DELETE", f"/leads/{lead['id']}/conversion")
    assert (await agent.ok("GET", "/interests"))["items"] == []


async def test_pipelines_are_made_and_removed_over_the_api(world: World) -> None:
    admin = await world.program("administrator")
    made = await admin.ok("POST", "/pipelines", json={"name": "Service"})
    path = f"/pipelines/{made['id']}"
    more = await admin.ok("POST", f"{path}/stages", json={"name": "Done", "colour": "green"})
    assert [one["name"] for one in more["stages"]] == ["New", "Done"]
    await admin.ok("DELETE", f"{path}/stages/{more['stages'][0]['id']}")
    reasons = (await admin.ok("POST", f"{path}/reasons", json={"name": "Far"}))["reasons"]
    body = {"name": "Too far", "active": False}
    changed = await admin.ok("PUT", f"{path}/reasons/{reasons[0]['id']}", json=body)
    assert changed["reasons"][0]["active"] is False
    await admin.ok("PUT", path, json={"name": "Repairs", "roles": ["agent"]})
    await admin.ok("DELETE", path)
    [sales] = await admin.ok("GET", "/pipelines")
    await admin.refused(409, "last", "DELETE", f"/pipelines/{sales['id']}")
