"""What is another's is nowhere: every page and every endpoint, read by one who reaches less.

Of every kind there is one object that belongs to a colleague out of reach, with a word of its own;
what is the reader's own points at those in every way there is. Then all that can be read is read,
with every id and every search, and none of the words may be in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import insert, select
from starlette.routing import Route

from crm_store.objects import NOUNS
from crm_store.tables.consents import confirmations
from crm_store.tables.duplicates import said_addresses
from crm_store.tables.people import addresses
from hub import (
    PERMISSIONS,
    AddAddress,
    AddCoExecutor,
    Address,
    AssignDialog,
    ChangeObject,
    ContactId,
    CreateClient,
    CreateObject,
    InterestId,
    LinkDialog,
    Participant,
    SaveRole,
    SaveTeam,
    Scope,
    SetInterestPeople,
    UpdateContact,
    UserId,
)
from hub.app import page_routes
from tests.scenarios.http_api.test_rights import BODIES, RIGHTS, _call
from tests.scenarios.http_api.world import World
from tests.scenarios.web.test_live import Listener

COMMON = "Wolfram"
"""A word that every planted object has, by which it is searched for."""
KINDS = ("client", "contact", "dialog", "lead", "request", "interest", "task", "meeting")
# These see the whole house whatever the scope: they set it up.
ABOVE = {
    "system.manage",
    "accounts.manage",
    "users.manage",
    "jobs.run",
    "rules.manage",
    "rules.view",
}
ENDLESS = {"/live", "/logout", "/api/v1/events/stream"}
SEARCHES = ("", f"?q={COMMON}", f"?view=all&q={COMMON}", "?view=everything", "?as=csv", "?view=bin")


MORE_BODIES: dict[str, Any] = {
    "POST /dialogs/{dialog_id}/split": {"message_id": "1"},
    "POST /interests/{interest_id}/move": {"stage_id": "1"},
    "POST /interests/{interest_id}/lose": {"reason_id": "1"},
    "PUT /interests/{interest_id}/lines": {"lines": []},
    "PUT /interests/{interest_id}/people": {"people": []},
    "POST /interests/{interest_id}/helpers": {"user_id": "1"},
    "POST /interests/{interest_id}/ticks": {"point": "x"},
    "PUT /requests/{request_id}/status": {"status": "closed"},
    "PUT /tasks/{task_id}/review": {"accept": True},
}
"""What those endpoints need to be asked at all."""


def secret(kind: str) -> str:
    """Give the word that only the hidden object of a kind has."""
    return f"quokka{kind}"


class Planted:
    """A hidden object and one's own of each kind, by the kind's name."""

    def __init__(self, world: World, me: UserId, other: UserId) -> None:
        self.world, self.me, self.other = world, me, other
        self.hidden: dict[str, int] = {}
        self.mine: dict[str, int] = {}

    async def plant(self) -> None:
        """Make everything."""
        hub = self.world.house.system
        loft = await self.world.account()
        for ids, owner, name in ((self.hidden, self.other, secret), (self.mine, self.me, str)):
            came = await self.world.letter(
                loft, f"{COMMON}{name('contact')}", f"{COMMON} {name('dialog')} writes"
            )
            await hub.do(AssignDialog(dialog_id=came.dialog_id, user_id=owner))
            ids |= {"dialog": int(came.dialog_id), "contact": int(came.contact_id)}
            client = CreateClient(
                name=f"{COMMON} {name('client')}",
                contact_id=came.contact_id,
                values={"owner_id": str(owner), "notes": name("client")},
            )
            ids["client"] = int((await hub.do(client))[0])
            rename = UpdateContact(contact_id=came.contact_id, name=f"{COMMON} {name('contact')}")
            await hub.do(rename)
            # One's own points at what is hidden, in every way that there is.
            points_at = self.hidden
            about = {
                "client_id": str(points_at["client"]),
                "contact_id": str(points_at["contact"]),
            }
            for kind, more in (
                ("lead", about),
                ("request", about),
                ("interest", about),
                ("meeting", about),
                ("task", {"object_kind": "client", "object_id": about["client_id"]}),
            ):
                known = {one.name for one in NOUNS[kind].kind.properties if one.editable}
                values = {
                    "title": f"{COMMON} {name(kind)}",
                    "owner_id": str(owner),
                    "description": name(kind),
                    "due_at": "2031-05-05T10:00:00Z",
                    "at": "2031-05-05T10:00:00Z",
                    **more,
                }
                if kind == "request" and ids is self.mine:
                    values["parent_id"] = str(self.hidden["request"])
                given = {one: value for one, value in values.items() if one in known}
                # It was the reader's before: a notice told of it then.
                given["owner_id"] = str(self.me)
                made = int((await hub.do(CreateObject(kind=kind, values=given)))[0])
                if owner != self.me:
                    passed = {"owner_id": str(owner)}
                    await hub.do(ChangeObject(kind=kind, object_id=made, values=passed))
                ids[kind] = made
            for kind in ("lead", "request", "interest", "task", "meeting", "client"):
                link = LinkDialog(
                    kind=kind,
                    object_id=points_at[kind],
                    dialog_id=ids["dialog"],  # type: ignore[arg-type]
                )
                await hub.do(link)
        people = (Participant(contact_id=self.hidden["contact"], role="buyer"),)  # type: ignore[arg-type]
        mine = InterestId(self.mine["interest"])
        await hub.do(SetInterestPeople(interest_id=mine, people=people))
        address = Address(kind="email", value="wolfram@example.org")
        await hub.do(AddAddress(contact_id=ContactId(self.hidden["contact"]), address=address))
        self._about_addresses()

    def _about_addresses(self) -> None:
        """The hidden person's address: asked to confirm, and told in one's own dialog."""
        with self.world.house.runtime.database.administer() as conn:
            theirs = (addresses.c.contact_id == self.hidden["contact"]) & (
                addresses.c.kind == "email"
            )
            row = conn.execute(select(addresses).where(theirs)).one()
            values = {"id": 1, "contact_id": row.contact_id, "address_id": row.id}
            conn.execute(insert(confirmations).values(topic="news", **values))
            told = {"kind": row.kind, "value": row.value, "normal": row.normal}
            talk = self.mine["dialog"]
            conn.execute(insert(said_addresses).values(id=1, dialog_id=talk, message_id=1, **told))

    def ids(self, path: str, name: str) -> list[str]:
        """Give what may stand in a path's place: the ids of its kind, hidden and one's own."""
        kind = name.removesuffix("_id")
        if kind not in self.hidden:
            first = path.removeprefix("/api/v1").split("/")[1]
            kind = {"inbox": "dialog"}.get(first, first.removesuffix("s"))
        if kind not in self.hidden:
            return ["1"]
        return [str(self.hidden[kind]), str(self.mine[kind])]

    def paths(self, path: str) -> Iterator[str]:
        """Give a path with everything in its places."""
        place = re.search(r"{(\w+)(:\w+)?}", path)
        if place is None:
            yield path
            return
        found = KINDS if place[1] == "kind" else self.ids(path, place[1])
        for one in found:
            yield from self.paths(path.replace(place[0], one, 1))


def pages() -> list[str]:
    """Give the path of every page that is only looked at."""
    found = {
        one.path
        for one in page_routes()
        if isinstance(one, Route) and "GET" in (one.methods or ()) and one.path not in ENDLESS
    }
    return sorted(found)


@pytest.fixture
async def planted(world: World, request: Any) -> Planted:
    """Somebody who reaches his own work, or his team's, and somebody out of his reach."""
    scope = request.param
    house = world.house
    subjects = {"dialogs", *(one.kind.subject for one in NOUNS.values())}
    await house.system.do(
        SaveRole(
            name="narrow",
            based_on="agent",
            permissions=frozenset(PERMISSIONS) - ABOVE,
            scopes=dict.fromkeys(sorted(subjects), scope),
        )
    )
    me, other = await world.user("narrow"), await house.user("supervisor")
    # He is the head: what stands above is as far out of reach as what stands beside.
    above = (await house.system.do(SaveTeam(name="South", members=(other,))))[0]
    await house.system.do(SaveTeam(name="North", members=(me,), parent_id=above))
    found = Planted(world, me, other)
    await found.plant()
    return found


SCOPES = pytest.mark.parametrize("planted", [Scope.OWN, Scope.TEAM], indirect=True)


def told(text: str) -> list[str]:
    """Give what an answer tells of hidden things."""
    return [kind for kind in KINDS if secret(kind) in text]


@pytest.mark.slow
@SCOPES
async def test_no_page_tells_what_is_anothers(world: World, planted: Planted) -> None:
    browser = world.house.browser()
    assert (await browser.log_in("narrow@example.org")).status_code == 303
    wrong, read = [], 0
    for path in pages():
        for address in planted.paths(path):
            for search in SEARCHES:
                answer = await browser.get(address + search)
                read += answer.status_code == 200
                wrong += [f"{address}{search}: {one}" for one in told(answer.text)]
                if answer.status_code >= 500:
                    wrong.append(f"{address}{search}: {answer.status_code}")
                if answer.status_code in (403, 404):
                    break
    assert not wrong
    # What is one's own is there, so the walk was no walk past closed doors.
    assert read > 150
    boss = world.house.browser()
    assert (await boss.log_in("supervisor@example.org")).status_code == 303
    for kind in ("lead", "request", "interest", "task", "client", "contact"):
        path = f"/{NOUNS[kind].kind.path}/{planted.mine[kind]}"
        assert (await browser.get(path)).status_code == 200, path
        hidden = f"/{NOUNS[kind].kind.path}/{planted.hidden[kind]}"
        assert (await browser.get(hidden)).status_code == 404, hidden
        # Whose it is finds the word there, and where one's own points at it.
        assert kind in told((await boss.get(hidden)).text)
    linked = (await boss.get(f"/requests/{planted.mine['request']}")).text
    assert {"client", "contact", "request"} <= set(told(linked))
    dialog = (await boss.get(f"/inbox/{planted.mine['dialog']}")).text
    assert {"lead", "request", "interest"} <= set(told(dialog))


@SCOPES
async def test_no_endpoint_tells_what_is_anothers(world: World, planted: Planted) -> None:
    program = await world.program("narrow")
    wrong, read = [], 0
    for endpoint in RIGHTS:
        verb, path = endpoint.split()
        if verb != "GET" or f"/api/v1{path}" in ENDLESS:
            continue
        for address in planted.paths(path):
            for search in ("", f"?q={COMMON}", "?removed=true", "?view=everything"):
                answer = await program.get(address + search)
                read += answer.status_code == 200
                wrong += [f"{address}{search}: {one}" for one in told(answer.text)]
                if answer.status_code >= 500:
                    wrong.append(f"{address}{search}: {answer.status_code}")
                for kind, one in planted.hidden.items():
                    if f"/{one}" in address and answer.status_code == 200:
                        wrong.append(f"{address}: {kind} answers {answer.status_code}")
                if answer.status_code in (403, 404):
                    break
    assert not wrong
    assert read > 150
    world.users["supervisor"] = planted.other
    boss = await world.program("supervisor")
    for kind in ("lead", "request", "interest", "task", "meeting", "client", "contact"):
        path = f"/{NOUNS[kind].kind.path}"
        assert kind in told((await boss.get(f"{path}?q={COMMON}")).text)
        assert told((await program.get(f"{path}?q={COMMON}")).text) == []


@SCOPES
async def test_calendar_and_live_stream_tell_nothing_of_others(
    world: World, planted: Planted
) -> None:
    house = world.house
    browser = house.browser()
    await browser.log_in("narrow@example.org")
    made = await browser.submit("/settings/notices", data={"do": "make"})
    [path] = re.findall(r'value="[^"]*(/ical/[^"]+\.ics)"', made.text)
    calendar = (await browser.get(path)).text
    assert f"{COMMON} task" in calendar
    assert told(calendar) == []

    listener = await Listener(house, planted.me).start()
    for ids in (planted.hidden, planted.mine):
        position = UpdateContact(contact_id=ContactId(ids["contact"]), position="Engineer")
        await house.system.do(position)
        for kind in ("lead", "request", "interest", "task", "client"):
            prop = "source" if kind in ("lead", "interest", "client") else "priority"
            change = ChangeObject(kind=kind, object_id=ids[kind], values={prop: "high"})
            await house.system.do(change)
    last = {"k": "object", "kind": "client", "id": str(planted.mine["client"])}
    heard: list[Any] = []

    def wanted(item: dict[str, Any]) -> bool:
        heard.append(item)
        return item == last

    await listener.hear(wanted)
    text = json.dumps(heard)
    assert told(text) == []
    assert str(planted.mine["request"]) in text
    assert {"k": "contact", "id": str(planted.mine["contact"])} in heard
    assert [kind for kind, one in planted.hidden.items() if f'"{one}"' in text] == []

    # Whose card goes to another must see it go; who is let into an interest hears of it.
    lead, interest = planted.mine["lead"], planted.hidden["interest"]
    let_in = AddCoExecutor(interest_id=InterestId(interest), user_id=planted.me, grant=True)
    passed = {"owner_id": str(planted.other)}
    await house.system.do(
        let_in,
        ChangeObject(kind="lead", object_id=lead, values=passed),
        ChangeObject(kind="interest", object_id=interest, values={"source": "fair"}),
    )
    for one in (lead, interest):
        await listener.hear(lambda item, one=one: item.get("id") == str(one))
    await listener.leave()


@SCOPES
async def test_nothing_of_others_is_changed(world: World, planted: Planted) -> None:
    program = await world.program("narrow")
    ids = {f"{kind}_id": str(one) for kind, one in planted.hidden.items()}
    bodies = {**BODIES, **MORE_BODIES}
    bodies["POST /requests/{request_id}/merge"] = {"into_id": str(planted.mine["request"])}
    wrong, tried = [], 0
    for endpoint in RIGHTS:
        verb, _, path = endpoint.partition(" ")
        if verb == "GET" or not any(f"{{{one}}}" in path for one in ids):
            continue
        answer = await _call(program, endpoint, ids, bodies.get(endpoint))
        tried += 1
        if answer.status_code not in (403, 404):
            wrong.append(f"{endpoint}: {answer.status_code} {answer.text[:200]}")
    assert not wrong
    assert tried > 55
