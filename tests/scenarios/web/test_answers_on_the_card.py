"""What a person answered to a question of ours is seen in his card and his dialog."""

from __future__ import annotations

from pathlib import Path

from crm_store.unlinked import said_in
from hub import (
    Address,
    AskDetails,
    CreateAccount,
    CreateContact,
    DialogId,
    FillSegment,
    InboundMessage,
    SaveSegment,
    TakeAnswers,
)
from tests.scenarios.web.house import open_house
from tests.scenarios.web.pigeons import SETTINGS, plugin


async def test_an_answer_is_seen_kept_and_taken_off(database_url: str, tmp_path: Path) -> None:
    async with open_house(tmp_path, database_url, ("pigeons", plugin())) as house:
        browser = await house.logged_in("administrator")
        made = CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS)
        account = await house.system.account((await house.system.do(made))[0])

        async def writes(key: str, text: str) -> DialogId:
            one = InboundMessage(
                dedupe_key=key,
                external_id=key,
                sender=Address(kind="pigeon", value="anna", name="Anna"),
                text=text,
            )
            got = (await house.runtime.receive(account, [one]))[0]
            await house.system.do(TakeAnswers(message_ids=(got.message_id,)))
            return got.dialog_id

        dialog_id = await writes("1", "coo")
        asked = {"phone": "Your phone?", "email": "Your e-mail?"}
        await house.system.do(AskDetails(dialog_id=dialog_id, questions=asked))
        await writes("2", "it is 8 912 345-67-89")
        (segment,) = await house.system.do(SaveSegment(name="Fanciers", static=True))
        person = (await house.system.dialog(dialog_id)).contact_id
        await house.system.do(FillSegment(segment_id=segment, add=(person,)))
        page = (await browser.get(f"/inbox/{dialog_id}")).text
        assert f'href="/segments/{segment}">Fanciers</a>' in page
        assert "From the answer onto the card, unverified: phone" in page
        assert "Not read in the answer: e-mail" in page
        assert "Answered when we asked; it is on the card, unverified" in page
        card = (await browser.get(f"/contacts/{person}")).text
        assert 'title="Told in an answer to our question">unverified' in card
        assert "matched by" not in card
        # Whatever the connected channels write to can be added by hand.
        path, given = f"/contacts/{person}", {"kind": "pigeon", "value": "Anna-2"}
        added = await browser.submit(f"{path}/act", path, {"do": "add-address", **given})
        assert added.status_code == 303
        assert '<option value="pigeon">' in card
        # The dialog's column offers the same kinds; what is somebody else's says whose it is.
        assert "&#34;pigeon&#34;" in page
        (other,) = await house.system.do(CreateContact(name="Boris & Co"))
        other_path = f"/contacts/{other}"
        form = {"do": "add-address", **given}
        refused = await browser.submit(f"{other_path}/act", other_path, form)
        assert f'<a class="person" href="/contacts/{person}">Anna</a>' in refused.text
        csrf = {"x-csrf-token": await browser.csrf()}
        body = {"contact": str(other), **given}
        answer = await browser.post("/do/address", json=body, headers=csrf)
        assert answer.json()["error"]["details"] == {"id": str(person), "name": "Anna"}
        assert ("pigeon", "Anna-2") in {
            (one.kind, one.value) for one in (await house.system.contact(person)).addresses
        }
        [told] = await house.system.read(said_in, dialog_id)
        for button in (f'data-said="{told.id}" data-take="1"', f'data-said="{told.id}">Take off'):
            assert button in page
        csrf = {"x-csrf-token": await browser.csrf()}
        body = {"said": str(told.id), "take": False}
        answer = await browser.post("/do/said", json=body, headers=csrf)
        assert answer.status_code == 200, answer.text
        page = (await browser.get(f"/inbox/{dialog_id}")).text
        assert "Answered when we asked" not in page
        assert 'href="tel:+79123456789"' not in page
