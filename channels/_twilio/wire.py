"""Twilio's own client on the hub's wire.

The client makes the requests (paths, names, authorisation); the hub's HTTP client carries them.
So the time limits hold (the client's own asynchronous one ignores them), Retry-After is read
before the client drops it, and another host can stand in the place of Twilio's.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from channels._twilio.refusals import refusal
from channels._twilio.settings import TwilioSettings
from hub import (
    HttpClient,
    MalformedPayload,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    TemporaryFailure,
    in_thread,
)

SECONDS = 20.0
"""How long one call may take in all; shorter than the channel's `send_timeout`."""
REDIRECTS = 3
PAGE = 100


class HubWire:
    """What twilio's client takes for an HTTP client."""

    is_async = True

    def __init__(self, http: HttpClient, api_url: str) -> None:
        self._http = http
        self._api_url = api_url

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Any:
        """Carry one request; raises a HubError for every answer that is no success."""
        from twilio.http.response import Response

        asked = method in ("GET", "HEAD")
        sent = {**(headers or {}), **_basic(auth)}
        # The client writes every field of a content, the empty ones too.
        as_json = sent.get("Content-Type") == "application/json"
        body = {"json": _filled(data)} if as_json else {"data": data or None}
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._http.request(
                    method,
                    self.address(uri),
                    headers=sent,
                    params={name: str(one) for name, one in (params or {}).items()},
                    timeout=timeout or SECONDS,
                    **body,
                )
        except TimeoutError as error:
            text = "Twilio did not answer in time"
            raise (TemporaryFailure(text) if asked else OutcomeUnknown(text)) from error
        if answer.status_code >= 400:
            raise refusal(answer.status_code, answer.text, answer.headers, asked=asked)
        return Response(answer.status_code, answer.text, answer.headers)

    def address(self, uri: str) -> str:
        """Give where a request goes: as it is, or to the host of the account's settings."""
        if not self._api_url:
            return uri
        own, wanted = urlsplit(self._api_url), urlsplit(uri)
        return urlunsplit(
            (own.scheme, own.netloc, own.path.rstrip("/") + wanted.path, wanted.query, "")
        )


class Twilio:
    """The few calls of Twilio's API that the channels make."""

    def __init__(self, settings: TwilioSettings, http: HttpClient) -> None:
        self._settings = settings
        self._http = http
        self._wire = HubWire(http, settings.api_url)
        self._client: Any = None

    async def warm(self) -> None:
        """Import and build what the first call and the first webhook need, off the loop."""
        await self._api()

    async def _api(self) -> Any:
        if self._client is None:
            self._client = await in_thread(self._build)
        return self._client

    def _build(self) -> Any:
        # Half a second of imports, in a thread and only where an account needs it.
        from twilio import http, request_validator
        from twilio.rest import Client

        assert http
        assert request_validator  # what the first webhook needs

        own = self._settings
        return Client(
            own.account_sid,
            own.auth_token.get_secret_value(),
            http_client=self._wire,
            environment={"_": ""},
        )

    async def send(self, values: Mapping[str, Any]) -> Any:
        """Create a message; raises OutcomeUnknown where Twilio's answer cannot be read."""
        api = await self._api()
        try:
            found = await api.messages.create_async(**values)
        except ValueError as error:
            raise OutcomeUnknown("Twilio answered with something that is no message") from error
        if not found.sid:
            raise OutcomeUnknown("Twilio answered without the message's SID")
        return found

    async def account(self) -> tuple[str, str, str]:
        """Give the account's status, and its balance as amount and currency ("" if not told)."""
        api = await self._api()
        found = await api.api.v2010.accounts(self._settings.account_sid).fetch_async()
        try:
            balance = await api.balance.fetch_async()
        except PermanentFailure:
            return str(found.status), "", ""
        return str(found.status), str(balance.balance or ""), str(balance.currency or "")

    async def number(self, sender: str) -> Any:
        """Give the account's own number, None where the sender is not one."""
        api = await self._api()
        found = await api.incoming_phone_numbers.list_async(phone_number=sender, limit=1)
        return found[0] if found else None

    async def set_number(self, sid: str, url: str) -> None:
        """Say where Twilio calls for messages to a number."""
        api = await self._api()
        await api.incoming_phone_numbers(sid).update_async(sms_url=url, sms_method="POST")

    async def service(self, sid: str) -> Any:
        """Give a messaging service."""
        api = await self._api()
        return await api.messaging.v1.services(sid).fetch_async()

    async def set_service(self, sid: str, url: str) -> None:
        """Say where Twilio calls for messages to a messaging service."""
        api = await self._api()
        await api.messaging.v1.services(sid).update_async(
            inbound_request_url=url, inbound_method="POST", use_inbound_webhook_on_number=False
        )

    async def contents(self) -> Sequence[Any]:
        """Give every content with what WhatsApp thinks of it, through all pages."""
        from twilio.base.exceptions import TwilioException

        api = await self._api()
        try:
            found: Sequence[Any] = await api.content.v1.content_and_approvals.list_async(
                page_size=PAGE
            )
        except (TwilioException, ValueError) as error:
            raise TemporaryFailure(f"Twilio's list of contents cannot be read: {error}") from error
        return found

    async def add_content(self, values: Mapping[str, Any]) -> str:
        """Add a content to the account; gives its SID. A content too many harms nobody."""
        from twilio.rest.content.v1.content import ContentList

        api = await self._api()
        request = ContentList.ContentCreateRequest(dict(values))
        try:
            found = await api.content.v1.contents.create_async(request)
        except (OutcomeUnknown, ValueError) as error:
            raise TemporaryFailure(
                f"Twilio did not say whether it has the content: {error}"
            ) from error
        return str(found.sid)

    async def media(self, reference: str) -> bytes:
        """Get the bytes of a file of a message: authorised, then wherever Twilio points to.

        The token is shown to Twilio alone, never to the store that it sends us to.
        """
        parts = urlsplit(reference)
        if not parts.path.startswith(f"/2010-04-01/Accounts/{self._settings.account_sid}/"):
            raise PermanentFailure(RejectReason.OTHER, "this is no file of the account")
        if not self._settings.api_url and parts.netloc != "api.twilio.com":
            raise PermanentFailure(RejectReason.OTHER, "this is no address of Twilio's")
        auth = (self._settings.account_sid, self._settings.auth_token.get_secret_value())
        address, headers = self._wire.address(reference), _basic(auth)
        for _ in range(REDIRECTS + 1):
            answer = await self._http.request("GET", address, headers=headers)
            if answer.status_code in (301, 302, 303, 307, 308):
                address, headers = answer.headers.get("location", ""), {}
                if not address.startswith(("https://", "http://")):
                    break
                continue
            if answer.status_code >= 400:
                raise refusal(answer.status_code, answer.text, answer.headers, asked=True)
            return answer.content
        raise MalformedPayload("Twilio sends us round in circles for a file")


def _filled(value: Any) -> Any:
    """Leave out what is None, at every depth."""
    if isinstance(value, Mapping):
        return {name: _filled(one) for name, one in value.items() if one is not None}
    return [_filled(one) for one in value] if isinstance(value, list) else value


def _basic(auth: tuple[str, str] | None) -> dict[str, str]:
    if auth is None:
        return {}
    token = base64.b64encode(":".join(auth).encode()).decode()
    return {"Authorization": f"Basic {token}"}
