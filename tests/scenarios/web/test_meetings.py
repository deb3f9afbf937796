"""Meetings and calls on screen: a planned one is the same row in My day, calendar, card and list."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from hub import CreateContact, CreateObject, SaveField
from tests.scenarios.web.house import ADDRESS, House


async def test_a_planned_call_is_seen_in_my_day_calendar_and_card_and_has_a_page(
    hub: House,
) -> None:
    browser = await hub.logged_in("agent")
    anna = (await hub.system.do(CreateContact(name="Anna")))[0]
    at = datetime.now(UTC)
    form = {
        "title": "Call Anna",
        "form": "call",
        "at": at.strftime("%Y-%m-%dT%H:%M"),
        "contact_id": str(anna),
        "next_step": "Send the offer",
    }
    made = await browser.submit("/meetings", "/meetings?new=1", form)
    path = made.headers["location"]
    assert re.fullmatch(r"/meetings/\d+", path)
    # Without another word it is of whoever notes it.
    steps = (await browser.get("/day")).text.partition('id="h-steps"')[2].partition("</section>")[0]
    assert f'href="{path}"' in steps
    calendar = (await browser.get(f"/meetings/calendar?month={at:%Y-%m}&view=mine")).text
    assert f'href="{path}"' in calendar.partition(f'datetime="{at:%Y-%m-%d}"')[2]
    for page in (f"/contacts/{anna}", f"/contacts/{anna}?only=calls", "/meetings"):
        assert f'href="{path}"' in (await browser.get(page)).text, page
    feed = await browser.submit("/settings/notices", data={"do": "make"})
    [address] = re.findall(r'value="[^"]*(/ical/[^"]+\.ics)"', feed.text)
    entries = (await hub.browser().get(address)).text.replace("\r\n ", "")
    assert f"URL:{ADDRESS}{path}\r\n" in entries
    assert (await browser.get(path)).status_code == 200


async def test_a_meeting_is_changed_with_fields_of_ones_own_found_and_put_into_the_bin(
    hub: House,
) -> None:
    await hub.system.do(SaveField(kind="meeting", label="Room"))
    browser = await hub.logged_in("agent")
    values = {"title": "Sea trial", "at": "2031-05-14T12:00:00Z"}
    made = (await hub.system.do(CreateObject(kind="meeting", values=values)))[0]
    path = f"/meetings/{made}"
    card = (await browser.get(path)).text
    assert 'value="2031-05-14T12:00"' in card
    [version] = re.findall(r'name="version" value="(\d+)"', card)
    given = {"version": version, "title": "Sea trial", "form": "call", "custom.room": "Deck"}
    assert (await browser.submit(path, data=given)).headers["location"] == path
    assert 'value="Deck"' in (await browser.get(path)).text
    only = '{"field":"meeting.form","operator":"in","value":["call"]}'
    assert path in (await browser.get("/meetings", params={"filter": only})).text
    month = "/meetings/calendar?month=2031-05"
    assert path in (await browser.get(month)).text
    await browser.submit(f"{path}/act", path, {"do": "remove"})
    for page in ("/meetings", month):
        assert path not in (await browser.get(page)).text
    assert path in (await browser.get("/meetings?view=bin")).text
    await browser.submit(f"{path}/act", path, {"do": "restore"})
    assert path in (await browser.get("/meetings")).text
    # Who may only look finds no form.
    auditor = await hub.logged_in("auditor")
    assert 'name="title"' not in (await auditor.get(path)).text


@pytest.mark.parametrize("path", ["/tasks/calendar", "/requests/calendar", "/meetings/calendar"])
async def test_a_calendar_shows_a_month_and_survives_any_that_is_none(
    hub: House, path: str
) -> None:
    browser = await hub.logged_in("agent")
    if path == "/tasks/calendar":
        for hours in (9, 23):
            values = {"title": f"At {hours}", "due_at": f"2031-05-14T{hours:02}:30:00Z"}
            await hub.system.do(CreateObject(kind="task", values=values))
        days = re.split("<time", (await browser.get(f"{path}?month=2031-05")).text)
        [day] = [one for one in days if 'datetime="2031-05-14"' in one]
        assert day.index("At 9") < day.index("At 23")
        # Nobody has them.
        assert "At 9" not in (await browser.get(f"{path}?month=2031-05&view=mine")).text
    for month in ("nonsense", "0001-01", "9999-12", "2031-13", ""):
        assert (await browser.get(path, params={"month": month})).status_code == 200, month
