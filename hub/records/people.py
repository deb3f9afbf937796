"""Records of the people outside: contacts, their addresses, clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.ids import NEVER, AddressId, ClientId, ContactId, Micros, TeamId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRecord:
    """One address of a contact; `blocked` holds the reason, "" where it is not blocked.

    `profile` is what the vendor shows of him (a page, a city), each a text.
    """

    id: AddressId
    kind: str
    value: str
    name: str
    verified: bool
    blocked: str
    profile: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A human who may write to us; a person is not an address and may have many."""

    id: ContactId
    client_id: ClientId
    name: str
    language: str
    time_zone: str
    position: str
    notes: str
    created_at: Micros
    last_at: Micros
    version: int
    addresses: tuple[AddressRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who buys: a person or an organisation; legal data are optional parts of the same card."""

    id: ClientId
    name: str
    organisation: bool
    created_at: Micros
    version: int
    status: str = "prospect"
    owner_id: UserId = UserId(0)
    team_id: TeamId = TeamId(0)
    source: str = ""
    phone: str = ""
    email: str = ""
    site: str = ""
    region: str = ""
    industry: str = ""
    birthday: Micros = NEVER
    tags: tuple[str, ...] = ()
    notes: str = ""
    legal_name: str = ""
    inn: str = ""
    kpp: str = ""
    ogrn: str = ""
    legal_address: str = ""
    bank: str = ""
    deleted_at: Micros = NEVER
