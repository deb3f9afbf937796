"""Calls over real HTTP: Twilio's own validator signs, a stand-in answers as its API does."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from twilio.request_validator import RequestValidator
from werkzeug import Request, Response

import channels.calls
from crm_store import quarantine as quarantine_reads
from hub import AccountId, CreateAccount, DialogQuery, Direction, Message, RemoveAccount, UserId
from tests.houses import until
from tests.scenarios.web.house import House, open_house, served

SID = "AC" + "0" * 32
TOKEN = "the-auth-token"
OURS = "+15550001111"
PERSON = "+79215550142"
WHEN = "Mon, 23 Nov 2026 10:00:00 +0000"


@dataclass
class Exchange:
    """Twilio: its API, and its callbacks."""

    house: House
    hub_url: str
    server: HTTPServer
    token: str = TOKEN
    callback: str = ""
    recordings: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    troubles: list[Response] = field(default_factory=list)
    account_id: AccountId = AccountId(0)
    hook: str = ""

    def handle(self, request: Request) -> Response:
        """Answer as api.twilio.com does."""
        proof = base64.b64encode(f"{SID}:{self.token}".encode()).decode()
        path = request.path.removeprefix(f"/2010-04-01/Accounts/{SID}")
        self.asked.append(f"{request.method} {path}")
        if request.headers.get("authorization") != f"Basic {proof}":
            return _json({"code": 20003, "message": "Authenticate", "status": 401}, 401)
        if self.troubles:
            return self.troubles.pop(0)
        number = {"sid": "PN1", "phone_number": OURS, "status_callback": self.callback}
        if path == ".json":
            return _json({"sid": SID, "status": "active"})
        if path == "/Balance.json":
            return _json({"account_sid": SID, "balance": "12.50", "currency": "USD"})
        if path == "/IncomingPhoneNumbers.json":
            mine = request.args.get("PhoneNumber") == OURS
            return _json({"incoming_phone_numbers": [number] if mine else []})
        if path == "/IncomingPhoneNumbers/PN1.json" and request.method == "POST":
            assert request.form["StatusCallbackMethod"] == "POST"
            self.callback = request.form["StatusCallback"]
            return _json(number)
        name = path.removeprefix("/Recordings/")
        if name in self.recordings:
            return Response(self.recordings[name], content_type="audio/mpeg")
        return _json({"code": 20404, "status": 404}, 404)

    async def connect(self, **settings: Any) -> None:
        """Connect the account as an administrator would."""
        given = {"account_sid": SID, "auth_token": TOKEN, "api_url": self.server.url_for("")[:-1]}
        command = CreateAccount(channel="calls", title="Desk", settings={**given, **settings})
        self.account_id = AccountId((await self.house.system.do(command))[0])
        account = await self.house.system.account(self.account_id)
        self.hook = f"/hooks/{account.hook_token}"

    async def tells(
        self, sid: str = "CA1", *, token: str = "", url: str = "", **fields: str
    ) -> int:
        """Post one callback; gives the answer's status."""
        values = {"CallSid": sid, "AccountSid": SID, "Timestamp": WHEN, **fields}
        values = {"From": PERSON, "To": OURS, "Direction": "inbound", **values}
        address = url or f"{self.house.runtime.public_url}{self.hook}"
        signature = RequestValidator(token or TOKEN).compute_signature(address, values)
        async with httpx2.AsyncClient(timeout=30) as client:
            answer = await client.post(
                self.hub_url + self.hook, data=values, headers={"X-Twilio-Signature": signature}
            )
        return answer.status_code

    async def entries(self) -> list[Message]:
        """Every entry of every dialog of the account."""
        query = DialogQuery(view="everything", account_id=self.account_id)
        found: list[Message] = []
        for one in (await self.house.system.dialogs(query)).dialogs:
            found += (await self.house.system.thread(one.id)).messages
        return found


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


@pytest.fixture
async def exchange(
    tmp_path: Path, database_url: str, httpserver: HTTPServer
) -> AsyncIterator[Exchange]:
    """A hub with a calls account, and Twilio beside it."""
    plugin = ("calls", channels.calls)
    async with open_house(tmp_path, database_url, plugin) as house, served(house.app) as url:
        found = Exchange(house, url, httpserver)
        httpserver.expect_request(re.compile("/2010-04-01/.*")).respond_with_handler(found.handle)
        yield found
        house.app.state.stopping.set()


async def test_a_call_is_one_entry_of_its_callers_dialog(exchange: Exchange) -> None:
    await exchange.connect()
    steps = (
        {"CallStatus": "ringing"},
        {"CallStatus": "in-progress"},
        {"CallStatus": "completed", "CallDuration": "83"},
    )
    # Out of order, and each of them twice.
    for step in (steps[1], steps[0], steps[0], steps[2], steps[2]):
        assert await exchange.tells(**step) == 200
    (entry,) = await exchange.entries()
    assert entry.direction is Direction.CALL
    assert (entry.extra["call"], entry.extra["seconds"]) == ("ended", 83)
    # Nobody answered: the caller's own line ends after that, which changes nothing.
    missed = {"From": "+15557654321"}
    assert await exchange.tells("CA2", CallStatus="ringing", **missed) == 200
    assert (
        await exchange.tells("CA2", CallStatus="in-progress", DialCallStatus="no-answer", **missed)
        == 200
    )
    assert await exchange.tells("CA2", CallStatus="completed", CallDuration="20", **missed) == 200
    # The leg to a colleague is no call of its own; our call to the person is.
    assert await exchange.tells("CA3", CallStatus="ringing", ParentCallSid="CA2") == 200
    out = {"Direction": "outbound-api", "From": OURS, "To": PERSON}
    assert await exchange.tells("CA4", CallStatus="completed", CallDuration="9", **out) == 200
    calls = [(one.extra["call"], one.extra["direction"]) for one in await exchange.entries()]
    assert sorted(calls) == [("ended", "in"), ("ended", "out"), ("missed", "in")]
    query = DialogQuery(view="everything", account_id=exchange.account_id)
    waiting = {
        one.address: one.waiting_since > 0
        for one in (await exchange.house.system.dialogs(query)).dialogs
    }
    assert waiting == {PERSON: False, "+15557654321": True}


async def test_only_twilio_is_believed(exchange: Exchange) -> None:
    await exchange.connect(previous_token="the-old-token")
    ringing = {"CallStatus": "ringing"}
    assert await exchange.tells(token="somebody", **ringing) == 403
    assert await exchange.tells(url="https://elsewhere.example/hook", **ringing) == 403
    assert await exchange.tells(AccountSid="AC" + "1" * 32, **ringing) == 403
    async with httpx2.AsyncClient(timeout=30) as client:
        unsigned = await client.post(exchange.hub_url + exchange.hook, data={"CallSid": "CA1"})
    assert unsigned.status_code == 403
    assert await exchange.entries() == []
    assert await exchange.tells(token="the-old-token", **ringing) == 200
    assert len(await exchange.entries()) == 1
    # A state that nobody knows is kept, and the provider need not repeat it.
    assert await exchange.tells("CA9", CallStatus="levitating") == 200
    admin = exchange.house.system.as_user(UserId(await exchange.house.user()))
    kept = await admin.read(quarantine_reads.quarantined)
    assert [b"levitating" in one.error.encode() for one in kept] == [True]


async def test_numbers_report_here_and_the_account_shows_how_it_is(exchange: Exchange) -> None:
    await exchange.connect(numbers=[OURS])
    address = f"{exchange.house.runtime.public_url}{exchange.hook}"
    await until(lambda: exchange.callback == address)

    async def healthy() -> bool:
        account = await exchange.house.system.account(exchange.account_id)
        return (account.state, account.quota) == ("ok", "12.50 USD")

    await until(healthy)
    assert await exchange.tells(CallStatus="ringing", From="Restricted") == 200
    (entry,) = await exchange.entries()
    assert entry.author_name == "Hidden number"
    await exchange.house.system.do(RemoveAccount(account_id=exchange.account_id))
    assert exchange.callback == ""


async def test_a_revoked_token_turns_the_account_red(exchange: Exchange) -> None:
    exchange.token = "another"
    await exchange.connect(numbers=[OURS])

    async def red() -> bool:
        account = await exchange.house.system.account(exchange.account_id)
        return account.state == "down" and "auth token" in account.last_error

    await until(red)


async def test_passing_troubles_of_the_provider_are_red_until_it_is_well(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.connections.PAUSE_FIRST", 0.1)
    monkeypatch.setattr("hub.connections.SWEEP_SECONDS", 0.2)
    troubles = {
        "answered 429": Response("{}", 429, content_type="application/json"),
        "answered 503": Response("<html>", 503, content_type="text/html"),
        "cannot be read": Response("<html>in between</html>", 200, content_type="text/html"),
    }
    exchange.troubles = list(troubles.values())
    seen: set[str] = set()
    await exchange.connect(numbers=[OURS])

    async def well() -> bool:
        account = await exchange.house.system.account(exchange.account_id)
        seen.update(one for one in troubles if one in account.last_error)
        return bool(exchange.callback) and account.state == "ok"

    await until(well)
    assert seen
    # Meanwhile calls came in as ever.
    assert await exchange.tells(CallStatus="ringing") == 200
    assert len(await exchange.entries()) == 1


async def test_a_recording_is_fetched_as_soon_as_it_is_ready(exchange: Exchange) -> None:
    await exchange.connect()
    assert await exchange.tells(CallStatus="completed", CallDuration="5") == 200
    recording = {"RecordingSid": "RE1", "RecordingUrl": "https://api.example/RE1"}
    values = {**recording, "RecordingStatus": "completed", "RecordingDuration": "5"}
    assert await exchange.tells(**values) == 200
    await until(lambda: exchange.asked.count("GET /Recordings/RE1.mp3") >= 1)
    exchange.recordings["RE1.mp3"] = b"ID3 a voice"

    async def there() -> bool:
        (entry,) = await exchange.entries()
        return [one.state for one in entry.attachments] == ["ready"]

    await until(there, 60)
    (entry,) = await exchange.entries()
    assert entry.extra["call"] == "ended"
    file = await exchange.house.system.file(entry.attachments[0].id)
    assert (file.content, file.media_type) == (b"ID3 a voice", "audio/mpeg")
