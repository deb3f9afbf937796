"""A provider's call of a webhook: reading its body, proving who sent it, answering it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qsl

from hub.errors import MalformedPayload, UntrustedRequest
from hub.ids import Micros
from hub.messages import Attachment
from hub.multipart import read_multipart
from hub.signatures import is_signed


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A provider's HTTP request as plain data; header names are lower-case.

    `url` is the address the provider called, built from the configured public address, never
    from the request's own Host header (signatures are made over it).
    """

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    received_at: Micros = Micros(0)

    def json(self) -> object:
        """Parse the body as JSON; raises MalformedPayload."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise MalformedPayload(f"the body is not JSON: {error}") from error

    def form(self) -> dict[str, str]:
        """Parse the body as an urlencoded form; the last value of a repeated field wins."""
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        except ValueError as error:
            raise MalformedPayload(f"the body is not a form: {error}") from error

    def multipart(self) -> tuple[dict[str, str], tuple[Attachment, ...]]:
        """Parse the body as multipart/form-data: the fields, and the files with their bytes.

        The last value of a repeated field wins; raises MalformedPayload.
        """
        fields, files = read_multipart(self.headers.get("content-type", ""), self.body)
        return dict(fields), tuple(file for _, file in files)

    def verify_token(self, given: str, expected: str) -> None:
        """Compare a shared secret in constant time; raises UntrustedRequest.

        An empty `expected` refuses everything: a channel without a secret trusts nobody.
        """
        known, said = expected.encode(), given.encode(errors="surrogatepass")
        if not expected or not hmac.compare_digest(said, known):
            raise UntrustedRequest("the request does not carry the shared secret")

    def verify_hmac(
        self,
        signature: str,
        key: str | Iterable[str],
        *,
        signed: bytes | None = None,
        algorithm: str = "sha256",
        prefix: str = "",
    ) -> None:
        """Check a hex HMAC over `signed` (the body by default); raises UntrustedRequest.

        Several keys may be given, so that a secret can be rotated without a gap.
        """
        keys = [key] if isinstance(key, str) else list(key)
        message = self.body if signed is None else signed
        for one in keys:
            if not one:
                continue
            expected = (
                prefix + hmac.new(one.encode(), message, getattr(hashlib, algorithm)).hexdigest()
            )
            if hmac.compare_digest(signature.lower().encode(), expected.encode()):
                return
        raise UntrustedRequest("the signature does not match")

    def verify_webhook(
        self, keys: Iterable[str], *, tolerance: timedelta = timedelta(minutes=5)
    ) -> str:
        """Check a Standard Webhooks signature and its age; gives the `webhook-id`.

        The age is counted to `received_at`, so that a request kept for later reads the same.
        Raises UntrustedRequest.
        """
        webhook_id = self.headers.get("webhook-id", "")
        try:
            timestamp = int(self.headers.get("webhook-timestamp", ""))
        except ValueError:
            raise UntrustedRequest("webhook-timestamp is missing") from None
        if abs(self.received_at / 1_000_000 - timestamp) > tolerance.total_seconds():
            raise UntrustedRequest("webhook-timestamp is too far from now")
        signature = self.headers.get("webhook-signature", "")
        if not webhook_id or not is_signed(signature, keys, webhook_id, timestamp, self.body):
            raise UntrustedRequest("the signature does not match")
        return webhook_id


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """What to answer the provider when plain `200 ok` is not enough (challenges)."""

    status: int = 200
    body: bytes = b"ok"
    media_type: str = "text/plain"
