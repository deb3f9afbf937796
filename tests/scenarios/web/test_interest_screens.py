"""Interests without scripts: what a step lacks is asked for, leads lead on, names are said in one language."""

from __future__ import annotations

import re

from crm_store.pipelines import all_pipelines
from crm_store.users import all_users
from hub import (
    CreateClient,
    CreateObject,
    MergeClients,
    Point,
    SaveStage,
    SaveTeam,
    UndoMerge,
    UpdateProfile,
)
from tests.scenarios.web.house import House


async def test_what_a_step_lacks_is_asked_for_and_the_step_is_taken(hub: House) -> None:
    browser = await hub.logged_in("agent")
    [line] = await hub.system.read(all_pipelines)
    first, *_, last = line.stages
    await hub.system.do(
        SaveStage(
            pipeline_id=line.id,
            stage_id=first.id,
            name="New",
            position=0,
            checklist=(Point(id="call", text="Called back", required=True),),
        ),
        SaveStage(pipeline_id=line.id, stage_id=last.id, name="Last", required=("amount",)),
    )
    made = (await hub.system.do(CreateObject(kind="interest", values={"title": "Boats"})))[0]
    card = f"/interests/{made}"
    refused = await browser.submit(f"{card}/act", card, {"do": "win"})
    assert refused.status_code == 422
    assert "something is missing for this step: Amount, Called back" in refused.text
    assert 'name="amount"' in refused.text
    assert 'value="call" required' in refused.text
    lacks = f"{card}/lacks"
    given = {"to": "won", "version": "1"}
    again = await browser.submit(lacks, card, {**given, "amount": "much", "point": "call"})
    assert (again.status_code, 'value="much"' in again.text) == (422, True)
    again = await browser.submit(lacks, card, {**given, "amount": "70"})
    assert (again.status_code, "Called back" in again.text) == (422, True)
    given |= {"amount": "70", "point": "call", "back": "https://elsewhere.example"}
    done = await browser.submit(lacks, card, given)
    assert (done.status_code, done.headers["location"]) == (303, card)
    assert "Reopen" in (await browser.get(card)).text
    # Opened by its address where nothing is missing, the form says so.
    assert "Nothing is missing" in (await browser.get(lacks)).text


async def test_what_cannot_be_added_says_why(hub: House) -> None:
    browser = await hub.logged_in("agent")
    refused = await browser.submit("/interests", data={"title": "Boats", "amount": "much"})
    assert refused.status_code == 422
    assert re.search(r'data-refused>.*href="#f-amount">Amount</a>: a sum is needed', refused.text)
    assert 'href="/interests/list?' in refused.text
    person = {"name": "Anna", "email": "anna@example.org"}
    assert (await browser.submit("/contacts", data=person)).status_code == 303
    again = await browser.submit("/contacts", data={**person, "name": "Anna once more"})
    assert (again.status_code, "this address belongs to another" in again.text) == (422, True)


async def test_a_lead_and_its_interest_lead_to_each_other(hub: House) -> None:
    browser = await hub.logged_in("agent")
    made = await browser.submit("/leads", data={"title": "Two boats", "name": "Anna"})
    lead = made.headers["location"]
    convert = {
        "do": "convert",
        "client_name": "Boats Ltd",
        "with_interest": "yes",
        "interest": "Two",
    }
    await browser.submit(f"{lead}/act", lead, convert)
    shown = (await browser.get(lead)).text
    assert re.search(r'href="/clients/[0-9]+">Boats Ltd<', shown)
    assert re.search(r'href="/contacts/[0-9]+">Anna<', shown)
    interest = re.search(r'href="(/interests/[0-9]+)">Two<', shown)
    assert interest
    assert f'href="{lead}">Two boats<' in (await browser.get(interest[1])).text


async def test_what_the_hub_brings_is_named_in_the_forms_language_and_kept(hub: House) -> None:
    browser = await hub.logged_in("administrator")
    [me] = await hub.system.read(all_users)
    await hub.system.as_user(me.id).do(UpdateProfile(language="ru"))
    path = "/settings/pipelines"
    shown = (await browser.get(path)).text
    for name in ("Продажи", "Новый", "Слишком дорого"):
        assert re.search(f'<input[^>]*value="{name}"', shown), name
    [line] = await hub.system.read(all_pipelines)
    form = {"pipeline": str(line.id), "stage": str(line.stages[0].id)}
    reason = {"pipeline": str(line.id), "reason": str(line.reasons[0].id), "active": "yes"}
    reason["position"] = "0"
    for data in (
        {"do": "pipeline", "active": "yes", "name": "Продажи", **form},
        {"do": "stage", "position": "1", "name": "Новый", **form},
        {"do": "reason", "name": "Слишком дорого", **reason},
    ):
        assert (await browser.submit(path, path, data)).status_code == 303
    [kept] = await hub.system.read(all_pipelines)
    assert (kept.name, kept.stages[0].name) == (line.name, line.stages[0].name)
    assert kept.reasons[0].name == line.reasons[0].name
    await browser.submit(path, path, {"do": "stage", "position": "1", "name": "Заявка", **form})
    [kept] = await hub.system.read(all_pipelines)
    assert kept.stages[0].name == "Заявка"


async def test_a_line_of_the_audit_without_a_title_is_well_set(hub: House) -> None:
    browser = await hub.logged_in("administrator")
    await hub.system.as_user((await hub.system.read(all_users))[0].id).do(SaveTeam(name="Sales"))
    shown = re.sub(r"<[^>]+>", "", (await browser.get("/settings/audit?automatic=yes")).text)
    assert "Administrator ·" in shown
    assert not re.search(r"· [^\n]* :", shown)


async def test_a_merged_card_leads_on_only_while_it_is_merged(hub: House) -> None:
    browser = await hub.logged_in("administrator")
    first, second = await hub.system.do(CreateClient(name="A"), CreateClient(name="B"))
    merged = (await hub.system.do(MergeClients(survivor_id=first, merged_id=second)))[0]
    answer = await browser.get(f"/clients/{second}")
    # One for ever would be kept by the browser after the merge is undone.
    assert (answer.status_code, answer.headers["location"]) == (303, f"/clients/{first}")
    await hub.system.do(UndoMerge(merge_id=merged))
    assert (await browser.get(f"/clients/{second}")).status_code == 200
