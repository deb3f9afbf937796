"""Lists find what has the words, by the index and by reading: both say the same."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from crm_store import object_grams, objects
from crm_store.nouns import NOUNS, Noun
from crm_store.objects import ObjectQuery
from hub import ChangeObject, CreateObject
from tests.houses import House, house


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def found(home: House, noun: Noun, asked: str) -> list[int]:
    page = await home.user.read(objects.page, noun, ObjectQuery(text=asked, sort="id"))
    return [one.id for one in page.items]


@pytest.mark.parametrize("kind", sorted(NOUNS))
async def test_every_text_of_a_list_is_found_by_any_part_and_forgotten(
    home: House, kind: str
) -> None:
    """The index has each column that a list looks into, whoever writes it."""
    noun = NOUNS[kind]
    names = [one.name for one in object_grams.text_columns(noun)]

    def write(conn: Any) -> None:
        for n, name in enumerate(names):
            row = dict.fromkeys(names, "") | {name: f"harbour {n} причал"}
            conn.execute(insert(noun.table).values(id=n + 1, **row))

    def change(conn: Any) -> None:
        for n, name in enumerate(names):
            statement = noun.table.update().where(noun.table.c.id == n + 1)
            conn.execute(statement.values({name: "верфь"}))

    every = list(range(1, len(names) + 1))
    with home.runtime.database.administer() as conn:
        write(conn)
        assert object_grams.candidates(conn, noun, ["ричал"]) is not None
    assert await found(home, noun, "ричал") == every
    assert await found(home, noun, "RBO прича") == every
    assert await found(home, noun, "harbourr") == []
    with home.runtime.database.administer() as conn:
        change(conn)
        assert object_grams.candidates(conn, noun, ["harbour"]) == []
        assert sorted(object_grams.candidates(conn, noun, ["верфь"]) or ()) == every
        conn.execute(noun.table.delete().where(noun.table.c.id == 1))
        assert sorted(object_grams.candidates(conn, noun, ["верфь"]) or ()) == every[1:]


async def test_commands_keep_the_index_in_step(home: House) -> None:
    noun = NOUNS["client"]
    made = (await home.user.do(CreateObject(kind="client", values={"name": "Ёлки и Ко"})))[0]
    assert await found(home, noun, "елки") == [made]
    await home.user.do(ChangeObject(kind="client", object_id=made, values={"name": "Сосны"}))
    assert await found(home, noun, "елки") == []
    assert await found(home, noun, "осн") == [made]


async def test_short_words_common_words_and_signs_are_found_too(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    noun = NOUNS["client"]
    monkeypatch.setattr(object_grams, "CANDIDATES", 2)
    made = [
        (await home.user.do(CreateObject(kind="client", values={"name": name})))[0]
        for name in ('ООО "Заря-1"', 'ООО "Заря-2"', 'ООО "Заря-3"', "AND OR NOT*")
    ]
    with home.runtime.database.administer() as conn:
        assert object_grams.candidates(conn, noun, ["зa"]) is None
        assert object_grams.candidates(conn, noun, ["заря"]) is None
    assert await found(home, noun, "заря") == made[:3]
    assert await found(home, noun, "за") == made[:3]
    assert await found(home, noun, '"заря-2"') == [made[1]]
    assert await found(home, noun, "not* and") == [made[3]]
    assert await found(home, noun, "100%") == []


async def test_the_index_and_reading_every_row_agree(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    noun, dice = NOUNS["lead"], random.Random(5)

    def some(most: int) -> str:
        return "".join(dice.choices("абв1 -@.", k=dice.randint(1, most))).strip()

    with home.runtime.database.administer() as conn:
        conn.execute(
            insert(noun.table),
            [
                {"id": n, "title_folded": some(12), "email_folded": some(9), "name_folded": some(6)}
                for n in range(1, 120)
            ],
        )
    asked = [some(8) for _ in range(60)]
    by_index = [await found(home, noun, one) for one in asked]
    monkeypatch.setattr(object_grams, "candidates", lambda *_: None)
    assert by_index == [await found(home, noun, one) for one in asked]
    assert any(by_index)
