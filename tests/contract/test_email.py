"""E-mail keeps the contract of a channel; its vendor is any mail server."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import ClassVar
from urllib.parse import urlsplit

from channels.email.channel import EmailChannel
from hub import Arrival, Channel, WebhookAnswer
from hub.storable import storable
from hub.testing import ChannelContract, Request
from hub.testing.far_side import FarSide, HttpFarSide
from tests.contract.mail_relay import MailRelay

US = "us@hub.example"


class TestEmail(ChannelContract):
    """One mailbox."""

    channel = EmailChannel
    recipient = "vera@example.org"
    retry_after = None
    exempt: ClassVar[dict[str, str]] = {
        "unknown": "a letter has no kinds: what is no text is a file",
        "listen": "IMAP against a real Dovecot: tests/wire/email/test_letters.py",
    }

    def settings(self, url: str) -> dict[str, object]:
        """A mailbox whose relay is the far side."""
        address = urlsplit(url)
        return {
            "address": US,
            "imap_host": "127.0.0.1",
            "imap_port": address.port,
            "imap_password": "the-mailbox-password",
            "smtp_host": "127.0.0.1",
            "smtp_port": address.port,
            "smtp_security": "tls" if address.scheme == "https" else "none",
            "smtp_password": "the-relay-password",
            "smtp_login": False,
        }

    def far_side(self, *, tls: bool = False) -> FarSide:
        """A relay; of the server with the strange certificate only the handshake is seen."""
        return HttpFarSide({}, self.is_send, tls=True) if tls else MailRelay()

    def wire_text(self, request: Request) -> str:
        """The text part as a mail program shows it."""
        letter = email.message_from_bytes(request.body, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        part = letter.get_body(("plain",))
        assert part is not None
        text: str = part.get_content()
        return text.replace("\r\n", "\n")

    def carried(self, content: bytes) -> bool:
        """As an attachment of the letter."""
        letter = email.message_from_bytes(self.far.requests[-1].body, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        return any(one.get_content() == content for one in letter.iter_attachments())

    def letter(self, text: str, number: int = 1, **headers: str) -> EmailMessage:
        """A letter of Vera's."""
        made = EmailMessage()
        fields = {
            "From": "Vera <vera@example.org>",
            "To": US,
            "Subject": "A question",
            "Message-ID": f"<letter-{number}@example.org>",
            "Date": "Mon, 21 Sep 2026 10:00:00 +0000",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        for name, value in fields.items():
            made[name] = value
        made.set_content(text, cte="base64")
        return made

    def message(self, text: str, number: int = 1) -> bytes:
        """A letter as it lies in the mailbox."""
        return self.letter(text, number).as_bytes()

    def read(self, channel: Channel, body: bytes) -> list[Arrival] | WebhookAnswer:
        """As the listener reads a letter of the mailbox."""
        assert isinstance(channel, EmailChannel)
        found = [storable(one) for one in channel.replay(body)]
        return [one for one in found if not channel._is_own(one)]

    def samples(self) -> dict[str, bytes]:
        """HTML alone, and an automatic answer."""
        html = self.letter("", 3)
        html.set_content("<p>Where is <b>my order</b>?</p>", subtype="html")
        automatic = self.letter("I am away", 4, Auto_Submitted="auto-replied")
        return {"HTML": html.as_bytes(), "an automatic answer": automatic.as_bytes()}

    def echo(self, external_id: str) -> list[bytes]:
        """Our own letter in our own mailbox: somebody wrote to us and to himself."""
        return [self.letter("ours", From=US, Message_ID=external_id).as_bytes()]

    def with_file(self, content: bytes) -> bytes:
        """A letter with a picture."""
        made = self.letter("see the picture")
        made.add_attachment(content, maintype="image", subtype="png", filename="order.png")
        return made.as_bytes()
