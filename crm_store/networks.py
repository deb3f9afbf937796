"""From which networks people may come in: kept with the organisation; none named means all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from sqlalchemy import select, update

from crm_store.sql import locked
from crm_store.tables.users import brands
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import LimitNetworks, NoteTurnedAway
from hub.errors import Conflict, Invalid
from hub.events import NetworksChanged, TurnedAway
from hub.ids import BrandId
from hub.objects import Change

Network = IPv4Network | IPv6Network
MOST = 200
_NAMED = select(brands.c.id, brands.c.networks).order_by(brands.c.id).limit(1)


def networks(reader: Reader) -> tuple[str, ...]:
    """Give the networks from which people may come in; none means from everywhere."""
    row = reader.conn.execute(_NAMED).first()
    return tuple(row.networks) if row is not None else ()


def parsed(given: Iterable[str]) -> tuple[Network, ...]:
    """Read networks and single addresses, IPv4 and IPv6; raises Invalid, naming the wrong one."""
    found: dict[Network, None] = {}
    for one in given:
        try:
            found[ip_network(one.strip(), strict=False)] = None
        except ValueError:
            raise Invalid(
                f"{one[:60]} is no network: write 203.0.113.0/24", field="networks"
            ) from None
    if len(found) > MOST:
        raise Invalid(f"at most {MOST} networks", field="networks")
    return tuple(found)


def admits(allowed: Sequence[Network], address: str) -> bool:
    """Say whether somebody at an address may come in."""
    if not allowed:
        return True
    try:
        seen = ip_address(address)
    except ValueError:
        return False
    # A socket for both kinds tells of IPv4 in the words of IPv6 (RFC 4291, 2.5.5.2).
    seen = getattr(seen, "ipv4_mapped", None) or seen
    return any(seen in one for one in allowed)


def limit_networks(uow: UnitOfWork, command: LimitNetworks) -> None:
    """Let people in from these networks only."""
    allowed = parsed(command.networks)
    if command.seen_from and not admits(allowed, command.seen_from):
        raise Conflict(
            f"your own address, {command.seen_from}, is in none of these networks:"
            " you would lock yourself out",
            what="locked_out",
        )
    row = uow.conn.execute(locked(uow.dialect, _NAMED)).one()
    after = [str(one) for one in allowed]
    if after == row.networks:
        return
    uow.conn.execute(
        update(brands)
        .where(brands.c.id == row.id)
        .values(networks=after, version=brands.c.version + 1)
    )
    change = Change(kind="brand", id=row.id, field="networks", before=row.networks, after=after)
    uow.record(NetworksChanged(brand_id=BrandId(row.id), changes=(change,)))


def note_turned_away(uow: UnitOfWork, command: NoteTurnedAway) -> None:
    """Put on record that somebody was turned away."""
    uow.record(TurnedAway(user_id=command.user_id, seen_from=command.seen_from[:60]))
