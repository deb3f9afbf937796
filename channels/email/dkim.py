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
_HEADER = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Signer:
    """A domain, a selector and a key."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey = field(repr=False)

    def sign(self, letter: bytes, at: int) -> bytes:
        """Give the letter with its signature in front."""
        head, _, body = letter.partition(CRLF + CRLF)
        fields = _fields(head + CRLF)
        names = [name for name in SIGNED if name in fields]
        named = [name for name in names for _ in fields[name]]
        named += [name for name in TWICE if name in fields]
        digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
        value = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector};\r\n"
            f" t={at}; h={':'.join(named)};\r\n bh={digest};\r\n b="
        )
        # The last one of a name is signed first (RFC 6376 section 5.4.2); past the first there is none.
        left = {name: list(values) for name, values in fields.items()}
        parts = [
            relaxed_header(name.encode(), left[name].pop()) + CRLF for name in named if left[name]
        ]
        parts.append(relaxed_header(b"dkim-signature", value.encode()))
        signature = base64.b64encode(self._signed(b"".join(parts))).decode()
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
    return Signer(domain, selector, key)


def _fields(head: bytes) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for line in re.split(rb"\r\n(?![ \t])", head):
        match = _HEADER.match(line)
        if match:
            found.setdefault(match[1].decode("ascii", "replace").lower(), []).append(match[2])
    return found


def relaxed_header(name: bytes, value: bytes) -> bytes:
    """Write a header as RFC 6376 section 3.4.2 says."""
    if b"\n" in value or b"\t" in value or b"  " in value:
        value = _SPACE.sub(b" ", _FOLD.sub(b"", value))
    return name.lower() + b":" + value.strip()


def relaxed_body(body: bytes) -> bytes:
    """Write a body as RFC 6376 section 3.4.4 says."""
    if b"  " in body or b"\t" in body or b" \r\n" in body:
        body = CRLF.join(_SPACE.sub(b" ", one).rstrip(b" ") for one in body.split(CRLF))
    while body.endswith(CRLF):
        body = body[:-2]
    return body + CRLF if body else b""
