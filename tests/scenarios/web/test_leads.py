"""Leads and clients on their pages: from a dialog to a client and back, and who may."""

from __future__ import annotations

import re

import pytest

from crm_store import objects, users
from crm_store.objects import NOUNS, ObjectQuery
from hub import (
    CreateClient,
    CreateLead,
    CreateObject,
    InterestId,
    Lead,
    SaveRole,
    UserId,
    WinInterest,
)
from hub.roles import Scope
from tests.scenarios.web.house import Browser, House

LEAD, CLIENT = NOUNS["lead"], NOUNS["client"]


async def only(hub: House) -> Lead:
    page = await hub.system.read(objects.page, LEAD, ObjectQuery())
    [lead] = page.items
    return lead  # type: ignore[no-any-return]


async def press(browser: Browser, lead: int, do: str, **more: str) -> int:
    page = f"/leads/{lead}"
    return (await browser.submit(f"{page}/act", page, {"do": do, **more})).status_code


async def test_a_lead_goes_from_its_form_to_a_client_and_back(hub: House) -> None:
    browser = await hub.logged_in("agent")
    assert "No leads here" in (await browser.get("/leads")).text
    form = {"title": "Two boats", "name": "Anna", "phone": "+7 912 000-00-00"}
    answer = await browser.submit("/leads", data=form)
    assert answer.status_code == 303
    lead = await only(hub)
    assert (lead.title, lead.phone) == ("Two boats", "+7 912 000-00-00")
    listed = (await browser.get("/leads?q=two")).text
    assert f'href="/leads/{lead.id}"' in listed
    assert "Nothing matches" in (await browser.get("/leads?q=three")).text

    card = f"/leads/{lead.id}"
    saved = {"title": "Three boats", "source": "Fair", "tags": "hot, big", "version": "1"}
    assert (await browser.submit(card, data=saved)).status_code == 303
    lead = await only(hub)
    assert (lead.title, lead.source, lead.tags) == ("Three boats", "Fair", ("big", "hot"))
    late = await browser.submit(card, data={"title": "Mine", "version": "1"})
    assert late.status_code == 422
    assert "Somebody changed this card meanwhile" in late.text
    assert 'value="Mine"' in late.text
    assert (await browser.submit(card, data={"title": "", "version": "2"})).status_code == 422

    assert await press(browser, lead.id, "take") == 303
    assert (await only(hub)).status == "in_work"
    assert await press(browser, lead.id, "reject", reason="") == 422
    assert await press(browser, lead.id, "reject", reason="dear") == 303
    assert "dear" in (await browser.get(card)).text
    assert await press(browser, lead.id, "reopen") == 303
    assert await press(browser, lead.id, "convert", client_name="Boats Ltd") == 303
    lead = await only(hub)
    client = f"/clients/{lead.client_id}"
    assert "Boats Ltd" in (await browser.get("/clients")).text
    shown = (await browser.get(client)).text
    assert "Three boats" in shown
    assert "Anna" in shown
    assert await press(browser, lead.id, "undo") == 303
    assert "Boats Ltd" not in (await browser.get("/clients")).text
    assert "Boats Ltd" in (await browser.get("/clients?view=bin")).text
    assert await press(browser, lead.id, "remove") == 303
    assert card not in (await browser.get("/leads")).text
    assert await press(browser, lead.id, "restore") == 303
    assert card in (await browser.get("/leads")).text


async def test_a_client_is_added_changed_binned_and_offered_to_its_leads(hub: House) -> None:
    browser = await hub.logged_in("agent")
    answer = await browser.submit(
        "/clients", data={"name": "Harbour", "phone": "+7 1", "organisation": "yes"}
    )
    path = answer.headers["location"]
    saved = {"name": "Harbour", "organisation": "yes", "inn": "7707083893", "version": "1"}
    saved |= {"birthday": "31.01.1990", "status": "active"}
    assert (await browser.submit(path, data=saved)).status_code == 303
    page = (await browser.get(path)).text
    assert 'value="1990-01-31"' in page
    assert "7707083893" in page
    lead_id = (await hub.system.do(CreateLead(values={"name": "Vera", "company": "harbour"})))[0]
    offered = (await browser.get(f"/leads/{lead_id}")).text
    client_id = re.search(r'name="client" value="(\d+)"', offered)
    assert client_id
    assert path.endswith(client_id[1])
    assert await press(browser, lead_id, "convert", client=client_id[1]) == 303
    assert "Vera" in (await browser.get(path)).text
    assert (await browser.submit(f"{path}/act", path, {"do": "remove"})).status_code == 303
    assert "in the bin" in (await browser.get(path)).text


@pytest.mark.parametrize(("role", "may"), [("auditor", False), ("marketer", True)])
async def test_who_may_only_look_is_shown_no_buttons_and_refused(
    hub: House, role: str, may: bool
) -> None:
    lead_id, client_id = await hub.system.do(
        CreateLead(values={"title": "Boats"}), CreateClient(name="Harbour")
    )
    browser = await hub.logged_in(role)
    token = await browser.csrf()
    for path in (f"/leads/{lead_id}", f"/clients/{client_id}"):
        page = await browser.get(path)
        assert page.status_code == 200
        screen = page.text.partition('<main class="main"')[2]
        assert ('type="submit"' in screen) is may
        answer = await browser.post(path, data={"_csrf": token, "title": "x", "name": "y"})
        assert answer.status_code == (422 if may else 403)
    assert (await only(hub)).title == "Boats"


async def test_a_list_is_a_file_and_a_card_tells_its_story(hub: House) -> None:
    marketer = await hub.logged_in("marketer")
    lead_id = (await hub.system.do(CreateLead(values={"title": "Boats", "name": "Anna"})))[0]
    assert await press(marketer, lead_id, "take") == 303
    answer = await marketer.get("/leads?as=csv&view=in_work")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("id,Title,Status,Responsible")
    assert lines[1].startswith(f"{lead_id},Boats,in work,Marketer")
    assert len(lines) == 2
    story = (await marketer.get(f"/leads/{lead_id}")).text
    assert re.search(r"Marketer</span>: Status: .*<del>new</del> → in work", story)
    assert f"/leads/{lead_id}" in (await marketer.get("/search/quick?q=boat")).text
    agent = await hub.logged_in("agent")
    assert "as=csv" not in (await agent.get("/leads")).text
    assert (await agent.get("/leads?as=csv")).status_code == 403


async def test_an_object_that_is_not_there_is_a_page_that_says_so(hub: House) -> None:
    browser = await hub.logged_in("agent")
    for path in ("/leads/1", "/clients/1", "/leads/99999999999999999999"):
        assert (await browser.get(path)).status_code in (404, 422)
    assert (await browser.get("/leads?before=nonsense")).status_code == 422


async def test_a_clients_card_tells_the_last_purchase(hub: House) -> None:
    client_id = str((await hub.system.do(CreateObject(kind="client", values={"name": "A"})))[0])
    values = {"title": "Ten boats", "client_id": client_id}
    interest_id = (await hub.system.do(CreateObject(kind="interest", values=values)))[0]
    browser = await hub.logged_in("agent")
    assert "Last purchase" not in (await browser.get(f"/clients/{client_id}")).text
    await hub.system.do(WinInterest(interest_id=InterestId(int(interest_id))))
    assert "Last purchase" in (await browser.get(f"/clients/{client_id}")).text


async def test_a_lead_shows_how_long_it_waits_until_somebody_answers(hub: House) -> None:
    browser = await hub.logged_in("marketer")
    client_id = (await hub.system.do(CreateClient(name="Harbour")))[0]
    await hub.system.do(CreateLead(values={"title": "Boats"}))
    lead = await only(hub)
    for path in (f"/leads/{lead.id}", "/leads", "/leads?view=unanswered"):
        assert "waits 0\u00a0min" in (await browser.get(path)).text
    assert await press(browser, lead.id, "convert", client=str(client_id)) == 303
    lead = await only(hub)
    assert "waits 0\u00a0min" not in (await browser.get(f"/leads/{lead.id}")).text
    values = {"title": "Asked how many", "form": "call", "contact_id": str(lead.contact_id)}
    agent = hub.system.as_user(UserId((await hub.system.read(users.all_users))[0].id))
    await agent.do(CreateObject(kind="meeting", values=values))
    assert (await only(hub)).first_response_us > 0
    page = (await browser.get(f"/leads/{lead.id}")).text
    assert 'id="response"' in page
    lines = (await browser.get("/leads?as=csv&view=qualified&cols=first_response_us")).text
    assert lines.splitlines()[0].endswith("Time to first response")
    assert lines.splitlines()[1].endswith("0:00")


async def test_a_lead_is_moved_on_its_board_and_converted_by_its_form(hub: House) -> None:
    browser = await hub.logged_in("agent")
    lead_id = (await hub.system.do(CreateLead(values={"title": "Boats"})))[0]

    async def moved(to: str, seen: str, **more: str) -> int:
        body = {"card": str(lead_id), "to": to, "seen": seen, **more}
        token = {"x-csrf-token": await browser.csrf()}
        return (await browser.post("/leads/move", json=body, headers=token)).status_code

    # What a column asks for is a form of the card, which the address opens.
    board = (await browser.get("/leads/board")).text
    assert re.search(r'data-key="qualified"[^>]* data-asks="open"', board)
    assert '<details id="convert"' in (await browser.get(f"/leads/{lead_id}")).text
    assert await moved("qualified", "new") == 404
    assert await moved("in_work", "new") == 200
    assert (await only(hub)).status == "in_work"
    assert await moved("rejected", "in_work") == 422
    assert await moved("rejected", "in_work", comment="dear") == 200
    assert ((await only(hub)).status, (await only(hub)).reason) == ("rejected", "dear")
    assert await moved("in_work", "rejected") == 200
    assert (await only(hub)).status == "in_work"


async def test_a_repeat_is_merged_into_its_original_and_taken_apart(hub: House) -> None:
    browser = await hub.logged_in("administrator")
    same = {"phone": "+7 912 000-00-00"}
    [first] = await hub.system.do(CreateLead(values={"title": "Boats", **same}))
    [again] = await hub.system.do(CreateLead(values={"title": "Oars", **same}))
    path = f"/leads/{first}/merge"
    assert f'href="{path}?with={again}"' in (await browser.get(path)).text
    looked = (await browser.get(f"{path}?with={again}")).text
    assert 'name="take-title"' in looked
    form = {"with": str(again), "take-title": "theirs"}
    merged = await browser.submit(path, f"{path}?with={again}", form)
    assert merged.status_code == 303, merged.text
    card = (await browser.get(merged.headers["location"])).text
    assert "The cards are one now" in card
    # The old number leads to the one that lives on, which is alone in the list.
    assert (await browser.get(f"/leads/{again}")).headers["location"] == f"/leads/{first}"
    # Who may not see it is not told where it went.
    await hub.system.do(SaveRole(name="narrow", based_on="agent", scopes={"leads": Scope.OWN}))
    hidden = await (await hub.logged_in("narrow")).get(f"/leads/{again}")
    assert (hidden.status_code, hidden.headers.get("location")) == (404, None)
    assert (await only(hub)).title == "Oars"
    merge = re.search(
        r'name="merge" value="(\d+)"><input type="hidden" name="kind" value="lead"', card
    )
    assert merge
    undo = {"merge": merge[1], "kind": "lead", "back": f"/leads/{first}"}
    answer = await browser.submit("/merges/undo", f"/leads/{first}", undo)
    assert answer.headers["location"] == f"/leads/{first}?undone={again}"
    told = (await browser.get(answer.headers["location"])).text
    assert f'<a class="person" href="/leads/{again}">Oars</a>' in told
    reader = await hub.logged_in("auditor")
    assert (await reader.get(path)).status_code == 403
