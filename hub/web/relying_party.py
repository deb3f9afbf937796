"""Passkeys on their way through the hub: what a browser is asked for, and whether its answer is true.

The hub is the relying party of WebAuthn under its public address, and under no other. What is
asked is random, lives five minutes in a sealed cookie of the one browser that asked, and is
answered once.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import idna
from cryptography.fernet import InvalidToken
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from crm_store import sessions as session_reads
from hub.commands import AddPasskey
from hub.errors import Invalid
from hub.ids import UserId
from hub.records.passkeys import Passkey
from hub.records.system import User

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.web.passkeys")


def _(text: str) -> str:
    return text


COOKIE = "hub_challenge"
SECONDS = 300
WINDOW_US = 900_000_000
"""Longer than a challenge lives: so long it is remembered that one was answered."""
MAX_ANSWER = 20_000
PORTS = {"https": 443, "http": 80}
EXPIRED = _("That took too long: begin again.")
UNTRUE = _("The passkey was not accepted: try again, or sign in with the password.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """Whom a passkey is made for: `id` is the domain, `origin` what a browser says it is on."""

    id: str
    origin: str


def relying_party(public_url: str) -> RelyingParty | None:
    """Give the relying party of an address; None where browsers allow no passkeys.

    They want a name, no number, and https; only this very machine may do without
    (WebAuthn Level 3, 5.1.2; Secure Contexts, 3.1).
    """
    try:
        url = urlsplit(public_url)
        host, port = (url.hostname or "").lower(), url.port
        host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except (ValueError, idna.IDNAError):
        return None
    is_here = host == "localhost" or host.endswith(".localhost")
    if (
        not host
        or _is_number(host)
        or not (url.scheme == "https" or (url.scheme == "http" and is_here))
    ):
        return None
    origin = f"{url.scheme}://{host}"
    if port is not None and port != PORTS[url.scheme]:
        origin += f":{port}"
    return RelyingParty(id=host, origin=origin)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def of(request: Request) -> RelyingParty | None:
    """Give the relying party of the running hub."""
    runtime: Runtime = request.app.state.runtime
    return relying_party(runtime.public_url)


def is_here(request: Request) -> bool:
    """Say whether this very page can ask for passkeys: it is open under the public address."""
    party = of(request)
    return party is not None and urlsplit(party.origin).netloc == request.headers.get("host", "")


# -- what was asked ------------------------------------------------------------------------


def ask(
    request: Request, purpose: str, path: str, make: Callable[[RelyingParty, bytes], str]
) -> Response:
    """Answer with the options that `make` writes around a fresh challenge, and note it.

    The cookie goes to the addresses under `path` only. Raises Invalid where the public address
    allows no passkeys.
    """
    runtime: Runtime = request.app.state.runtime
    party = of(request)
    if party is None:
        raise Invalid("passkeys need the hub's public address to begin with https://")
    challenge = secrets.token_bytes(32)
    until = runtime.now() + SECONDS * 1_000_000
    asked = json.dumps({"for": purpose, "challenge": challenge.hex(), "until": until})
    response = Response(make(party, challenge), media_type="application/json")
    response.headers["cache-control"] = "no-store"
    response.set_cookie(
        COOKIE,
        runtime.keys.encrypt(asked),
        max_age=SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.state.secure,
        path=path,
    )
    return response


async def asked(request: Request, purpose: str) -> bytes:
    """Give the challenge that this browser was asked with, this one time; raises Invalid."""
    runtime: Runtime = request.app.state.runtime
    try:
        kept = json.loads(runtime.keys.decrypt(request.cookies.get(COOKIE, "")))
        is_good = kept["for"] == purpose and runtime.now() < kept["until"]
        challenge = bytes.fromhex(kept["challenge"])
    except (InvalidToken, ValueError, KeyError, TypeError):
        is_good, challenge = False, b""
    if not is_good:
        raise Invalid(EXPIRED)
    bucket = f"passkey:{hashlib.sha256(challenge).hexdigest()[:40]}"
    uses = await runtime.database.write(session_reads.count_attempts, (bucket, WINDOW_US))
    if uses != 1:
        raise Invalid(EXPIRED)
    return challenge


def refused(text: str, status: int = 422) -> Response:
    """Say to a page's script, in its reader's words, why nothing is asked."""
    return JSONResponse({"error": text}, status)


# -- what is asked for ---------------------------------------------------------------------


def handle_of(user_id: UserId) -> bytes:
    """Give what a device keeps of a colleague: a number that says nothing to anybody else."""
    return str(int(user_id)).encode()


def creation(
    party: RelyingParty, challenge: bytes, user: User, name: str, known: list[Passkey]
) -> str:
    """Write what a browser is told to make a passkey; a device that has one makes no second."""
    from webauthn import base64url_to_bytes, generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=party.id,
        rp_name=name or "Dialog Hub",
        user_id=handle_of(user.id),
        user_name=user.email,
        user_display_name=user.name,
        challenge=challenge,
        timeout=SECONDS * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential))
            for one in known
            if one.domain == party.id
        ],
    )
    return options_to_json(options)


def assertion(party: RelyingParty, challenge: bytes) -> str:
    """Write what a browser is told to show a passkey, whichever its owner chooses."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=SECONDS * 1000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


# -- what was answered ---------------------------------------------------------------------


def credential_of(answer: str) -> str:
    """Give the credential id that an answer names, in base64url; raises Invalid."""
    return str(_answer(answer).get("id", ""))


def made(party: RelyingParty, challenge: bytes, answer: str, name: str) -> AddPasskey:
    """Verify a passkey that was made just now; raises Invalid."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.structs import CredentialDeviceType

    given = _answer(answer)
    try:
        verified = verify_registration_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001 - a stranger's bytes fail in many ways, all the same
        log.info("passkey_untrue act=add error=%s", type(error).__name__)
        raise Invalid("The passkey could not be verified: try again.") from None
    transports = given["response"].get("transports") or []
    return AddPasskey(
        name=name,
        domain=party.id,
        credential=bytes_to_base64url(verified.credential_id),
        public_key=bytes_to_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        transports=tuple(str(one)[:20] for one in transports[:8]),
        synced=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
    )


def shown(party: RelyingParty, challenge: bytes, answer: str, passkey: Passkey) -> int:
    """Verify a passkey that was shown just now; gives what its device has counted. Raises Invalid.

    The count itself is judged where it is kept, under its lock.
    """
    from webauthn import base64url_to_bytes, verify_authentication_response

    given = _answer(answer)
    try:
        is_his = base64url_to_bytes(given["response"]["userHandle"]) == handle_of(passkey.user_id)
        verified = verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001 - a stranger's bytes fail in many ways, all the same
        log.info("passkey_untrue act=use error=%s", type(error).__name__)
        raise Invalid(UNTRUE) from None
    if not is_his:
        raise Invalid(UNTRUE)
    return verified.new_sign_count


def _answer(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text) if len(text) <= MAX_ANSWER else None
    except ValueError:
        given = None
    if not isinstance(given, dict) or not isinstance(given.get("response"), dict):
        raise Invalid("The browser gave no passkey: try again.")
    return given
