"""A hub with one of everything, and for every endpoint a request that makes sense there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from crm_store.tables.duplicates import said_addresses
from hub import Quarantine
from tests.houses import until
from tests.scenarios.http_api import called
from tests.scenarios.http_api.called import call_lists
from tests.scenarios.http_api.world import Program, World
from tests.scenarios.web.pigeons import SETTINGS

NOTE = {"action": "crm_actions.note", "params": {"text": "came"}}
RULE = {"name": "Note", "when": [{"event": "message.received"}], "then": [NOTE]}
WAITING = {"name": "Wait", "when": [{"event": "no_answer.ours", "after": "10d"}], "then": [NOTE]}
KEYS = {
    # The base point of the curve, as a browser writes it.
    "p256dh": "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    "auth": "c2l4dGVlbiBvY3RldHMhIQ",
}
LATER = "2099-01-01T00:00:00Z"


class Furniture:
    """Ids of what is there, by the names of path parameters; `own` are those of endpoints that
    begin with the word, where one name means different things."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.own: dict[str, dict[str, str]] = {}

    def of(self, label: str) -> dict[str, str]:
        """Give the ids that may stand in the path and the body of an endpoint."""
        first = label.split("/")[1]
        others = {name: self.ids[one] for name, one in OTHERS.get(label, {}).items()}
        return {**self.ids, **self.own.get(first, {}), **others}


async def furnish(world: World) -> Furniture:
    """Make one of everything, over the API wherever it can."""
    found = Furniture()
    program = await world.program()
    await _talks(world, program, found.ids)
    await _cards(program, found.ids)
    await _house(world, program, found)
    await _work(program, found)
    await _rules(program, found)
    await _brought(program, found)
    return found


async def _talks(world: World, program: Program, ids: dict[str, str]) -> None:
    """People who wrote, and what was answered."""
    account = await world.account()
    kept = Quarantine(account_id=account.id, raw=b"not a letter", error="unreadable")
    ids["quarantine_id"] = str((await world.house.system.do(kept))[0])
    await program.ok("POST", "/rules", json={"definition": WAITING, "enabled": True})
    rule = await program.ok("POST", "/rules", json={"definition": RULE, "enabled": True})
    came = await world.letter(account, "anna", "hello", raw=b"coo")
    ids |= {
        "account_id": str(account.id),
        "dialog_id": str(came.dialog_id),
        "contact_id": str(came.contact_id),
        "seen_message_id": str(came.message_id),
        "rule": rule["id"],
    }
    again = await world.letter(account, "anna", "and again")
    other = await world.letter(account, "boris", "hello")
    ids |= {"merged_id": str(other.dialog_id), "split_message_id": str(again.message_id)}
    eva, fred = [await world.letter(account, one, "hello") for one in ("eva", "fred")]
    both = {"merged_id": str(fred.dialog_id)}
    await program.ok("POST", f"/dialogs/{eva.dialog_id}/merge", json=both)
    merged = await program.ok("GET", f"/dialogs/{eva.dialog_id}/merges")
    ids["dialog_merge_id"] = merged["items"][0]["id"]
    told = {"kind": "email", "value": "a@example.org", "normal": "a@example.org"}
    with world.house.runtime.database.administer() as conn:
        values = {"id": 1, "dialog_id": came.dialog_id, "message_id": came.message_id, **told}
        conn.execute(insert(said_addresses).values(**values))
    ids["said_id"] = "1"
    talk = f"/dialogs/{came.dialog_id}"
    made = await program.ok("POST", f"{talk}/messages", json={"text": "hi"})
    ids["message_id"] = made["id"]
    later = {"text": "later", "due_at": LATER}
    waits = await program.ok("POST", f"{talk}/messages", json=later)
    ids["waiting_message_id"] = waits["id"]
    file = await program.ok("POST", "/attachments", files={"file": ("a.txt", b"a")})
    ids["attachment_id"] = file["id"]


async def _cards(program: Program, ids: dict[str, str]) -> None:
    """People, clients and what is done for them."""
    contact = await program.ok("GET", f"/contacts/{ids['contact_id']}")
    ids["address_id"] = contact["addresses"][0]["id"]
    mail = {"kind": "email", "value": "carl@example.org"}
    carl = await program.ok("POST", "/contacts", json={"name": "Carl", "addresses": [mail]})
    dora = await program.ok("POST", "/contacts", json={"name": "Dora"})
    fay = await program.ok("POST", "/contacts", json={"name": "Fay"})
    ids |= {"other_contact_id": carl["id"], "third_contact_id": fay["id"]}
    ids["other_address_id"] = carl["addresses"][0]["id"]
    merge = {"merged_id": dora["id"]}
    merged = await program.ok("POST", f"/contacts/{carl['id']}/merge", json=merge)
    ids["merge_id"] = merged["id"]
    both = {"name": "Gil", "addresses": [{**mail, "value": f"{one}@example.org"} for one in "gh"]}
    gil = await program.ok("POST", "/contacts", json=both)
    path = f"/addresses/{gil['addresses'][1]['id']}/split"
    ids["split_contact_id"] = (await program.ok("POST", path, json={"name": "Hal"}))["id"]
    for kind, body in (
        ("client", {"name": "Acme"}),
        ("lead", {"title": "Boats"}),
        ("interest", {"title": "Boats", "currency": "EUR"}),
        ("request", {"title": "It leaks"}),
        ("task", {"title": "Call"}),
        ("meeting", {"title": "Talk", "at": LATER}),
        ("segment", {"name": "Everybody", "static": True}),
    ):
        for which in ("", "other_", "third_", "removed_"):
            ids[f"{which}{kind}_id"] = (await program.ok("POST", f"/{kind}s", json=body))["id"]
        await program.ok("DELETE", f"/{kind}s/{ids[f'removed_{kind}_id']}")
    twins = [(await program.ok("POST", "/leads", json={"title": "Oars"}))["id"] for _ in "ab"]
    merge = {"merged_id": twins[1]}
    both = await program.ok("POST", f"/leads/{twins[0]}/merge", json=merge)
    ids["lead_merge_id"] = both["id"]
    spent = await program.ok("POST", f"/requests/{ids['request_id']}/times", json={"minutes": 5})
    ids["entry_id"] = spent[0]["id"]


async def _house(world: World, program: Program, found: Furniture) -> None:
    """Colleagues, what they set up, and what programs need."""
    ids = found.ids
    for name in ("agent", "supervisor"):
        ids["user_id" if name == "agent" else "to_id"] = str(await world.user(name))
    ids["from_id"] = ids["owner_id"] = ids["user_id"]
    rows = {"file": ("people.csv", b"Name,Phone\nAnna,1\n")}
    hook = {"url": "http://127.0.0.1:9/", "active": False}
    week = {"mon": [["09:00", "18:00"]]}
    away = {"from_at": "2098-01-01T00:00:00Z", "to_at": LATER, "user_id": ids["user_id"]}
    device = {"endpoint": "https://127.0.0.1:9/push/x", "keys": KEYS}
    for name, path, body in (
        ("webhook_id", "/webhooks", hook),
        ("view_id", "/views", {"name": "mine"}),
        ("team_id", "/teams", {"name": "ours"}),
        ("field_id", "/fields", {"kind": "client", "label": "Boat"}),
        ("calendar_id", "/calendars", {"name": "Days", "week": week}),
        ("status_id", "/desk-statuses", {"name": "Lunch", "works": True, "takes_new": False}),
        ("absence_id", "/absences", away),
        ("topic_id", "/topics", {"name": "boats"}),
        ("policy_id", "/sla-policies", {"name": "VIP", "first_minutes": 5}),
        ("export_id", "/exports", {"kind": "client"}),
        ("token_id", "/tokens", {"name": "spare", "scopes": ["users.view"]}),
        ("device_id", "/notices/push/devices", device),
    ):
        ids[name] = (await program.ok("POST", path, json=body))["id"]
    brought = await program.ok("POST", "/imports", files=rows, data={"kind": "client"})
    ids["import_id"] = brought["id"]
    ids["event_id"] = (await program.ok("GET", "/events"))["events"][0]["id"]
    body = {"subject": "files", "days": 3000}
    kept_for = await program.ok("POST", "/retention", json=body)
    role = {"name": "mine", "based_on": "agent"}
    level = (await program.ok("POST", "/support-levels", json={"label": "Night"}))[-1]
    found.own |= {
        "retention": {"rule_id": kept_for["id"]},
        "roles": {"name": (await program.ok("POST", "/roles", json=role))["name"]},
        "support-levels": {"name": level["name"]},
        "channels": {"name": "pigeon"},
        "duplicates": {"kind": "client"},
        "addresses": {"reason": "by_hand"},
        "routes": {"kind": "account", "subject_id": ids["account_id"]},
    }


async def _work(program: Program, found: Furniture) -> None:
    """Pipelines, and work that changed hands."""
    ids = found.ids
    for kind in ("lead", "task"):
        body = {"title": "Handed over", "owner_id": ids["from_id"]}
        await program.ok("POST", f"/{kind}s", json=body)
    over = {"from_id": ids["from_id"], "to_id": ids["to_id"], "what": ["lead"]}
    ids["handover_id"] = (await program.ok("POST", "/handovers", json=over))["id"]
    [sales] = await program.ok("GET", "/pipelines")
    ids |= {"sales_stage_id": sales["stages"][1]["id"], "loss_id": sales["reasons"][0]["id"]}
    ids["sales_id"] = sales["id"]
    made = await program.ok("POST", "/pipelines", json={"name": "Service"})
    path = f"/pipelines/{made['id']}"
    stages = (await program.ok("POST", f"{path}/stages", json={"name": "Done"}))["stages"]
    reasons = (await program.ok("POST", f"{path}/reasons", json={"name": "Far"}))["reasons"]
    found.own["pipelines"] = {
        "pipeline_id": made["id"],
        "stage_id": stages[-1]["id"],
        "reason_id": reasons[0]["id"],
    }


async def _rules(program: Program, found: Furniture) -> None:
    """Rules, what they did, and what they wait to do."""

    async def items(path: str) -> Any:
        return (await program.ok("GET", path))["items"]

    ids = found.ids
    ids["run_id"] = (await until(lambda: items("/rule-runs")))[0]["id"]
    ids["timer_id"] = (await until(lambda: items("/rule-timers")))[0]["id"]
    found.own["rules"] = {"rule_id": ids["rule"], "version": "1"}
    found.own["rule-recipes"] = {"name": "crm_actions.new_sender"}


async def _brought(program: Program, found: Furniture) -> None:
    """What plugins keep."""
    ids = found.ids
    plan = {
        "segment_id": ids["segment_id"],
        "accounts": [ids["account_id"]],
        "advertising": False,
        "variants": [{"subject": "News", "text": "Good morning"}],
    }
    letter = {"title": "Receipt", "subject": "Receipt", "text": "Thanks"}
    reply = {"title": "Order", "shortcut": "order", "texts": {"en": {"text": "It is ready"}}}
    for name, path, first, second in (
        ("mailing", "/mailings/mailings", {"title": "Spring", "plan": plan}, {"title": "May"}),
        ("letter", "/mailings/library", letter, {"title": "Bill"}),
        ("reply", "/quick_replies/replies", reply, {"title": "Orders"}),
    ):
        made = await program.ok("POST", path, json=first)
        await program.ok("PUT", f"{path}/{made['id']}", json=second)
        ids[name] = made["id"]
    await call_lists(program, ids)
    found.own["mailings"] = {"version": "1", "account": ids["account_id"]}
    contract = await program.ok("POST", "/contracts.contract", json={"number": "7"})
    found.own["contracts.contract"] = {"object_id": contract["id"]}


def filled(template: Any, ids: Mapping[str, str]) -> Any:
    """Put ids in the places of their names in braces."""
    text = json.dumps(template)
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value)
    return json.loads(text)


AWAY = {"user_id": "{to_id}", "from_at": "2097-01-01T00:00:00Z", "to_at": LATER}
OVER = {"from_id": "{from_id}", "to_id": "{to_id}", "what": ["task"]}
PIGEON = {"channel": "pigeon", "title": "Loft", "settings": SETTINGS}
TALKS = {"dialog_ids": ["{merged_id}"]}

# What a machine does not make up: bodies with which an endpoint does what it is for.
BODIES: dict[str, Any] = {
    "POST /accounts": PIGEON,
    "POST /accounts/check": PIGEON,
    "PATCH /accounts/{account_id}": {"title": "Loft"},
    "POST /accounts/{account_id}/check": {},
    "POST /absences": AWAY,
    "POST /handovers": OVER,
    "POST /handovers/preview": OVER,
    "POST /dialogs": {"account_id": "{account_id}", "to": {"kind": "pigeon", "value": "emil"}},
    "PATCH /dialogs/{dialog_id}": {"priority": 1},
    "PUT /dialogs/{dialog_id}/assignee": {"user_id": "{user_id}"},
    "PUT /dialogs/{dialog_id}/read": {},
    "PUT /dialogs/{dialog_id}/contact": {"contact_id": "{contact_id}"},
    "POST /dialogs/{dialog_id}/split": {"message_id": "{split_message_id}"},
    "POST /dialogs/{dialog_id}/merge": {"merged_id": "{merged_id}"},
    "PUT /dialogs/{dialog_id}/draft": {"text": "x"},
    "POST /dialogs/{dialog_id}/messages": {"text": "x"},
    "POST /dialogs/{dialog_id}/notes": {"text": "x"},
    "PUT /dialogs/unlinked/aside": {**TALKS, "reason": "supplier"},
    "PUT /dialogs/unlinked/client": TALKS,
    "PUT /messages/{message_id}/label": {"label": "x"},
    "POST /messages/{message_id}/reschedule": {"due_at": LATER},
    "POST /enquiries/{dialog_id}/verdict": {"verdict": "rejected", "reason": "x"},
    "POST /enquiries/{dialog_id}/back": {"verdict": "rejected"},
    "POST /contacts": {"name": "Emil"},
    "POST /clients": {"name": "Dock"},
    "PATCH /clients/{client_id}": {"name": "Acme"},
    "POST /leads": {"title": "x"},
    "POST /addresses/{address_id}/split": {"name": "x"},
    "PUT /addresses/{address_id}/suppressions/{reason}": {"text": "x"},
    "PUT /imports/{import_id}": {"columns": ["name", "phone"]},
    "POST /notices/push/devices": {"endpoint": "https://127.0.0.1:9/push/y", "keys": KEYS},
    "PUT /retention/{rule_id}": {"days": 3000},
    "POST /mailings/mailings": {"title": "x"},
    "PUT /mailings/mailings/{mailing}": {"title": "x"},
    "PUT /mailings/mailings/{mailing}/state": {"state": "removed"},
    "POST /mailings/mailings/{mailing}/restore": {"version": 1},
    "POST /mailings/mailings/{mailing}/results/people": {"number": "sent"},
    "POST /mailings/mailings/{mailing}/test": {"to": "anna"},
    "PUT /mailings/senders/{account}": {"per_minute": 60},
    "PUT /mailings/obligatory": {"kinds": []},
    "POST /mailings/library": {"title": "x"},
    "PUT /mailings/library/{letter}": {"title": "x"},
    "POST /mailings/library/{letter}/restore": {"version": 1},
    "POST /quick_replies/replies": {"title": "x", "texts": {"en": {"text": "x"}}},
    "PUT /quick_replies/replies/{reply}": {"title": "x"},
    "POST /quick_replies/replies/{reply}/restore": {"version": 1},
    "PATCH /contacts/{contact_id}": {"position": "x"},
    "POST /contacts/{contact_id}/addresses": {"kind": "email", "value": "anna@example.org"},
    "POST /contacts/{contact_id}/consents": {"state": "given", "channel": "email"},
    "POST /contacts/{contact_id}/merge": {"merged_id": "{third_contact_id}"},
    "POST /clients/{client_id}/merge": {"merged_id": "{other_client_id}"},
    "POST /leads/{lead_id}/merge": {"merged_id": "{third_lead_id}"},
    "POST /duplicates/{kind}/rejected": {"a_id": "{client_id}", "b_id": "{third_client_id}"},
    "POST /addresses/{address_id}/confirmations": {"topic": "boats"},
    "POST /subscriptions": {"topic": "boats", "email": "fred@example.org"},
    "PUT /topics/{topic_id}": {"name": "boats"},
    "PUT /said/{said_id}": {"take": True},
    "PATCH /leads/{lead_id}": {"title": "Boats"},
    "POST /leads/{lead_id}/reject": {"reason": "x"},
    "POST /leads/{lead_id}/convert": {"name": "Boats Ltd"},
    "POST /interests": {"title": "Boats"},
    "PATCH /interests/{interest_id}": {"title": "Boats"},
    "POST /interests/{interest_id}/move": {"stage_id": "{sales_stage_id}"},
    "POST /interests/{interest_id}/lose": {"reason_id": "{loss_id}"},
    "PUT /interests/{interest_id}/people": {"people": [{"contact_id": "{contact_id}"}]},
    "POST /interests/{interest_id}/helpers": {"user_id": "{user_id}"},
    "POST /requests": {"title": "x"},
    "PATCH /requests/{request_id}": {"title": "x"},
    "PUT /requests/{request_id}/status": {"status": "in_work"},
    "POST /requests/{request_id}/checklist": {"add": ["x"]},
    "POST /requests/{request_id}/merge": {"into_id": "{third_request_id}"},
    "POST /tasks": {"title": "x"},
    "PATCH /tasks/{task_id}": {"title": "x"},
    "POST /tasks/line": {"text": "call Anna tomorrow 15:00"},
    "PUT /tasks/{task_id}/review": {"accept": True},
    "POST /meetings": {"title": "x", "at": LATER},
    "PATCH /meetings/{meeting_id}": {"title": "x"},
    "POST /exports": {"kind": "client"},
    "POST /fields": {"kind": "client", "label": "Sail"},
    "PUT /fields/{field_id}": {"label": "Boat"},
    "PUT /fields/order": {"kind": "client", "field_ids": ["{field_id}"]},
    "POST /retention": {"subject": "leads", "days": 3000},
    "POST /segments": {"name": "Some"},
    "PUT /segments/{segment_id}": {"name": "Everybody", "static": True},
    "POST /segments/{segment_id}/members": {"add": ["{contact_id}"]},
    "POST /rules": {"definition": RULE},
    "PUT /rules/{rule_id}": {"definition": RULE},
    "POST /rules/check": {"definition": RULE},
    "POST /rules/import": {"rules": [{"definition": RULE}]},
    "POST /rules/try": {"definition": RULE, "days": 1},
    "POST /rules/{rule_id}/run": {"dialog_id": "{dialog_id}"},
    "POST /rules/{rule_id}/move": {"before": None},
    "PATCH /users/{user_id}": {"name": "Agent"},
    "POST /users": {"email": "gil@example.org", "name": "Gil", "role": "agent"},
    "PATCH /desks/{user_id}": {"comment": "x"},
    "PUT /routes/{kind}/{subject_id}": {"mode": "evenly"},
    "POST /dialogs/{dialog_id}/route": {"mode": "evenly"},
    "POST /roles": {"name": "other", "based_on": "agent"},
    "PATCH /roles/{name}": {"scope": "all"},
    "POST /teams": {"name": "theirs"},
    "PUT /teams/{team_id}": {"name": "ours"},
    "POST /views": {"name": "x"},
    "PUT /views/{view_id}": {"name": "x"},
    "POST /calendars": {"name": "x", "week": {"mon": [["09:00", "18:00"]]}},
    "PATCH /calendars/{calendar_id}": {"name": "Days"},
    "POST /calendars/{calendar_id}/days": {"text": "01.01.2027 New Year"},
    "POST /calendars/{calendar_id}/count": {"start": LATER, "minutes": 5},
    "POST /sla-policies": {"name": "x", "first_minutes": 5},
    "PATCH /sla-policies/{policy_id}": {"name": "x"},
    "PATCH /notices/choices": {"kinds": [{"kind": "task.reminder", "by_email": True}]},
    "PUT /notices/mailbox": {"account_id": "0"},
    "PATCH /me": {"theme": "dark"},
    "PATCH /brand": {"language": "en"},
    "POST /tokens": {"name": "x", "scopes": ["users.view"]},
    "POST /webhooks": {"url": "https://example.org/", "active": False},
    "PATCH /webhooks/{webhook_id}": {"events": ["*"]},
    "POST /held/release": {"kind": "deliveries", "release": True},
    "POST /mailings/mailings/{mailing}/people": {"what": "missed"},
    "POST /mailings/transactional": {
        "letter_id": "{letter}",
        "account_id": "{account_id}",
        "contact_id": "{contact_id}",
    },
    **called.BODIES,
    "POST /contracts.contract": {"number": "8"},
    "PATCH /contracts.contract/{object_id}": {"number": "7"},
}
QUERIES: dict[str, dict[str, str]] = {
    "GET /contacts/{contact_id}/merge": {"with": "{other_contact_id}"},
    "GET /clients/{client_id}/merge": {"with": "{other_client_id}"},
    "GET /leads/{lead_id}/merge": {"with": "{other_lead_id}"},
    "GET /rules/why": {"dialog_id": "{dialog_id}"},
    "DELETE /support-levels/{name}": {"move_to": "standard"},
}
# Where an endpoint is for another object than the one that stands for its kind.
OTHERS: dict[str, dict[str, str]] = {
    **called.OTHERS,
    "PUT /messages/{message_id}/label": {"message_id": "seen_message_id"},
    "GET /messages/{message_id}/raw": {"message_id": "seen_message_id"},
    "POST /messages/{message_id}/reschedule": {"message_id": "waiting_message_id"},
    "POST /messages/{message_id}/cancel": {"message_id": "waiting_message_id"},
    "POST /addresses/{address_id}/confirmations": {"address_id": "other_address_id"},
    "POST /addresses/{address_id}/split": {"address_id": "other_address_id"},
    "POST /interests/{interest_id}/lose": {"interest_id": "other_interest_id"},
    "POST /requests/{request_id}/merge": {"request_id": "other_request_id"},
    "DELETE /requests/{request_id}/merge": {"request_id": "other_request_id"},
    "DELETE /leads/merges/{merge_id}": {"merge_id": "lead_merge_id"},
    "DELETE /dialogs/merges/{merge_id}": {"merge_id": "dialog_merge_id"},
    "DELETE /contacts/{contact_id}/split": {"contact_id": "split_contact_id"},
    "POST /leads/{lead_id}/reject": {"lead_id": "other_lead_id"},
    "POST /leads/{lead_id}/reopen": {"lead_id": "other_lead_id"},
    **{
        f"POST /{kind}s/{{{kind}_id}}/restore": {f"{kind}_id": f"removed_{kind}_id"}
        for kind in ("client", "lead", "interest", "request", "task", "meeting", "segment")
    },
}
