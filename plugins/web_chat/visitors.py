"""Who a visitor is: a random name that we signed, kept by the browser, worth nothing forged.

The token is the visitor's only proof. It carries what the visitor told us and what the site's
server vouched for, so that a message needs no second look-up and `parse` stays pure. Nothing
about it is secret to its owner; it cannot be made or changed without the account's key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass, replace

from hub import Address, Invalid, Micros, UntrustedRequest
from plugins.web_chat.settings import WebChatSettings

KIND = "web_chat"
VERIFIED_FOR_US = 30 * 86_400 * 1_000_000
"""How long the site's word about a user holds; the widget asks for it anew on every page."""

_EMAIL = re.compile(r"[^\s@,;<>()\"]{1,64}@[^\s@,;<>()\"]{1,180}\.[^\s@,;<>()\".]{2,63}")
_FIELDS = ("id", "name", "email", "user_id", "consent_at", "verified_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One visitor of one account. `consent_at` and `verified_at` are 0 where that never was."""

    id: str
    name: str = ""
    email: str = ""
    user_id: str = ""
    consent_at: Micros = Micros(0)
    verified_at: Micros = Micros(0)

    def address(self, language: str = "en") -> Address:
        """The address that dialogs are with; a nameless visitor gets a name people can say."""
        nameless = f"{'Посетитель' if language == 'ru' else 'Visitor'} {self.id[1:5].upper()}"
        return Address(kind=KIND, value=self.id, name=self.name or nameless)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a site's server says about its logged-in user, with its signature."""

    user_id: str
    name: str
    email: str
    signature: str


def make_token(settings: WebChatSettings, visitor: Visitor) -> str:
    """Sign a visitor."""
    values = {name: getattr(visitor, name) for name in _FIELDS if getattr(visitor, name)}
    payload = _encode(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode())
    return f"{payload}.{_mac(settings, payload)}"


def read_token(settings: WebChatSettings, token: object, now: Micros) -> Visitor:
    """Give the visitor of a token of ours; raises UntrustedRequest, saying nothing of why."""
    payload, _, mac = token.partition(".") if isinstance(token, str) else ("", "", "")
    if not mac or len(payload) > 2_000 or not mac.isascii():
        raise UntrustedRequest("the request carries no visitor of ours")
    if not payload.isascii() or not hmac.compare_digest(mac, _mac(settings, payload)):
        raise UntrustedRequest("the request carries no visitor of ours")
    try:
        visitor = Visitor(**json.loads(base64.urlsafe_b64decode(payload + "==")))
    except (ValueError, TypeError, binascii.Error) as error:
        raise UntrustedRequest("the request carries no visitor of ours") from error
    if visitor.verified_at and now - visitor.verified_at > VERIFIED_FOR_US:
        raise UntrustedRequest("the site's word about this visitor is too old")
    return visitor


def new_visitor() -> Visitor:
    """A stranger with a random name."""
    return Visitor(id=f"v{secrets.token_hex(16)}")


def introduce(visitor: Visitor, *, name: str, email: str) -> Visitor:
    """Take what a visitor says about himself; what the site vouched for stays as it is."""
    name, email = " ".join(name.split())[:100], email.strip()[:254]
    if email and not _EMAIL.fullmatch(email):
        raise Invalid("this is not an e-mail address", field="email")
    if visitor.verified_at:
        return visitor
    return replace(visitor, name=name or visitor.name, email=email or visitor.email)


def verify(settings: WebChatSettings, claim: Claim, before: Visitor | None, now: Micros) -> Visitor:
    """Trust the site's signed word; its user is the same visitor in every browser."""
    expected = sign_claim(settings, claim)
    if not hmac.compare_digest(claim.signature.lower().encode(), expected.encode()):
        raise UntrustedRequest("the site did not sign this user")
    return Visitor(
        id=f"u{_digest(settings.visitor_key.get_secret_value(), f'user:{claim.user_id}')[:32]}",
        name=" ".join(claim.name.split())[:100],
        email=claim.email.strip()[:254],
        user_id=claim.user_id[:200],
        consent_at=before.consent_at if before else Micros(0),
        verified_at=now,
    )


def sign_claim(settings: WebChatSettings, claim: Claim) -> str:
    """The signature a site's server must make: hex HMAC-SHA256 over id, e-mail and name."""
    if not claim.user_id or any("\n" in one for one in (claim.user_id, claim.email, claim.name)):
        raise UntrustedRequest("the site did not sign this user")
    signed = f"{claim.user_id}\n{claim.email}\n{claim.name}"
    return _digest(settings.identity_secret.get_secret_value(), signed)


def _mac(settings: WebChatSettings, payload: str) -> str:
    key = settings.visitor_key.get_secret_value()
    if not key:
        raise UntrustedRequest("the account has no key for visitors")
    signed = f"web_chat.visitor:{payload}".encode()
    return _encode(hmac.new(key.encode(), signed, hashlib.sha256).digest())


def _digest(key: str, text: str) -> str:
    if not key:
        raise UntrustedRequest("the account has no secret for this")
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
