"""Whether a webhook is Twilio's: its own validator, over the public address we configured.

Form bodies are signed as address and sorted fields; a JSON body by `bodySHA256` in the signed
address. Signed with the auth token (HMAC-SHA1), or with a shared key where the header
X-Twilio-Webhooks-Signature-Settings says so (HMAC-SHA256).
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from pydantic import SecretStr

from channels._twilio.settings import TwilioSettings
from hub import UntrustedRequest, WebhookRequest

EMPTY = SecretStr("")


class Fields(dict[str, list[str]]):
    """A form whose fields may be repeated, as the validator reads it."""

    def getlist(self, name: str) -> list[str]:
        """Give every value of a field."""
        return self[name]


def verify(settings: TwilioSettings, request: WebhookRequest) -> dict[str, str]:
    """Give the fields of a webhook of one of our accounts; raises UntrustedRequest."""
    tokens = (settings.auth_token, settings.previous_token)
    return signed_fields(request, tokens, settings.webhook_key)


def signed_fields(
    request: WebhookRequest, tokens: Sequence[SecretStr], shared_key: SecretStr = EMPTY
) -> dict[str, str]:
    """Give the fields of a signed webhook (the last value of each); raises UntrustedRequest.

    Several tokens let one be changed without a gap.
    """
    from twilio.request_validator import (
        SIGNATURE_SETTINGS_HEADER,
        RequestValidator,
        get_signature_algorithm,
    )

    signature = request.headers.get("x-twilio-signature", "")
    if not signature or not signature.isascii():
        raise UntrustedRequest("the request is not signed")
    try:
        body = request.body.decode()
        fields = Fields()
        for name, value in parse_qsl(body, keep_blank_values=True):
            fields.setdefault(name, []).append(value)
    except ValueError as error:
        raise UntrustedRequest("the body is neither a form nor JSON") from error
    params: Fields | str = fields
    if "json" in request.headers.get("content-type", ""):
        if "bodySHA256" not in request.query:
            raise UntrustedRequest("the body is not part of the signature")
        params, fields = body, Fields()
    algorithm = get_signature_algorithm(request.headers.get(SIGNATURE_SETTINGS_HEADER.lower(), ""))
    keys = (shared_key,) if algorithm.upper() == "HMAC_SHA256" else tokens
    for key in filter(None, (one.get_secret_value() for one in keys)):
        if RequestValidator(key).validate(request.url, params, signature, algorithm):
            # No database takes a nul byte, and no carrier means one.
            return {name: values[-1].replace("\x00", "") for name, values in fields.items()}
    raise UntrustedRequest("the signature does not match")
