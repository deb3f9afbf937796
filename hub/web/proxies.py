"""Who really called, where proxies stand in between: only the named ones are believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from starlette.types import Scope


def client_address(scope: Scope, trusted: Sequence[Any]) -> str:
    """Give the caller's address; forwarded headers count only from trusted proxies."""
    peer = scope.get("client")
    address = str(peer[0]) if peer else ""
    if not _is_trusted(address, trusted):
        return address
    forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
    hop: str
    for hop in reversed([one.strip() for one in forwarded.split(",") if one.strip()]):
        if not _is_trusted(hop, trusted):
            return hop
        address = hop
    return address


def _is_trusted(address: str, trusted: Sequence[Any]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)


def trusted_networks(setting: str) -> list[Any]:
    """Parse HUB_TRUSTED_PROXIES: addresses and networks, separated by commas."""
    return [
        ipaddress.ip_network(one.strip(), strict=False) for one in setting.split(",") if one.strip()
    ]


def is_https(scope: Scope, trusted: Sequence[Any]) -> bool:
    """Say whether the caller's browser speaks https, to us or to a proxy we trust."""
    peer = scope.get("client")
    if peer and _is_trusted(peer[0], trusted):
        proto = dict(scope["headers"]).get(b"x-forwarded-proto", b"").decode("latin-1")
        if proto:
            return bool(proto.split(",")[0].strip() == "https")
    return bool(scope.get("scheme") == "https")
