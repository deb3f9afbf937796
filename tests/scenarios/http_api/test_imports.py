"""Imports over the API: uploaded, set up, checked, carried out by the job, and taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.ids import ImportId
from hub.importing import work
from tests.scenarios.http_api.world import Program, World, open_world

TEXT = "Имя;Телефон;E-mail\nАнна;+79120000001;a@example.org\nБорис;;не почта\n"


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path, database_url) as one:
        yield one


async def _worked(world: World, program: Program, path: str) -> Any:
    """What the hub's job does by itself where loops run."""
    await work(world.house.system, ImportId(int(path.rsplit("/", 1)[1])))
    return await program.ok("GET", path)


async def test_a_file_is_imported_and_taken_back_over_the_api(world: World) -> None:
    program = await world.program("supervisor")
    files = {"file": ("people.csv", TEXT.encode("cp1251"), "text/csv")}
    made = await program.ok("POST", "/imports", files=files, data={"kind": "client"})
    path = f"/imports/{made['id']}"
    assert made["fields"]["columns"] == ["name", "phone", "email"]
    assert (await program.ok("GET", f"{path}/sample"))[0][0] == "Анна"
    keys = [one["name"] for one in await program.ok("GET", "/imports/targets") if one["is_key"]]
    assert keys == ["id", "external_id", "name", "phone", "email", "inn"]
    body = {
        "columns": ["name", "phone", "email"],
        "keys": ["email"],
        "defaults": {"source": "fair"},
    }
    # Parts of a name make one name, several columns the addresses of a client; numbers do not.
    await program.refused(422, "invalid", "PUT", path, json={"columns": ["inn", "", "inn"]})
    parts = {"columns": ["name", "name", "email"], "keys": ["email"]}
    assert (await program.ok("PUT", path, json=parts))["version"] == 2
    assert (await program.ok("PUT", path, json=body))["version"] == 3
    await program.refused(422, "invalid", "PUT", path, json={"columns": ["nonsense"]})
    answer = await program.request("POST", f"{path}/check")
    assert (answer.status_code, answer.json()["state"]) == (202, "checking")
    await program.refused(409, "begun", "PUT", path, json=body)
    found = await _worked(world, program, path)
    assert (found["state"], found["found"]["created"], found["found"]["bad"]) == ("checked", 1, 1)
    assert (await program.request("POST", f"{path}/run")).status_code == 202
    assert (await _worked(world, program, path))["counts"] == found["found"]
    client = (await program.ok("GET", "/clients?q=анна"))["items"][0]
    assert (client["source"], client["phone"]) == ("fair", "+79120000001")
    bad = await program.get(f"{path}/bad")
    lines = bad.content.decode("utf-8-sig").splitlines()
    assert lines == [
        "Имя;Телефон;E-mail;error",
        "Борис;;не почта;email: this is not an e-mail address",
    ]
    assert (await program.request("POST", f"{path}/undo")).status_code == 202
    assert (await _worked(world, program, path))["undone"]["removed"] == 1
    assert (await program.ok("GET", "/clients"))["items"] == []
    assert (await program.ok("GET", "/imports"))["items"][0]["id"] == made["id"]
    await program.ok("DELETE", path)
    await program.refused(404, "not_found", "GET", path)


async def test_a_person_finds_his_client_by_its_name(world: World) -> None:
    program = await world.program("supervisor")
    parus = await program.ok("POST", "/clients", json={"name": "ООО «Парус»"})
    for _ in range(2):
        await program.ok("POST", "/clients", json={"name": "Двойник"})
    text = f"Имя;Компания\nАнна;ооо «парус»\nБорис;Двойник\nВера;Никто\nГлеб;{parus['id']}\nДина;\n"
    files = {"file": ("people.csv", text.encode())}
    made = await program.ok("POST", "/imports", files=files, data={"kind": "contact"})
    path = f"/imports/{made['id']}"
    assert made["fields"]["columns"] == ["name", "client_id"]
    assert (await program.request("POST", f"{path}/check")).status_code == 202
    found = await _worked(world, program, path)
    assert (found["found"]["created"], found["found"]["bad"]) == (3, 2)
    assert (await program.request("POST", f"{path}/run")).status_code == 202
    await _worked(world, program, path)
    people = (await program.ok("GET", "/contacts"))["items"]
    assert {one["name"] for one in people if one["client_id"] == parus["id"]} == {"Анна", "Глеб"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"Name\n", "no rows"),
        (b"\xd0\xcf\x11\xe0old", "old Excel"),
        (b"PK\x03\x04broken", "damaged"),
        (b"a\x00b", "neither"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_with_advice(
    world: World, content: bytes, words: str
) -> None:
    program = await world.program("supervisor")
    files = {"file": ("x", content)}
    error = await program.refused(422, "invalid", "POST", "/imports", files=files)
    assert words in error["message"]
