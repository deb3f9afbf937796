"""Working calendars over the API: made, holidays pasted, counted with, removed."""

from __future__ import annotations

from tests.scenarios.http_api.world import World


async def test_a_calendar_is_made_gets_holidays_and_counts(world: World) -> None:
    program = await world.program()
    first = (await program.ok("GET", "/calendars"))[0]
    assert (first["is_default"], first["week"]["fri"]) == (True, [["09:00", "18:00"]])
    made = await program.ok(
        "POST",
        "/calendars",
        json={
            "name": "Support",
            "time_zone": "Europe/Moscow",
            "week": {"mon": [["10:00", "14:00"]], "tue": [["10:00", "14:00"]]},
        },
    )
    path = f"/calendars/{made['id']}"
    changed = await program.ok(
        "POST", f"{path}/days", json={"text": "04.01-05.01 New Year\n09.01 working", "year": 2027}
    )
    assert sorted(changed["special"]) == ["2027-01-04", "2027-01-05", "2027-01-09"]
    assert changed["special"]["2027-01-09"]["hours"] == [["10:00", "14:00"]]
    counted = await program.ok(
        "POST", f"{path}/count", json={"start": "2027-01-01T00:00:00Z", "minutes": 300}
    )
    assert counted == {
        "ends_at": "2027-01-11T08:00:00.000000Z",
        "is_open": False,
        "next_open_at": "2027-01-09T07:00:00.000000Z",
    }
    await program.refused(422, "invalid", "POST", f"{path}/days", json={"text": "someday"})
    refused = await program.refused(422, "invalid", "PATCH", path, json={"week": {"mon": []}})
    assert refused["field"] == "week"
    await program.refused(409, "default", "DELETE", f"/calendars/{first['id']}")
    await program.ok("PATCH", path, json={"make_default": True})
    await program.ok("DELETE", f"/calendars/{first['id']}")
    [left, *_] = await program.ok("GET", "/calendars")
    assert (left["id"], left["is_default"]) == (made["id"], True)
    late = {"start": "9999-12-31T00:00:00Z", "minutes": 5}
    await program.refused(422, "invalid", "POST", f"{path}/count", json=late)
