"""Tags of dialogs: each once, whoever adds it, and nothing of an act that failed stays behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub import DialogId, DialogQuery, HubError, TagDialog
from tests.houses import House, house, message


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def tags(home: House, dialog_id: DialogId) -> list[str]:
    return sorted((await home.user.dialog(dialog_id)).tags)


async def a_dialog(home: House, key: str = "a") -> DialogId:
    await home.receive(message(key, f"person-{key}"))
    page = await home.user.dialogs(DialogQuery(view="everything"))
    return page.dialogs[0].id


async def test_a_tag_is_there_once_however_it_is_written(home: House) -> None:
    one = await a_dialog(home)
    await home.user.do(TagDialog(dialog_id=one, add=("VIP", "vip", " VIP ", "лодки")))
    await home.user.do(TagDialog(dialog_id=one, add=("Vip",)))
    assert await tags(home, one) == ["VIP", "лодки"]
    await home.user.do(TagDialog(dialog_id=one, add=("new",), remove=("vIp", "never heard of")))
    assert await tags(home, one) == ["new", "лодки"]


async def test_what_is_added_and_removed_at_once_changes_sides(home: House) -> None:
    one = await a_dialog(home)
    both = TagDialog(dialog_id=one, add=("hot",), remove=("hot",))
    await home.user.do(both)
    assert await tags(home, one) == ["hot"]
    await home.user.do(both)
    assert await tags(home, one) == []


async def test_a_tag_of_an_act_that_failed_is_made_anew_by_the_next(home: House) -> None:
    one = await a_dialog(home)
    nobody = DialogId(int(one) + 999)
    with pytest.raises(HubError):
        await home.user.do(
            TagDialog(dialog_id=one, add=("fresh",)), TagDialog(dialog_id=nobody, add=("fresh",))
        )
    assert await tags(home, one) == []
    await home.user.do(TagDialog(dialog_id=one, add=("fresh",)))
    assert await tags(home, one) == ["fresh"]
