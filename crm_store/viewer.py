"""Who looks: the rights that every query and every handler obeys, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, select, true

from crm_store.tables.dialogs import dialogs
from crm_store.tables.users import account_members, roles, users
from hub.errors import NotAllowed
from hub.ids import AccountId, Micros, UserId
from hub.objects import Actor, ActorKind
from hub.roles import PERMISSIONS

if TYPE_CHECKING:
    from sqlalchemy import Column

NOBODY_ROLE = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The rights of one actor at one moment.

    `hidden_accounts` are the accounts whose dialogs this actor may not see; for most actors
    it is empty, and then it costs nothing.
    """

    user_id: UserId = UserId(0)
    role: str = NOBODY_ROLE
    permissions: frozenset[str] = frozenset()
    hidden_accounts: frozenset[AccountId] = frozenset()
    is_system: bool = False

    @classmethod
    def system(cls) -> Viewer:
        """The hub itself: sees and may do everything."""
        return cls(role="system", permissions=frozenset(PERMISSIONS), is_system=True)

    @property
    def is_nobody(self) -> bool:
        """True for a user who is not there, or not any more."""
        return not self.is_system and self.role == NOBODY_ROLE

    def may(self, permission: str) -> bool:
        """Say whether this actor has a right."""
        return self.is_system or permission in self.permissions

    def need(self, permission: str) -> None:
        """Raise NotAllowed without the right."""
        if not self.may(permission):
            raise NotAllowed(f"this needs the right {permission!r}")

    def sees_account(self, account_id: int) -> bool:
        """Say whether dialogs of an account are open to this actor."""
        return account_id not in self.hidden_accounts

    def dialogs_clause(self, column: Column[int] = dialogs.c.account_id) -> ColumnElement[bool]:
        """Give the SQL condition that keeps hidden dialogs out of a query."""
        if not self.hidden_accounts:
            return true()
        return column.notin_(sorted(self.hidden_accounts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One read: a connection with a stable snapshot, who asks, and when."""

    conn: Connection
    viewer: Viewer
    now: Micros


def load_viewer(conn: Connection, actor: Actor, scopes: frozenset[str] | None = None) -> Viewer:
    """Read the rights of an actor; a deactivated or unknown user has none.

    `scopes` limits a bearer token to part of its user's rights.
    """
    if actor.kind not in (ActorKind.USER, ActorKind.TOKEN):
        return Viewer.system()
    row = conn.execute(
        select(users.c.role, users.c.active, roles.c.permissions, roles.c.scope)
        .join(roles, roles.c.name == users.c.role)
        .where(users.c.id == actor.id)
    ).first()
    if row is None or not row.active:
        return Viewer(user_id=UserId(actor.id))
    permissions = frozenset(row.permissions)
    if scopes is not None:
        permissions &= scopes
    hidden: frozenset[AccountId] = frozenset()
    if row.scope == "accounts":
        members = conn.execute(select(account_members)).all()
        limited = {one.account_id for one in members}
        mine = {one.account_id for one in members if one.user_id == actor.id}
        hidden = frozenset(limited - mine)
    return Viewer(
        user_id=UserId(actor.id), role=row.role, permissions=permissions, hidden_accounts=hidden
    )
