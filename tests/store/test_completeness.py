"""How much of a card is filled in follows its status, and whatever changes it."""

from __future__ import annotations

from pathlib import Path

from crm_store import clients as client_reads
from crm_store import objects
from crm_store.completeness import POOR, missing_in
from crm_store.objects import NOUNS, ObjectQuery
from hub import ChangeClient, CreateClient
from tests.houses import house

CLIENT = NOUNS["client"]


async def test_a_card_is_poor_until_what_its_status_asks_for_is_there(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        client_id = (await home.user.do(CreateClient(name="Boats")))[0]
        poor = {"field": "client.completeness", "operator": "less", "value": POOR}

        async def share() -> int:
            return int((await home.user.read(client_reads.client, client_id)).completeness)

        async def poor_ones() -> int:
            return int(await home.user.read(objects.count, CLIENT, ObjectQuery(filter=poor)))

        assert (await share(), await poor_ones()) == (25, 1)
        given = {"email": "a@b.example", "source": "fair", "owner_id": home.user.actor.id}
        await home.user.do(ChangeClient(client_id=client_id, values=given))
        assert (await share(), await poor_ones()) == (100, 0)
        await home.user.do(
            ChangeClient(client_id=client_id, values={"status": "active", "organisation": True})
        )
        assert await share() == 57
        card = await home.user.read(client_reads.client, client_id)
        lacks = missing_in({name: getattr(card, name) for name in card.__dataclass_fields__})
        assert lacks == [("region",), ("inn",), ("industry",)]
        await home.user.do(ChangeClient(client_id=client_id, values={"region": "Karelia"}))
        assert (await share(), await poor_ones()) == (71, 0)
