"""Web form as a channel: it only takes in. What is sent becomes a dialog of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import BaseModel

from hub import (
    Arrival,
    Capabilities,
    Channel,
    ChannelContext,
    Invalid,
    MalformedPayload,
    OutboundMessage,
    Sent,
    Unsupported,
    UntrustedRequest,
    WebhookAnswer,
    WebhookRequest,
)
from plugins.web_form.settings import MAX_FILES, WebFormSettings
from plugins.web_form.submission import KIND, read_again, read_fields, read_submission


class WebFormChannel(Channel):
    """One form on a site."""

    name: ClassVar[str] = "web_form"
    title: ClassVar[str] = "Web form"
    icon: ClassVar[str] = "list"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind=KIND, subject=True, sends=False, max_attachments=MAX_FILES
    )
    Settings: ClassVar[type[BaseModel]] = WebFormSettings
    browsers: ClassVar[bool] = True
    calls_per_minute: ClassVar[int] = 20

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, WebFormSettings)
        self._settings = settings

    async def send(self, message: OutboundMessage) -> Sent:
        """A form has no way back: the answer is a dialog by e-mail, started from the card."""
        raise Unsupported("send", "a web form cannot answer: start an e-mail dialog instead")

    def parse(self, request: WebhookRequest) -> Iterable[Arrival] | WebhookAnswer:
        """Take a form that a site posts to the account's webhook address."""
        if not self._settings.allows(request.headers.get("origin", "")):
            raise UntrustedRequest("this site may not send the form")
        try:
            posted = read_fields(request)
            return [
                read_submission(
                    self._settings,
                    posted,
                    at=request.received_at,
                    referrer=request.headers.get("referer", ""),
                    browser=request.headers.get("user-agent", ""),
                    language="ru" if posted.value("_language") == "ru" else "en",
                )
            ]
        except (Invalid, MalformedPayload) as error:
            # The sender is told; anybody's noise must not fill the quarantine.
            return WebhookAnswer(status=422, body=str(error).encode())

    def replay(self, raw: bytes) -> Iterable[Arrival]:
        """Let a submission in that was put aside as too hasty."""
        return [read_again(self._settings, raw)]
