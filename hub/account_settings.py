"""Settings of accounts: checked by the channel's own model, secrets sealed by the key ring."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import InvalidToken
from pydantic import BaseModel, SecretStr, ValidationError

from hub.channel import Channel
from hub.errors import Invalid
from hub.keyring import KeyRing

NEEDS_SECRET = "needs_secret"


def secret_fields(model: type[BaseModel]) -> list[str]:
    """Give the names of a model's secrets."""
    return [
        name
        for name, field in model.model_fields.items()
        if field.annotation is SecretStr or SecretStr in getattr(field.annotation, "__args__", ())
    ]


def seal(
    channel: type[Channel], given: Mapping[str, Any], sealed: str, keys: KeyRing
) -> dict[str, Any]:
    """Check settings and split off the secrets; a secret that is not given keeps its old value.

    Old ones that this key ring cannot read are given anew, all that are needed; while none is
    given they stay as they are, for the ring that can.

    Gives plain values plus `_secrets_set` (names) and `_sealed` (the encrypted rest). Raises
    Invalid naming the first wrong field.
    """
    values = {name: value for name, value in given.items() if not name.startswith("_")}
    try:
        old = _unseal(sealed, keys) if sealed else {}
    except Invalid:
        if not any(_plain(values.get(name)) for name in secret_fields(channel.Settings)):
            raise
        old = {}
    for name in secret_fields(channel.Settings):
        if not _plain(values.get(name)):
            values.pop(name, None)
            if name in old:
                values[name] = old[name]
    model = check(channel, values)
    plain = model.model_dump(mode="json")
    hidden = {}
    for name in secret_fields(channel.Settings):
        plain.pop(name, None)
        value = _plain(getattr(model, name))
        if value:
            hidden[name] = value
    plain["_secrets_set"] = sorted(hidden)
    plain["_sealed"] = keys.encrypt(json.dumps(hidden)) if hidden else ""
    return plain


def check(channel: type[Channel], values: Mapping[str, Any]) -> BaseModel:
    """Check settings by the channel's model; raises Invalid."""
    try:
        return channel.Settings.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(one) for one in first["loc"])
        raise Invalid(f"{field}: {first['msg']}" if field else first["msg"], field=field) from None


def unseal(
    channel: type[Channel], plain: Mapping[str, Any], sealed: str, keys: KeyRing
) -> BaseModel:
    """Give the whole settings of an account; raises Invalid where a secret is lost."""
    values = {name: value for name, value in plain.items() if not name.startswith("_")}
    values |= _unseal(sealed, keys) if sealed else {}
    return check(channel, values)


def _unseal(sealed: str, keys: KeyRing) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(keys.decrypt(sealed))
    except (InvalidToken, ValueError) as error:
        raise Invalid(
            "the secrets cannot be read with this key ring: enter them again", field=NEEDS_SECRET
        ) from error
    return found


def _plain(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value if isinstance(value, str) else ""
