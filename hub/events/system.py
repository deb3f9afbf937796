"""Facts about the hub itself: accounts, users, plugins, webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import AccountId, BrandId, EventId, JobId, TeamId, UserId, WebhookId
from hub.objects import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreated(Event):
    """A channel was connected."""

    type: ClassVar[str] = "account.created"
    subject_kind: ClassVar[str] = "account"
    subject_field: ClassVar[str] = "account_id"

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged(Event):
    """An account's settings changed; every process restarts its listener."""

    type: ClassVar[str] = "account.changed"
    subject_kind: ClassVar[str] = "account"
    subject_field: ClassVar[str] = "account_id"

    account_id: AccountId
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRemoved(Event):
    """A channel was disconnected."""

    type: ClassVar[str] = "account.removed"
    subject_kind: ClassVar[str] = "account"
    subject_field: ClassVar[str] = "account_id"

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConnected(Event):
    """The provider knows the account's webhook, or its channel remembered something."""

    type: ClassVar[str] = "account.connected"
    subject_kind: ClassVar[str] = "account"
    subject_field: ClassVar[str] = "account_id"

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatesChanged(Event):
    """The catalogue of templates of an account changed at the provider."""

    type: ClassVar[str] = "templates.changed"
    subject_kind: ClassVar[str] = "account"
    subject_field: ClassVar[str] = "account_id"

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDown(Event):
    """An account stopped working; the reason is on its page."""

    type: ClassVar[str] = "channel.down"
    subject_kind: ClassVar[str] = "account"
    subject_field: ClassVar[str] = "account_id"

    account_id: AccountId
    state: str = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUp(Event):
    """An account works again."""

    type: ClassVar[str] = "channel.up"
    subject_kind: ClassVar[str] = "account"
    subject_field: ClassVar[str] = "account_id"

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCreated(Event):
    """A colleague was added."""

    type: ClassVar[str] = "user.created"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged(Event):
    """A colleague's card, role or rights changed."""

    type: ClassVar[str] = "user.changed"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsRevoked(Event):
    """Sessions of a user were ended."""

    type: ClassVar[str] = "session.revoked"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenChanged(Event):
    """A bearer token was made or ended."""

    type: ClassVar[str] = "token.changed"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId
    token_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChanged(Event):
    """A team was made or changed (its name, its members, or the team above it), or removed: the name is empty."""

    type: ClassVar[str] = "team.changed"
    subject_kind: ClassVar[str] = "team"
    subject_field: ClassVar[str] = "team_id"

    team_id: TeamId
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged(Event):
    """A role was made, changed or removed: what its people may do has changed."""

    type: ClassVar[str] = "role.changed"
    subject_kind: ClassVar[str] = "role"

    role: str
    removed: bool = False
    added: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandChanged(Event):
    """Settings of the organisation changed."""

    type: ClassVar[str] = "brand.changed"
    subject_kind: ClassVar[str] = "brand"
    subject_field: ClassVar[str] = "brand_id"

    brand_id: BrandId
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChanged(Event):
    """A saved view was made, changed or removed."""

    type: ClassVar[str] = "view.changed"
    subject_kind: ClassVar[str] = "view"
    subject_field: ClassVar[str] = "view_id"

    view_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChanged(Event):
    """An outgoing webhook was made, changed or removed."""

    type: ClassVar[str] = "webhook.changed"
    subject_kind: ClassVar[str] = "webhook"
    subject_field: ClassVar[str] = "webhook_id"

    webhook_id: WebhookId


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFailed(Event):
    """A plugin failed in a hook."""

    type: ClassVar[str] = "plugin.failed"
    subject_kind: ClassVar[str] = "plugin"
    subject_field: ClassVar[str] = ""

    plugin: str
    hook: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventParked(Event):
    """A plugin failed on a fact three times; the fact was put aside."""

    type: ClassVar[str] = "event.parked"
    subject_kind: ClassVar[str] = "plugin"
    subject_field: ClassVar[str] = ""

    plugin: str
    event_id: EventId


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDied(Event):
    """A job failed for the last time."""

    type: ClassVar[str] = "job.died"
    subject_kind: ClassVar[str] = "job"
    subject_field: ClassVar[str] = "job_id"

    job_id: JobId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReleased(Event):
    """Held outgoing things were released or dropped."""

    type: ClassVar[str] = "held.released"
    subject_kind: ClassVar[str] = "system"
    subject_field: ClassVar[str] = ""

    kind: str
    count: int
    released: bool
