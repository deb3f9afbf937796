"""WhatsApp carried by Twilio: words, files, places, presses, templates, people without numbers."""

from __future__ import annotations

import asyncio

import pytest

from crm_store import templates
from hub import Address, Button, Conflict, Invalid, StartDialog, Template
from hub.connections import fetch_templates
from tests.houses import until
from tests.scenarios.office import SECONDS, Office
from tests.scenarios.twilio.conftest import PERSON, hook, tell, text
from tests.servers.stand_in import HTML, Reply
from tests.servers.twilio import ACCOUNT, NUMBER, TwilioServer, refuse

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 50
SCOPED = "US.13491208655302741918"


async def says(twilio: TwilioServer, words: str = "", **more: str) -> None:
    """A person writes over WhatsApp."""
    head = {"To": f"whatsapp:{NUMBER}", "ProfileName": "Anna", "WaId": PERSON[1:]}
    await text(twilio, words, f"whatsapp:{PERSON}", **{**head, **more})


async def test_words_and_files_go_both_ways(whatsapp: Office, twilio: TwilioServer) -> None:
    await says(twilio, "Do you have bread?")
    await says(twilio, **twilio.file("image/png", PNG))
    first, second = await whatsapp.received(2)
    [dialog] = await whatsapp.dialogs()
    assert (dialog.address_kind, dialog.address) == ("whatsapp", PERSON)
    assert (first.text, first.author_name) == ("Do you have bread?", "Anna")
    assert await whatsapp.files(second.id) == [("file-1.png", "image/png", PNG)]
    file = await whatsapp.attach("cake.png", PNG[::-1], "image/png")
    sent = await whatsapp.answer("Ours", attachments=(file,))
    await whatsapp.becomes(sent, "sent")
    [out] = twilio.messages
    assert (out["To"], out["From"]) == (f"whatsapp:{PERSON}", f"whatsapp:{NUMBER}")
    assert (out["Body"], out.files) == ("Ours", [("image/png", PNG[::-1])])
    for status in ("read", "sent", "delivered"):
        await tell(twilio, 0, status)
    assert (await whatsapp.user.message(sent)).status == "read"


async def test_a_press_and_a_place_are_words(whatsapp: Office, twilio: TwilioServer) -> None:
    await says(twilio, "hi")
    await whatsapp.received(1)
    sent = await whatsapp.answer("Brown or white?")
    await whatsapp.becomes(sent, "sent")
    ours = twilio.messages[0].sid
    press = {"ButtonPayload": "b", "ButtonText": "Brown", "OriginalRepliedMessageSid": ours}
    await says(twilio, "Brown", **press)
    await says(twilio, Latitude="55.75", Longitude="37.61", Label="Red Square")
    found = (await whatsapp.received(3))[1:]
    assert [one.text for one in found] == ["Brown", "📍 55.75, 37.61\nRed Square"]
    assert found[0].reply_to == sent


async def test_buttons_and_lists_go_out_with_the_words(
    whatsapp: Office, twilio: TwilioServer
) -> None:
    await says(twilio, "hi")
    await whatsapp.received(1)
    breads = (Button(label="Brown", payload="b"), Button(label="White", payload="w"))
    for words in ("Which?", "And now?"):
        await whatsapp.becomes(await whatsapp.answer(words, buttons=breads), "sent")
    # One content serves every message with these buttons, and is no template of the agents.
    [made] = twilio.contents
    assert list(made["types"]) == ["twilio/quick-reply"]
    assert [out["ContentSid"] for out in twilio.messages] == [made["sid"]] * 2
    assert [out["ContentVariables"] for out in twilio.messages] == [
        '{"1": "Which?"}',
        '{"1": "And now?"}',
    ]
    _, channel = await whatsapp.runtime.channel_host.get(whatsapp.account_id)
    assert await fetch_templates(whatsapp.runtime, whatsapp.account_id, channel) == 0
    many = tuple(Button(label=f"Bread number {n} of our shop", payload=str(n)) for n in range(9))
    link = Button(label="Our shop", url="https://shop.example")
    file = await whatsapp.attach("cake.png", PNG, "image/png")
    sent = await whatsapp.answer("Look", buttons=(*many, link), attachments=(file,))
    await whatsapp.becomes(sent, "sent")
    picture, listed = twilio.messages[2:]
    assert picture.files == [("image/png", PNG)]
    [(kind, shape)] = twilio.contents[1]["types"].items()
    assert kind == "twilio/list-picker"
    assert shape["items"][3] == {
        "id": "3",
        "item": "Bread number 3 of our sh",
        "description": "Bread number 3 of our shop",
    }
    assert listed["ContentVariables"] == '{"1": "Look\\nOur shop: https://shop.example"}'
    long = await whatsapp.answer("word " * 250, buttons=breads)
    await whatsapp.becomes(long, "sent")
    assert [out["Body"] or out["ContentVariables"] for out in twilio.messages[4:]] == [
        "word " * 250,
        '{"1": "\\ud83d\\udc46"}',
    ]
    press = {"ButtonPayload": "w", "ButtonText": "White"}
    await says(twilio, "White", **press, OriginalRepliedMessageSid=twilio.messages[0].sid)
    pressed = (await whatsapp.received(2))[1]
    assert pressed.text == "White"


async def test_a_person_with_and_without_a_number(whatsapp: Office, twilio: TwilioServer) -> None:
    await says(twilio, "hi", ExternalUserId=SCOPED)
    hidden = {"From": f"whatsapp:{SCOPED}", "WaId": "", "ExternalUserId": SCOPED}
    await says(twilio, "me again", **hidden)
    await whatsapp.received(2)
    [dialog] = await whatsapp.dialogs()
    assert dialog.address == PERSON
    other = "US.99991208655302741918"
    stranger = {"From": f"whatsapp:{other}", "WaId": "", "ExternalUserId": other}
    await says(twilio, "I am another", **stranger)
    dialogs = await whatsapp.dialogs()
    assert {one.address for one in dialogs} == {PERSON, other}
    # The newest dialog stands first; its person is answered under his id.
    assert dialogs[0].address == other
    await whatsapp.becomes(await whatsapp.answer("hello"), "sent")
    assert twilio.messages[0]["To"] == f"whatsapp:{other}"


async def test_a_closed_window_takes_a_template_only(
    whatsapp: Office, twilio: TwilioServer
) -> None:
    order = {"twilio/text": {"body": "{{1}}, your {{2}} is ready."}}
    sid = twilio.content("order", "approved", order, v1="Anna", v2="cake")
    twilio.content("sale", "rejected", {"twilio/text": {"body": "Buy!"}})
    twilio.content("draft", "unsubmitted", {"twilio/text": {"body": "Later"}})
    _, channel = await whatsapp.runtime.channel_host.get(whatsapp.account_id)
    await fetch_templates(whatsapp.runtime, whatsapp.account_id, channel)
    found = await whatsapp.system.read(templates.all_templates, whatsapp.account_id)
    known: dict[str, Template] = {one.name: one for one in found}
    assert {name: (one.state, one.reason) for name, one in known.items()} == {
        "order": ("approved", ""),
        "sale": ("rejected", "INVALID_FORMAT"),
        "draft": ("pending", "not submitted to WhatsApp"),
    }
    assert (known["order"].variables, known["order"].reference) == (("1", "2"), sid)
    # Who has not written yet has no window.
    address = Address(kind="whatsapp", value=PERSON)
    await whatsapp.user.do(StartDialog(account_id=whatsapp.account_id, to=address))
    with pytest.raises(Conflict, match="only a template"):
        await whatsapp.answer("Your cake is ready")
    with pytest.raises(Invalid, match="not approved"):
        await whatsapp.answer(template="sale")
    values = (("1", "Anna"), ("2", "cake"))
    sent = await whatsapp.answer(template="order", template_values=values)
    message = await whatsapp.becomes(sent, "sent")
    assert message.text == "Anna, your cake is ready."
    [out] = twilio.messages
    assert (out["ContentSid"], out["Body"]) == (sid, "")
    assert out["ContentVariables"] == '{"1": "Anna", "2": "cake"}'
    # His word opens it.
    await says(twilio, "Thanks")
    await whatsapp.received(1)
    await whatsapp.becomes(await whatsapp.answer("See you"), "sent")


async def test_an_error_of_whatsapp_s_keeps_its_meaning(
    whatsapp: Office, twilio: TwilioServer
) -> None:
    await says(twilio, "hi")
    await whatsapp.received(1)
    for n, (code, reason) in enumerate(
        ((63016, "window_closed"), (63024, "invalid_address"), (63049, "spam"))
    ):
        sent = await whatsapp.answer("hello")
        await whatsapp.becomes(sent, "sent")
        await tell(twilio, n, "undelivered", code)
        message = await whatsapp.becomes(sent, "failed")
        assert message.reason == reason
        assert message.reason_text.startswith(f"Twilio {code}")


async def test_troubles_of_the_wire_are_those_of_every_twilio_message(
    whatsapp: Office, twilio: TwilioServer
) -> None:
    """Forged and repeated webhooks, 429, lost answers, a revoked token: as with texts."""
    url = await hook(whatsapp)
    fields = {
        "MessageSid": "SM1",
        "From": f"whatsapp:{PERSON}",
        "To": f"whatsapp:{NUMBER}",
        "Body": "Hello",
        "AccountSid": ACCOUNT,
    }
    assert (await asyncio.to_thread(twilio.post, url, fields, token="another"))[0] == 403
    for _ in range(3):
        assert (await asyncio.to_thread(twilio.post, url, fields))[0] == 200
    await whatsapp.received(1)
    twilio.fail_next("/Messages.json", refuse(20429, Retry_After="1"))
    await whatsapp.becomes(await whatsapp.answer("One"), "sent")
    for trouble in (None, HTML, Reply(500)):
        twilio.fail_next("/Messages.json", trouble, after=True)
        await whatsapp.becomes(await whatsapp.answer("Two"), "unknown")
    assert [one["Body"] for one in twilio.messages] == ["One", "Two", "Two", "Two"]
    assert len([one for one in await whatsapp.messages() if one.text == "Hello"]) == 1
    twilio.token = "a-fresh-token"
    kept = await whatsapp.answer("Three")

    async def red() -> bool:
        account = await whatsapp.account()
        return account.state == "down" and "Twilio 20003" in account.last_error

    await until(red, SECONDS)
    assert (await whatsapp.user.message(kept)).status == "queued"


async def test_an_unknown_kind_is_kept_and_named(whatsapp: Office, twilio: TwilioServer) -> None:
    await says(twilio, MessageType="hologram")
    [message] = await whatsapp.received(1)
    assert message.unsupported == "hologram"
    again = {"MessageSid": message.external_id}
    for _ in range(2):
        assert (await asyncio.to_thread(twilio.bring, f"whatsapp:{PERSON}", "", **again))[0] == 200
    assert len(await whatsapp.messages()) == 1
