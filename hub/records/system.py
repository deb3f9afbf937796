"""Records of the house itself: accounts, users, sessions, tokens, webhooks, jobs, facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.ids import (
    AccountId,
    BrandId,
    DeliveryId,
    DialogId,
    EventId,
    JobId,
    Micros,
    PushDeviceId,
    TagId,
    TeamId,
    UserId,
    WebhookId,
)
from hub.roles import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A connected channel. `settings` holds no secrets; `secrets_set` names those that are set."""

    id: AccountId
    brand_id: BrandId
    channel: str
    title: str
    settings: Mapping[str, object]
    secrets_set: tuple[str, ...]
    paused: bool
    removed: bool
    state: str
    last_error: str
    last_error_at: Micros
    last_in_at: Micros
    last_out_at: Micros
    mark: str
    signature: str
    thread_rule: str
    reopen_days: int
    team_id: TeamId
    hook_token: str
    members: tuple[UserId, ...]
    created_at: Micros
    version: int
    memory: Mapping[str, str] = field(default_factory=dict)
    connected_to: str = ""
    webhook_state: str = ""
    quota: str = ""
    inspected_at: Micros = Micros(0)
    templates_at: Micros = Micros(0)
    templates_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A colleague; `away_until` is when an absence of now ends, 0 for who is here."""

    id: UserId
    email: str
    name: str
    role: str
    active: bool
    language: str
    theme: str
    time_zone: str
    signature: str
    preferences: Mapping[str, object]
    teams: tuple[TeamId, ...]
    created_at: Micros
    last_seen_at: Micros
    version: int
    away_until: Micros = Micros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRecord:
    """A role as it stands: its rights, whose work they reach, who has it.

    `new_rights` came with a release after a role of one's own was last saved: they are off.
    """

    name: str
    permissions: frozenset[str]
    scope: str
    scopes: Mapping[str, Scope]
    account_scopes: Mapping[AccountId, Scope]
    builtin: bool
    based_on: str
    new_rights: tuple[str, ...]
    users: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One logged-in browser."""

    token_hash: str = field(repr=False)
    user_id: UserId
    created_at: Micros
    expires_at: Micros
    last_seen_at: Micros
    ip: str
    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDevice:
    """A browser that is called by Web Push; `login` is the hash of what its user is logged in by."""

    id: PushDeviceId
    name: str
    login: str = field(repr=False)
    endpoint_hash: str = field(repr=False)
    active: bool
    created_at: Micros
    pushed_at: Micros
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token, without its secret."""

    id: int
    user_id: UserId
    name: str
    scopes: tuple[str, ...]
    created_at: Micros
    expires_at: Micros
    last_used_at: Micros
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A group of colleagues; `parent_id` is the team above it, 0 where there is none."""

    id: TeamId
    name: str
    members: tuple[UserId, ...]
    parent_id: TeamId = TeamId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A label of dialogs, with how many carry it."""

    id: TagId
    name: str
    dialogs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """The organisation as customers see it."""

    id: BrandId
    name: str
    public_url: str
    language: str
    time_zone: str
    settings: Mapping[str, object]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A saved view of the inbox, or of the list of a `kind`; its owner's, a team's or everybody's."""

    id: int
    owner_id: UserId
    name: str
    filter: Mapping[str, object]
    sort: str
    shared: bool
    kind: str = ""
    columns: tuple[str, ...] = ()
    team_id: TeamId = TeamId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of background work under lease."""

    id: JobId
    name: str
    payload: Mapping[str, object]
    key: str
    due_at: Micros
    attempts: int
    fence: int
    state: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An outgoing webhook; its secret is shown once, when it is made."""

    id: WebhookId
    url: str
    events: tuple[str, ...]
    active: bool
    created_at: Micros
    failures: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One fact on its way to one webhook."""

    webhook_id: WebhookId
    event_id: EventId
    state: str
    attempts: int
    due_at: Micros
    code: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """How many open dialogs each of the asking user's views holds."""

    mine: int
    unassigned: int
    all: int
    waiting: int
    mentions: int
    snoozed: int
    failed: int
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Outgoing things held after a restore or a late start, by kind."""

    deliveries: int
    jobs: int
    webhooks: int
    oldest_at: Micros
    timers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDelivery:
    """One held message: to whom (`name`), through which account, and how it begins.

    `kind` is "dialog", "many" (of a mailing) or "colleague" (a letter of notices).
    """

    id: DeliveryId
    kind: str
    dialog_id: DialogId
    name: str
    account: str
    subject: str
    text: str
    created_at: Micros
    due_at: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUse:
    """How much hangs on an account: dialogs, open ones, what waits to leave, unread input."""

    dialogs: int
    open: int
    waiting: int
    unread: int
