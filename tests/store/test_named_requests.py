"""A request named by its number: whom it binds, and whom it does not let in (R14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from crm_store import objects
from crm_store.objects import NOUNS
from dialogs.identity import Peer
from dialogs.named_requests import NamedRequests, numbers_in
from hub import (
    AddressId,
    BelongTo,
    ClientId,
    ContactId,
    CreateObject,
    DialogId,
    DialogQuery,
    InboundMessage,
    LinkDialog,
    MergeRequests,
    Receive,
    Received,
    Request,
    RequestId,
    SetDialogStatus,
    SetRequestStatus,
    UpdateAccount,
)
from tests.houses import US, House, house, letter, message

REQUEST = NOUNS["request"]


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def sent(home: House, one: InboundMessage) -> Received:
    return (await home.receive(one, letter=one.sender.kind == "email"))[0]


async def asked(home: House, first: Received) -> Request:
    made = (await home.user.do(CreateObject(kind="request", dialog_id=first.dialog_id)))[0]
    return await shown(home, made)


async def shown(home: House, request_id: int) -> Request:
    found: Request = await home.user.read(objects.one, REQUEST, request_id)
    return found


async def about(home: House, dialog_id: DialogId) -> list[int]:
    found = await home.user.read(objects.of_dialog, REQUEST, dialog_id)
    return [one.id for one in found]


async def dialogs(home: House) -> list[DialogId]:
    return [one.id for one in (await home.user.dialogs(DialogQuery())).dialogs]


async def related(home: House, given: Received) -> str:
    return str((await home.user.message(given.message_id)).extra.get("related", ""))


@pytest.mark.parametrize(
    ("subject", "text", "numbers"),
    [
        ("#1042", "", [1042]),
        ("Re: Fwd: № 1042 sails", "", [1042]),
        ("Re[2]: [#1042] sails", "", [1042]),
        ("Sails [№1042]", "", [1042]),
        ("About request #1042 and request #1043", "", [1042, 1043]),
        ("По заявке № 1042", "", [1042]),
        ("Sails", "#1042", []),
        ("", "Что с заявкой №1042?", [1042]),
        ("", "I was told: your request #1042", [1042]),
        ("Счёт № 1042", "", []),
        ("request 1042", "", []),
        ("request #1042b", "", []),
        ("", "see #12", []),
    ],
)
def test_a_number_is_read_in_the_form_we_tell_it(
    subject: str, text: str, numbers: list[int]
) -> None:
    assert numbers_in(message("k", text=text, subject=subject)) == numbers


def test_messages_without_a_number_ask_the_store_nothing() -> None:
    nothing = cast(Any, None)
    one = message("k", text="Счёт № 1042")
    peer = Peer(address_id=AddressId(1), contact_id=ContactId(1), new=False)
    command = Receive(account_id=nothing, message=one)
    assert NamedRequests(nothing, [(command, peer, one.sender)]).of(command) == []


async def test_a_letter_with_the_number_lands_in_the_dialog_of_its_request(home: House) -> None:
    first = await sent(home, letter("1", subject="Sails"))
    request = await asked(home, first)
    await home.user.do(
        SetRequestStatus(request_id=RequestId(request.id), status="solved"),
        SetDialogStatus(dialog_id=first.dialog_id, status="closed"),
    )
    again = letter("2", subject=f"Re: [#{request.number}] Sails", text="They are torn again")
    for _ in range(2):
        assert (await sent(home, again)).dialog_id == first.dialog_id
    assert (await shown(home, request.id)).status == "in_work"
    assert len((await home.user.thread(first.dialog_id)).messages) == 2
    # A thread of its own goes before a number; a number that nobody has says nothing.
    other = await sent(home, letter("3", external_id="<3@x>", subject="An anchor"))
    words = f"#{request.number}"
    answer = letter("4", subject=words, in_reply_to="<3@x>")
    assert (await sent(home, answer)).dialog_id == other.dialog_id
    forged = await sent(home, letter("5", subject=f"#{request.number + 1}"))
    assert await related(home, forged) == ""
    assert await about(home, forged.dialog_id) == []


async def test_too_old_a_dialog_is_followed_by_one_about_the_same_request(home: House) -> None:
    await home.user.do(UpdateAccount(account_id=home.letter, thread_rule="reopen", reopen_days=0))
    first = await sent(home, letter("1", subject="Sails"))
    request = await asked(home, first)
    survivor = await asked(home, await sent(home, letter("2", subject="More sails")))
    number = RequestId(survivor.id)
    await home.user.do(
        MergeRequests(request_id=RequestId(request.id), into_id=number),
        SetRequestStatus(request_id=number, status="solved"),
        *(SetDialogStatus(dialog_id=one, status="closed") for one in await dialogs(home)),
    )
    home.world.offset_us += US
    again = await sent(home, letter("3", subject=f"#{request.number}"))
    assert again.dialog_id != first.dialog_id
    assert await about(home, again.dialog_id) == [survivor.id]
    assert (await shown(home, survivor.id)).status == "in_work"


async def test_a_colleague_stays_in_his_own_dialog_and_a_stranger_outside(home: House) -> None:
    client = ClientId(
        (await home.user.do(CreateObject(kind="client", values={"name": "Boats"})))[0]
    )
    first = await sent(home, letter("1", subject="Sails"))
    known = await sent(home, letter("2", "boris@example.com", subject="Good day"))
    belong = BelongTo(dialog_ids=(first.dialog_id, known.dialog_id), client_id=client)
    await home.user.do(belong)
    request = await asked(home, first)
    words = f"Request #{request.number}"
    colleague = await sent(home, letter("3", "boris@example.com", subject=words))
    assert colleague.dialog_id not in (first.dialog_id, known.dialog_id)
    assert await about(home, colleague.dialog_id) == [request.id]
    stranger = await sent(home, letter("4", "eve@example.com", subject=words))
    assert stranger.dialog_id not in (first.dialog_id, colleague.dialog_id)
    assert await about(home, stranger.dialog_id) == []
    assert await related(home, stranger) in (str(first.dialog_id), str(colleague.dialog_id))
    assert len((await home.user.thread(first.dialog_id)).messages) == 1


async def test_a_number_written_in_a_messenger_says_what_the_dialog_is_about(home: House) -> None:
    first = await sent(home, message("1"))
    request = await asked(home, first)
    await home.user.do(
        LinkDialog(kind="request", object_id=request.id, dialog_id=first.dialog_id, unlink=True)
    )
    text = f"What about request #{request.number}?"
    given = await sent(home, message("2", text=text))
    assert given.dialog_id == first.dialog_id
    assert await about(home, given.dialog_id) == [request.id]
    stranger = await sent(home, message("3", "eve", text=text))
    assert await about(home, stranger.dialog_id) == []
    assert await related(home, stranger) == str(first.dialog_id)
