"""Lists as workbooks and in chosen columns; texts never become formulas."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from hub import SaveField
from tests.scenarios.http_api.world import World, open_world


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path, database_url) as one:
        yield one


async def test_a_list_is_given_as_a_workbook_in_chosen_columns(world: World) -> None:
    await world.house.system.do(SaveField(kind="client", label="Deposit", type="money"))
    program = await world.program("supervisor")
    body = {
        "name": "=HYPERLINK(1)",
        "birthday": "1990-05-01T00:00:00Z",
        "custom": {"deposit": 120_050},
    }
    await program.ok("POST", "/clients", json=body)
    for n in range(210):
        await program.ok("POST", "/clients", json={"name": f"Client {n}"})
    path = "/clients/export?sort=created_at&columns=birthday,custom.deposit"
    answer = await program.get(f"{path}&format=xlsx")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats")
    rows = list(load_workbook(io.BytesIO(answer.content)).active.values)  # type: ignore[union-attr]
    assert rows[0] == ("id", "name", "birthday", "custom.deposit")
    assert rows[1][1] == "'=HYPERLINK(1)"
    assert (str(rows[1][2])[:10], rows[1][3]) == ("1990-05-01", 1200.5)
    assert len(rows) == 212
    csv = (await program.get(path)).content.decode("utf-8-sig").splitlines()
    assert csv[0] == "id,name,birthday,custom.deposit"
    assert csv[1].endswith("'=HYPERLINK(1),1990-05-01,1200.50")
    assert len(csv) == 212
    await (await world.program("agent")).refused(403, "not_allowed", "GET", path)


async def test_characters_that_no_workbook_may_hold_are_left_out(world: World) -> None:
    program = await world.program("supervisor")
    await program.ok("POST", "/clients", json={"name": "Bo\x01ats \ufffe😀"})
    answer = await program.get("/clients/export?columns=name&format=xlsx")
    assert answer.status_code == 200
    rows = list(load_workbook(io.BytesIO(answer.content)).active.values)  # type: ignore[union-attr]
    assert rows[1][1] == "Boats 😀"


async def test_a_stage_is_written_by_its_name(world: World) -> None:
    program = await world.program("supervisor")
    await program.ok("POST", "/interests", json={"title": "Boats", "currency": "EUR"})
    answer = await program.get("/interests/export?columns=pipeline_id,stage_id")
    assert answer.content.decode().splitlines()[1].endswith(",Boats,Sales,New")
