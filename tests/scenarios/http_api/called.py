"""Call lists for a machine that tries every endpoint: somebody to give back, to call, to undo."""

from __future__ import annotations

from typing import Any

from tests.scenarios.http_api.world import Program

PATH = "/telemarketing/lists"
ONE = f"{PATH}/{{list}}"
BODIES: dict[str, Any] = {
    f"POST {PATH}": {"title": "x"},
    f"PUT {ONE}": {"title": "x"},
    f"PUT {ONE}/state": {"state": "draft"},
    f"POST {ONE}/people": {"contact_ids": ["{contact_id}"]},
    f"POST {ONE}/segment": {"what": "people"},
    f"POST {ONE}/back": {"person_id": "{back_person}"},
    f"POST {ONE}/calls": {"person_id": "{calls_person}", "result": "talked"},
}
OTHERS = {f"POST {ONE}/{one}": {"list": f"{one}_list"} for one in ("back", "calls", "undo")}


async def call_lists(program: Program, ids: dict[str, str]) -> None:
    """A draft that was changed, and lists with one person each who was taken or called."""
    made = await program.ok("POST", PATH, json={"title": "Spring"})
    await program.ok("PUT", f"{PATH}/{made['id']}", json={"title": "May"})
    ids["list"] = made["id"]
    phone = [{"kind": "phone", "value": "+79990001122"}]
    person = await program.ok("POST", "/contacts", json={"name": "Dial", "addresses": phone})
    plan = {"call_from": "00:00", "call_until": "00:00"}
    for name in ("back", "calls", "undo"):
        number = (await program.ok("POST", PATH, json={"title": name, "plan": plan}))["id"]
        path = f"{PATH}/{number}"
        await program.ok("POST", f"{path}/people", json={"contact_ids": [person["id"]]})
        await program.ok("PUT", f"{path}/state", json={"state": "running"})
        taken = (await program.ok("POST", f"{path}/next"))["person_id"]
        if name == "undo":
            call = {"person_id": taken, "result": "talked"}
            await program.ok("POST", f"{path}/calls", json=call)
        ids[f"{name}_list"], ids[f"{name}_person"] = number, taken
