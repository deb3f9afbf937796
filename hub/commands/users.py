"""Commands about colleagues: users, their sessions and tokens, teams, the organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.errors import NotFound
from hub.ids import BrandId, Micros, TeamId, UserId
from hub.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUser(Command):
    """Add a colleague; the password is already hashed ("" means: by invitation). Gives the id."""

    permission: ClassVar[str] = "users.manage"

    email: str
    name: str
    role: str
    password_hash: str = field(default="", repr=False)
    language: str = "en"
    user_id: UserId = UserId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUser(Command):
    """Change a colleague; None leaves a field alone. The last administrator stays one."""

    permission: ClassVar[str] = "users.manage"

    user_id: UserId
    name: str | None = None
    email: str | None = None
    role: str | None = None
    active: bool | None = None
    teams: tuple[TeamId, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProfile(Command):
    """Change one's own name, language, theme, signature and preferences."""

    permission: ClassVar[str] = "profile.edit"

    name: str | None = None
    language: str | None = None
    theme: str | None = None
    signature: str | None = None
    time_zone: str | None = None
    preferences: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPassword(Command):
    """Set a password hash; every other session of the user is revoked."""

    permission: ClassVar[str] = "profile.edit"

    user_id: UserId
    password_hash: str = field(repr=False)
    keep_session: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSecondFactor(Command):
    """Ask a user for a second factor from now on; `secret` is sealed, "" asks no more."""

    permission: ClassVar[str] = "profile.edit"

    user_id: UserId
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession(Command):
    """Log a user in: the row behind a session cookie, known only by the hash of its token."""

    user_id: UserId
    token_hash: str = field(repr=False)
    expires_at: Micros
    ip: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeSessions(Command):
    """End sessions of a user at once: one by its hash, or all but one."""

    permission: ClassVar[str] = "profile.edit"

    user_id: UserId
    token_hash: str = field(default="", repr=False)
    all_but: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateToken(Command):
    """Make a bearer token for the API, limited to scopes; only its hash is stored."""

    permission: ClassVar[str] = "tokens.manage"

    user_id: UserId
    name: str
    token_hash: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    expires_at: Micros = Micros(0)
    token_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken(Command):
    """End a bearer token."""

    permission: ClassVar[str] = "tokens.manage"

    token_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTeam(Command):
    """Create (id 0) or change a team. Gives the id.

    `parent_id` is the team above it: 0 puts it at the top, None leaves it where it stands. Raises
    Conflict `circle` where that team stands under this one.
    """

    permission: ClassVar[str] = "users.manage"

    team_id: TeamId = TeamId(0)
    name: str
    members: tuple[UserId, ...] = ()
    parent_id: TeamId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTeam(Command):
    """Remove a team. Gives how much of its work is still to go over: 0 means that it is gone.

    With `into_id` that team takes over what hangs on it: at most `limit` dialogs and objects of a
    kind at once, so it is given until nothing is left; then its people, channels, views and the
    teams below. Conflict `in_use` where something hangs on it and nobody takes it over, or where
    a rule, a segment or a deadline names it.
    """

    permission: ClassVar[str] = "users.manage"

    team_id: TeamId
    into_id: TeamId = TeamId(0)
    limit: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateBrand(Command):
    """Change the organisation: its name, public address, languages, time zone."""

    permission: ClassVar[str] = "system.manage"

    brand_id: BrandId
    name: str | None = None
    public_url: str | None = None
    language: str | None = None
    time_zone: str | None = None
    settings: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveView(Command):
    """Create (id 0) or change a saved view of the inbox, or of the list of a `kind`.

    `shared` shows it to everybody, `team_id` to a team. Who may see the kind may save its views.
    """

    permission: ClassVar[str] = "dialogs.view"

    view_id: int = 0
    name: str
    filter: Mapping[str, object] = field(default_factory=dict)
    sort: str = "newest"
    shared: bool = False
    kind: str = ""
    columns: tuple[str, ...] = ()
    team_id: TeamId = TeamId(0)

    def needs(self, kinds: Mapping[str, Kind]) -> str:
        """Give the right to see what the view shows."""
        if self.kind and self.kind not in kinds:
            raise NotFound(f"there is no kind {self.kind!r}")
        return kinds[self.kind].read if self.kind else self.permission


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveView(Command):
    """Delete a saved view of one's own."""

    permission: ClassVar[str] = "profile.edit"

    view_id: int
