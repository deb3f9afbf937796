"""Web Push on the wire: the hub's own key pair, and words that only one browser can read.

The encryption is RFC 8291 (by http-ece), the signature by which a push service knows us RFC 8292
(by py-vapid). The key pair is made once and kept encrypted; what a browser gave us is, too.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import http_ece
import orjson
from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from crm_store.push_devices import push_key
from hub.commands import SavePushKey
from hub.errors import Invalid
from hub.objects import SYSTEM
from hub.reach import check_url

if TYPE_CHECKING:
    from hub.keyring import KeyRing
    from hub.runtime import Runtime

VALID_SECONDS = 12 * 3600
"""So long a signature counts; RFC 8292 allows a day at most."""
POINT_BYTES, SECRET_BYTES = 65, 16
LONGEST_URL = 2_000
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("YaBrowser", "Yandex"),
    ("SamsungBrowser", "Samsung"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A browser's address at its push service, and the keys that only it can open."""

    endpoint: str
    p256dh: bytes
    auth: bytes

    @property
    def endpoint_hash(self) -> str:
        """What the address is known by."""
        return hashlib.sha256(self.endpoint.encode()).hexdigest()

    def sealed(self, keys: KeyRing) -> str:
        """Give it encrypted, as it is stored."""
        data = {"endpoint": self.endpoint, "p256dh": _text(self.p256dh), "auth": _text(self.auth)}
        return keys.encrypt(orjson.dumps(data).decode())

    @classmethod
    def unsealed(cls, keys: KeyRing, sealed: str) -> Subscription:
        """Read what was stored; raises InvalidToken."""
        data = orjson.loads(keys.decrypt(sealed))
        return cls(
            endpoint=data["endpoint"], p256dh=_bytes(data["p256dh"]), auth=_bytes(data["auth"])
        )

    @classmethod
    def given(cls, endpoint: str, p256dh: str, auth: str, *, plain_http: bool) -> Subscription:
        """Read what a browser says of itself; raises Invalid."""
        check_url(endpoint, "endpoint")
        if len(endpoint) > LONGEST_URL:
            raise Invalid("this address is too long", field="endpoint")
        if urlsplit(endpoint).scheme != "https" and not plain_http:
            raise Invalid("a push service is called over https only", field="endpoint")
        try:
            point, secret = _bytes(p256dh), _bytes(auth)
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        except ValueError as error:
            raise Invalid("this is no key of a browser", field="p256dh") from error
        if len(point) != POINT_BYTES or len(secret) != SECRET_BYTES:
            raise Invalid("this is no key of a browser", field="auth")
        return cls(endpoint=endpoint, p256dh=point, auth=secret)


async def public_key(runtime: Runtime) -> str:
    """Give the public key that browsers are to trust; made where there is none that can be used."""
    public, sealed = await runtime.database.read(push_key)
    if public and _opened(runtime.keys, sealed):
        return public
    made = ec.generate_private_key(ec.SECP256R1())
    point = made.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    secret = made.private_numbers().private_value.to_bytes(32, "big")
    command = SavePushKey(
        public=_text(point), secret=runtime.keys.encrypt(_text(secret)), instead_of=public
    )
    return str((await runtime.do(SYSTEM, None, (command,)))[0])


def signer(keys: KeyRing, sealed: str) -> Vapid02 | None:
    """Give what signs for us; None where the secret key cannot be read with this key ring."""
    opened = _opened(keys, sealed)
    # What we claim is our own business to check: a host in a house has no dot in its name.
    return (
        Vapid02(Vapid02.from_raw(opened.encode()).private_key, {"no-strict": True})
        if opened
        else None
    )


def signed(vapid: Vapid02, endpoint: str, public_url: str, now: int) -> str:
    """Give the header by which a push service knows who calls; `now` in microseconds."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": now // 1_000_000 + VALID_SECONDS,
        "sub": _contact(public_url),
    }
    return str(vapid.sign(claims)["Authorization"])


def sealed_words(subscription: Subscription, words: bytes) -> bytes:
    """Encrypt words for one browser; a notice fits the 4,096 bytes that a push service takes."""
    return bytes(
        http_ece.encrypt(
            words,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=subscription.p256dh,
            auth_secret=subscription.auth,
            version="aes128gcm",
        )
    )


def device_name(agent: str) -> str:
    """Give a browser's short name: Chrome, Windows."""
    found = [
        next((name for sign, name in known if sign in agent), "") for known in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(one for one in found if one)


def _contact(public_url: str) -> str:
    """Say how whoever runs a push service reaches who runs this hub (RFC 8292 2.1, RFC 2142)."""
    parts = urlsplit(public_url)
    if parts.scheme == "https":
        return f"https://{parts.netloc}"
    return f"mailto:postmaster@{parts.hostname or 'localhost'}"


def _opened(keys: KeyRing, sealed: str) -> str:
    try:
        return keys.decrypt(sealed)
    except InvalidToken:
        return ""


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    if len(text) > 200 or not re.fullmatch(r"[A-Za-z0-9_\-]+={0,2}", text):
        raise ValueError("not base64url")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
