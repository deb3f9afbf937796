"""Signing letters (DKIM, RFC 6376): relaxed twice, arithmetic by OpenSSL.

The headers that say who writes to whom, and how to unsubscribe by one click (RFC 8058 section 4),
stand inside the signature. The key is a secret of the account; its public half is what the domain
publishes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CRLF = b"\r\n"
SIGNED = (
    "from", "to", "cc", "subject", "date", "message-id", "reply-to", "in-reply-to", "references",
    "mime-version", "content-type", "content-transfer-encoding", "list-id", "list-unsubscribe",
    "list-unsubscribe-post", "feedback-id",
)  # fmt: skip
TWICE = ("from", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post")
"""Named once more than they stand there: nobody adds another one on the way."""
LEAST_BITS, NEW_BITS = 1024, 2048
_SPACE = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")


@dataclass(frozen=True, slots=True)
class Signer:
    """A domain, a selector and a key."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey = field(repr=False)

    def sign(self, letter: bytes, at: int) -> bytes:
        """Give the letter with its signature in front."""
        head, _, body = letter.partition(CRLF + CRLF)
        fields = _fields(head)
        names = [name for name in SIGNED if name in fields]
        named = [name for name in names for _ in fields[name]]
        named += [name for name in TWICE if name in fields]
        digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
        value = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector};\r\n"
            f" t={at}; h={':'.join(named)};\r\n bh={digest};\r\n b="
        )
        # The last one of a name is signed first (RFC 6376 section 5.4.2); past the first there is none.
        parts = [fields[name].pop() for name in named if fields[name]]
        parts += _fields(f"DKIM-Signature: {value}".encode())["dkim-signature"]
        signature = base64.b64encode(self._signed(CRLF.join(parts))).decode()
        folded = "\r\n ".join(signature[n : n + 72] for n in range(0, len(signature), 72))
        return f"DKIM-Signature: {value}{folded}\r\n".encode() + letter

    def _signed(self, data: bytes) -> bytes:
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def record(self) -> str:
        """Give what stands at `<selector>._domainkey.<domain>`."""
        raw = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return f"v=DKIM1; k=rsa; p={base64.b64encode(raw).decode()}"


def new_key() -> str:
    """Make a private key as PEM: RSA of 2048 bits, which every receiver verifies (RFC 8301)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=NEW_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def signer(domain: str, selector: str, pem: str) -> Signer:
    """Read a key; raises ValueError in words."""
    return Signer(domain, selector, _read(pem))


# Whether the primes of a key are some takes 40 ms of the loop's time, and is asked where settings
# are checked, where the account is saved and whenever its channel opens.
@lru_cache(maxsize=32)
def _read(pem: str) -> rsa.RSAPrivateKey:
    # A field of one line may have eaten the ends of the lines.
    parts = re.fullmatch(r"\s*-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----\s*", pem, re.DOTALL)
    if parts:
        body = re.sub(r"\s", "", parts[2])
        lines = "\n".join(body[n : n + 64] for n in range(0, len(body), 64))
        pem = f"-----BEGIN {parts[1]}-----\n{lines}\n-----END {parts[1]}-----\n"
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("the signing key is not a private key in PEM") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the signing key must be RSA: not every provider checks another one")
    if key.key_size < LEAST_BITS:
        raise ValueError("the signing key is shorter than 1024 bits: nobody accepts it")
    return key


def _fields(head: bytes) -> dict[str, list[bytes]]:
    """Give headers by their names, each written as RFC 6376 section 3.4.2 says."""
    head = _FOLD.sub(b"", head)
    if b"  " in head or b"\t" in head:
        head = _SPACE.sub(b" ", head)
    found: dict[str, list[bytes]] = {}
    for line in head.split(CRLF):
        written, colon, value = line.partition(b":")
        if colon:
            name = written.rstrip().lower()
            found.setdefault(name.decode("ascii", "replace"), []).append(
                name + b":" + value.strip()
            )
    return found


def relaxed_body(body: bytes) -> bytes:
    """Write a body as RFC 6376 section 3.4.4 says."""
    if b"  " in body or b"\t" in body or b" \r\n" in body:
        body = CRLF.join(_SPACE.sub(b" ", one).rstrip(b" ") for one in body.split(CRLF))
    while body.endswith(CRLF):
        body = body[:-2]
    return body + CRLF if body else b""
