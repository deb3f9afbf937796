"""Records of the people outside: contacts, their addresses, clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.card_addresses import CardAddress, every
from hub.ids import (
    NEVER,
    AddressId,
    ClientId,
    ContactId,
    DialogId,
    MergeId,
    MessageId,
    Micros,
    SaidId,
    TeamId,
    UserId,
)
from hub.properties import CustomValues
from hub.records.objects import Lead


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRecord:
    """One address of a contact; `blocked` holds the reason, "" where it is not blocked.

    `verified_by` says how it is known to be his: by the `channel` that vouches for it, by `hand`,
    or by a `click` on a link sent there. `matched_by` says what tied a new address to somebody
    known (a phone, an e-mail), "" where nothing had to. `profile` is what the vendor shows of him
    (a page, a city), each a text.
    """

    id: AddressId
    kind: str
    value: str
    name: str
    verified: bool
    blocked: str
    verified_by: str = ""
    verified_at: Micros = NEVER
    matched_by: str = ""
    profile: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A human who may write to us; a person is not an address and may have many.

    `influence` is unknown, low, medium or high; `preferred_channel` a kind of address.
    """

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
    is_key: bool = False
    influence: str = "unknown"
    preferred_channel: str = ""
    do_not_disturb: bool = False
    birthday: Micros = NEVER
    tags: tuple[str, ...] = ()
    deleted_at: Micros = NEVER
    merged_into: ContactId = ContactId(0)
    custom: CustomValues = field(default_factory=CustomValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who buys: a person or an organisation; legal data are optional parts of the same card.

    `level` is the support level that it has bought, "" for none of its own; requests take it.
    `phone`, `email` and `site` are the main ones of its addresses; `addresses` holds what those
    lines do not, and `every_address` gives all. `completeness` is how much of what its status asks for is filled in, in percent.
    `abc` and `xyz` are its classes as of the last count (`ClassRules`), "" where it bought nothing.
    """

    id: ClientId
    name: str
    organisation: bool
    created_at: Micros
    version: int
    status: str = "prospect"
    level: str = ""
    owner_id: UserId = UserId(0)
    team_id: TeamId = TeamId(0)
    source: str = ""
    phone: str = ""
    email: str = ""
    site: str = ""
    addresses: tuple[CardAddress, ...] = ()
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
    co_owner_id: UserId = UserId(0)
    completeness: int = 0
    abc: str = ""
    xyz: str = ""
    deleted_at: Micros = NEVER
    merged_into: ClientId = ClientId(0)
    custom: CustomValues = field(default_factory=CustomValues)

    @property
    def every_address(self) -> tuple[CardAddress, ...]:
        """All addresses of the client's own, the main ones first."""
        return every(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Two cards that became one, and can be two again; `kind` is contact, client or lead."""

    id: MergeId
    kind: str
    survivor_id: int
    merged_id: int
    merged_name: str
    at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """That a card was split off another, `contact_id`, and can be given back to it."""

    contact_id: ContactId
    name: str
    at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeField:
    """A property in which two cards differ; `fills`: the survivor has none and gets the other's."""

    name: str
    survivor: object
    merged: object
    fills: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePreview:
    """What a merge would do: how many rows of each sort go over, and which properties differ."""

    survivor: Contact | Client | Lead
    merged: Contact | Client | Lead
    moves: Mapping[str, int]
    fields: tuple[MergeField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """A card that is like another: `reasons` are phone, email, inn, name; `score` is up to 100."""

    id: int
    score: int
    reasons: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatePair:
    """Two cards of one kind that may be one, with the reasons to think so."""

    kind: str
    a_id: int
    b_id: int
    a_name: str
    b_name: str
    score: int
    reasons: tuple[str, ...]
    found_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidAddress:
    """A phone or an e-mail that somebody told in a message; `owner_id` has it already, or 0.

    `on_card` stands on his own card already, unverified: he answered a question of ours. Of those
    the kind may be `name`, too.
    """

    id: SaidId
    dialog_id: DialogId
    message_id: MessageId
    kind: str
    value: str
    owner_id: ContactId
    owner_name: str
    at: Micros
    on_card: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A meeting, or a call noted by hand: when, with whom, what came of it, what is next."""

    id: int
    title: str
    form: str
    at: Micros
    minutes: int
    place: str
    participants: str
    contact_id: ContactId
    client_id: ClientId
    owner_id: UserId
    result: str
    next_step: str
    next_step_at: Micros
    tags: tuple[str, ...]
    created_at: Micros
    deleted_at: Micros
    version: int
    custom: CustomValues = field(default_factory=CustomValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line of what happened with a person or a client.

    `kind` is message, note, call, meeting, act (of a dialog), move (another status or stage), or
    the kind of an object that was made; `ref_kind` and `ref_id` name what it is about. `data` is
    what only its kind has: the status before and after, a direction, a channel.
    """

    id: int
    at: Micros
    kind: str
    title: str
    text: str
    who: str
    dialog_id: DialogId
    ref_kind: str
    ref_id: int
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyStep:
    """A stop on a client's way: the first touch, a new channel, a source, a stage, money."""

    at: Micros
    kind: str
    word: str
    amount: int = 0
    currency: str = ""
    ref_kind: str = ""
    ref_id: int = 0
