"""Who may call what: every endpoint times every role, and nothing seen that may not be seen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from crm_store.objects import NOUNS
from hub import ROLES, Attachment, SaveDraft, SaveRole, Scope, UpdateAccount
from tests.scenarios.http_api.brought import BROUGHT, OF_WHAT_IS_SENT, PLUGINS
from tests.scenarios.http_api.world import Program, World, open_world

# Every endpoint with the right it needs. A new one belongs here, or the first test fails.
RIGHTS = {
    "GET /dialogs": "dialogs.view",
    "POST /dialogs": "dialogs.answer",
    "GET /dialogs/counters": "dialogs.view",
    "GET /dialogs/{dialog_id}": "dialogs.view",
    "PATCH /dialogs/{dialog_id}": "dialogs.answer",
    "PUT /dialogs/{dialog_id}/assignee": "dialogs.assign",
    "PUT /dialogs/{dialog_id}/read": "dialogs.view",
    "PUT /dialogs/{dialog_id}/contact": "contacts.edit",
    "POST /dialogs/{dialog_id}/tags": "dialogs.answer",
    "POST /dialogs/{dialog_id}/split": "dialogs.answer",
    "POST /dialogs/{dialog_id}/merge": "dialogs.answer",
    "GET /dialogs/{dialog_id}/merges": "dialogs.view",
    "DELETE /dialogs/merges/{merge_id}": "dialogs.answer",
    "GET /dialogs/{dialog_id}/thread": "dialogs.view",
    "GET /dialogs/{dialog_id}/draft": "dialogs.view",
    "PUT /dialogs/{dialog_id}/draft": "dialogs.note",
    "POST /dialogs/{dialog_id}/messages": "dialogs.answer",
    "POST /dialogs/{dialog_id}/measure": "dialogs.answer",
    "POST /dialogs/{dialog_id}/notes": "dialogs.note",
    "GET /messages/{message_id}": "dialogs.view",
    "PATCH /messages/{message_id}": "dialogs.answer",
    "GET /messages/{message_id}/versions": "dialogs.view",
    "GET /messages/{message_id}/delivery": "dialogs.view",
    "GET /messages/{message_id}/raw": "dialogs.view",
    "POST /messages/{message_id}/cancel": "dialogs.answer",
    "POST /messages/{message_id}/reschedule": "dialogs.answer",
    "POST /messages/{message_id}/retry": "dialogs.answer",
    "POST /messages/{message_id}/retract": "dialogs.answer",
    "PUT /messages/{message_id}/reaction": "dialogs.answer",
    "DELETE /messages/{message_id}": "dialogs.delete",
    "POST /attachments": "dialogs.note",
    # What the file hangs on decides.
    "GET /attachments/{attachment_id}": "",
    "GET /attachments/{attachment_id}/content": "",
    "POST /attachments/{attachment_id}/fetch": "dialogs.answer",
    "GET /contacts": "contacts.view",
    "POST /contacts": "contacts.edit",
    "GET /contacts/{contact_id}": "contacts.view",
    "PATCH /contacts/{contact_id}": "contacts.edit",
    "DELETE /contacts/{contact_id}": "contacts.erase",
    "POST /contacts/{contact_id}/addresses": "contacts.edit",
    "DELETE /addresses/{address_id}": "contacts.edit",
    "PUT /addresses/{address_id}/block": "contacts.edit",
    "GET /clients": "contacts.view",
    "POST /clients": "contacts.edit",
    "GET /clients/{client_id}": "contacts.view",
    "GET /clients/{client_id}/contacts": "contacts.view",
    "PATCH /clients/{client_id}": "contacts.edit",
    "DELETE /clients/{client_id}": "contacts.edit",
    "POST /clients/{client_id}/restore": "contacts.edit",
    "GET /leads": "leads.view",
    "POST /leads": "leads.edit",
    "GET /leads/{lead_id}": "leads.view",
    "PATCH /leads/{lead_id}": "leads.edit",
    "DELETE /leads/{lead_id}": "leads.edit",
    "GET /leads/export": "lists.export",
    "GET /exports": "lists.export",
    "POST /exports": "lists.export",
    "GET /exports/{export_id}": "lists.export",
    "DELETE /exports/{export_id}": "lists.export",
    "POST /exports/{export_id}/retry": "lists.export",
    "GET /clients/export": "lists.export",
    "GET /leads/{lead_id}/history": "leads.view",
    "GET /clients/{client_id}/history": "contacts.view",
    "POST /leads/{lead_id}/take": "leads.edit",
    "POST /leads/{lead_id}/reject": "leads.edit",
    "POST /leads/{lead_id}/reopen": "leads.edit",
    "POST /leads/{lead_id}/convert": "leads.edit",
    "DELETE /leads/{lead_id}/conversion": "leads.edit",
    "GET /leads/{lead_id}/merge": "leads.view",
    "POST /leads/{lead_id}/merge": "leads.edit",
    "GET /leads/{lead_id}/merges": "leads.view",
    "DELETE /leads/merges/{merge_id}": "leads.edit",
    "POST /leads/{lead_id}/restore": "leads.edit",
    "GET /audit": "audit.view",
    "GET /audit/export": "audit.view",
    "GET /fields": "",
    "POST /fields": "fields.manage",
    "PUT /fields/order": "fields.manage",
    "GET /fields/{field_id}": "",
    "PUT /fields/{field_id}": "fields.manage",
    "POST /fields/{field_id}/archive": "fields.manage",
    "POST /fields/{field_id}/restore": "fields.manage",
    "GET /retention": "system.manage",
    "POST /retention": "system.manage",
    "PUT /retention/{rule_id}": "system.manage",
    "DELETE /retention/{rule_id}": "system.manage",
    "GET /retention/{rule_id}/preview": "system.manage",
    "POST /retention/{rule_id}/run": "system.manage",
    "POST /contacts/{contact_id}/erase": "contacts.erase",
    "GET /contacts/{contact_id}/export": "contacts.erase",
    "GET /contacts/{contact_id}/history": "contacts.view",
    "GET /contacts/{contact_id}/segments": "contacts.view",
    "GET /imports": "lists.import",
    "POST /imports": "lists.import",
    "GET /imports/targets": "lists.import",
    "GET /imports/{import_id}": "lists.import",
    "GET /imports/{import_id}/sample": "lists.import",
    "PUT /imports/{import_id}": "lists.import",
    "POST /imports/{import_id}/check": "lists.import",
    "POST /imports/{import_id}/run": "lists.import",
    "POST /imports/{import_id}/undo": "lists.import",
    "POST /imports/{import_id}/cancel": "lists.import",
    "GET /imports/{import_id}/bad": "lists.import",
    "DELETE /imports/{import_id}": "lists.import",
    "GET /rules": "rules.view",
    "POST /rules": "rules.manage",
    "GET /rules/export": "rules.view",
    "POST /rules/import": "rules.manage",
    "POST /rules/try": "rules.view",
    "POST /rules/check": "rules.view",
    "GET /rules/why": "rules.view",
    "GET /enquiries": "dialogs.view",
    "POST /enquiries/{dialog_id}/verdict": "dialogs.answer",
    "POST /enquiries/{dialog_id}/back": "dialogs.answer",
    "PUT /messages/{message_id}/label": "dialogs.answer",
    "GET /rules/{rule_id}": "rules.view",
    "PUT /rules/{rule_id}": "rules.manage",
    "DELETE /rules/{rule_id}": "rules.manage",
    "POST /rules/{rule_id}/restore": "rules.manage",
    "POST /rules/{rule_id}/switch": "rules.manage",
    "POST /rules/{rule_id}/move": "rules.manage",
    "POST /rules/{rule_id}/run": "rules.run",
    "GET /rules/{rule_id}/versions": "rules.view",
    "POST /rules/{rule_id}/versions/{version}/restore": "rules.manage",
    "GET /rule-runs": "rules.view",
    "GET /rule-runs/{run_id}": "rules.view",
    "GET /rule-timers": "rules.view",
    "DELETE /rule-timers/{timer_id}": "rules.manage",
    "GET /rule-words": "rules.view",
    "GET /rule-recipes": "rules.view",
    "POST /rule-recipes/{name}": "rules.manage",
    "GET /search": "dialogs.view",
    "GET /search/messages": "dialogs.view",
    "GET /search/dialogs": "dialogs.view",
    "GET /tags": "dialogs.view",
    "GET /views": "",
    "POST /views": "",
    "PUT /views/{view_id}": "",
    "DELETE /views/{view_id}": "profile.edit",
    "GET /channels": "accounts.view",
    "GET /channels/{name}": "accounts.view",
    "GET /accounts": "accounts.view",
    "POST /accounts": "accounts.manage",
    "POST /accounts/check": "accounts.manage",
    "GET /accounts/health": "accounts.view",
    "GET /accounts/{account_id}": "accounts.view",
    "PATCH /accounts/{account_id}": "accounts.manage",
    "DELETE /accounts/{account_id}": "accounts.manage",
    "POST /accounts/{account_id}/check": "accounts.manage",
    "GET /accounts/{account_id}/templates": "accounts.view",
    "POST /accounts/{account_id}/templates/sync": "accounts.manage",
    "GET /users": "users.view",
    "POST /users": "users.manage",
    "GET /users/{user_id}": "users.view",
    "PATCH /users/{user_id}": "users.manage",
    "DELETE /users/{user_id}/sessions": "users.manage",
    "GET /desks": "users.view",
    "GET /desks/{user_id}": "users.view",
    "PATCH /desks/{user_id}": "profile.edit",
    "GET /desk-statuses": "users.view",
    "POST /desk-statuses": "users.manage",
    "PUT /desk-statuses/{status_id}": "users.manage",
    "DELETE /desk-statuses/{status_id}": "users.manage",
    "GET /routes/{kind}/{subject_id}": "accounts.view",
    "PUT /routes/{kind}/{subject_id}": "accounts.manage",
    "GET /routing/waiting": "dialogs.view",
    "POST /dialogs/{dialog_id}/route": "dialogs.assign",
    "GET /absences": "users.view",
    "POST /absences": "profile.edit",
    "GET /absences/{absence_id}": "users.view",
    "POST /absences/{absence_id}/end": "profile.edit",
    "GET /handovers": "work.handover",
    "POST /handovers": "work.handover",
    "POST /handovers/preview": "work.handover",
    "GET /handovers/{handover_id}": "work.handover",
    "POST /handovers/{handover_id}/undo": "work.handover",
    "GET /contacts/{contact_id}/consents": "contacts.view",
    "POST /contacts/{contact_id}/consents": "contacts.edit",
    "PUT /addresses/{address_id}/suppressions/{reason}": "contacts.edit",
    "DELETE /addresses/{address_id}/suppressions/{reason}": "contacts.edit",
    "GET /topics": "contacts.view",
    "POST /topics": "mailings.send",
    "GET /topics/{topic_id}": "contacts.view",
    "PUT /topics/{topic_id}": "mailings.send",
    "DELETE /topics/{topic_id}": "mailings.send",
    "POST /subscriptions": "contacts.edit",
    "GET /confirmations": "contacts.view",
    "POST /addresses/{address_id}/confirmations": "contacts.edit",
    "PUT /addresses/{address_id}/verified": "contacts.edit",
    "GET /interests": "interests.view",
    "POST /interests": "interests.edit",
    "GET /interests/export": "lists.export",
    "GET /interests/{interest_id}/history": "interests.view",
    "GET /interests/{interest_id}": "interests.view",
    "PATCH /interests/{interest_id}": "interests.edit",
    "DELETE /interests/{interest_id}": "interests.edit",
    "POST /interests/{interest_id}/restore": "interests.edit",
    "GET /meetings": "contacts.view",
    "POST /meetings": "contacts.edit",
    "GET /meetings/export": "lists.export",
    "GET /meetings/{meeting_id}/history": "contacts.view",
    "GET /meetings/{meeting_id}": "contacts.view",
    "PATCH /meetings/{meeting_id}": "contacts.edit",
    "DELETE /meetings/{meeting_id}": "contacts.edit",
    "POST /meetings/{meeting_id}/restore": "contacts.edit",
    "GET /interests/funnel": "interests.view",
    "POST /interests/{interest_id}/move": "interests.edit",
    "POST /interests/{interest_id}/win": "interests.edit",
    "POST /interests/{interest_id}/lose": "interests.edit",
    "POST /interests/{interest_id}/reopen": "interests.edit",
    "GET /interests/{interest_id}/particulars": "interests.view",
    "PUT /interests/{interest_id}/lines": "interests.edit",
    "PUT /interests/{interest_id}/people": "interests.edit",
    "POST /interests/{interest_id}/helpers": "interests.edit",
    "DELETE /interests/{interest_id}/helpers/{user_id}": "interests.edit",
    "POST /interests/{interest_id}/ticks": "interests.edit",
    "GET /contacts/{contact_id}/merge": "contacts.view",
    "POST /contacts/{contact_id}/merge": "contacts.edit",
    "GET /contacts/{contact_id}/merges": "contacts.view",
    "DELETE /merges/{merge_id}": "contacts.edit",
    "POST /addresses/{address_id}/split": "contacts.edit",
    "DELETE /contacts/{contact_id}/split": "contacts.edit",
    "GET /clients/{client_id}/merge": "contacts.view",
    "POST /clients/{client_id}/merge": "contacts.edit",
    "GET /clients/{client_id}/merges": "contacts.view",
    "GET /duplicates/{kind}": "contacts.view",
    "GET /duplicates/{kind}/like": "contacts.view",
    "POST /duplicates/{kind}/rejected": "contacts.edit",
    "GET /dialogs/{dialog_id}/said": "contacts.view",
    "PUT /said/{said_id}": "contacts.edit",
    "PUT /dialogs/unlinked/aside": "contacts.edit",
    "PUT /dialogs/unlinked/client": "contacts.edit",
    "GET /client-classes": "pipelines.manage",
    "PUT /client-classes": "pipelines.manage",
    "POST /client-classes/count": "pipelines.manage",
    "GET /pipelines": "interests.view",
    "POST /pipelines": "pipelines.manage",
    "PUT /pipelines/{pipeline_id}": "pipelines.manage",
    "DELETE /pipelines/{pipeline_id}": "pipelines.manage",
    "POST /pipelines/{pipeline_id}/stages": "pipelines.manage",
    "PUT /pipelines/{pipeline_id}/stages/{stage_id}": "pipelines.manage",
    "DELETE /pipelines/{pipeline_id}/stages/{stage_id}": "pipelines.manage",
    "POST /pipelines/{pipeline_id}/reasons": "pipelines.manage",
    "PUT /pipelines/{pipeline_id}/reasons/{reason_id}": "pipelines.manage",
    "GET /segments": "contacts.view",
    "POST /segments": "mailings.send",
    "GET /segments/fields": "contacts.view",
    "GET /segments/{segment_id}": "contacts.view",
    "PUT /segments/{segment_id}": "mailings.send",
    "DELETE /segments/{segment_id}": "mailings.send",
    "POST /segments/{segment_id}/restore": "mailings.send",
    "POST /segments/{segment_id}/members": "mailings.send",
    "GET /segments/{segment_id}/members": "contacts.view",
    "GET /segments/{segment_id}/reach": "contacts.view",
    "GET /contacts/{contact_id}/journey": "contacts.view",
    "GET /contacts/{contact_id}/timeline": "contacts.view",
    "GET /clients/{client_id}/timeline": "contacts.view",
    "GET /clients/{client_id}/journey": "contacts.view",
    "GET /roles": "users.view",
    "GET /roles/{name}": "users.view",
    "POST /roles": "users.manage",
    "PATCH /roles/{name}": "users.manage",
    "DELETE /roles/{name}": "users.manage",
    "GET /teams": "users.view",
    "POST /teams": "users.manage",
    "PUT /teams/{team_id}": "users.manage",
    "DELETE /teams/{team_id}": "users.manage",
    "GET /calendars": "users.view",
    "POST /calendars": "system.manage",
    "GET /calendars/{calendar_id}": "users.view",
    "PATCH /calendars/{calendar_id}": "system.manage",
    "DELETE /calendars/{calendar_id}": "system.manage",
    "POST /calendars/{calendar_id}/days": "system.manage",
    "POST /calendars/{calendar_id}/count": "users.view",
    "GET /requests": "requests.view",
    "POST /requests": "requests.edit",
    "GET /requests/export": "lists.export",
    "GET /requests/{request_id}": "requests.view",
    "PATCH /requests/{request_id}": "requests.edit",
    "DELETE /requests/{request_id}": "requests.edit",
    "POST /requests/{request_id}/restore": "requests.edit",
    "GET /requests/{request_id}/history": "requests.view",
    "GET /tasks": "tasks.view",
    "POST /tasks": "tasks.edit",
    "GET /tasks/export": "lists.export",
    "GET /tasks/{task_id}": "tasks.view",
    "PATCH /tasks/{task_id}": "tasks.edit",
    "DELETE /tasks/{task_id}": "tasks.edit",
    "POST /tasks/{task_id}/restore": "tasks.edit",
    "GET /tasks/{task_id}/history": "tasks.view",
    "GET /requests/{request_id}/details": "requests.view",
    "PUT /requests/{request_id}/status": "requests.edit",
    "POST /requests/{request_id}/checklist": "requests.edit",
    "POST /requests/{request_id}/times": "requests.edit",
    "GET /support-levels": "requests.view",
    "POST /support-levels": "system.manage",
    "PUT /support-levels/{name}": "system.manage",
    "DELETE /support-levels/{name}": "system.manage",
    "DELETE /requests/{request_id}/times/{entry_id}": "requests.edit",
    "POST /requests/{request_id}/merge": "requests.edit",
    "DELETE /requests/{request_id}/merge": "requests.edit",
    "GET /sla-policies": "requests.view",
    "POST /sla-policies": "system.manage",
    "PATCH /sla-policies/{policy_id}": "system.manage",
    "DELETE /sla-policies/{policy_id}": "system.manage",
    "POST /tasks/line": "tasks.edit",
    "POST /me/calendar": "profile.edit",
    "DELETE /me/calendar": "profile.edit",
    "PUT /tasks/{task_id}/done": "tasks.edit",
    "DELETE /tasks/{task_id}/done": "tasks.edit",
    "PUT /tasks/{task_id}/review": "tasks.edit",
    "GET /notices": "profile.edit",
    "POST /notices/read": "profile.edit",
    "GET /notices/choices": "profile.edit",
    "PATCH /notices/choices": "profile.edit",
    "PUT /notices/mailbox": "system.manage",
    "GET /notices/push": "profile.edit",
    "POST /notices/push/devices": "profile.edit",
    "PATCH /notices/push/devices/{device_id}": "profile.edit",
    "DELETE /notices/push/devices/{device_id}": "profile.edit",
    "POST /notices/push/devices/{device_id}/test": "profile.edit",
    "GET /me": "",
    "PATCH /me": "profile.edit",
    "GET /networks": "system.manage",
    "PUT /networks": "system.manage",
    "GET /me/passkeys": "profile.edit",
    "DELETE /me/passkeys/{passkey_id}": "profile.edit",
    "GET /tokens": "tokens.manage",
    "POST /tokens": "tokens.manage",
    "DELETE /tokens/{token_id}": "tokens.manage",
    "GET /events": "events.view",
    "GET /events/types": "events.view",
    "GET /events/stream": "events.view",
    "GET /webhooks": "webhooks.manage",
    "POST /webhooks": "webhooks.manage",
    "GET /webhooks/{webhook_id}": "webhooks.manage",
    "PATCH /webhooks/{webhook_id}": "webhooks.manage",
    "DELETE /webhooks/{webhook_id}": "webhooks.manage",
    "GET /webhooks/{webhook_id}/deliveries": "webhooks.manage",
    "POST /webhooks/{webhook_id}/deliveries/{event_id}/repeat": "webhooks.manage",
    "POST /webhooks/{webhook_id}/ping": "webhooks.manage",
    "GET /quarantine": "accounts.manage",
    "GET /quarantine/{quarantine_id}": "accounts.manage",
    "GET /quarantine/{quarantine_id}/raw": "accounts.manage",
    "POST /quarantine/replay": "accounts.manage",
    "POST /quarantine/{quarantine_id}/replay": "accounts.manage",
    "POST /quarantine/{quarantine_id}/drop": "accounts.manage",
    "GET /brand": "users.view",
    "PATCH /brand": "system.manage",
    "GET /held": "system.manage",
    "GET /held/deliveries": "system.manage",
    "POST /held/release": "system.manage",
    "GET /plugins": "plugins.view",
    "GET /jobs/dead": "system.manage",
}

# A body with which nothing but the rights can refuse the call.
BODIES: dict[str, Any] = {
    "PATCH /dialogs/{dialog_id}": {"priority": 1},
    "PUT /dialogs/{dialog_id}/assignee": {"user_id": None},
    "PUT /dialogs/{dialog_id}/read": {},
    "PUT /dialogs/{dialog_id}/contact": {"contact_id": "{contact_id}"},
    "POST /dialogs/{dialog_id}/tags": {"add": ["x"]},
    "POST /dialogs/{dialog_id}/split": {"message_id": "{message_id}"},
    "POST /dialogs/{dialog_id}/merge": {"merged_id": "1"},
    "PUT /dialogs/{dialog_id}/draft": {"text": "x"},
    "POST /dialogs/{dialog_id}/messages": {"text": "x"},
    "POST /dialogs/{dialog_id}/notes": {"text": "x"},
    "POST /messages/{message_id}/reschedule": {"due_at": "2099-01-01T00:00:00Z"},
    "POST /messages/{message_id}/retry": {},
    "PUT /messages/{message_id}/label": {"label": "x"},
    "POST /enquiries/{dialog_id}/verdict": {"verdict": "rejected", "reason": "x"},
    "POST /enquiries/{dialog_id}/back": {"verdict": "rejected"},
    "PATCH /messages/{message_id}": {"text": "x"},
    "PUT /messages/{message_id}/reaction": {"emoji": "x"},
    "POST /dialogs/{dialog_id}/measure": {"text": "x"},
    "PATCH /contacts/{contact_id}": {"name": "x"},
    "POST /contacts/{contact_id}/addresses": {"kind": "email", "value": "x@example.com"},
    "POST /leads/{lead_id}/reject": {"reason": "x"},
    "PATCH /leads/{lead_id}": {"title": "x"},
    "PATCH /clients/{client_id}": {"name": "x"},
    "POST /contacts/{contact_id}/consents": {"state": "given", "channel": "email"},
    "POST /topics": {"name": "x"},
    "POST /support-levels": {"label": "x"},
    "PUT /support-levels/{name}": {"label": "x"},
    "POST /requests/{request_id}/times": {"minutes": 5},
    "PUT /topics/{topic_id}": {"name": "x"},
    "POST /subscriptions": {"topic": "x", "email": "x@example.org"},
    "POST /addresses/{address_id}/confirmations": {"topic": "x"},
    "POST /contacts/{contact_id}/merge": {"merged_id": "1"},
    "POST /clients/{client_id}/merge": {"merged_id": "1"},
    "POST /leads/{lead_id}/merge": {"merged_id": "1"},
}
QUERIES = {
    "GET /contacts/{contact_id}/merge": "?with=1",
    "GET /clients/{client_id}/merge": "?with=1",
    "GET /leads/{lead_id}/merge": "?with=1",
    "GET /rules/why": "?dialog_id={dialog_id}",
    # The stream would not end; its refusals come before it begins.
    "GET /events/stream": "?after=nowhere-1",
}
EVERY = RIGHTS | BROUGHT
ASKED = EVERY | OF_WHAT_IS_SENT
SECRET = "platypus"


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A hub where nobody is in a hurry."""
    async with open_world(tmp_path, database_url, *PLUGINS, api_per_minute=100_000) as one:
        yield one


async def _endpoints(program: Program) -> dict[str, str]:
    schema = await program.ok("GET", "/openapi.json")
    return {
        f"{verb.upper()} {path}": operation["x-permission"]
        for path, operations in schema["paths"].items()
        for verb, operation in operations.items()
    }


async def test_every_endpoint_is_in_the_table_of_rights(world: World) -> None:
    assert await _endpoints(await world.program()) == EVERY


async def _call(program: Program, endpoint: str, ids: dict[str, str], body: Any = None) -> Any:
    verb, path = endpoint.split()
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    for name in ("event_id", "name"):
        path = path.replace(f"{{{name}}}", "x-1")
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        path = path[:start] + "1" + path[end + 1 :]
    query = QUERIES.get(endpoint, "")
    for name, value in {"dialog_id": "1", **ids}.items():
        query = query.replace(f"{{{name}}}", value)
    path += query
    if endpoint in ("POST /attachments", "POST /imports"):
        return await program.request(verb, path, files={"file": ("a.txt", b"x", "text/plain")})
    if verb in ("POST", "PUT", "PATCH"):
        text = json.dumps(body if body is not None else {})
        for name, value in ids.items():
            text = text.replace(f"{{{name}}}", value)
        headers = {"content-type": "application/json"}
        return await program.request(verb, path, content=text, headers=headers)
    return await program.request(verb, path)


async def _narrow(world: World) -> frozenset[str]:
    """Make a role of one's own that reaches its own work only, and gives fewer rights."""
    rights = ROLES["agent"].permissions - {"dialogs.note"}
    scopes = dict.fromkeys(("dialogs", *(one.kind.subject for one in NOUNS.values())), Scope.OWN)
    await world.house.system.do(
        SaveRole(name="narrow", based_on="agent", permissions=rights, scopes=scopes)
    )
    return rights


@pytest.mark.parametrize("role", [*sorted(ROLES), "narrow"])
async def test_a_role_may_call_what_its_rights_allow_and_nothing_else(
    world: World, role: str
) -> None:
    rights = await _narrow(world) if role == "narrow" else ROLES[role].permissions
    program = await world.program(role)
    wrong = []
    for endpoint, right in ASKED.items():
        answer = await _call(program, endpoint, {})
        allowed = not right or right in rights
        refused = answer.status_code == 403
        if refused == allowed or answer.status_code in (401, 500):
            wrong.append(f"{endpoint}: {answer.status_code} {answer.text[:200]}")
        if refused and answer.json()["error"]["code"] != "not_allowed":
            wrong.append(f"{endpoint}: {answer.text[:200]}")
    assert not wrong


async def test_scopes_limit_a_token_to_what_they_name(world: World) -> None:
    program = await world.program("administrator", scopes=["contacts.view", "events.view"])
    wrong = []
    for endpoint, right in ASKED.items():
        answer = await _call(program, endpoint, {})
        if (answer.status_code == 403) != (right not in ("", "contacts.view", "events.view")):
            wrong.append(f"{endpoint}: {answer.status_code}")
    assert not wrong
    assert (await program.ok("GET", "/me"))["permissions"] == ["contacts.view", "events.view"]


async def test_scopes_give_no_right_that_the_user_lacks(world: World) -> None:
    program = await world.program("agent", scopes=["users.manage", "dialogs.view"])
    await program.ok("GET", "/dialogs")
    await program.refused(403, "not_allowed", "POST", "/users", json={})


async def test_strangers_are_told_to_log_in_everywhere(world: World) -> None:
    strangers = [world.stranger(), world.stranger("hub_nonsense")]
    wrong = []
    for endpoint in EVERY:
        for program in strangers:
            answer = await _call(program, endpoint, {})
            if answer.status_code != 401 or answer.json()["error"]["code"] != "unauthorized":
                wrong.append(f"{endpoint}: {answer.status_code} {answer.text[:100]}")
            elif answer.headers["www-authenticate"] != "Bearer":
                wrong.append(f"{endpoint}: no word on how to log in")
    assert not wrong


@pytest.mark.parametrize("role", ["agent", "narrow"])
async def test_what_may_not_be_seen_is_not_there(world: World, role: str) -> None:
    """Of an account that is closed to him, or of work that his role does not reach, an agent
    sees nothing, by no way."""
    supervisor = await world.user("supervisor")
    narrow = role == "narrow"
    rights = await _narrow(world) if narrow else ROLES["agent"].permissions
    await world.user(role)
    hidden = await world.account("Hidden")
    if not narrow:
        await world.house.system.do(UpdateAccount(account_id=hidden.id, members=(supervisor,)))
    came = await world.letter(
        hidden,
        "anna",
        f"I saw a {SECRET}",
        attachments=(Attachment(name=f"{SECRET}.txt", media_type="text/plain", content=b"hello"),),
    )
    boss = await world.program("supervisor")
    await boss.ok("POST", f"/dialogs/{came.dialog_id}/tags", json={"add": ["zoo"]})
    await boss.ok("PATCH", f"/dialogs/{came.dialog_id}", json={"subject": SECRET})
    answered = await boss.ok(
        "POST", f"/dialogs/{came.dialog_id}/messages", json={"text": f"A {SECRET}?"}
    )
    whole = await boss.ok("GET", f"/messages/{came.message_id}")
    files = {"file": (f"{SECRET}.txt", b"hello", "text/plain")}
    upload = await boss.ok("POST", "/attachments", files=files)
    note = {"text": SECRET, "attachments": [upload["id"]]}
    await boss.ok("POST", f"/dialogs/{came.dialog_id}/notes", json=note)
    body = {"title": SECRET, "dialog_id": str(came.dialog_id), "owner_id": str(supervisor)}
    lead = await boss.ok("POST", "/leads", json=body)
    card = await boss.ok("POST", "/clients", json={"name": SECRET, "owner_id": str(supervisor)})
    ids = {
        "dialog_id": str(came.dialog_id),
        "message_id": str(came.message_id),
        "attachment_id": whole["attachments"][0]["id"],
        "account_id": str(hidden.id),
        "contact_id": str(came.contact_id),
        "lead_id": lead["id"],
    }
    if narrow:
        ids["client_id"] = card["id"]
        open_to_all = {"account_id"}
    else:
        open_to_all = {"contact_id"}
    agent = await world.program(role)
    wrong = []
    for endpoint, right in ASKED.items():
        hangs = any(f"{{{one}}}" in endpoint for one in ids if one not in open_to_all)
        if right and right not in rights:
            continue
        ours = {**ids, "message_id": answered["id"], "attachment_id": upload["id"]}
        for asked in (ids, ours) if hangs else (ids,):
            answer = await _call(agent, endpoint, asked, BODIES.get(endpoint))
            if hangs and answer.status_code != 404:
                wrong.append(f"{endpoint}: {answer.status_code} {answer.text[:200]}")
            if SECRET in answer.text and (narrow or "/clients" not in endpoint):
                wrong.append(f"{endpoint} tells the secret")
    for path in (
        f"/search?q={SECRET}",
        f"/search/messages?q={SECRET}",
        f"/search/messages?q={SECRET}&dialog_id={ids['dialog_id']}",
        f"/search/dialogs?q={SECRET}",
        f"/dialogs?view=everything&account_id={ids['account_id']}",
        f"/dialogs?contact_id={ids['contact_id']}",
    ):
        answer = await agent.get(path)
        if answer.status_code != 200 or SECRET in answer.text or ids["dialog_id"] in answer.text:
            wrong.append(f"{path}: {answer.text[:200]}")
    assert not wrong
    counted = await agent.ok("GET", "/dialogs/counters")
    assert set(counted.values()) == {0}
    assert (await agent.ok("GET", "/tags"))[0]["dialogs"] == 0
    assert (await boss.ok("GET", "/tags"))[0]["dialogs"] == 1
    if narrow:
        # What is his own is there.
        mine = {"title": "mine"}
        made = await agent.ok("POST", "/leads", json=mine)
        assert [one["id"] for one in (await agent.ok("GET", "/leads"))["items"]] == [made["id"]]
        asked = await agent.ok("POST", "/requests", json={"title": "mine"})
        # What he does not see he points at no more than at what is not there.
        for field, number in (
            ("client_id", card["id"]),
            ("contact_id", ids["contact_id"]),
            ("client_id", "999"),
            ("owner_id", "999"),
            ("team_id", "999"),
        ):
            for verb, path in (("POST", "/requests"), ("PATCH", f"/requests/{asked['id']}")):
                body = {"title": "theirs", field: number}
                error = await agent.refused(422, "invalid", verb, path, json=body)
                assert error["field"] == field
                assert "there is no such" in error["message"]
        # Of a hidden object's own values nothing is told either.
        body = {"title": "x", "owner_id": "999"}
        for number in (lead["id"], "999"):
            await agent.refused(404, "not_found", "PATCH", f"/leads/{number}", json=body)
        # Whose an address is he does not hear either.
        mine = (await agent.ok("POST", "/clients", json={"name": "mine"}))["id"]
        body = {"name": "A", "addresses": [{"kind": "pigeon", "value": "anna"}], "client_id": mine}
        error = await agent.refused(409, "address_taken", "POST", "/contacts", json=body)
        assert error["details"] is None
        assert "administrator" in error["message"]
        error = await boss.refused(409, "address_taken", "POST", "/contacts", json=body)
        assert error["details"] == {"contact_id": ids["contact_id"]}
        # A person whom he would not see is not made; one of his own client is.
        body = {"name": "Clara", "addresses": [{"kind": "pigeon", "value": "clara"}]}
        error = await agent.refused(422, "invalid", "POST", "/contacts", json=body)
        assert error["field"] == "client_id"
        client = (await agent.ok("POST", "/clients", json={"name": "ours"}))["id"]
        made = await agent.ok("POST", "/contacts", json={**body, "client_id": client})
        assert made["name"] == "Clara"
        return
    assert await agent.ok("GET", "/accounts") == []
    assert await agent.ok("GET", "/accounts/health") == []
    own = await world.letter(await world.account("Open"), "boris")
    merge = {"merged_id": ids["dialog_id"]}
    await agent.refused(404, "not_found", "POST", f"/dialogs/{own.dialog_id}/merge", json=merge)
    answer = {"text": "x", "reply_to": ids["message_id"]}
    path = f"/dialogs/{own.dialog_id}/messages"
    error = await agent.refused(422, "invalid", "POST", path, json=answer)
    assert error["field"] == "reply_to"
    window = f"/dialogs/{own.dialog_id}/thread?before={ids['message_id']}"
    await agent.refused(404, "not_found", "GET", window)
    begin = {"account_id": str(hidden.id), "to": {"kind": "pigeon", "value": "carl"}}
    await agent.refused(404, "not_found", "POST", "/dialogs", json=begin)
    await agent.refused(
        404,
        "not_found",
        "POST",
        "/attachments",
        files={"file": ("a", b"a")},
        data={"dialog_id": ids["dialog_id"]},
    )


async def test_the_address_of_a_webhook_is_for_those_who_manage_accounts(world: World) -> None:
    account = await world.account()
    admin, agent = await world.program(), await world.program("agent")
    shown = await admin.ok("GET", f"/accounts/{account.id}")
    assert shown["hook_url"].endswith(f"/hooks/{account.hook_token}")
    assert "the-signing-key" not in json.dumps(shown)
    answer = await agent.get(f"/accounts/{account.id}")
    assert account.hook_token not in answer.text
    assert answer.json()["hook_url"] == ""


async def test_drafts_and_uploads_are_ones_own(world: World) -> None:
    account = await world.account()
    came = await world.letter(account, "anna")
    agent, boss = await world.program("agent"), await world.program("supervisor")
    files = {"file": ("plan.txt", b"secret plan", "text/plain")}
    mine = await agent.ok("POST", "/attachments", files=files)
    await boss.refused(404, "not_found", "GET", f"/attachments/{mine['id']}")
    await boss.refused(404, "not_found", "GET", f"/attachments/{mine['id']}/content")
    await boss.refused(
        422,
        "invalid",
        "POST",
        f"/dialogs/{came.dialog_id}/notes",
        json={"text": "x", "attachments": [mine["id"]]},
    )
    as_boss = world.house.system.as_user(world.users["supervisor"])
    await as_boss.do(SaveDraft(dialog_id=came.dialog_id, text="dear"))
    assert (await agent.ok("GET", f"/dialogs/{came.dialog_id}"))["draft"] == ""


async def test_a_token_makes_no_mightier_token(world: World) -> None:
    scoped = await world.program("administrator", scopes=["tokens.manage", "dialogs.view"])
    body = {"name": "x", "scopes": ["users.manage"]}
    await scoped.refused(403, "not_allowed", "POST", "/tokens", json=body)
    await scoped.refused(403, "not_allowed", "POST", "/tokens", json={"name": "x"})
    await scoped.ok("POST", "/tokens", json={"name": "x", "scopes": ["dialogs.view"]})
    other = {"name": "x", "scopes": ["dialogs.view"], "user_id": str(await world.user("agent"))}
    await scoped.refused(403, "not_allowed", "POST", "/tokens", json=other)
    await scoped.refused(403, "not_allowed", "GET", "/tokens?all=true")


async def test_a_revoked_token_and_a_dismissed_user_are_strangers_at_once(world: World) -> None:
    admin = await world.program()
    made = await admin.ok("POST", "/tokens", json={"name": "night job", "scopes": ["users.view"]})
    assert made["token"].startswith("hub_")
    job = world.stranger(made["token"])
    await job.ok("GET", "/users")
    listed = await admin.ok("GET", "/tokens")
    assert made["token"] not in json.dumps(listed)
    used = next(one for one in listed if one["id"] == made["id"])
    assert used["last_used_at"] is not None
    await admin.ok("DELETE", f"/tokens/{made['id']}")
    await job.refused(401, "unauthorized", "GET", "/users")
    agent = await world.program("agent")
    await agent.ok("GET", "/me")
    await admin.ok("PATCH", f"/users/{world.users['agent']}", json={"active": False})
    answer = await agent.get("/me")
    assert answer.status_code == 401


async def test_a_token_ends_by_itself(world: World) -> None:
    admin = await world.program()
    past = {"name": "x", "expires_at": "2020-01-01T00:00:00Z"}
    await admin.refused(422, "invalid", "POST", "/tokens", json=past)
    made = await admin.ok("POST", "/tokens", json={**past, "expires_at": "2099-01-01T00:00:00Z"})
    assert made["expires_at"] == "2099-01-01T00:00:00.000000Z"
    job = world.stranger(made["token"])
    await job.ok("GET", "/me")
    now = world.house.runtime.now
    world.house.runtime.now = lambda: now() + 80 * 366 * 86_400_000_000  # type: ignore[method-assign]
    await job.refused(401, "unauthorized", "GET", "/me")
