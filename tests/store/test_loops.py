"""What is sent automatically ends before two machines talk for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dialogs.loops import MOST_AN_HOUR
from hub import Conflict, DialogId, SendMessage
from tests.houses import US, House, house, message


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def answer(home: House, dialog_id: DialogId, *, automated: bool = True) -> None:
    await home.system.do(SendMessage(dialog_id=dialog_id, text="Got it", automated=automated))


async def test_nothing_automatic_answers_a_machine(home: House) -> None:
    [first] = await home.receive(message("k1", automated=True))
    with pytest.raises(Conflict) as refused:
        await answer(home, first.dialog_id)
    assert refused.value.what == "automated"
    await answer(home, first.dialog_id, automated=False)
    await home.receive(message("k2"))
    await answer(home, first.dialog_id)


async def test_a_machine_that_hides_is_answered_a_few_times_an_hour(home: House) -> None:
    [first] = await home.receive(message("k0"))
    for n in range(MOST_AN_HOUR):
        await answer(home, first.dialog_id)
        await home.receive(message(f"k{n + 1}"))
    with pytest.raises(Conflict) as refused:
        await answer(home, first.dialog_id)
    assert refused.value.what == "too_many_automatic"
    # A person may always answer, and the next hour begins anew.
    await answer(home, first.dialog_id, automated=False)
    home.world.offset_us += 3601 * US
    await answer(home, first.dialog_id)
