"""The calls channel: it takes in what a telephone provider tells of calls, and sends nothing.

The first source is Twilio Voice: the webhook takes its status, dial and recording callbacks.
Another exchange posts `call.changed` to the generic webhook channel.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from pydantic import BaseModel, Field, SecretStr

from channels._twilio.signatures import signed_fields
from channels.calls.twilio import KIND, call_events
from hub import (
    AccountRefused,
    Arrival,
    Capabilities,
    Channel,
    ChannelContext,
    Check,
    Health,
    PermanentFailure,
    RejectReason,
    Response,
    TemporaryFailure,
    UntrustedRequest,
    WebhookRequest,
)

SECONDS = 20.0


class CallsSettings(BaseModel):
    """A Twilio account, and which of its numbers are told to report here."""

    account_sid: str = Field(
        title="Account SID",
        description="Begins with AC; on the first page of the Twilio console.",
        pattern=r"^AC[0-9a-f]{32}$",
    )
    auth_token: SecretStr = Field(
        title="Auth token", description="Beside the account SID; callbacks are signed with it."
    )
    previous_token: SecretStr = Field(
        default=SecretStr(""),
        title="Previous auth token",
        description="While a token is being changed: callbacks signed with it are taken too.",
    )
    numbers: list[str] = Field(
        default_factory=list,
        title="Numbers",
        description="Like +15551234567, one a line. Their status callback is set to this account "
        "by itself; without any, enter the webhook address in the console.",
        max_length=100,
    )
    api_url: str = Field(
        default="https://api.twilio.com",
        title="Address of the API",
        pattern=r"^https?://[^\s/]+$",
        json_schema_extra={"advanced": True},
    )


class CallsChannel(Channel):
    """Calls of a Twilio account."""

    name = "calls"
    title = "Telephone calls"
    icon = "phone"
    capabilities: ClassVar[Capabilities] = Capabilities(address_kind=KIND, sends=False)
    Settings = CallsSettings
    needs = (
        "A Twilio account with a number that takes calls.",
        "The account SID and the auth token, from the first page of the Twilio console.",
        "A public https address of this hub, so that Twilio can reach it.",
    )

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        self._own = cast(CallsSettings, settings)

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        """Verify one callback and read what it says of a call."""
        tokens = (self._own.auth_token, self._own.previous_token)
        fields = signed_fields(request, tokens)
        if fields.get("AccountSid", self._own.account_sid) != self._own.account_sid:
            raise UntrustedRequest("this is about another account")
        return call_events(fields, request.received_at)

    async def check(self) -> list[Check]:
        """Ask Twilio for the account, and whether the numbers are its own."""
        try:
            state = await self._account_state()
            found = [Check(name="account", ok=state == "active", text=state)]
            for number in self._own.numbers:
                known = await self._number(number)
                words = "" if known else "this account has no such number"
                found.append(Check(name=number, ok=bool(known), text=words))
        except (TemporaryFailure, PermanentFailure) as error:
            return [Check(name="account", ok=False, text=str(error))]
        return found

    async def connect(self) -> None:
        """Point the status callback of each number here."""
        for number in self._own.numbers:
            known = await self._number(number)
            if not known:
                raise PermanentFailure(RejectReason.OTHER, f"this account has no number {number}")
            await self._set(known, self.context.hook_url)

    async def disconnect(self) -> None:
        """Take the status callback away again, where it still leads here."""
        for number in self._own.numbers:
            known = await self._number(number)
            if known and known.get("status_callback") == self.context.hook_url:
                await self._set(known, "")

    async def inspect(self) -> Health:
        """Ask for the account's state, its balance, and where the numbers report to."""
        state = await self._account_state()
        if state != "active":
            return Health(ok=False, text=f"the account is {state}")
        elsewhere = [
            number
            for number in self._own.numbers
            if (await self._number(number) or {}).get("status_callback") != self.context.hook_url
        ]
        balance = _read(await self._call("GET", "/Balance.json"))
        quota = f"{balance.get('balance', '?')} {balance.get('currency', '')}".strip()
        if elsewhere:
            text = f"calls of {', '.join(elsewhere)} are reported elsewhere: save the account again"
            return Health(ok=False, text=text, quota=quota)
        webhook = ", ".join(self._own.numbers)
        return Health(webhook=webhook, quota=quota)

    async def fetch(self, reference: str) -> bytes:
        """Get a recording; one that is not ready yet is asked for again."""
        if not reference.isalnum():
            raise PermanentFailure(RejectReason.OTHER, "this is not a recording")
        answer = await self._call("GET", f"/Recordings/{reference}.mp3", missing=True)
        if answer.status_code == 404:
            raise TemporaryFailure("the recording is not ready yet")
        return answer.content

    async def _account_state(self) -> str:
        found = _read(await self._call("GET", ".json"))
        return str(found.get("status", "unknown"))

    async def _number(self, number: str) -> Mapping[str, Any] | None:
        answer = await self._call(
            "GET", "/IncomingPhoneNumbers.json", params={"PhoneNumber": number}
        )
        found = _read(answer)
        numbers: list[Mapping[str, Any]] = found.get("incoming_phone_numbers", [])
        return next((one for one in numbers if one.get("phone_number") == number), None)

    async def _set(self, number: Mapping[str, Any], url: str) -> None:
        values = {"StatusCallback": url, "StatusCallbackMethod": "POST"}
        await self._call("POST", f"/IncomingPhoneNumbers/{number['sid']}.json", data=values)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, object] | None = None,
        missing: bool = False,
    ) -> Response:
        sid, token = self._own.account_sid, self._own.auth_token.get_secret_value()
        proof = base64.b64encode(f"{sid}:{token}".encode()).decode()
        try:
            answer = await self.context.http.request(
                method,
                f"{self._own.api_url}/2010-04-01/Accounts/{sid}{path}",
                headers={"authorization": f"Basic {proof}"},
                params=params,
                data=data,
                timeout=SECONDS,
            )
        except TemporaryFailure:
            raise
        except Exception as error:
            raise TemporaryFailure(f"Twilio did not answer ({type(error).__name__})") from error
        status = answer.status_code
        if status in (401, 403):
            raise AccountRefused(f"Twilio refuses the account SID or the auth token ({status})")
        if status == 429 or status >= 500:
            raise TemporaryFailure(f"Twilio answered {status}")
        if status >= 400 and not (missing and status == 404):
            raise PermanentFailure(RejectReason.PROVIDER_ERROR, f"Twilio answered {status}")
        return answer


def _read(answer: Response) -> dict[str, Any]:
    """Read an answer; a page of somebody in between is no answer of Twilio's."""
    try:
        found = answer.json()
    except ValueError as error:
        raise TemporaryFailure("Twilio's answer cannot be read") from error
    if not isinstance(found, dict):
        raise TemporaryFailure("Twilio's answer cannot be read")
    return found
