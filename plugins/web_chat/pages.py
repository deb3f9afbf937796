"""The endpoints that a visitor's browser calls: the script, its settings, who am I, what was said.

All are public and open to pages of other sites; whatever shows or does something of a visitor's
asks for the visitor's token first. A refusal says nothing of why.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps

from hub import (
    Account,
    AccountId,
    Answer,
    AttachmentId,
    File,
    Hub,
    Invalid,
    Json,
    MessageId,
    Micros,
    NotFound,
    PluginRequest,
    RateLimit,
    Route,
    Stream,
    UntrustedRequest,
)
from plugins.web_chat.channel import WebChatChannel
from plugins.web_chat.history import read_history
from plugins.web_chat.settings import MAX_FILES, MAX_TEXT, MAX_TOTAL, WebChatSettings
from plugins.web_chat.streams import STREAMS, Streams
from plugins.web_chat.texts import language_of, widget_texts
from plugins.web_chat.visitors import (
    Claim,
    Visitor,
    introduce,
    make_token,
    new_visitor,
    read_token,
    verify,
)
from plugins.web_chat.widget import widget_script

FILE_DAYS = 30
INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What a browser may show by itself; all else is a download."""

Public = Callable[["WebChatPages", Hub, PluginRequest], Awaitable[Answer]]
_MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class _Door:
    """The account a request is for, with its settings."""

    account: Account
    settings: WebChatSettings


def guarded(what: str) -> Callable[[Public], Public]:
    """Count the caller, and turn refusals into answers that the widget can read."""

    def decorate(endpoint: Public) -> Public:
        @wraps(endpoint)
        async def answer(self: WebChatPages, hub: Hub, request: PluginRequest) -> Answer:
            wait = self.limits[what].wait(request.client)
            if wait:
                return Json(
                    value={"error": "slow"},
                    status=429,
                    headers={"retry-after": str(int(wait) + 1)},
                )
            try:
                return await endpoint(self, hub, request)
            except UntrustedRequest:
                return Json(value={"error": "forbidden"}, status=403)
            except NotFound:
                return Json(value={"error": "not_found"}, status=404)
            except Invalid as error:
                return Json(value={"error": error.field or "invalid"}, status=422)

        return answer

    return decorate


def _monotonic() -> Micros:
    return Micros(time.monotonic_ns() // 1000)


class WebChatPages:
    """The visitor's side of one process; counts callers by network address."""

    def __init__(
        self, streams: Streams = STREAMS, clock: Callable[[], Micros] = _monotonic
    ) -> None:
        self._streams = streams
        self.limits = {
            "script": RateLimit(300, 60, clock),
            "visitor": RateLimit(30, 60, clock),
            "history": RateLimit(240, 60, clock),
            "events": RateLimit(120, 60, clock),
            "file": RateLimit(240, 60, clock),
        }

    def routes(self) -> list[Route]:
        """Where everything is."""

        def public(
            path: str,
            endpoint: Callable[[Hub, PluginRequest], Awaitable[Answer]],
            *methods: str,
        ) -> Route:
            return Route(
                path=path,
                endpoint=endpoint,
                methods=methods,
                public=True,
                cors=True,
                max_body=16_000,
            )

        return [
            public("/widget.js", self.script, "GET"),
            public("/{account}/config", self.config, "GET"),
            public("/{account}/visitor", self.visitor, "POST"),
            public("/{account}/history", self.history, "POST"),
            public("/{account}/events", self.events, "POST"),
            public("/{account}/file/{token}", self.file, "GET"),
        ]

    @guarded("script")
    async def script(self, hub: Hub, request: PluginRequest) -> Answer:
        """The widget, the same for every account."""
        script = widget_script()
        packed = "gzip" in request.headers.get("accept-encoding", "")
        return File(
            content=script.compressed if packed else script.source,
            media_type="text/javascript; charset=utf-8",
            headers={
                **({"content-encoding": "gzip"} if packed else {}),
                "vary": "accept-encoding",
                "cache-control": "public, max-age=600",
                "cross-origin-resource-policy": "cross-origin",
                "x-content-type-options": "nosniff",
            },
        )

    @guarded("script")
    async def config(self, hub: Hub, request: PluginRequest) -> Answer:
        """How the chat of an account looks and speaks; nothing secret is in it."""
        door = await self._door(hub, request)
        settings = door.settings
        language = language_of(request.query.get("lang", ""), settings.language)
        return Json(
            value={
                "hook": f"/hooks/{door.account.hook_token}",
                "now": hub.now() // 1000,
                "language": language,
                "texts": widget_texts(language),
                "title": settings.title,
                "greeting": settings.greeting,
                "questions": settings.questions.split("\n") if settings.questions else [],
                "color": settings.color,
                "theme": settings.theme,
                "position": settings.position,
                "open": settings.is_open(hub.now()),
                "hours": settings.hours_text,
                "away": settings.away_text,
                "ask_name": settings.ask_name,
                "ask_email": settings.ask_email,
                "consent": settings.consent_text,
                "consent_link": settings.consent_link,
                "files": settings.files,
                "max_file": settings.max_file_bytes,
                "max_files": MAX_FILES,
                "max_total": MAX_TOTAL,
                "max_text": MAX_TEXT,
                "sound": settings.sound,
            },
            headers={"cache-control": "no-cache"},
        )

    @guarded("visitor")
    async def visitor(self, hub: Hub, request: PluginRequest) -> Answer:
        """Sign a new visitor, or what a known one (or the site) adds about himself."""
        door = await self._door(hub, request)
        data = _data(request)
        now = hub.now()
        known = self._known(door, data, now)
        claim = data.get("user")
        if isinstance(claim, Mapping):
            visitor = verify(door.settings, _claim(claim), known, now)
        else:
            visitor = known or new_visitor()
        visitor = introduce(visitor, name=_word(data, "name"), email=_word(data, "email"))
        if data.get("consent") is True:
            visitor = replace(visitor, consent_at=now)
        return Json(value={"token": make_token(door.settings, visitor)})

    @guarded("history")
    async def history(self, hub: Hub, request: PluginRequest) -> Answer:
        """What was said with this visitor."""
        door, visitor, data = await self._visitor(hub, request)
        before = data.get("before", "0")
        if not isinstance(before, str) or not before.isdecimal() or int(before) > _MAX_ID:
            raise Invalid("not a message", field="before")
        return Json(
            value=await read_history(
                hub, door.settings, door.account.id, visitor, MessageId(int(before))
            ),
            headers={"cache-control": "no-store"},
        )

    @guarded("events")
    async def events(self, hub: Hub, request: PluginRequest) -> Answer:
        """What happens with this visitor, as it happens."""
        door, visitor, _ = await self._visitor(hub, request)
        return Stream(
            events=self._streams.listen(hub, door.account.id, visitor.id),
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    @guarded("file")
    async def file(self, hub: Hub, request: PluginRequest) -> Answer:
        """A file of the visitor's dialog, by the signed address that the history gave."""
        signed = hub.unsign("web_chat.file", request.path.get("token", ""), max_age_days=FILE_DAYS)
        attachment = await hub.file(AttachmentId(int(signed.rpartition(":")[2])))
        shown = attachment.media_type if attachment.media_type in INLINE else ""
        return File(
            content=attachment.content or b"",
            media_type=shown or "application/octet-stream",
            name="" if shown else attachment.name,
            headers={
                "cache-control": "private, max-age=86400",
                "content-security-policy": "default-src 'none'; sandbox",
                "cross-origin-resource-policy": "cross-origin",
                "referrer-policy": "no-referrer",
                "x-content-type-options": "nosniff",
            },
        )

    async def _door(self, hub: Hub, request: PluginRequest) -> _Door:
        number = request.path.get("account", "")
        if not number.isdecimal() or int(number) > _MAX_ID:
            raise NotFound("there is no such chat")
        account = await hub.account(AccountId(int(number)))
        if account.channel != WebChatChannel.name or account.removed or account.paused:
            raise NotFound("there is no such chat")
        settings = WebChatSettings.model_validate(dict(await hub.settings(account.id)))
        origin = request.headers.get("origin", "")
        if request.method == "POST" and not settings.allows(origin, hub.public_url()):
            raise UntrustedRequest("this site may not show the chat")
        return _Door(account, settings)

    async def _visitor(
        self, hub: Hub, request: PluginRequest
    ) -> tuple[_Door, Visitor, Mapping[str, object]]:
        door = await self._door(hub, request)
        data = _data(request)
        return door, read_token(door.settings, data.get("token"), hub.now()), data

    @staticmethod
    def _known(door: _Door, data: Mapping[str, object], now: Micros) -> Visitor | None:
        """The visitor who asks; one whom we do not know (any more) begins anew."""
        if not data.get("token"):
            return None
        try:
            return read_token(door.settings, data.get("token"), now)
        except UntrustedRequest:
            return None


def _data(request: PluginRequest) -> Mapping[str, object]:
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise UntrustedRequest("the request carries no visitor of ours")
    return data


def _word(data: Mapping[str, object], name: str) -> str:
    value = data.get(name)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text[:1_000].encode("utf-8", "ignore").decode().replace("\x00", "")


def _claim(data: Mapping[str, object]) -> Claim:
    return Claim(
        user_id=_word(data, "id"),
        name=_word(data, "name"),
        email=_word(data, "email"),
        signature=_word(data, "signature"),
    )
