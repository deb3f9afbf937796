"""One person under several addresses for which the vendor vouches, and receipts by our own key."""

from __future__ import annotations

from pathlib import Path

from hub import (
    Address,
    DeliveryReceipt,
    DeliveryStatus,
    DialogQuery,
    OutcomeUnknown,
    SendMessage,
)
from tests.houses import until
from tests.parrots import Aviary, aviary, parrot, says

PHONE = Address(kind="phone", value="+15550001")


async def test_a_new_address_of_a_known_person_continues_his_dialog(
    tmp_path: Path, database_url: str
) -> None:
    async with aviary(tmp_path, database_url) as home:
        first = (await home.arrive(says("1", who="polly", aliases=(PHONE,))))[0]
        # The same person under a name of the vendor's, his number named beside it for once ...
        second = (await home.arrive(says("2", who="id77", aliases=(PHONE, parrot("polly")))))[0]
        # ... and from then on left out.
        third = (await home.arrive(says("3", who="id77")))[0]
        assert {first.dialog_id, second.dialog_id, third.dialog_id} == {first.dialog_id}
        contact = await home.user.contact(first.contact_id)
        kinds = sorted((one.kind, one.value) for one in contact.addresses)
        assert kinds == [("parrot", "id77"), ("parrot", "polly"), ("phone", "+15550001")]
        # The answer goes where the dialog began.
        page = await home.user.dialogs(DialogQuery(view="everything"))
        assert [one.address for one in page.dialogs] == ["polly"]


async def test_two_known_people_are_never_joined_by_an_alias(
    tmp_path: Path, database_url: str
) -> None:
    async with aviary(tmp_path, database_url) as home:
        one = (await home.arrive(says("1", who="polly")))[0]
        two = (await home.arrive(says("2", who="molly")))[0]
        again = (await home.arrive(says("3", who="molly", aliases=(parrot("polly"),))))[0]
        assert one.contact_id != two.contact_id == again.contact_id


async def test_messages_of_one_group_commit_make_one_person(
    tmp_path: Path, database_url: str
) -> None:
    async with aviary(tmp_path, database_url) as home:
        given = await home.arrive(
            says("1", who="id77", aliases=(PHONE,)), says("2", who="polly", aliases=(PHONE,))
        )
        assert len({one.contact_id for one in given}) == 1


async def test_a_receipt_by_our_key_ends_an_unknown_send(tmp_path: Path, database_url: str) -> None:
    async with aviary(tmp_path, database_url, workers=True) as home:
        given = (await home.arrive(says("1")))[0]
        home.perch.outcomes["send"] = [OutcomeUnknown("no answer")]
        sent = (await home.user.do(SendMessage(dialog_id=given.dialog_id, text="hi")))[0]
        await until(lambda: _is(home, sent, "unknown"))
        key = home.perch.sent[-1].idempotency_key
        await home.arrive(_receipt("a", "v1", DeliveryStatus.SENT, "0"))
        await home.arrive(_receipt("b", "v1", DeliveryStatus.SENT, f"{key}/0"))
        assert (await home.user.message(sent)).status == "unknown"
        await home.arrive(_receipt("c", "v1", DeliveryStatus.SENT, key))
        await until(lambda: _is(home, sent, "sent"))
        # From now on the provider's own name of it is known.
        await home.arrive(_receipt("d", "v1", DeliveryStatus.READ, ""))
        assert (await home.user.message(sent)).status == "read"


def _receipt(key: str, external_id: str, status: DeliveryStatus, ours: str) -> DeliveryReceipt:
    return DeliveryReceipt(
        dedupe_key=key, external_id=external_id, status=status, delivery_key=ours
    )


async def _is(home: Aviary, message_id: int, status: str) -> bool:
    return (await home.user.message(message_id)).status == status
