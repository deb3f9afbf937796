"""The window of 24 hours and the catalogue: what may be said when it is closed."""

from __future__ import annotations

import time

import pytest

from crm_store import templates
from hub import (
    Address,
    Conflict,
    DialogId,
    Invalid,
    SendMessage,
    StartDialog,
    Template,
)
from hub.connections import fetch_templates
from tests.scenarios.office import Office
from tests.scenarios.whatsapp.conftest import bring
from tests.servers.graph import PERSON, GraphServer

HOUR = 3600
ORDER = (
    {
        "type": "HEADER",
        "format": "TEXT",
        "text": "Order {{1}}",
        "example": {"header_text": ["17"]},
    },
    {
        "type": "BODY",
        "text": "{{1}}, your {{2}} is ready.",
        "example": {"body_text": [["Anna", "cake"]]},
    },
    {"type": "FOOTER", "text": "The bakery"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "QUICK_REPLY", "text": "I am coming"},
            {"type": "URL", "text": "Where", "url": "https://bakery.example/{{1}}"},
        ],
    },
)
VALUES = (("header_1", "17"), ("1", "Anna"), ("2", "cake"), ("button_1", "map"))


async def catalogue(shop: Office) -> dict[str, Template]:
    """Read Meta's catalogue into the hub, and give what the hub then knows."""
    _, channel = await shop.runtime.channel_host.get(shop.account_id)
    await fetch_templates(shop.runtime, shop.account_id, channel)
    found = await shop.system.read(templates.all_templates, shop.account_id)
    return {one.name: one for one in found}


async def long_ago(shop: Office, graph: GraphServer, hours: int = 25) -> DialogId:
    """A person wrote before the window closed, and Meta brings it only now."""
    await bring(graph, graph.text("hi", timestamp=str(int(time.time()) - hours * HOUR)))
    await shop.received(1)
    return (await shop.dialogs())[0].id


async def test_the_catalogue_comes_with_meta_s_approval(shop: Office, graph: GraphServer) -> None:
    # Three entries on pages of two.
    graph.template("order", *ORDER)
    graph.template("sale", *ORDER[1:2], status="REJECTED", rejected_reason="ABUSIVE_CONTENT")
    graph.template("news", *ORDER[1:2], status="PENDING", category="MARKETING")
    graph.template("late", *ORDER[1:2], status="PAUSED")
    known = await catalogue(shop)
    assert {name: one.state for name, one in known.items()} == {
        "order": "approved",
        "sale": "rejected",
        "news": "pending",
        "late": "paused",
    }
    order = known["order"]
    assert (order.header, order.body) == ("Order {{header_1}}", "{{1}}, your {{2}} is ready.")
    assert order.variables == ("header_1", "1", "2", "button_1")
    assert dict(order.examples) == {"header_1": "17", "1": "Anna", "2": "cake"}
    assert [one.label for one in order.buttons] == ["I am coming", "Where"]
    assert (known["sale"].reason, known["news"].category) == ("ABUSIVE_CONTENT", "marketing")
    # What Meta no longer has is gone here too.
    graph.templates = graph.templates[:1]
    assert set(await catalogue(shop)) == {"order"}


async def test_a_closed_window_takes_a_template_only(shop: Office, graph: GraphServer) -> None:
    graph.template("order", *ORDER)
    graph.template("sale", *ORDER[1:2], status="REJECTED")
    await catalogue(shop)
    dialog_id = await long_ago(shop, graph)
    with pytest.raises(Conflict) as refused:
        await shop.answer("Your cake is ready")
    assert refused.value.what == "window_closed"
    for wrong, why in (("order", "needs header_1"), ("sale", "not approved"), ("x", "no such")):
        with pytest.raises(Invalid, match=why):
            await shop.answer(template=wrong)
    sent = await shop.answer(template="order", template_values=VALUES)
    message = await shop.becomes(sent, "sent")
    assert message.text == "Order 17\n\nAnna, your cake is ready.\n\nThe bakery"
    [out] = graph.messages
    assert (out["type"], out["template"]["name"]) == ("template", "order")
    assert out["template"]["language"] == {"policy": "deterministic", "code": "en_US"}
    head, body, link = out["template"]["components"]
    assert [one["text"] for one in head["parameters"]] == ["17"]
    assert [one["text"] for one in body["parameters"]] == ["Anna", "cake"]
    assert (link["sub_type"], link["index"]) == ("url", "1")
    # A press of the template's button is a word of the person's, and opens the window.
    press = {"payload": "I am coming", "text": "I am coming"}
    await bring(graph, graph.event("button", press, context={"from": "1", "id": out.id}))
    assert (await shop.received(2))[-1].text == "I am coming"
    answer = SendMessage(dialog_id=dialog_id, text="See you")
    await shop.becomes((await shop.user.do(answer))[0], "sent")


async def test_named_variables_and_a_picture_above(shop: Office, graph: GraphServer) -> None:
    named = {"body_text_named_params": [{"param_name": "first_name", "example": "Anna"}]}
    picture = {"type": "HEADER", "format": "IMAGE"}
    body = {"type": "BODY", "text": "Hello {{first_name}}", "example": named}
    graph.template("photo", picture, body, parameter_format="NAMED")
    assert dict((await catalogue(shop))["photo"].examples) == {"first_name": "Anna"}
    await long_ago(shop, graph)
    file = await shop.attach("cake.jpg", b"\xff\xd8\xff\xe0cake", "image/jpeg")
    values = (("first_name", "Boris"),)
    sent = await shop.answer(template="photo", template_values=values, attachments=(file,))
    await shop.becomes(sent, "sent")
    head, words = graph.messages[0]["template"]["components"]
    [above] = head["parameters"]
    assert graph.files[above["image"]["id"]][2] == b"\xff\xd8\xff\xe0cake"
    assert words["parameters"] == [
        {"type": "text", "text": "Boris", "parameter_name": "first_name"}
    ]


async def test_a_template_writes_to_a_person_first(shop: Office, graph: GraphServer) -> None:
    graph.template("order", *ORDER)
    await catalogue(shop)
    address = Address(kind="whatsapp", value=f"+{PERSON}")
    await shop.user.do(StartDialog(account_id=shop.account_id, to=address))
    with pytest.raises(Conflict, match="only a template"):
        await shop.answer("hello")
    await shop.becomes(await shop.answer(template="order", template_values=VALUES), "sent")
    assert graph.messages[0]["to"] == PERSON


async def test_meta_that_closed_the_window_earlier_is_believed(
    shop: Office, graph: GraphServer
) -> None:
    await bring(graph, graph.text("hi"))
    await shop.received(1)
    graph.closed.add(PERSON)
    message = await shop.becomes(await shop.answer("hello"), "failed")
    assert message.reason == "window_closed"
    assert message.reason_text.startswith("WhatsApp 131047")
