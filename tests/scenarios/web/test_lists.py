"""Lists of every kind: conditions as chips, sorting, columns, saved views, one act for many rows."""

from __future__ import annotations

import json
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.users import all_users
from hub import CreateLead, CreateObject, SaveTeam, UserId
from tests.scenarios.web.house import Browser, House

LEAD = NOUNS["lead"]


async def leads(hub: House, **more: object) -> list[object]:
    page = await hub.system.read(objects.page, LEAD, ObjectQuery(**more))  # type: ignore[arg-type]
    return list(page.items)


async def test_a_condition_becomes_a_chip_and_goes_again(hub: House) -> None:
    for source in ("Fair", "Site"):
        await hub.system.do(CreateLead(values={"title": f"From the {source}", "source": source}))
    browser = await hub.logged_in("agent")
    form = {"field": "lead.source", "operator": "equals", "value": "fair", "q": "from"}
    answer = await browser.get("/leads", params=form)
    assert answer.status_code == 303
    where = answer.headers["location"]
    asked = parse_qs(urlsplit(where).query)
    assert json.loads(asked["filter"][0]) == {k: form[k] for k in ("field", "operator", "value")}
    assert asked["q"] == ["from"]
    html = (await browser.get(where)).text
    assert "Source is “fair”" in html
    assert "From the Fair" in html
    assert "From the Site" not in html
    more = {"field": "lead.status", "operator": "in", "value": ["new"], "filter": asked["filter"]}
    both = (await browser.get("/leads", params=more)).headers["location"]
    html = (await browser.get(both)).text
    assert html.count("chip accent condition") == 2
    assert "Status is one of new" in html
    wrong = await browser.get("/leads", params={"field": "lead.created_at", "operator": "less"})
    assert wrong.status_code == 422
    assert "an instant with its zone is needed" in wrong.text
    assert "there is no field" in (await browser.get('/leads?filter={"field":"x"}')).text
    part = (await browser.get("/objects/lead/condition?field=lead.created_at")).text
    assert "is within the last" in part
    for gone in ("lead/condition?field=lead.x", "ship/condition?field=lead.status"):
        assert (await browser.get(f"/objects/{gone}")).status_code == 404


async def test_columns_and_order_stand_in_the_address(hub: House) -> None:
    for title in ("A", "B"):
        await hub.system.do(CreateLead(values={"title": title, "company": f"{title} Ltd"}))
    browser = await hub.logged_in("agent")
    assert "A Ltd" not in (await browser.get("/leads")).text
    html = (
        await browser.get("/leads?col=company&col=created_at&col=nonsense&sort=created_at")
    ).text
    assert html.index("A Ltd") < html.index("B Ltd")
    assert 'aria-sort="ascending"' in html
    assert "cols=company%2Ccreated_at" in html


async def test_a_view_is_saved_for_me_my_team_or_everybody(hub: House) -> None:
    await hub.system.do(CreateLead(values={"title": "From the Fair", "source": "Fair"}))
    await hub.system.do(CreateLead(values={"title": "From the Site", "source": "Site"}))
    owner, other = await hub.logged_in("agent"), await hub.logged_in("supervisor")
    people = {one.role: one.id for one in await hub.system.read(all_users)}
    team = (await hub.system.do(SaveTeam(name="North", members=(UserId(people["agent"]),))))[0]
    tree = json.dumps({"field": "lead.source", "operator": "equals", "value": "Fair"})
    for name, whose in (("Own", "mine"), ("Ours", str(team)), ("All of us", "all")):
        form = {"name": name, "filter": tree, "cols": "company", "for": whose}
        answer = await owner.submit("/objects/lead/views", "/leads", form)
        assert answer.status_code == 303
        html = (await owner.get(answer.headers["location"])).text
        assert "From the Fair" in html
        assert "From the Site" not in html
        assert "Forget this view" in html
    seen = (await other.get("/leads")).text
    assert "All of us" in seen
    assert "Ours" not in seen
    assert ">Own<" not in seen
    number = answer.headers["location"].rpartition("=v")[2]
    form = {"do": "remove", "id": number}
    assert (await other.submit("/objects/lead/views", "/leads", form)).status_code == 404
    assert (await owner.submit("/objects/lead/views", "/leads", form)).status_code == 303
    assert "All of us" not in (await other.get("/leads")).text
    # The inbox keeps its own views apart.
    assert "Ours" not in (await owner.get("/inbox")).text


async def test_a_saved_view_shows_what_was_shown(hub: House) -> None:
    owner, other = await hub.logged_in("agent"), await hub.logged_in("supervisor")
    people = {one.role: str(one.id) for one in await hub.system.read(all_users)}
    for kind, title in (("lead", "A lead"), ("request", "A request")):
        for whose in ("agent", "supervisor"):
            values = {"title": f"{title} of the {whose}", "owner_id": people[whose]}
            await hub.system.do(CreateObject(kind=kind, values=values))
    for kind, page, name in (
        ("lead", "/leads", "lead"),
        ("lead", "/leads/board", "lead"),
        ("request", "/requests", "request"),
        ("request", "/requests/board", "request"),
    ):
        # The form of a tab holds the tab's own conditions.
        html = (await owner.get(f"{page}?view=mine")).text
        form = html.partition(f'action="/objects/{kind}/views"')[2].partition("</form>")[0]
        tree = unescape(form.partition('name="filter" value="')[2].partition('"')[0])
        assert '"value":"me"' in tree
        sent = {"name": f"{page} mine", "filter": tree, "for": "all", "back": page}
        answer = await owner.submit(f"/objects/{kind}/views", page, sent)
        where = answer.headers["location"]
        for who, role in ((owner, "agent"), (other, "supervisor")):
            html = (await who.get(where)).text
            assert f"A {name} of the {role}" in html
            unlike = "supervisor" if role == "agent" else "agent"
            assert f"A {name} of the {unlike}" not in html


async def test_a_view_of_the_board_is_saved_shown_and_forgotten(hub: House) -> None:
    for source in ("Fair", "Site"):
        values = {"title": f"From the {source}", "source": source}
        await hub.system.do(CreateObject(kind="interest", values=values))
    browser = await hub.logged_in("agent")
    tree = json.dumps({"field": "interest.source", "operator": "equals", "value": "Fair"})
    form = {"name": "Fairs", "filter": tree, "for": "mine", "back": "/interests", "pipeline": "1"}
    answer = await browser.submit("/objects/interest/views", "/interests", form)
    where = answer.headers["location"]
    assert where.startswith("/interests?view=v")
    assert where.endswith("&pipeline=1")
    html = (await browser.get(where)).text
    assert "From the Fair" in html
    assert "From the Site" not in html
    assert "Forget this view" in html
    # What the address says by itself counts more.
    other = json.dumps({"field": "interest.source", "operator": "equals", "value": "Site"})
    html = (
        await browser.get(
            where, params={"view": where[len("/interests?view=") :].split("&")[0], "filter": other}
        )
    ).text
    assert "From the Fair" not in html
    # The further cards of a column are of the view too.
    stage = html.partition('data-key="')[2].partition('"')[0]
    view = where.partition("view=")[2].partition("&")[0]
    more = (await browser.get(f"/interests/column?stage={stage}&view={view}")).text
    assert "From the Fair" in more
    assert "From the Site" not in more
    assert ">Fairs<" not in (await (await hub.logged_in("supervisor")).get("/interests")).text


@pytest.mark.parametrize(
    ("kind", "board", "field", "column"),
    [
        ("request", "/requests/board", "priority", "/requests/column?stage=new"),
        ("lead", "/leads/board", "source", "/leads/column?stage=new"),
    ],
)
async def test_boards_of_requests_and_leads_have_views_too(
    hub: House, kind: str, board: str, field: str, column: str
) -> None:
    browser, other = await hub.logged_in("agent"), await hub.logged_in("supervisor")
    people = {one.role: one.id for one in await hub.system.read(all_users)}
    for title, value in (("Red boat", "urgent"), ("Blue boat", "normal")):
        values: dict[str, object] = {"title": title, field: value}
        if title == "Red boat":
            values["owner_id"] = str(people["agent"])
        await hub.system.do(CreateObject(kind=kind, values=values))

    async def shown(where: str, who: Browser = browser) -> tuple[str, bool, bool]:
        html = (await who.get(where)).text
        return html, "Red boat" in html, "Blue boat" in html

    assert (await shown(board))[1:] == (True, True)
    assert (await shown(f"{board}?view=mine"))[1:] == (True, False)
    assert (await shown(f"{board}?view=mine", other))[1:] == (False, False)
    # A condition of the bar, by name of property, operator and value.
    step = {"field": f"{kind}.{field}", "value": "urgent"}
    step["operator"] = "in" if field == "priority" else "equals"
    answer = await browser.get(board, params=step)
    assert answer.status_code == 303
    html, *found = await shown(answer.headers["location"])
    assert found == [True, False]
    assert "chip accent condition" in html
    tree = json.dumps({"field": f"{kind}.{field}", "operator": "equals", "value": "urgent"})
    for name, whose in (("Own", "mine"), ("All of us", "all")):
        form = {"name": name, "filter": tree, "for": whose, "back": board}
        where = (await browser.submit(f"/objects/{kind}/views", board, form)).headers["location"]
        assert where.startswith(f"{board}?view=v")
        html, *found = await shown(where)
        assert found == [True, False]
        assert "Forget this view" in html
    view = where.partition("view=")[2]
    assert (await shown(f"{column}&view={view}"))[1:] == (True, False)
    assert (await shown(f"{column}&view=mine", other))[1:] == (False, False)
    html, *found = await shown(where, other)
    assert found == [True, False]
    assert "Forget this view" not in html
    assert ">Own<" not in html
    # What is no filter, or asks for what is not there, is told; the board stands.
    for wrong in ("{", '{"field": "lead.nothing", "operator": "equals", "value": 1}'):
        answer = await browser.get(board, params={"filter": wrong})
        assert answer.status_code == 422
        assert "Red boat" in answer.text


async def test_many_requests_get_one_priority_and_the_search_says_what_it_finds(
    hub: House,
) -> None:
    ids = [
        str((await hub.system.do(CreateObject(kind="request", values={"title": f"Lamp {n}"})))[0])
        for n in range(2)
    ]
    browser = await hub.logged_in("agent")
    page = (await browser.get("/requests")).text
    assert 'placeholder="Part of the title"' in page
    assert 'name="priority"' in page
    form = {"id": ids, "back": "/requests", "do": "priority", "priority": "urgent"}
    answer = await browser.submit("/objects/request/bulk", "/requests", form)
    assert answer.status_code == 303
    found = (await hub.system.read(objects.page, NOUNS["request"], ObjectQuery())).items
    assert [one.priority for one in found] == ["urgent", "urgent"]
    assert 'placeholder="Name, phone, e-mail"' in (await browser.get("/clients")).text


async def test_one_act_is_given_to_many_rows(hub: House) -> None:
    ids = [
        str((await hub.system.do(CreateLead(values={"title": f"Boat {n}"})))[0]) for n in range(3)
    ]
    browser = await hub.logged_in("agent")
    me = next(one.id for one in await hub.system.read(all_users) if one.role == "agent")
    chosen = {"id": ids[:2], "back": "/leads?view=new"}

    async def give(**more: str) -> str:
        answer = await browser.submit("/objects/lead/bulk", "/leads", {**chosen, **more})
        assert answer.status_code == 303
        return str(answer.headers["location"])

    assert await give(do="owner", owner=str(me)) == "/leads?view=new"
    await give(do="tag", tag="hot")
    await give(do="tag", tag="HOT")
    found = await leads(hub)
    assert [(one.owner_id, one.tags) for one in found] == [  # type: ignore[attr-defined]
        (0, ()),
        (me, ("hot",)),
        (me, ("hot",)),
    ]
    await give(do="remove")
    assert len(await leads(hub)) == 1
    await give(do="restore")
    assert len(await leads(hub)) == 3
    assert await give(do="nothing", back="https://elsewhere.example/") == "/leads"
    looker = await hub.logged_in("auditor")
    form = {**chosen, "do": "remove"}
    assert (await looker.submit("/objects/lead/bulk", "/leads", form)).status_code == 403
    assert "bulkbar" not in (await looker.get("/leads")).text
