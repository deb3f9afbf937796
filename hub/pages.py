"""A plugin's own endpoints: plain functions over these types, so no plugin sees the web framework.

An endpoint is `async def page(hub, request) -> Page | Fragment | Json | Redirect | File | Stream`.
The roof has done the session, the permission, CSRF, the language and the CSP nonce before it is
called; a `public` route skips session and CSRF and must prove its caller by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.messages import Attachment
from hub.shapes import Body
from hub.webhook_request import WebhookRequest

if TYPE_CHECKING:
    from hub.api import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRequest(WebhookRequest):
    """An HTTP request to a plugin's route.

    `path` holds the values of the route's `{names}`, `form` the fields of a form post, `files`
    its files, `client` the caller's address (through trusted proxies only), `language` what
    the caller reads, `may` the caller's rights (for showing; commands are checked anyway). `given`
    is the JSON body as the route's `takes` has read it. `channel_title` gives what people call a
    channel by its name, in the caller's language.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Attachment, ...] = ()
    cookies: Mapping[str, str] = field(default_factory=dict)
    client: str = ""
    language: str = "en"
    may: frozenset[str] = frozenset()
    given: Any = field(default=None, repr=False)
    channel_title: Callable[[str], str] = field(default=str, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole page: a template of the plugin's with its values; `bare` leaves the rail out."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    title: str = ""
    bare: bool = False
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A region of a page."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Json:
    """A JSON answer; `origins` are the sites that may read it ("*" for everybody)."""

    value: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Go elsewhere inside the hub, or to an address that the plugin has checked."""

    to: str
    status: int = 303


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Bytes to show or download."""

    content: bytes = field(repr=False)
    media_type: str
    name: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    """One event of a stream."""

    data: str
    event: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Server-sent events until the caller leaves; the iterator is closed then."""

    events: AsyncIterator[ServerEvent]
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Page | Fragment | Json | Redirect | File | Stream
Endpoint = Callable[["Hub", PluginRequest], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint under `/p/<plugin>/`; `permission` is needed unless it is `public`.

    `cors` lets pages of other sites call it (public routes only). `max_body` is in bytes. `api`
    opens it to programs too, under `/api/v1/<plugin>/` with a bearer token; it answers JSON.

    What an endpoint for programs takes and gives stands in the API's description and is kept to:
    `takes` is a `Body`, read before the endpoint is called (422 names the field that is wrong), `gives`
    a `Shape` that the value of a `Json` is put into; either is a media type where it is no JSON.
    `asks` are query parameters, each with what it means.
    """

    path: str
    endpoint: Endpoint
    methods: tuple[str, ...] = ("GET",)
    public: bool = False
    permission: str = ""
    cors: bool = False
    max_body: int = 1_000_000
    api: bool = False
    takes: type[Body] | str | None = None
    gives: Any = None
    asks: Mapping[str, str] = field(default_factory=dict)
