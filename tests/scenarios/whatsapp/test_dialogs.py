"""WhatsApp through the whole hub: words, files, places, buttons, reactions, edits, states."""

from __future__ import annotations

import asyncio
from itertools import permutations
from typing import Any

from hub import Address, Button, ReactToMessage, RemoveAccount
from tests.houses import until
from tests.scenarios.office import Office
from tests.scenarios.whatsapp.conftest import bring, kept, tell
from tests.servers.graph import NAME, PERSON, SCOPED, GraphServer

JPEG = b"\xff\xd8\xff\xe0" + b"bread" * 100


async def test_words_go_both_ways(shop: Office, graph: GraphServer) -> None:
    question = graph.text("Do you have brown bread?")
    await bring(graph, question)
    [message] = await shop.received(1)
    [dialog] = await shop.dialogs()
    assert (dialog.address_kind, dialog.address) == ("whatsapp", f"+{PERSON}")
    assert (message.text, message.author_name) == ("Do you have brown bread?", NAME)
    sent = await shop.answer("Yes: https://bakery.example", reply_to=message.id)
    await shop.becomes(sent, "sent")
    [out] = graph.messages
    assert out["to"] == PERSON
    assert out["text"] == {"body": "Yes: https://bakery.example", "preview_url": True}
    assert out["context"] == {"message_id": question["id"]}
    for status in ("sent", "delivered", "read"):
        await tell(graph, 0, status)
    await shop.becomes(sent, "read")
    # And the person answers that very message.
    await bring(graph, graph.text("Thanks", context={"from": PERSON, "id": out.id}))
    answer = (await shop.received(2))[-1]
    assert answer.reply_to == sent


async def test_what_stands_out_leaves_in_whatsapps_own_signs(
    shop: Office, graph: GraphServer
) -> None:
    await bring(graph, graph.text("Do you have brown bread?"))
    await shop.received(1)
    picture = await shop.attach("cake.jpg", JPEG, "image/jpeg")
    words = "**Yes**, ~~no~~, see [the list](https://a.example)"
    await shop.becomes(await shop.answer(words, attachments=(picture,)), "sent")
    long = f"*Yes* {'a' * 1_020}"
    second = await shop.attach("cake.jpg", JPEG, "image/jpeg")
    await shop.becomes(await shop.answer(long, attachments=(second,)), "sent")
    one, two, apart = graph.messages
    assert one["image"]["caption"] == "*Yes*, ~no~, see the list (https://a.example)"
    # What is longer than a caption may be is a message of its own.
    assert "caption" not in two["image"]
    assert apart["text"]["body"] == long


async def test_files_go_both_ways(shop: Office, graph: GraphServer) -> None:
    await bring(
        graph,
        graph.file("image", "image/jpeg", JPEG, caption="this one"),
        graph.file("document", "application/pdf", b"%PDF-1.7", filename="order.pdf"),
    )
    found = await shop.received(2)
    assert found[0].text == "this one"
    assert await shop.files(found[0].id) == [("image.jpg", "image/jpeg", JPEG)]
    assert await shop.files(found[1].id) == [("order.pdf", "application/pdf", b"%PDF-1.7")]
    picture = await shop.attach("cake.jpg", JPEG[::-1], "image/jpeg")
    paper = await shop.attach("bill.pdf", b"%PDF-1.4", "application/pdf")
    sent = await shop.answer("Here", attachments=(picture, paper))
    await shop.becomes(sent, "sent")
    one, two = graph.messages
    assert one["image"]["caption"] == "Here"
    assert graph.files[one["image"]["id"]] == ("image/jpeg", "cake.jpg", JPEG[::-1])
    assert two["document"]["filename"] == "bill.pdf"
    assert graph.files[two["document"]["id"]][2] == b"%PDF-1.4"


async def test_places_cards_and_orders_are_words(shop: Office, graph: GraphServer) -> None:
    place = {"latitude": 55.7558, "longitude": 37.6173, "name": "Red Square", "address": "Moscow"}
    card: dict[str, Any] = {"name": {"formatted_name": "Boris", "first_name": "Boris"}}
    card |= {"phones": [{"phone": "+7 999 000 11 22", "type": "CELL", "wa_id": "79990001122"}]}
    goods = {"product_retailer_id": "bread", "quantity": 2, "item_price": 3.5, "currency": "EUR"}
    await bring(
        graph,
        graph.event("location", place),
        graph.event("contacts", [card]),
        graph.event("order", {"catalog_id": "1", "text": "", "product_items": [goods]}),
    )
    texts = {one.text for one in await shop.received(3)}
    assert "📍 55.7558, 37.6173\nRed Square\nMoscow" in texts
    assert "👤 Boris\n+7 999 000 11 22" in texts
    assert "🛒 bread × 2: 3.5 EUR" in texts


async def test_buttons_and_lists_are_pressed(shop: Office, graph: GraphServer) -> None:
    await bring(graph, graph.text("hi"))
    await shop.received(1)
    few = (Button(label="Brown", payload="b"), Button(label="White", payload="w"))
    await shop.becomes(await shop.answer("Which?", buttons=few), "sent")
    many = tuple(Button(label=f"Cake number {n}", payload=f"c{n}") for n in range(5))
    await shop.becomes(await shop.answer("Which cake?", buttons=many), "sent")
    first, second = graph.messages
    assert first["interactive"]["type"] == "button"
    rows = second["interactive"]["action"]["sections"][0]["rows"]
    assert [one["id"] for one in rows] == ["c0", "c1", "c2", "c3", "c4"]
    pressed = {"type": "button_reply", "button_reply": {"id": "b", "title": "Brown"}}
    chosen = {"id": "c3", "title": "Cake number 3", "description": ""}
    chose = {"type": "list_reply", "list_reply": chosen}
    press = graph.event("interactive", pressed, context={"from": "1", "id": first.id})
    await bring(
        graph,
        press,
        graph.event("interactive", chose, context={"from": "1", "id": second.id}),
    )
    presses = (await shop.received(3))[1:]
    assert [one.text for one in presses] == ["Brown", "Cake number 3"]
    # A press is a message of the person's: it can be answered as one.
    await shop.becomes(await shop.answer("Brown it is", reply_to=presses[0].id), "sent")
    assert graph.messages[2]["context"] == {"message_id": press["id"]}


async def test_reactions_go_both_ways(shop: Office, graph: GraphServer) -> None:
    question = graph.text("hi")
    await bring(graph, question)
    [message] = await shop.received(1)
    sent = await shop.answer("hello")
    await shop.becomes(sent, "sent")
    await bring(graph, graph.event("reaction", {"message_id": graph.messages[0].id, "emoji": "❤️"}))

    async def reacted() -> bool:
        found = await shop.messages()
        return any(one.id == sent and one.reactions for one in found)

    await until(reacted)
    await shop.user.do(ReactToMessage(message_id=message.id, emoji="👍"))
    await until(lambda: len(graph.messages) == 2)
    assert graph.messages[1]["reaction"] == {"message_id": question["id"], "emoji": "👍"}


async def test_an_edit_and_a_deletion_are_shown(shop: Office, graph: GraphServer) -> None:
    first, second = graph.text("tomorow"), graph.text("never mind")
    await bring(graph, first, second)
    new = {"type": "text", "text": {"body": "tomorrow"}}
    await bring(
        graph,
        graph.event("edit", {"original_message_id": first["id"], "message": new}),
        graph.event("revoke", {"original_message_id": second["id"]}),
    )

    async def changed() -> bool:
        found = {one.external_id: one for one in await shop.messages()}
        return found[first["id"]].text == "tomorrow" and bool(
            found[second["id"]].extra.get("taken_back")
        )

    await until(changed)


async def test_what_cannot_be_shown_is_kept_and_named(shop: Office, graph: GraphServer) -> None:
    error = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}
    error["error_data"] = {"details": "Message type is currently not supported."}
    strange = graph.event("unsupported", {"type": "poll"}, errors=[error])
    tomorrow = graph.event("hologram", {"shape": "cat"})
    await bring(graph, strange)
    await bring(graph, tomorrow, graph.text("and this is plain"))
    found = await shop.received(3)
    named = [one.unsupported for one in found]
    assert named[0] == "poll: Message type is currently not supported."
    assert (named[1], found[2].text) == ("hologram", "and this is plain")


async def test_one_person_under_number_and_scoped_id(shop: Office, graph: GraphServer) -> None:
    await bring(graph, graph.text("hi"), scoped=SCOPED)
    # Later he goes by a username, and his number is left out.
    later = graph.text("me again", from_user_id=SCOPED)
    del later["from"]
    await bring(graph, later, scoped=SCOPED, number="")
    await shop.received(2)
    [dialog] = await shop.dialogs()
    assert dialog.address == f"+{PERSON}"
    await shop.becomes(await shop.answer("welcome back"), "sent")
    assert graph.messages[0]["to"] == PERSON


async def test_a_person_without_a_number_is_answered(shop: Office, graph: GraphServer) -> None:
    first = graph.text("hi", from_user_id=SCOPED)
    del first["from"]
    await bring(graph, first, scoped=SCOPED, number="")
    await shop.received(1)
    await shop.becomes(await shop.answer("hello"), "sent")
    [out] = graph.messages
    assert out["recipient"] == SCOPED
    assert "to" not in out.body


async def test_states_end_alike_in_every_order(shop: Office, graph: GraphServer) -> None:
    await bring(graph, graph.text("hi"))
    await shop.received(1)
    for n, order in enumerate(permutations(("sent", "delivered", "read"))):
        sent = await shop.answer("hello")
        await shop.becomes(sent, "sent")
        for status in order:
            await tell(graph, n, status)
        assert (await shop.user.message(sent)).status == "read", order
    sent = await shop.answer("hello")
    await shop.becomes(sent, "sent")
    error = {"code": 131026, "title": "Message undeliverable", "message": "Message undeliverable"}
    await tell(graph, 6, "failed", error)
    message = await shop.becomes(sent, "failed")
    assert message.reason == "invalid_address"
    assert message.reason_text == "WhatsApp 131026: Message undeliverable"


async def test_forged_and_repeated_webhooks(shop: Office, graph: GraphServer) -> None:
    value = graph.value(contacts=[{"profile": {"name": NAME}, "wa_id": PERSON}])
    value["messages"] = [graph.text("hi")]
    assert await asyncio.to_thread(graph.post, [value], secret="another") == 403
    assert await asyncio.to_thread(lambda: graph.post_raw(b"{}", signature="")) == 403
    assert not await asyncio.to_thread(graph.challenge, graph.webhook, "a guess")
    assert await shop.dialogs() == []
    for _ in range(3):
        assert await asyncio.to_thread(graph.post, [value, value]) == 200
    assert len(await shop.messages()) == 1


async def test_another_number_s_messages_are_kept_apart(shop: Office, graph: GraphServer) -> None:
    value = graph.value(contacts=[{"profile": {"name": NAME}, "wa_id": PERSON}])
    value |= {"metadata": {"display_phone_number": "1", "phone_number_id": "999"}}
    value["messages"] = [graph.text("for the other shop")]
    assert await asyncio.to_thread(graph.post, [value]) == 200
    assert await shop.dialogs() == []
    items = await shop.system.read(kept)
    assert ["another number" in one.error for one in items] == [True]
    # What Meta tells of templates or the account is no message, and nothing to keep.
    about = {"event": "APPROVED", "message_template_name": "order"}
    post = graph.post
    field = "message_template_status_update"
    assert await asyncio.to_thread(lambda: post([about], field=field)) == 200
    assert len(await shop.system.read(kept)) == 1


async def test_removing_the_account_takes_the_webhook_back(
    shop: Office, graph: GraphServer
) -> None:
    assert graph.subscribed
    await shop.user.do(RemoveAccount(account_id=shop.account_id))
    assert graph.webhook == ""


async def test_the_person_sees_that_one_reads_and_types(shop: Office, graph: GraphServer) -> None:
    first, second = graph.text("hi"), graph.text("are you there?")
    await bring(graph, first, second)
    await shop.received(2)
    [dialog] = await shop.dialogs()
    to = Address(kind=dialog.address_kind, value=dialog.address)
    for kind in ("seen", "typing", "viewing"):
        await shop.runtime.signals.show_person(shop.account_id, "whatsapp", to, kind, "")
    assert graph.read == [second["id"], second["id"]]
    shown = [one.json() for one in graph.requests if b'"read"' in one.body]
    assert [one.get("typing_indicator") for one in shown] == [None, {"type": "text"}]
    # Of somebody who has not written nothing is known that could be marked.
    stranger = Address(kind="whatsapp", value="+15559998877")
    await shop.runtime.signals.show_person(shop.account_id, "whatsapp", stranger, "seen", "")
    assert len(graph.read) == 2
