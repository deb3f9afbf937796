"""Where providers and browsers hand in what people wrote: `/hooks/<token of the account>`.

The order is the promise: read (capped), verify and parse, write, and only after the commit say
so. A forged request is refused; whatever else nobody can read is kept as it came, to be replayed
once it can. Pure ASGI in front of everything else, because this is the road of every message.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Receive, Scope, Send

from crm_store.accounts import account_by_hook
from crm_store.failures import is_passing
from crm_store.viewer import Reader, Viewer
from hub.channel import Channel
from hub.commands import Quarantine
from hub.errors import Invalid, NotFound, UntrustedRequest
from hub.events import AccountChanged, AccountRemoved, Event
from hub.filing import file_arrivals
from hub.ids import AccountId
from hub.limits import RateLimit
from hub.messages import Arrival
from hub.objects import SYSTEM
from hub.records.system import Account
from hub.web.proxies import client_address, trusted_networks
from hub.webhook_request import WebhookAnswer, WebhookRequest

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.webhooks")

PREFIX = "/hooks/"
METHODS = ("GET", "POST", "PUT")
SMALL_BODY = 65_536
"""Up to this size parsing takes well under a millisecond and stays on the loop."""
PARSE_SECONDS = 20.0
MAX_KNOWN = 10_000
RETRY_SECONDS = "30"
_BROWSER_HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, PUT, OPTIONS"),
    (b"access-control-max-age", b"600"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)


class TooLarge(Exception):
    """The body is larger than the installation takes."""


class Left(Exception):
    """The caller hung up before the whole body was here."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the provider is told."""

    status: int = 200
    body: bytes = b"ok"
    media_type: str = "text/plain; charset=utf-8"
    retry_after: str = ""


class WebhookNumbers:
    """How many requests came in, what became of them, how long they took."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "hub_webhook_seconds",
            "time from the request to the answer after the commit",
            registry=self.registry,
        )
        self.answers = Counter(
            "hub_webhook_requests", "webhook requests", ["status"], registry=self.registry
        )


class WebhookDoor:
    """Takes what is under `/hooks/`; lets everything else through."""

    def __init__(self, app: ASGIApp, runtime: Runtime, numbers: WebhookNumbers) -> None:
        self._app = app
        self._runtime = runtime
        self._numbers = numbers
        self._trusted = trusted_networks(runtime.settings.trusted_proxies)
        self._known: dict[str, AccountId] = {}
        self._limits: dict[AccountId, RateLimit] = {}
        self._closing: set[asyncio.Task[None]] = set()
        runtime.feed.before_all(self._changed)

    def _changed(self, events: list[Event]) -> None:
        """An account's new settings count from the next request on, in every process."""
        for event in events:
            if isinstance(event, AccountChanged | AccountRemoved):
                self._known.clear()
                self._limits.pop(event.account_id, None)
                task = asyncio.create_task(self._runtime.channel_host.forget(event.account_id))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a webhook, or pass the request on."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        browsers = False
        try:
            account, channel = await self._account(scope["path"][len(PREFIX) :])
            browsers = channel.browsers
            if scope["method"] == "OPTIONS" and browsers:
                reply = Reply(204, b"")
            elif scope["method"] not in METHODS or not channel.pushes():
                reply = Reply(405, b"method not allowed")
            elif account.paused:
                reply = Reply(503, b"paused", retry_after="300")
            else:
                reply = await self._take(scope, receive, account, channel)
        except NotFound:
            reply = Reply(404, b"not found")
        except Invalid:
            # The secrets or the settings are unusable: the account is red, the provider waits.
            reply = Reply(503, b"not ready", retry_after=RETRY_SECONDS)
        except TooLarge:
            reply = Reply(413, b"too large")
        except Left:
            return
        await _answer(send, scope, reply, browsers=browsers)
        self._numbers.answers.labels(str(reply.status)).inc()
        self._numbers.seconds.observe(time.perf_counter() - started)

    async def _account(self, token: str) -> tuple[Account, Channel]:
        account_id = self._known.get(token)
        if account_id is None:
            account_id = await self._runtime.database.read(
                lambda conn: account_by_hook(
                    Reader(conn=conn, viewer=Viewer.system(), now=self._runtime.now()), token
                )
            )
            if account_id is None:
                raise NotFound("there is no such webhook")
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[token] = account_id
        return await self._runtime.channel_host.get(account_id)

    async def _take(
        self, scope: Scope, receive: Receive, account: Account, channel: Channel
    ) -> Reply:
        body = await _read_body(scope, receive, self._runtime.settings.max_body)
        request = self._request(scope, body)
        try:
            if channel.calls_per_minute:
                wait = self._too_often(account, channel, request, scope)
                if wait:
                    return Reply(429, b"too many requests", retry_after=str(int(wait) + 1))
            found = await self._parse(channel, request)
        except UntrustedRequest as error:
            log.warning("webhook_refused account=%d reason=%r", account.id, str(error))
            return Reply(403, b"forbidden")
        except Exception as error:  # noqa: BLE001 - whatever it is, the bytes are kept
            return await self._keep(account, request, error)
        if isinstance(found, WebhookAnswer):
            return Reply(found.status, found.body, found.media_type)
        try:
            await file_arrivals(self._runtime, account, found)
        except Exception as error:  # noqa: BLE001 - a message nobody can file is kept too
            if is_passing(error):
                # Nothing was written, and nothing could be: the provider asks again.
                name = type(error).__name__
                log.error("webhook_not_written account=%d error=%s", account.id, name)
                return Reply(503, b"try again", retry_after=RETRY_SECONDS)
            return await self._keep(account, request, error)
        return Reply()

    def _request(self, scope: Scope, body: bytes) -> WebhookRequest:
        query = scope.get("query_string", b"").decode("latin-1")
        url = self._runtime.public_url.rstrip("/") + quote(scope["path"])
        return WebhookRequest(
            method=scope["method"],
            url=f"{url}?{query}" if query else url,
            headers=_headers(scope["headers"]),
            query=dict(parse_qsl(query, keep_blank_values=True)) if query else {},
            body=body,
            received_at=self._runtime.now(),
        )

    def _too_often(
        self, account: Account, channel: Channel, request: WebhookRequest, scope: Scope
    ) -> float:
        limit = self._limits.get(account.id)
        if limit is None:
            limit = RateLimit(channel.calls_per_minute, 60, self._runtime.now)
            self._limits[account.id] = limit
        wait = limit.wait(f"address:{client_address(scope, self._trusted)}")
        if not wait and (caller := channel.caller(request)):
            wait = limit.wait(f"caller:{caller}")
        return wait

    async def _parse(
        self, channel: Channel, request: WebhookRequest
    ) -> Sequence[Arrival] | WebhookAnswer:
        name = self._runtime.channel_plugin.get(channel.name, "")
        plugin = self._runtime.plugins.plugins.get(name)
        if len(request.body) <= SMALL_BODY and plugin is not None and plugin.bundled:
            return _parse(channel, request)
        async with asyncio.timeout(PARSE_SECONDS):
            return await asyncio.to_thread(_parse, channel, request)

    async def _keep(self, account: Account, request: WebhookRequest, error: Exception) -> Reply:
        """Put the request aside as it came; only then is it ours, and the provider may forget."""
        log.warning("webhook_quarantined account=%d error=%s", account.id, type(error).__name__)
        command = Quarantine(
            account_id=account.id,
            raw=request.body,
            error=f"{type(error).__name__}: {error}",
            trace="".join(traceback.format_exception(error)),
            source="webhook",
            method=request.method,
            url=request.url,
            headers=tuple(request.headers.items()),
        )
        try:
            await self._runtime.do(SYSTEM, None, (command,))
        except Exception as failure:  # noqa: BLE001 - not ours yet: the provider must ask again
            log.error("quarantine_failed account=%d error=%s", account.id, type(failure).__name__)
            return Reply(503, b"try again", retry_after=RETRY_SECONDS)
        # The same word as for what was understood: some providers repeat on any other.
        return Reply()


def _parse(channel: Channel, request: WebhookRequest) -> Sequence[Arrival] | WebhookAnswer:
    found = channel.parse(request)
    return found if isinstance(found, WebhookAnswer) else list(found)


async def _read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """Read the body while it streams; no more than the limit is ever held."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise TooLarge
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise TooLarge
        return body
    parts = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise Left
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise TooLarge
        if not message.get("more_body", False):
            return bytes(parts)
        message = await receive()


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> Mapping[str, str]:
    """Give headers as text; a repeated one is joined as RFC 9110 5.3 allows."""
    found: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


async def _answer(send: Send, scope: Scope, reply: Reply, *, browsers: bool) -> None:
    headers = [
        (b"content-type", reply.media_type.encode("latin-1", "replace")),
        (b"content-length", str(len(reply.body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    ]
    if reply.retry_after:
        headers.append((b"retry-after", reply.retry_after.encode()))
    if browsers:
        headers += _BROWSER_HEADERS
        asked = dict(scope["headers"]).get(b"access-control-request-headers", b"content-type")
        headers.append((b"access-control-allow-headers", asked))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
