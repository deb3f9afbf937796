"""Who wants advertising less often: one message in his days, whatever mailings allow, for one person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from crm_store.consents import standing
from crm_store.tables.consents import consent_log, frequency_limits
from crm_store.viewer import Reader
from hub import (
    ClaimDeliveries,
    EraseContact,
    Invalid,
    LimitAdvertising,
    MergeContacts,
    UndoMerge,
)
from tests.houses import US, House, house
from tests.store.test_many import given, people, planned, states


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def claimed(home: House, send: tuple[int, int]) -> int:
    """Claim what may leave and call it sent; gives how many it was."""
    command = ClaimDeliveries(account_id=home.pigeon, worker="test", limit=10, lease_us=60 * US)
    found = (await home.system.do(command))[0]
    return len(found)


async def days_of(home: House, contact_id: int) -> int:
    return (await home.user.read(standing, contact_id)).days  # type: ignore[arg-type]


async def test_a_wish_for_less_holds_beside_the_cap_of_a_mailing(home: House) -> None:
    anna, boris = await people(home, "Anna", "Boris")
    assert await home.user.do(LimitAdvertising(contact_id=anna, days=30, how="link")) == [True]  # type: ignore[arg-type]
    assert await home.user.do(LimitAdvertising(contact_id=anna, days=30)) == [False]  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        await home.user.do(LimitAdvertising(contact_id=anna, days=366))  # type: ignore[arg-type]
    first = await planned(home, number=1)
    await given(home, first, [anna, boris])
    assert await claimed(home, first) == 2
    # The house allows three a week: that is enough for Boris and too much for Anna.
    second = await planned(home, number=2, cap_count=3, cap_days=7)
    await given(home, second, [anna, boris])
    assert await claimed(home, second) == 1
    assert (await states(home, second))["suppressed", "frequency_cap"] == 1
    # What is no advertising is not counted and not held back.
    service = await planned(home, number=3, advertising=False)
    await given(home, service, [anna])
    assert await claimed(home, service) == 1


async def test_a_wish_goes_with_its_person(home: House) -> None:
    anna, other = await people(home, "Anna", "Other")
    await home.user.do(LimitAdvertising(contact_id=other, days=7))  # type: ignore[arg-type]
    (merge,) = await home.user.do(MergeContacts(survivor_id=anna, merged_id=other))  # type: ignore[arg-type]
    assert await days_of(home, anna) == 7
    await home.user.do(UndoMerge(merge_id=merge))
    assert (await days_of(home, anna), await days_of(home, other)) == (0, 7)
    await home.user.do(EraseContact(contact_id=other))  # type: ignore[arg-type]
    assert await home.system.read(_left) == []


def _left(reader: Reader) -> list[int]:
    wishes = reader.conn.execute(select(frequency_limits.c.contact_id)).scalars()
    words = reader.conn.execute(
        select(consent_log.c.contact_id).where(consent_log.c.state == "limited")
    ).scalars()
    return [*wishes, *words]
