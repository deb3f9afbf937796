"""Twilio's own client, which nobody of us wrote, finds in the stand-in what Twilio is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.servers.stand_in import Reply, Request, StandIn
from tests.servers.twilio import ACCOUNT, NUMBER, SERVICE, TOKEN, TwilioServer

PERSON = "+15550001111"


class Redirected(TwilioHttpClient):  # type: ignore[misc]
    """The client's own requests, to another host."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=60)
        self._host = url

    def request(self, method: str, url: str, *args: Any, **more: Any) -> Response:
        parts = urlsplit(url)
        place = f"{self._host}{parts.path}{'?' if parts.query else ''}{parts.query}"
        return super().request(method, place, *args, **more)


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer() as one:
        yield one


def client(server: TwilioServer, token: str = TOKEN) -> Client:
    return Client(ACCOUNT, token, http_client=Redirected(server.url))


def test_messages_and_refusals(twilio: TwilioServer) -> None:
    api = client(twilio)
    sent = api.messages.create(to=PERSON, from_=NUMBER, body="hello")
    assert (sent.sid, sent.status, sent.body) == (twilio.messages[0].sid, "queued", "hello")
    pooled = api.messages.create(to=PERSON, messaging_service_sid=SERVICE, body="hello")
    assert (pooled.status, pooled.from_) == ("accepted", None)
    for to, code in (("12", 21211), (f"{PERSON}x", 21211)):
        with pytest.raises(TwilioRestException) as refused:
            api.messages.create(to=to, from_=NUMBER, body="hello")
        assert (refused.value.code, refused.value.status) == (code, 400)
    twilio.stopped.add(PERSON)
    with pytest.raises(TwilioRestException) as refused:
        api.messages.create(to=PERSON, from_=NUMBER, body="hello")
    assert refused.value.code == 21610
    with pytest.raises(TwilioRestException) as refused:
        client(twilio, "another").messages.create(to=PERSON, from_=NUMBER, body="x")
    assert (refused.value.code, refused.value.status) == (20003, 401)


def test_the_account_its_numbers_and_its_contents(twilio: TwilioServer) -> None:
    api = client(twilio)
    assert api.api.v2010.accounts(ACCOUNT).fetch().status == "active"
    assert (api.balance.fetch().balance, api.balance.fetch().currency) == ("12.34", "USD")
    [number] = api.incoming_phone_numbers.list(phone_number=NUMBER)
    assert number.update(sms_url="https://hub.example/x").sms_url == "https://hub.example/x"
    assert api.messaging.v1.services(SERVICE).fetch().friendly_name == "Pool"
    for n in range(5):
        twilio.content(f"order {n}", "approved", {"twilio/text": {"body": "Hello {{1}}"}}, v1="A")
    contents = api.content.v1.content_and_approvals.list()
    assert [one.friendly_name for one in contents] == [f"order {n}" for n in range(5)]
    assert contents[0].approval_requests["status"] == "approved"


def test_its_callbacks_are_signed_as_twilio_signs(twilio: TwilioServer) -> None:
    taken: list[Request] = []

    class Hook(StandIn):
        def answer(self, request: Request) -> Reply:
            taken.append(request)
            return Reply()

    with Hook() as hook:
        twilio.numbers[NUMBER] = f"{hook.url}/hooks/x"
        assert twilio.bring(PERSON, "Привет & <hello>")[0] == 200
    fields = dict(parse_qsl(taken[0].body.decode(), keep_blank_values=True))
    signature = taken[0].headers["x-twilio-signature"]
    assert RequestValidator(TOKEN).validate(f"{hook.url}/hooks/x", fields, signature)
    assert not RequestValidator("another").validate(f"{hook.url}/hooks/x", fields, signature)
    assert (fields["Body"], fields["From"]) == ("Привет & <hello>", PERSON)
