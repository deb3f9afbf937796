"""Signatures of letters: what dkimpy, which shares no line with ours, says of them."""

from __future__ import annotations

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from channels.email.build import build
from channels.email.channel import Settings
from channels.email.dkim import Signer, signer
from hub import AccountId, Address, Attachment, DeliveryId, DialogId, MessageId, OutboundMessage

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EDWARDS = ed25519.Ed25519PrivateKey.generate()


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def verified(letter: bytes, one: Signer) -> bool:
    name = f"{one.selector}._domainkey.{one.domain}."

    def txt(asked: bytes, timeout: int = 5) -> bytes:
        return one.record().encode() if asked.decode() == name else b""

    return bool(dkim.verify(letter, dnsfunc=txt))


def letter(**more: object) -> bytes:
    values: dict[str, object] = {
        "id": DeliveryId(1), "message_id": MessageId(0), "dialog_id": DialogId(0),
        "account_id": AccountId(1), "to": Address(kind="email", value="anna@example.net"),
        "text": "Hello", "idempotency_key": "1", "subject": "News",
    }  # fmt: skip
    message = OutboundMessage(**{**values, **more})  # type: ignore[arg-type]
    return build(
        message, sender="shop@example.org", sender_name="Лавка", plus_token=False, at=1_700_000_000
    )


LETTERS = {
    "plain": letter(),
    "russian": letter(subject="Новости " * 12, text="Здравствуйте,  Анна! \n\n\n"),
    "html": letter(html="<p>Hello\t there </p>", unsubscribe_url="https://hub.example/u/x",
                   list_id="mailing-7"),
    "file": letter(attachments=(Attachment(name="a.pdf", media_type="application/pdf", size=9,
                                           content=b"%PDF-1.7\n"),)),
    "empty": letter(text=""),
    "copies": letter(cc=tuple(Address(kind="email", value=f"c{n}@example.net", name="A B")
                              for n in range(9))),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(LETTERS))
def test_a_stranger_verifies_what_we_sign(
    name: str,
) -> None:
    one = signer("example.org", "hub", pem(RSA))
    signed = one.sign(LETTERS[name], 1_700_000_000)
    assert verified(signed, one)
    assert "secret" not in repr(one).lower()
    assert "PRIVATE" not in repr(one)


def test_what_is_changed_on_the_way_is_seen() -> None:
    one = signer("example.org", "hub", pem(RSA))
    signed = one.sign(LETTERS["html"], 1_700_000_000)
    head = signed.split(b"\r\n\r\n")[0]
    assert b"list-unsubscribe:list-unsubscribe-post" in head.replace(b"\r\n ", b"")
    assert not verified(signed.replace(b"there", b"where"), one)
    assert not verified(signed.replace(b"https://hub.example/u/x", b"https://evil.example/x"), one)
    added = b"Subject: Win\r\n"
    assert not verified(signed.replace(b"Subject: News\r\n", b"Subject: News\r\n" + added), one)
    # Spaces that a relay changes are no change.
    assert verified(signed.replace(b"Hello\t there ", b"Hello there "), one)


@pytest.mark.parametrize("text", ["", "no key", pem(EDWARDS)])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="signing key"):
        signer("example.org", "hub", text)


def test_a_key_is_checked_once_however_often_it_is_asked_for() -> None:
    # Settings and channel ask for it in turn; checking takes 40 ms in which nobody is answered.
    one, other = (signer(domain, "hub", pem(RSA)) for domain in ("example.org", "example.net"))
    assert one.key is other.key
    assert one.domain != other.domain


def test_a_key_whose_lines_were_eaten_is_read() -> None:
    one = signer("example.org", "hub", pem(RSA).replace("\n", " "))
    assert one.record() == signer("example.org", "hub", pem(RSA)).record()


def test_a_key_is_made_where_it_is_asked_for_and_a_stranger_verifies_it() -> None:
    given = {
        "address": "shop@example.org", "imap_host": "imap.example.org",
        "smtp_host": "smtp.example.org", "imap_password": "x",
    }  # fmt: skip
    made = Settings.model_validate({**given, "dkim_make": "on"})
    assert (made.dkim_make, made.dkim_selector) == (False, "hub")
    key = made.dkim_key.get_secret_value()
    one = signer("example.org", made.dkim_selector, key)
    assert one.key.key_size == 2048
    assert verified(one.sign(LETTERS["plain"], 1_700_000_000), one)
    # What is kept makes no new one, and asking again does.
    kept = {**made.model_dump(), "dkim_key": key}
    assert Settings.model_validate(kept).dkim_key.get_secret_value() == key
    again = Settings.model_validate({**kept, "dkim_make": True, "dkim_selector": "two"})
    assert again.dkim_selector == "two"
    assert again.dkim_key.get_secret_value() != key
