"""pywa, a client of the Cloud API that nobody of us wrote, finds in the stand-in what Meta is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from pywa import errors
from pywa.client import WhatsApp
from pywa.handlers import CallbackButtonHandler, MessageHandler, MessageStatusHandler
from pywa.types.callback import Button
from pywa.types.others import Pagination

from tests.servers.graph import (
    ACCOUNT_ID,
    NAME,
    PERSON,
    PHONE_ID,
    SCOPED,
    SECRET,
    TOKEN,
    GraphServer,
)
from tests.servers.stand_in import Reply, Request, StandIn

NewClient = Callable[..., WhatsApp]
JPEG = b"\xff\xd8\xff\xe0" + b"bread" * 100


class Redirected(httpx.HTTPTransport):
    """The client's own requests, to another host."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._host = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        where = self._host
        request.url = request.url.copy_with(scheme="http", host=where.host, port=where.port)
        return super().handle_request(request)


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    with GraphServer() as one:
        yield one


@pytest.fixture
def client(graph: GraphServer) -> Iterator[NewClient]:
    """Makes clients, and closes what they opened."""
    sessions: list[httpx.Client] = []

    def new(token: str = TOKEN) -> WhatsApp:
        sessions.append(httpx.Client(transport=Redirected(graph.url), timeout=60))
        return over(sessions[-1], token)

    yield new
    for one in sessions:
        one.close()


def over(session: httpx.Client, token: str) -> WhatsApp:
    return WhatsApp(
        phone_id=PHONE_ID,
        waba_id=ACCOUNT_ID,
        token=token,
        session=session,
        api_version="23.0",
        app_secret=SECRET,
        server=None,
        verify_token="challenge me",
    )


def test_words_files_reactions_and_refusals(graph: GraphServer, client: NewClient) -> None:
    api = client()
    sent = api.send_message(to=PERSON, text="hello", reply_to_message_id="wamid.X")
    assert sent.id == graph.messages[0].id
    assert graph.messages[0]["context"] == {"message_id": "wamid.X"}
    buttons = [Button(title="Yes", callback_data="order:yes")]
    api.send_message(to=PERSON, text="Shall we?", buttons=buttons)
    assert graph.messages[1]["interactive"]["action"]["buttons"][0]["reply"]["id"] == "order:yes"
    api.send_image(to=PERSON, image=JPEG, caption="cake", mime_type="image/jpeg")
    assert graph.files[graph.messages[2]["image"]["id"]][2] == JPEG
    api.send_reaction(to=PERSON, emoji="👍", message_id="wamid.X")
    assert graph.messages[3]["reaction"] == {"emoji": "👍", "message_id": "wamid.X"}
    assert api.mark_message_as_read("wamid.X").success
    assert graph.read == ["wamid.X"]
    found = api.get_media_url(graph.messages[2]["image"]["id"])
    assert (found.mime_type, api.get_media_bytes(found.url)) == ("image/jpeg", JPEG)
    graph.closed.add(PERSON)
    with pytest.raises(errors.ReEngagementMessage):
        api.send_message(to=PERSON, text="too late")
    with pytest.raises(errors.ExpiredAccessToken):
        client("another").send_message(to=PERSON, text="x")


def test_the_number_and_the_catalogue_page_by_page(graph: GraphServer, client: NewClient) -> None:
    api = client()
    number = api.get_business_phone_number()
    assert (number.id, number.verified_name) == (PHONE_ID, "Bakery")
    for n in range(5):
        graph.template(f"order_{n}", {"type": "BODY", "text": "Your order is ready."})
    names: list[str] = []
    pagination = None
    for _ in range(3):
        page = api.get_templates(pagination=pagination)
        names += [one.name for one in page]
        pagination = Pagination(after=page.after)
    assert names == [f"order_{n}" for n in range(5)]


def test_its_events_are_signed_and_typed_as_metas(graph: GraphServer, client: NewClient) -> None:
    api = client()
    heard: list[Any] = []

    class Hook(StandIn):
        def answer(self, request: Request) -> Reply:
            if request.method == "GET":
                query = request.query
                words, status = api.webhook_challenge_handler(
                    query["hub.verify_token"], query["hub.challenge"]
                )
                return Reply(status, str(words).encode(), "text/plain")
            refused = api.webhook_update_validator(
                request.body, request.headers.get("x-hub-signature-256")
            )
            words, status = refused or api.webhook_update_handler(request.body)
            return Reply(status, str(words).encode(), "text/plain")

    api.add_handlers(
        MessageHandler(lambda _, one: heard.append(one)),
        CallbackButtonHandler(lambda _, one: heard.append(one)),
        MessageStatusHandler(lambda _, one: heard.append(one)),
    )
    with Hook() as hook:
        assert graph.challenge(hook.url, "challenge me")
        assert not graph.challenge(hook.url, "guessed")
        graph.webhook = hook.url
        assert graph.bring(graph.text("Привет"), scoped=SCOPED) == 200
        assert (
            graph.bring(graph.file("image", "image/jpeg", JPEG, caption="this"), scoped=SCOPED)
            == 200
        )
        pressed = {
            "type": "button_reply",
            "button_reply": {"id": "order:yes", "title": "Yes"},
        }
        context = {"from": PHONE_ID, "id": "wamid.X"}
        assert (
            graph.bring(graph.event("interactive", pressed, context=context), scoped=SCOPED) == 200
        )
        api.send_message(to=PERSON, text="hello")
        for status in ("sent", "delivered", "read"):
            assert graph.tell(graph.messages[-1], status) == 200
        assert graph.post_raw(b"{}", signature="sha256=00") == 403
    text, image, button, *states = heard
    assert (text.text, text.from_user.name, text.from_user.wa_id) == ("Привет", NAME, PERSON)
    assert text.from_user.bsuid == SCOPED
    assert (image.caption, image.image.mime_type) == ("this", "image/jpeg")
    assert (button.data, button.title) == ("order:yes", "Yes")
    assert [one.status.value for one in states] == ["sent", "delivered", "read"]
