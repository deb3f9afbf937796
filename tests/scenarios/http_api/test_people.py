"""Contacts, clients, colleagues, accounts, views: what administrators' programs do."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from crm_store import segments
from crm_store.tables.users import users as user_table
from tests.scenarios.http_api.world import World
from tests.scenarios.web.pigeons import SETTINGS


async def test_a_contact_is_changed_by_the_version_that_was_seen(world: World) -> None:
    program = await world.program("agent")
    made = await program.post("/contacts", json={"name": "Anna"})
    assert made.headers["etag"] == '"1"'
    path = f"/contacts/{made.json()['id']}"
    changed = await program.patch(path, json={"name": "Anna P."}, headers={"if-match": '"1"'})
    assert changed.status_code == 200
    assert changed.headers["etag"] == '"2"'
    error = await program.refused(
        412, "version", "PATCH", path, json={"name": "B"}, headers={"if-match": '"1"'}
    )
    assert error["details"]["name"] == "Anna P."
    await program.refused(409, "version", "PATCH", path, json={"name": "B", "version": 1})
    await program.refused(
        412, "version", "PATCH", path, json={"name": "B"}, headers={"if-match": '"nonsense"'}
    )
    await program.ok("PATCH", path, json={"notes": "calls back"}, headers={"if-match": "*"})
    assert (await program.ok("GET", path))["notes"] == "calls back"
    said = (await program.ok("GET", f"{path}/history"))["items"]
    assert [one["field"] for one in said][:2] == ["notes", "name"]
    assert (await program.ok("GET", f"{path}/segments"))["items"] == []


async def test_of_very_many_people_an_estimate_comes_before_what_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "AT_ONCE", 0)
    program = await world.program("administrator")
    mail = {"kind": "email", "value": "anna@example.org"}
    await program.ok("POST", "/contacts", json={"name": "Anna", "addresses": [mail]})
    made = await program.ok("POST", "/segments", json={"name": "Everybody"})
    path = f"/segments/{made['id']}/reach"
    assert (await program.ok("GET", path))["estimated"] is True
    counted = await program.ok("GET", path, params={"exact": "true"})
    assert counted.pop("counted_at")
    assert counted == {
        "total": 1,
        "reached": 0,
        "kept_back": [{"reason": "no_consent", "count": 1}],
        "estimated": False,
    }


async def test_addresses_belong_to_one_contact(world: World) -> None:
    program = await world.program("agent")
    mail = {"kind": "email", "value": "Anna@Example.org"}
    anna = await program.ok("POST", "/contacts", json={"name": "Anna", "addresses": [mail]})
    assert anna["addresses"][0]["value"] == "anna@example.org"
    other = await program.ok("POST", "/contacts", json={"name": "Boris"})
    error = await program.refused(
        409, "address_taken", "POST", f"/contacts/{other['id']}/addresses", json=mail
    )
    assert error["details"] == {"contact_id": anna["id"]}
    address = anna["addresses"][0]["id"]
    await program.ok("PUT", f"/addresses/{address}/block", json={"reason": "spam"})
    found = await program.ok("GET", "/contacts", params={"address": "anna@example.org"})
    assert found["items"][0]["addresses"][0]["blocked"] == "spam"
    await program.ok("PUT", f"/addresses/{address}/block", json={"reason": ""})
    await program.ok("DELETE", f"/addresses/{address}")
    assert (await program.ok("GET", f"/contacts/{anna['id']}"))["addresses"] == []


async def test_contacts_are_found_and_erased(world: World) -> None:
    account = await world.account()
    came = await world.letter(account, "anna", "hello")
    await world.letter(account, "boris", "hello")
    program = await world.program("supervisor")
    found = await program.ok("GET", "/contacts", params={"q": "ana"})
    assert [one["name"] for one in found["items"]] == ["Anna"]
    first = await program.ok("GET", "/contacts", params={"limit": 1})
    second = await program.ok("GET", "/contacts", params={"limit": 1, "before": first["next"]})
    assert {first["items"][0]["name"], second["items"][0]["name"]} == {"Anna", "Boris"}
    assert second["next"] == ""
    await program.ok("DELETE", f"/contacts/{came.contact_id}")
    husk = await program.ok("GET", f"/contacts/{came.contact_id}")
    assert (husk["name"], husk["addresses"]) == ("", [])
    assert [one["name"] for one in (await program.ok("GET", "/contacts"))["items"]] == ["Boris"]
    await program.refused(404, "not_found", "GET", f"/messages/{came.message_id}")


async def test_clients_are_listed_page_by_page(world: World) -> None:
    program = await world.program("agent")
    for name in ("Acme", "Bolt", "Cogs"):
        made = await program.ok("POST", "/clients", json={"name": name, "organisation": True})
    assert (await program.ok("GET", f"/clients/{made['id']}"))["name"] == "Cogs"
    first = await program.ok("GET", "/clients", params={"limit": 2})
    rest = await program.ok("GET", "/clients", params={"limit": 2, "before": first["next"]})
    assert [one["name"] for one in (*first["items"], *rest["items"])] == ["Cogs", "Bolt", "Acme"]
    assert rest["next"] == ""


async def test_words_are_found_in_every_form(world: World) -> None:
    account = await world.account()
    await world.letter(account, "anna", "Какая цена у посылки?")
    came = await world.letter(account, "boris", "no such thing")
    program = await world.program("agent")
    found = await program.ok("GET", "/search", params={"q": "цены"})
    assert "цена" in found["messages"][0]["snippet"]
    assert found["messages"][0]["dialog"]["contact_name"] == "Anna"
    people = await program.ok("GET", "/search", params={"q": "boris"})
    assert people["dialogs"][0]["id"] == str(came.dialog_id)
    assert people["contacts"][0]["name"] == "Boris"
    marketer = await world.program("marketer", scopes=["dialogs.view"])
    assert (await marketer.ok("GET", "/search", params={"q": "boris"}))["contacts"] == []
    narrowed = {"q": "thing", "dialog_id": str(came.dialog_id)}
    hits = await program.ok("GET", "/search/messages", params=narrowed)
    assert [one["message_id"] for one in hits["items"]] == [str(came.message_id)]


async def test_colleagues_and_teams_are_managed(world: World) -> None:
    admin = await world.program()
    body = {"email": "Ivan@example.org", "name": "Ivan", "role": "agent"}
    weak = await admin.post("/users", json={**body, "password": "123"})
    assert weak.status_code == 422
    assert weak.json()["error"]["field"] == "password"
    password = "correct horse battery 9"
    made = await admin.ok("POST", "/users", json={**body, "password": password})
    await admin.refused(409, "email", "POST", "/users", json=body)
    await admin.refused(422, "invalid", "POST", "/users", json={**body, "role": "king"})
    browser = world.house.browser()
    assert (await browser.log_in("ivan@example.org", password)).status_code == 303
    await admin.ok("DELETE", f"/users/{made['id']}/sessions")
    assert (await browser.get("/")).headers.get("location", "").startswith("/login")
    team = await admin.ok("POST", "/teams", json={"name": "Post", "members": [made["id"]]})
    assert team["members"] == [made["id"]]
    assert (await admin.ok("GET", f"/users/{made['id']}"))["teams"] == [team["id"]]
    changed = await admin.ok("PUT", f"/teams/{team['id']}", json={"name": "Mail", "members": []})
    assert (changed["name"], changed["members"]) == ("Mail", [])
    await admin.refused(404, "not_found", "PUT", "/teams/1", json={"name": "Mail"})
    me = await admin.ok("GET", "/me")
    error = await admin.refused(
        409, "last_administrator", "PATCH", f"/users/{me['id']}", json={"role": "agent"}
    )
    assert error["message"]
    with world.house.runtime.database.connect() as conn:
        hashed = conn.execute(
            select(user_table.c.password_hash).where(user_table.c.email == "Ivan@example.org")
        ).scalar_one()
    assert hashed.startswith("$argon2")


async def test_the_own_profile_is_changed(world: World) -> None:
    program = await world.program("marketer")
    found = await program.ok(
        "PATCH", "/me", json={"name": "Mary", "theme": "dark", "preferences": {"sound": False}}
    )
    assert (found["name"], found["theme"], found["preferences"]["sound"]) == ("Mary", "dark", False)
    await program.refused(422, "invalid", "PATCH", "/me", json={"theme": "pink"})
    await program.refused(422, "invalid", "PATCH", "/me", json={"role": "administrator"})


async def test_an_account_is_tried_connected_changed_and_removed(world: World) -> None:
    admin = await world.program()
    kinds = await admin.ok("GET", "/channels")
    pigeon = next(one for one in kinds if one["name"] == "pigeon")
    assert pigeon["settings_schema"]["properties"]["loft"]["title"] == "Loft"
    assert pigeon["secrets"] == ["signing_key", "spare_key"]
    assert pigeon["capabilities"]["max_text"] == 500
    assert (await admin.ok("GET", "/channels/owl"))["pushes"] is False
    tried = await admin.ok(
        "POST", "/accounts/check", json={"channel": "pigeon", "settings": SETTINGS}
    )
    assert tried["ok"] is True
    burning = {**SETTINGS, "loft": "on fire"}
    tried = await admin.ok(
        "POST", "/accounts/check", json={"channel": "pigeon", "settings": burning}
    )
    assert tried["ok"] is False
    assert [one["text"] for one in tried["lines"] if not one["ok"]] == ["on fire"]
    nowhere = {**SETTINGS, "loft": "nowhere"}
    tried = await admin.ok(
        "POST", "/accounts/check", json={"channel": "pigeon", "settings": nowhere}
    )
    assert tried["lines"][0]["text"] == "there is no such loft"
    error = await admin.refused(
        422,
        "invalid",
        "POST",
        "/accounts",
        json={"channel": "pigeon", "title": "L", "settings": {}},
    )
    assert error["field"] == "loft"
    assert await admin.ok("GET", "/accounts") == []
    made = await admin.ok(
        "POST", "/accounts", json={"channel": "pigeon", "title": "Loft", "settings": SETTINGS}
    )
    assert "signing_key" in made["secrets_set"]
    assert "signing_key" not in made["settings"]
    path = f"/accounts/{made['id']}"
    checked = await admin.ok("POST", f"{path}/check", json={})
    assert [one["text"] for one in checked["lines"]] == ["", "15 letters"]
    changed = {"loft": "Cellar"}
    checked = await admin.ok("POST", f"{path}/check", json={"settings": changed})
    assert [one["text"] for one in checked["lines"]] == ["", "15 letters"]
    found = await admin.ok("PATCH", path, json={"settings": changed, "thread_rule": "always_new"})
    assert found["settings"]["loft"] == "Cellar"
    assert "signing_key" in found["secrets_set"]
    await admin.refused(409, "version", "PATCH", path, json={"title": "X", "version": 1})
    await admin.ok("DELETE", path)
    assert await admin.ok("GET", "/accounts") == []
    assert (await admin.ok("GET", "/accounts?removed=true"))[0]["removed"] is True


async def test_views_are_ones_own_or_shared(world: World) -> None:
    agent, boss = await world.program("agent"), await world.program("supervisor")
    mine = await agent.ok("POST", "/views", json={"name": "VIP", "filter": {"query": "x"}})
    assert await boss.ok("GET", "/views") == []
    body = {"name": "VIP!", "shared": True}
    await boss.refused(404, "not_found", "PUT", f"/views/{mine['id']}", json=body)
    await agent.ok("PUT", f"/views/{mine['id']}", json=body)
    assert (await boss.ok("GET", "/views"))[0]["name"] == "VIP!"
    await boss.refused(404, "not_found", "DELETE", f"/views/{mine['id']}")
    await agent.ok("DELETE", f"/views/{mine['id']}")
    assert await agent.ok("GET", "/views") == []


async def test_the_organisation_is_renamed(world: World) -> None:
    admin = await world.program()
    found = await admin.ok("PATCH", "/brand", json={"name": "Pigeon Post", "language": "ru"})
    assert (found["name"], found["language"]) == ("Pigeon Post", "ru")
    agent = await world.program("agent")
    assert (await agent.ok("GET", "/brand"))["name"] == "Pigeon Post"


async def test_a_client_has_many_addresses_over_the_api(world: World) -> None:
    program = await world.program("agent")
    office = {"kind": "phone", "value": "+7 495 000-00-02", "label": "accounts"}
    body = {"name": "Boats", "phone": "+7 495 000-00-01", "addresses": [office]}
    made = await program.ok("POST", "/clients", json=body)
    main = {"kind": "phone", "value": "+7 495 000-00-01", "label": "", "main": True}
    assert made["addresses"] == [main, {**office, "main": False}]
    path, head = f"/clients/{made['id']}", {"if-match": '"1"'}
    more = [
        {**main, "main": False},
        {**office, "main": True},
        {"kind": "email", "value": "A@x.example"},
    ]
    changed = await program.request("PATCH", path, json={"addresses": more}, headers=head)
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] == '"2"'
    assert (changed.json()["phone"], changed.json()["email"]) == (office["value"], "a@x.example")
    assert changed.json()["addresses"][0] == {**office, "main": True}
    late = {"json": {"addresses": []}, "headers": head}
    await program.refused(412, "version", "PATCH", path, **late)
    refused = await program.refused(
        422, "invalid", "PATCH", path, json={"addresses": [{"kind": "email", "value": "x"}]}
    )
    assert refused["field"] == "addresses"
    asked = {"field": "client.addresses", "operator": "contains", "value": "00-01"}
    found = await program.ok("GET", "/clients", params={"filter": json.dumps(asked)})
    assert [one["id"] for one in found["items"]] == [made["id"]]
    history = await program.ok("GET", f"{path}/history")
    assert {one["field"] for one in history["items"]} == {"addresses", "phone", "email"}
