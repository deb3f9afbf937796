"""Where the hub itself may call when an address was typed by somebody: a guard against misuse.

A webhook's address is a request made by our machine, from inside our network. Link-local
addresses, among them the clouds' metadata services, are never called; private ones only where
the installation allows it. hub/judged_client.py calls by these rules.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from hub.errors import HubError, Invalid

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(
    ipaddress.ip_address(one) for one in ("100.100.100.200", "fd00:ec2::254", "168.63.129.16")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Unreachable(HubError):
    """This address may not be called, or is not there."""


class NotCalled(Unreachable):
    """The host is known, and at an address that the hub does not call."""


Resolve = Callable[[str, int], Awaitable[Sequence[IPAddress]]]
"""Gives the addresses of a name for a port; raises OSError or UnicodeError where there are none."""


def check_url(url: str, field: str = "url") -> None:
    """Look at an address as it was typed; raises Invalid."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid("this is not a web address", field=field) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise Invalid("the address starts with https:// or http://", field=field)
    if parts.username or parts.password:
        raise Invalid("the address holds no user name and password", field=field)
    if any(one.isspace() or not one.isprintable() for one in url) or "\\" in url:
        raise Invalid("this is not a web address", field=field)
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return
    if not is_allowed(literal, allow_private=True):
        raise Invalid("this address is never called", field=field)


def is_allowed(address: IPAddress, *, allow_private: bool) -> bool:
    """Say whether an address may be called."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_allowed(inner, allow_private=allow_private)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address in _METADATA:
        return False
    return allow_private or address.is_global


async def resolved(name: str, port: int) -> Sequence[IPAddress]:
    """Ask the system for the addresses of a name."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found)
    return [ipaddress.ip_address(one) for one in texts]


async def judged(
    name: str, port: int, *, allow_private: bool, resolve: Resolve = resolved
) -> Sequence[IPAddress]:
    """Give the addresses of a host; raises Unreachable where it may not be called or is not known."""
    try:
        addresses = await resolve(name, port)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the host {name} is not known") from error
    if not addresses or not all(is_allowed(one, allow_private=allow_private) for one in addresses):
        raise NotCalled(f"the host {name} is at an address that is not called")
    return addresses
