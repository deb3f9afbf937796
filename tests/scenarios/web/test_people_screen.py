"""Colleagues: hired by password or by link, changed, kept out; one's own profile."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest

from crm_store.sessions import sessions_of
from crm_store.users import all_teams, all_users, credentials
from hub import CreateLead, SaveTeam, SetSecondFactor, UserId
from tests.scenarios.web.house import ADDRESS, PASSWORD, Browser, House, csrf_of

NEW = {"name": "Vera", "email": "vera@example.org", "role": "agent", "language": "ru"}
PROFILE = {
    "name": "Ada",
    "language": "ru",
    "time_zone": "Europe/Moscow",
    "theme": "dark",
    "density": "compact",
    "send_key": "enter",
    "undo_seconds": "10",
    "single_keys": "yes",
    "signature": "Ada\r\n<Support>",
}


async def invited(browser: Browser) -> tuple[str, str]:
    answer = await browser.submit("/settings/users", data=NEW)
    assert answer.status_code == 200, answer.text
    link = re.search(r'value="(http[^"]*/invite/[^"]+)"', answer.text)
    assert link
    return link[1], answer.text


async def user_id(hub: House, email: str) -> UserId:
    return next(one.id for one in await hub.system.read(all_users) if one.email == email)


async def test_an_invited_colleague_chooses_a_password_and_is_in(hub: House) -> None:
    link, _ = await invited(await hub.logged_in())
    assert link.startswith(f"{ADDRESS}/invite/")
    vera = hub.browser("203.0.113.20")
    page = await vera.get(link)
    assert "Vera" in page.text
    answer = await vera.post(link, data={"password": "short"})
    assert answer.status_code == 422
    answer = await vera.post(link, data={"password": "a long enough word"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox")
    assert (await vera.get("/inbox")).status_code == 200
    # The link opens once.
    late = hub.browser()
    assert (await late.get(link)).status_code == 410
    assert (await late.post(link, data={"password": "another long word"})).status_code == 410
    assert (await late.log_in("vera@example.org", "a long enough word")).status_code == 303


async def test_a_colleague_without_a_password_cannot_log_in(hub: House) -> None:
    await invited(await hub.logged_in())
    for password in ("", " ", "anything at all"):
        assert (await hub.browser().log_in("vera@example.org", password)).status_code == 401


@pytest.mark.parametrize("token", ["nothing", "1.2.3.4", "1.99999.OjE.AAAA", "a" * 3000])
async def test_a_forged_invitation_opens_nothing(hub: House, token: str) -> None:
    await hub.user()
    answer = await hub.browser().get(f"/invite/{token}")
    assert answer.status_code == 410


async def test_an_invitation_of_another_site_is_refused(hub: House) -> None:
    link, _ = await invited(await hub.logged_in())
    answer = await hub.browser().post(
        link,
        data={"password": "a long enough word"},
        headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403


async def test_a_colleague_with_a_password_is_hired_at_once(hub: House) -> None:
    browser = await hub.logged_in()
    answer = await browser.submit("/settings/users", data={**NEW, "password": "1234567890"})
    assert answer.status_code == 303, answer.text
    assert (await hub.browser().log_in("vera@example.org", "1234567890")).status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"name": ""},
        {"role": "emperor"},
        {"password": "short"},
        {"email": "ADMINISTRATOR@example.org"},
    ],
)
async def test_a_wrong_colleague_is_not_hired(hub: House, wrong: dict[str, str]) -> None:
    browser = await hub.logged_in()
    answer = await browser.submit("/settings/users", data={**NEW, **wrong})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert len(await hub.system.read(all_users)) == 1


async def test_the_last_administrator_stays_one(hub: House) -> None:
    browser = await hub.logged_in()
    me = await user_id(hub, "administrator@example.org")
    here = f"/settings/users/{me}"
    data = {"name": "Ada", "email": "administrator@example.org", "role": "agent"}
    answer = await browser.submit(here, data=data)
    assert answer.status_code == 422
    assert "last administrator" in answer.text
    answer = await browser.submit(f"{here}/act", page=here, data={"do": "off"})
    assert answer.status_code == 422
    await hub.user("administrator", "second@example.org")
    assert (await browser.submit(here, data=data)).status_code == 303
    assert (await hub.system.user(me)).role == "agent"


async def test_a_colleague_is_changed_kept_out_and_let_in_again(hub: House) -> None:
    browser = await hub.logged_in()
    agent = await hub.logged_in("agent")
    number = await user_id(hub, "agent@example.org")
    here = f"/settings/users/{number}"
    await browser.submit("/settings/teams", data={"team_id": "0", "name": "First line"})
    (team,) = await hub.system.read(all_teams)
    data = {"name": "Boris", "email": "boris@example.org", "role": "supervisor"}
    answer = await browser.submit(here, data={**data, "teams": [str(team.id)]})
    assert answer.status_code == 303, answer.text
    user = await hub.system.user(number)
    assert (user.name, user.email, user.role, user.teams) == (
        "Boris",
        "boris@example.org",
        "supervisor",
        (team.id,),
    )
    # A new role counts at the next request of a session that is open already.
    assert (await agent.get("/settings/journal")).status_code == 200
    await browser.submit(f"{here}/act", page=here, data={"do": "off"})
    assert (await agent.get("/inbox")).status_code == 303
    await browser.submit(f"{here}/act", page=here, data={"do": "on"})
    assert (await agent.log_in("boris@example.org")).status_code == 303
    await browser.submit(f"{here}/act", page=here, data={"do": "logout"})
    assert (await agent.get("/inbox")).status_code == 303


async def test_what_is_left_with_whoever_is_kept_out_is_said_and_handed_over(hub: House) -> None:
    browser = await hub.logged_in()
    number = await hub.user("agent")
    here = f"/settings/users/{number}"
    await hub.system.do(CreateLead(values={"title": "Ten lamps", "owner_id": number}))
    assert 'id="left"' not in (await browser.get(here)).text
    await browser.submit(f"{here}/act", page=here, data={"do": "off"})
    page = (await browser.get(here)).text
    assert "1 dialog or other thing is still with this colleague" in page
    where = f"/settings/handovers?from={number}"
    assert where in page
    page = (await browser.get(where)).text
    assert f'<option value="{number}" selected>' in page
    assert re.search(r'name="what" value="lead" checked', page)
    await browser.submit(f"{here}/act", page=here, data={"do": "on"})
    assert 'id="left"' not in (await browser.get(here)).text


async def test_a_new_link_ends_the_old_password_and_every_session(hub: House) -> None:
    browser = await hub.logged_in()
    agent = await hub.logged_in("agent")
    here = f"/settings/users/{await user_id(hub, 'agent@example.org')}"
    answer = await browser.submit(f"{here}/act", page=here, data={"do": "invite"})
    assert "/invite/" in answer.text
    assert (await agent.get("/inbox")).status_code == 303
    assert (await agent.log_in("agent@example.org")).status_code == 401


async def test_teams_are_made_and_changed(hub: House) -> None:
    browser = await hub.logged_in()
    agent = await hub.user("agent")
    await browser.submit(
        "/settings/teams", data={"team_id": "0", "name": "Night", "members": [str(agent)]}
    )
    (team,) = await hub.system.read(all_teams)
    assert (team.name, team.members) == ("Night", (agent,))
    await browser.submit("/settings/teams", data={"team_id": str(team.id), "name": "Day"})
    assert [(one.name, one.members) for one in await hub.system.read(all_teams)] == [("Day", ())]
    answer = await browser.submit("/settings/teams", data={"team_id": "0", "name": " "})
    assert answer.status_code == 422
    assert "selected" not in answer.text


async def test_teams_are_drawn_as_the_tree_they_stand_in(hub: House) -> None:
    browser, member = await hub.logged_in(), await hub.logged_in("agent")
    agent = await user_id(hub, "agent@example.org")
    care = (await hub.system.do(SaveTeam(name="Care")))[0]
    night = {"team_id": "0", "name": "Afternoon", "parent_id": str(care), "members": [str(agent)]}
    await browser.submit("/settings/teams", data=night)
    known = {one.name: one for one in await hub.system.read(all_teams)}
    below = known["Afternoon"].id
    assert known["Afternoon"].parent_id == care
    text = (await browser.get("/settings/teams")).text
    drawn = re.findall(r'data-depth="(\d)" id="team-(\d+)"', text)
    assert drawn == [("0", str(care)), ("1", str(below))]
    # Nothing is offered that would make a circle; who asks for one is told the way round.
    assert re.findall(r"<option [^>]*>([^<]+)</option>", text.partition('id="f-parent-0"')[0]) == [
        "No other team",
        "Care",
    ]
    wrong = {"team_id": str(care), "name": "Carers", "parent_id": str(below)}
    answer = await browser.submit("/settings/teams", data=wrong)
    assert answer.status_code == 422
    assert "A team cannot stand under itself: Care → Afternoon → Care" in answer.text
    assert 'value="Carers"' in answer.text
    assert "Stands under: Care" in (await member.get("/settings/teams")).text


async def test_a_team_is_removed_when_another_takes_over_what_hangs_on_it(hub: House) -> None:
    browser, agent = await hub.logged_in(), await hub.logged_in("agent")
    member = await user_id(hub, "agent@example.org")
    night = (await hub.system.do(SaveTeam(name="Night", members=(member,))))[0]
    path = f"/settings/teams/{night}/remove"
    assert f'href="{path}"' in (await browser.get("/settings/teams")).text
    assert (await agent.get(path)).status_code == 403
    page = (await browser.get(path)).text
    assert "Remove Night?" in page
    assert "<dt>Members</dt><dd>1</dd>" in page
    assert "There is no other team" in page
    day = (await hub.system.do(SaveTeam(name="Day")))[0]
    refused = await browser.submit(path, data={"into": ""})
    assert refused.status_code == 422
    assert "choose the team that takes it over" in refused.text
    answer = await browser.submit(path, data={"into": str(day)})
    assert answer.headers["location"] == "/settings/teams?said=removed"
    (team,) = await hub.system.read(all_teams)
    assert (team.name, team.members) == ("Day", (member,))
    head = {"x-csrf-token": await browser.csrf(), "accept": "application/json"}
    gone = await browser.delete(f"/api/v1/teams/{day}", headers=head)
    assert gone.status_code == 409
    assert gone.json()["error"]["details"] == {"counts": {"member": 1}}
    third = (await hub.system.do(SaveTeam(name="Third")))[0]
    gone = await browser.delete(f"/api/v1/teams/{day}?move_to={third}", headers=head)
    assert gone.status_code == 204
    assert [one.id for one in await hub.system.read(all_teams)] == [third]


# -- one's own profile ---------------------------------------------------------------------


async def test_every_field_of_the_profile_makes_the_round_trip(hub: House) -> None:
    browser = await hub.logged_in("agent")
    answer = await browser.submit("/settings/profile", data=PROFILE)
    assert answer.headers["location"] == "/settings/profile?said=saved"
    user = await hub.system.user(await user_id(hub, "agent@example.org"))
    assert (user.name, user.language, user.time_zone, user.theme) == (
        "Ada",
        "ru",
        "Europe/Moscow",
        "dark",
    )
    assert user.signature == "Ada\n<Support>"
    assert user.preferences == {
        "density": "compact",
        "send_key": "enter",
        "undo_seconds": 10,
        "single_keys": "on",
        "sound": "off",
    }
    page = (await browser.get("/settings/profile")).text
    assert '<html lang="ru" data-theme="dark" data-density="compact"' in page
    assert "&lt;Support&gt;" in page


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"time_zone": "Mars/North"}, {"language": "tlh"}, {"theme": "pink"}]
)
async def test_a_wrong_profile_is_not_saved(hub: House, wrong: dict[str, str]) -> None:
    browser = await hub.logged_in("agent")
    answer = await browser.submit("/settings/profile", data={**PROFILE, **wrong})
    assert answer.status_code == 422
    user = await hub.system.user(await user_id(hub, "agent@example.org"))
    assert user.name == "Agent"


async def change(browser: Browser, current: str, new: str) -> Any:
    data = {"current": current, "password": new}
    return await browser.submit("/settings/profile/password", page="/settings/profile", data=data)


async def test_a_new_password_logs_every_other_browser_out(hub: House) -> None:
    browser = await hub.logged_in("agent")
    other = hub.browser("203.0.113.7")
    await other.log_in("agent@example.org")
    assert (await change(browser, "wrong password", "a brand new word")).status_code == 422
    assert (await change(browser, PASSWORD, "short")).status_code == 422
    assert (await other.get("/inbox")).status_code == 200
    assert (await change(browser, PASSWORD, "a brand new word")).status_code == 303
    assert (await browser.get("/inbox")).status_code == 200
    assert (await other.get("/inbox")).status_code == 303
    assert (await other.log_in("agent@example.org")).status_code == 401
    assert (await other.log_in("agent@example.org", "a brand new word")).status_code == 303


async def test_guessing_the_present_password_in_a_stolen_browser_is_stopped(hub: House) -> None:
    browser = await hub.logged_in("agent")
    for number in range(8):
        assert (await change(browser, f"guess {number}", "a brand new word")).status_code == 422
    assert (await change(browser, PASSWORD, "a brand new word")).status_code == 422


async def test_one_browser_logs_another_out_and_nobody_elses(hub: House) -> None:
    browser = await hub.logged_in("agent")
    other = hub.browser("203.0.113.7")
    await other.log_in("agent@example.org")
    admin = await hub.logged_in()
    number = await user_id(hub, "agent@example.org")
    marks = {one.token_hash[:16] for one in await hub.system.read(sessions_of, number)}
    page = (await browser.get("/settings/profile")).text
    (mark,) = re.findall(r'name="session" value="([0-9a-f]{16})"', page)
    assert mark in marks
    token = await admin.csrf()
    answer = await admin.post("/settings/profile/sessions", data={"_csrf": token, "session": mark})
    assert answer.status_code == 404
    for wrong in ("", "%", "0" * 16):
        data = {"_csrf": csrf_of(page), "session": wrong}
        assert (await browser.post("/settings/profile/sessions", data=data)).status_code == 404
    data = {"_csrf": csrf_of(page), "session": mark}
    await browser.post("/settings/profile/sessions", data=data)
    assert (await other.get("/inbox")).status_code == 303
    assert (await browser.get("/inbox")).status_code == 200
    await other.log_in("agent@example.org")
    data = {"_csrf": csrf_of(page), "session": "others"}
    await browser.post("/settings/profile/sessions", data=data)
    assert (await other.get("/inbox")).status_code == 303


async def test_the_second_factor_from_the_key_to_the_login(hub: House) -> None:
    browser = await hub.logged_in("agent")
    page = (await browser.get("/settings/profile/second")).text
    secret = re.search(r'name="key"[^>]*value="([A-Z2-7]{32})"', page)
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)
    assert secret
    assert sealed
    totp = pyotp.TOTP(secret[1])
    data = {"_csrf": csrf_of(page), "sealed": sealed[1]}
    answer = await browser.post("/settings/profile/second", data={**data, "code": "000000"})
    assert answer.status_code == 422
    at = hub.runtime.now() // 1_000_000
    answer = await browser.post("/settings/profile/second", data={**data, "code": totp.at(at)})
    assert answer.status_code == 303, answer.text
    known = await hub.system.read(credentials, "agent@example.org")
    assert known is not None
    assert secret[1] not in known[2]

    other = hub.browser("203.0.113.7")
    answer = await other.log_in("agent@example.org")
    assert (answer.status_code, 'name="code"' in answer.text) == (200, True)
    assert "hub_session" not in other.cookies
    assert (await other.log_in("agent@example.org", code="123456")).status_code == 401
    # The code that turned it on is used up; the next one opens, once.
    assert (await other.log_in("agent@example.org", code=totp.at(at))).status_code == 401
    fresh = totp.at(at + 30)
    assert (await other.log_in("agent@example.org", code=fresh)).status_code == 303
    assert (await other.log_in("agent@example.org", code=fresh)).status_code == 401

    wrong = {"current": "not it"}
    path = "/settings/profile/second/off"
    answer = await browser.submit(path, page="/settings/profile", data=wrong)
    assert answer.status_code == 422
    answer = await browser.submit(path, page="/settings/profile", data={"current": PASSWORD})
    assert answer.status_code == 303
    assert (await hub.browser("203.0.113.8").log_in("agent@example.org")).status_code == 303


async def test_a_key_of_somebody_else_cannot_be_slipped_in(hub: House) -> None:
    browser = await hub.logged_in("agent")
    other = await hub.logged_in("auditor")
    page = (await other.get("/settings/profile/second")).text
    secret = re.search(r'name="key"[^>]*value="([A-Z2-7]{32})"', page)
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)
    assert secret
    assert sealed
    code = pyotp.TOTP(secret[1]).at(hub.runtime.now() // 1_000_000)
    data = {"_csrf": await browser.csrf(), "sealed": sealed[1], "code": code}
    assert (await browser.post("/settings/profile/second", data=data)).status_code == 422
    known = await hub.system.read(credentials, "agent@example.org")
    assert known is not None
    assert known[2] == ""


async def test_an_administrator_turns_a_lost_second_factor_off_and_it_is_on_record(
    hub: House,
) -> None:
    browser = await hub.logged_in()
    number = await hub.user("agent")
    sealed = hub.runtime.keys.encrypt(pyotp.random_base32())
    await hub.system.do(SetSecondFactor(user_id=number, secret=sealed))
    agent = hub.browser("203.0.113.30")
    assert 'name="code"' in (await agent.log_in("agent@example.org")).text
    here = f"/settings/users/{number}"
    await browser.submit(f"{here}/act", page=here, data={"do": "second"})
    assert (await agent.log_in("agent@example.org")).status_code == 303
    page = (await browser.get("/settings/journal?type=user.changed")).text
    assert "second_factor" in page


async def test_a_page_over_plain_http_says_that_it_is_open_to_listeners(hub: House) -> None:
    browser = await hub.logged_in()
    assert "not encrypted" in (await browser.get("/settings/profile")).text
    secure = await browser.get("https://hub.example/settings/profile")
    assert "not encrypted" not in secure.text
