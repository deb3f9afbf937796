"""The key ring: keys for secrets at rest, and separate ones for links that open without a session.

A JSON file, readable by its owner only, made at the first start. Keys have numbers; the
newest encrypts and signs, older ones still read: secrets are re-encrypted when the ring is
rotated, and a retired link key verifies for three years.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import struct
import time
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from hub.errors import UntrustedRequest

LINK_KEY_YEARS = 3
YEAR_SECONDS = 31_557_600
TAG_BYTES = 16
SHORT = struct.Struct(">HQH")
"""What a short token holds: the number of its key, and two numbers of ours."""
SHORT_TAG_BYTES = 10
"""RFC 2104, section 5: a tag cut short keeps 80 bits at least."""
KINDS = ("secrets", "links")


class KeyRing:
    """Encrypts, decrypts, signs and verifies with the keys of one file."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self._path = path
        self._content = content
        self._read_at = _changed_at(path)

    @classmethod
    def open(cls, path: Path) -> KeyRing:
        """Read the ring, or make one where there is none."""
        if path.is_file():
            return cls(path, json.loads(path.read_text()))
        path.parent.mkdir(parents=True, exist_ok=True)
        ring = cls(path, {"schema": 1, "secrets": [_secret_key(1)], "links": [_link_key(1)]})
        ring._save()
        return ring

    def _save(self) -> None:
        temporary = self._path.with_suffix(".new")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(self._content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self._path)

    @property
    def path(self) -> Path:
        """Where the ring lies."""
        return self._path

    def _fernet(self) -> MultiFernet:
        newest_first = sorted(self._content["secrets"], key=lambda one: -one["id"])
        return MultiFernet([Fernet(one["key"]) for one in newest_first])

    def encrypt(self, text: str) -> str:
        """Encrypt a secret with the newest key."""
        return self._fernet().encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Decrypt with whichever key fits; raises cryptography's InvalidToken."""
        try:
            return self._fernet().decrypt(token.encode()).decode()
        except InvalidToken:
            if not self._reread():
                raise
            return self._fernet().decrypt(token.encode()).decode()

    def _reread(self) -> bool:
        """Take over keys that another process has added; says whether there were any."""
        changed_at = _changed_at(self._path)
        if changed_at == self._read_at:
            return False
        self._read_at = changed_at
        try:
            content = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return False
        known = {kind: [one["id"] for one in self._content[kind]] for kind in KINDS}
        if {kind: [one["id"] for one in content[kind]] for kind in KINDS} == known:
            return False
        self._content = content
        return True

    def renew(self, token: str) -> str:
        """Encrypt a token again with the newest key."""
        return self._fernet().rotate(token.encode()).decode()

    def sign(self, purpose: str, value: str) -> str:
        """Make a url-safe token that names a value and proves that we made it."""
        key = max(self._content["links"], key=lambda one: int(one["id"]))
        body = f"{key['id']}.{int(time.time()) // 86_400}.{_encode(value.encode())}"
        return f"{body}.{_encode(_tag(key['key'], purpose, body))}"

    def unsign(self, purpose: str, token: str, max_age_days: int = 0) -> str:
        """Give the value of a token; raises UntrustedRequest where it is not ours or too old."""
        try:
            key_id, day, value, tag = token.split(".")
            key = self._key_of_link(key_id)
            body = f"{key_id}.{day}.{value}"
            good = hmac.compare_digest(_decode(tag), _tag(key["key"], purpose, body))
            age = time.time() // 86_400 - int(day)
            text = _decode(value).decode()
        except ValueError as error:
            raise UntrustedRequest("this link is not one of ours") from error
        if not good or _is_dead(key):
            raise UntrustedRequest("this link is not one of ours")
        if max_age_days and age > max_age_days:
            raise UntrustedRequest("this link is too old")
        return text

    def sign_short(self, purpose: str, number: int, part: int) -> str:
        """Make a token of thirty letters over two numbers, for links that stand in a message."""
        key = max(self._content["links"], key=lambda one: int(one["id"]))
        body = SHORT.pack(key["id"], number, part)
        return _encode(body + _short_tag(key["key"], purpose, body))

    def unsign_short(self, purpose: str, token: str) -> tuple[int, int]:
        """Give the numbers of a short token; raises UntrustedRequest where it is not ours."""
        try:
            told = _decode(token)
            body, tag = told[: SHORT.size], told[SHORT.size :]
            key_id, number, part = SHORT.unpack(body)
        except (ValueError, struct.error) as error:
            raise UntrustedRequest("this link is not one of ours") from error
        key = self._key_of_link(str(key_id))
        if _is_dead(key) or not hmac.compare_digest(tag, _short_tag(key["key"], purpose, body)):
            raise UntrustedRequest("this link is not one of ours")
        return number, part

    def _key_of_link(self, key_id: str) -> dict[str, Any]:
        for _ in range(2):
            for one in self._content["links"]:
                if str(one["id"]) == key_id:
                    return dict(one)
            if not key_id.isdigit() or not self._reread():
                break
        raise UntrustedRequest("this link is not one of ours")

    def rotate(self) -> None:
        """Add new keys; the old ones go on reading. Secrets are then to be renewed."""
        now = int(time.time())
        for kind, make in (("secrets", _secret_key), ("links", _link_key)):
            newest = max(one["id"] for one in self._content[kind])
            for one in self._content[kind]:
                one.setdefault("retired", now)
            self._content[kind].append(make(newest + 1))
        self._content["links"] = [one for one in self._content["links"] if not _is_dead(one)]
        self._save()

    def adopt(self, path: Path) -> bool:
        """Read secrets with another ring's keys too, as if retired; says whether there were any.

        Links name their key by a number that may be another key's here: they stay outside.
        """
        mine = self._content["secrets"]
        known = {one["key"] for one in mine}
        others = [one for one in json.loads(path.read_text())["secrets"] if one["key"] not in known]
        oldest = min(one["id"] for one in mine)
        for number, one in enumerate(others, start=1):
            mine.append({"retired": int(time.time()), **one, "id": oldest - number})
        self._save()
        return bool(others)

    def forget_old_secrets(self) -> None:
        """Drop retired secret keys, once everything was renewed."""
        self._content["secrets"] = [one for one in self._content["secrets"] if "retired" not in one]
        self._save()


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _secret_key(number: int) -> dict[str, Any]:
    return {"id": number, "key": Fernet.generate_key().decode(), "made": int(time.time())}


def _link_key(number: int) -> dict[str, Any]:
    return {"id": number, "key": secrets.token_hex(32), "made": int(time.time())}


def _is_dead(key: dict[str, Any]) -> bool:
    retired = key.get("retired", 0)
    return bool(retired) and time.time() - retired > LINK_KEY_YEARS * YEAR_SECONDS


def _tag(key: str, purpose: str, body: str) -> bytes:
    message = f"{purpose}\x00{body}".encode()
    return hmac.new(bytes.fromhex(key), message, hashlib.sha256).digest()[:TAG_BYTES]


def _short_tag(key: str, purpose: str, body: bytes) -> bytes:
    message = f"{purpose}\x00".encode() + body
    return hmac.new(bytes.fromhex(key), message, hashlib.sha256).digest()[:SHORT_TAG_BYTES]


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
