"""The few calls of Meta's Graph API that the channel makes, on the hub's own HTTP client."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from channels.whatsapp.cloud_refusals import refusal
from channels.whatsapp.cloud_settings import CloudSettings
from hub import (
    Attachment,
    HttpClient,
    HubError,
    MalformedPayload,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    Response,
    TemporaryFailure,
)

SECONDS = 20.0
UPLOAD_SECONDS = 60.0
PAGE = 100
MAX_PAGES = 50
STORES = ("fbsbx.com", "fbcdn.net", "facebook.com", "whatsapp.net")
"""Where Meta keeps files; nobody else is shown the token."""
NUMBER_FIELDS = "id,display_phone_number,verified_name,quality_rating,webhook_configuration"
TEMPLATE_FIELDS = "id,name,language,status,category,components,parameter_format,rejected_reason"


class Graph:
    """Calls for one number and its business account; every refusal is a HubError."""

    def __init__(self, settings: CloudSettings, http: HttpClient) -> None:
        self._own = settings
        self._http = http
        self._base = f"{settings.api_url}/{settings.api_version}"

    async def _call(
        self,
        method: str,
        path: str,
        *,
        seconds: float = SECONDS,
        harmless: bool = False,
        **more: Any,
    ) -> Any:
        """Make one call; a `harmless` one may be made again whatever became of it."""
        harmless = harmless or method == "GET"
        try:
            async with asyncio.timeout(seconds):
                answer = await self._request(method, f"{self._base}/{path}", seconds, **more)
        except TimeoutError as error:
            raise _lost("Meta did not answer in time", harmless) from error
        except OutcomeUnknown as error:
            raise _lost(str(error), harmless) from error
        if answer.status_code >= 400:
            raise refusal(answer.status_code, answer.text, answer.headers, asked=harmless)
        try:
            return answer.json()
        except ValueError as error:
            raise _lost("Meta answered with something that is not JSON", harmless) from error

    async def _request(self, method: str, url: str, seconds: float, **more: Any) -> Response:
        token = self._own.access_token.get_secret_value()
        headers = {"Authorization": f"Bearer {token}"}
        return await self._http.request(method, url, headers=headers, timeout=seconds, **more)

    async def send(self, payload: Mapping[str, Any]) -> str:
        """Send one message; gives Meta's id of it."""
        found = await self._call("POST", f"{self._own.phone_number_id}/messages", json=payload)
        try:
            return str(found["messages"][0]["id"])
        except (KeyError, IndexError, TypeError) as error:
            raise OutcomeUnknown("Meta answered without the message's id") from error

    async def mark_read(self, external_id: str, *, typing: bool = False) -> None:
        """Show the person that his message was read, or that somebody is writing."""
        payload: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": external_id,
        }
        if typing:
            payload["typing_indicator"] = {"type": "text"}
        path = f"{self._own.phone_number_id}/messages"
        await self._call("POST", path, harmless=True, json=payload)

    async def upload(self, file: Attachment, media_type: str) -> str:
        """Bring a file to Meta; gives the id under which a message can name it.

        A repeat makes a second file that nobody sees, so a lost answer is only a failure.
        """
        found = await self._call(
            "POST",
            f"{self._own.phone_number_id}/media",
            seconds=UPLOAD_SECONDS,
            harmless=True,
            data={"messaging_product": "whatsapp", "type": media_type},
            files={"file": (file.name or "file", file.content or b"", media_type)},
        )
        if not isinstance(found, dict) or not found.get("id"):
            raise TemporaryFailure("Meta took the file without giving its id")
        return str(found["id"])

    async def download(self, media_id: str) -> bytes:
        """Get a file: its address first, then its bytes, checked against Meta's own hash."""
        own = self._own
        found = await self._call("GET", media_id, params={"phone_number_id": own.phone_number_id})
        address = str(found.get("url", "")) if isinstance(found, dict) else ""
        if not self._is_meta(address):
            raise PermanentFailure(RejectReason.OTHER, "the file is at an address not of Meta's")
        answer = await self._request("GET", address, UPLOAD_SECONDS)
        if answer.status_code >= 400:
            raise refusal(answer.status_code, answer.text, answer.headers, asked=True)
        told = str(found.get("sha256", ""))
        if told and not _is_hash(told, answer.content):
            raise TemporaryFailure("the file came damaged: its hash is another")
        return answer.content

    def _is_meta(self, address: str) -> bool:
        parts, own = urlsplit(address), urlsplit(self._own.api_url)
        if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
            return True
        host = parts.hostname or ""
        return parts.scheme == "https" and any(
            host == one or host.endswith(f".{one}") for one in STORES
        )

    async def number(self) -> Mapping[str, Any]:
        """Give what Meta says of the number: name, quality, where its events go."""
        found = await self._call("GET", self._own.phone_number_id, params={"fields": NUMBER_FIELDS})
        if not isinstance(found, dict):
            raise MalformedPayload("Meta says nothing of this number")
        return found

    async def templates(self) -> list[Mapping[str, Any]]:
        """Give the whole catalogue, page by page."""
        path = f"{self._own.business_account_id}/message_templates"
        params = {"limit": str(PAGE), "fields": TEMPLATE_FIELDS}
        found: list[Mapping[str, Any]] = []
        for _ in range(MAX_PAGES):
            page = await self._call("GET", path, params=params)
            if not isinstance(page, dict) or not isinstance(page.get("data"), list):
                raise MalformedPayload("Meta's catalogue of templates cannot be read")
            found += [one for one in page["data"] if isinstance(one, dict)]
            paging = page.get("paging")
            paging = paging if isinstance(paging, dict) else {}
            after = (paging.get("cursors") or {}).get("after")
            if not after or not paging.get("next"):
                break
            params = {**params, "after": str(after)}
        return found

    async def subscribe(self) -> None:
        """Ask for the business account's events."""
        path = f"{self._own.business_account_id}/subscribed_apps"
        await self._call("POST", path, harmless=True)

    async def set_webhook(self, url: str, verify_token: str) -> None:
        """Say where the events of this one number go; "" gives them back to the app's address."""
        configuration = {"override_callback_uri": url, "verify_token": verify_token}
        await self._call(
            "POST",
            self._own.phone_number_id,
            harmless=True,
            json={"webhook_configuration": configuration},
        )


def _lost(text: str, harmless: bool) -> HubError:
    return TemporaryFailure(text) if harmless else OutcomeUnknown(text)


def _is_hash(told: str, content: bytes) -> bool:
    """Compare with a hash in either of Meta's spellings, hexadecimal or base64."""
    digest = hashlib.sha256(content).digest()
    if told.lower() == digest.hex():
        return True
    try:
        return base64.b64decode(told, validate=True) == digest
    except (binascii.Error, ValueError):
        return False
