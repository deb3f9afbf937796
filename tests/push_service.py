"""A push service on loopback and the browsers behind it, written after RFC 8291 and 8292 alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.scenarios.http_api.receiver import Answer, Posted, Receiver, receiving

P256 = ec.SECP256R1()


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(given: str) -> bytes:
    return base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF of one block (RFC 5869)."""
    inner = hmac.digest(salt, secret, hashlib.sha256)
    return hmac.digest(inner, info + b"\x01", hashlib.sha256)[:length]


@dataclass
class Browser:
    """A browser that subscribed; it alone reads what is sent to it."""

    service: PushService
    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(P256))
    secret: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.service.receiver.port}/push/{self.name}"

    @property
    def subscription(self) -> dict[str, Any]:
        """What its script gives the hub: `PushSubscription.toJSON()`."""
        return {
            "endpoint": self.endpoint,
            "expirationTime": None,
            "keys": {"p256dh": text(point(self.key)), "auth": text(self.secret)},
        }

    @property
    def told(self) -> list[dict[str, Any]]:
        """What reached it, decrypted."""
        return [json.loads(self.opened(one.body)) for one in self.service.taken if self.is_for(one)]

    def is_for(self, posted: Posted) -> bool:
        return posted.path == f"/push/{self.name}"

    def opened(self, body: bytes) -> bytes:
        """Decrypt one record (RFC 8188 2, RFC 8291 3.4)."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(body) <= 4096
        assert len(sealed) <= size
        shared = self.key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(P256, sender)
        )
        info = b"WebPush: info\x00" + point(self.key) + sender
        secret = derive(self.secret, shared, info, 32)
        key = derive(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = derive(salt, secret, b"Content-Encoding: nonce\x00", 12)
        padded = AESGCM(key).decrypt(nonce, sealed, None)
        words = padded.rstrip(b"\x00")
        assert words.endswith(b"\x02"), "the last record says so"
        return words[:-1]


@dataclass
class PushService:
    """What came, and what is answered; `public` is the key that its browsers trust."""

    receiver: Receiver
    public: str = ""
    answers: list[Answer] = field(default_factory=list)
    taken: list[Posted] = field(default_factory=list)

    def browser(self, name: str) -> Browser:
        return Browser(self, name)

    def answer(self, posted: Posted) -> Answer:
        problem = self.problem(posted)
        if problem:
            return 403, {"x-problem": problem}
        answer = self.answers.pop(0) if self.answers else (201, {})
        if answer is not None and answer[0] == 201:
            self.taken.append(posted)
        return answer

    def problem(self, posted: Posted) -> str:
        """Say what a push service would refuse (RFC 8030 5, RFC 8292 2)."""
        given = posted.headers
        scheme, _, words = given["authorization"].partition(" ")
        parts = dict(one.strip().split("=", 1) for one in words.split(","))
        if scheme != "vapid" or parts["k"] != self.public:
            return "another key"
        head, claims, signature = parts["t"].split(".")
        public = ec.EllipticCurvePublicKey.from_encoded_point(P256, raw(parts["k"]))
        r, s = (int.from_bytes(one, "big") for one in (raw(signature)[:32], raw(signature)[32:]))
        public.verify(
            utils.encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(SHA256())
        )
        said = json.loads(raw(claims))
        assert json.loads(raw(head))["alg"] == "ES256"
        if said["aud"] != f"http://127.0.0.1:{self.receiver.port}":
            return "another audience"
        if not time.time() < said["exp"] <= time.time() + 86_400 + 60:
            return "its time"
        if not said["sub"].startswith(("mailto:", "https:")):
            return "nobody to ask"
        if given["content-encoding"] != "aes128gcm" or not given["ttl"].isdecimal():
            return "its headers"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", given["topic"]):
            return "its topic"
        return "" if given["urgency"] in ("very-low", "low", "normal", "high") else "its urgency"


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """Open a push service on a free port."""
    async with receiving() as receiver:
        service = PushService(receiver)
        receiver.answer = service.answer
        yield service
