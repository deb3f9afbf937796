"""Who looks: the rights that every query and every handler obeys, in one place.

A role reaches some channels, and on them its own work, that of its teams, or everybody's. For a
role that reaches everything no condition is added, and nothing costs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import ColumnElement, Connection, and_, exists, false, or_, select, true

from crm_store.nouns import NOUNS, Noun
from crm_store.tables.absences import absences
from crm_store.tables.dialogs import dialogs, mentions, messages
from crm_store.tables.users import account_members, roles, users
from crm_store.team_tree import near
from hub.errors import NotAllowed
from hub.ids import AccountId, Micros, TeamId, UserId
from hub.objects import Actor, ActorKind
from hub.roles import DIALOGS, PERMISSIONS, Scope

if TYPE_CHECKING:
    from sqlalchemy import FromClause

    from hub.extensions import Ageing
    from hub.kinds import Kind
    from hub.segment_fields import SegmentField

NOBODY_ROLE = "nobody"
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a dialog stands, as far as it decides who may see it."""

    account_id: AccountId
    assignee_id: UserId
    team_id: TeamId
    called: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The rights of one actor at one moment.

    `hidden_accounts` are the accounts whose dialogs this actor may not see; `scopes` hold only
    the subjects of which less than everything is seen, `account_scopes` the accounts on which
    another scope counts for dialogs. For most actors all are empty, and then they cost nothing.
    `selves` are those whose work is mine: me, and whom I stand in for; `teams` are those they are
    in and all below, `mates` the people of these. `shut_out` is true for a role that sees no dialogs at all; a token that leaves that right out still
    acts on those of its user. `is_looking` is true for an administrator who looks with these eyes: what is private of their owner stays private.
    """

    user_id: UserId = UserId(0)
    role: str = NOBODY_ROLE
    permissions: frozenset[str] = frozenset()
    hidden_accounts: frozenset[AccountId] = frozenset()
    scopes: tuple[tuple[str, Scope], ...] = ()
    account_scopes: tuple[tuple[AccountId, Scope], ...] = ()
    selves: frozenset[UserId] = frozenset()
    teams: frozenset[TeamId] = frozenset()
    mates: frozenset[UserId] = frozenset()
    is_system: bool = False
    is_looking: bool = False
    shut_out: bool = False

    @classmethod
    def system(cls) -> Viewer:
        """The hub itself: sees and may do everything."""
        return cls(role="system", permissions=frozenset(PERMISSIONS), is_system=True)

    @property
    def private_id(self) -> UserId:
        """Whose drafts and own views are shown: nobody's to who only looks."""
        return UserId(0) if self.is_looking else self.user_id

    @property
    def is_limited(self) -> bool:
        """True where anything at all is kept out of sight."""
        return bool(self.hidden_accounts or self.scopes or self.account_scopes or self.shut_out)

    @property
    def limits(self) -> str:
        """Name whose work he sees, the same for the same scopes, teams and absences of others; "" for all.

        Accounts are left out: one more that is not open to him takes nothing away from him.
        """
        if not (self.scopes or self.account_scopes):
            return ""
        parts = (self.scopes, self.account_scopes, sorted(self.selves), sorted(self.teams))
        return blake2b(repr(parts).encode(), digest_size=16).hexdigest()

    @property
    def sight(self) -> Viewer:
        """One viewer for all who see everything, so that they share the questions made for it."""
        return self if self.is_limited else _SEES_ALL

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

    def scope(self, subject: str) -> Scope:
        """Say whose work of a subject this actor reaches."""
        for name, scope in self.scopes:
            if name == subject:
                return scope
        return Scope.ALL

    # -- dialogs ---------------------------------------------------------------------------

    def sees_account(self, account_id: int) -> bool:
        """Say whether an account is open to this actor (not: every dialog of it)."""
        return account_id not in self.hidden_accounts

    @property
    def sees_all_dialogs(self) -> bool:
        """Say whether every dialog of the open accounts is seen."""
        everybodys = not self.account_scopes and self.scope(DIALOGS) is Scope.ALL
        return everybodys and not self.shut_out

    def dialogs_clause(self) -> ColumnElement[bool]:
        """Give the SQL condition over `dialogs` that keeps out what may not be seen."""
        parts: list[ColumnElement[bool]] = []
        if self.shut_out:
            return false()
        if self.hidden_accounts:
            parts.append(dialogs.c.account_id.notin_(sorted(self.hidden_accounts)))
        if not self.sees_all_dialogs:
            parts.append(self._dialogs_in_scope())
        return and_(*parts) if parts else true()

    def _dialogs_in_scope(self) -> ColumnElement[bool]:
        general = self._dialogs_of(self.scope(DIALOGS))
        if not self.account_scopes:
            return general
        named = [account_id for account_id, _ in self.account_scopes]
        special = [
            and_(dialogs.c.account_id == account_id, self._dialogs_of(scope))
            for account_id, scope in self.account_scopes
        ]
        return or_(*special, and_(dialogs.c.account_id.notin_(named), general))

    def _dialogs_of(self, scope: Scope) -> ColumnElement[bool]:
        if scope is Scope.ALL:
            return true()
        called = select(mentions.c.dialog_id).where(mentions.c.user_id.in_(sorted(self.selves)))
        parts = [
            dialogs.c.assignee_id.in_(self._responsible(scope)),
            # Whoever is named in a note was called into that dialog.
            dialogs.c.id.in_(called),
        ]
        if scope.with_team and self.teams:
            parts.append(dialogs.c.team_id.in_(sorted(self.teams)))
        return or_(*parts)

    def _responsible(self, scope: Scope) -> list[int]:
        people = self.selves | self.mates if scope.with_team else self.selves
        return sorted({*people, 0} if scope.with_unassigned else people)

    def _is_responsible(self, scope: Scope, user_id: int) -> bool:
        if not user_id:
            return scope.with_unassigned
        return user_id in self.selves or (scope.with_team and user_id in self.mates)

    def sees_dialog(
        self, account_id: int, assignee_id: int, team_id: int, called: Iterable[int] = ()
    ) -> bool:
        """Say the same of a dialog that is read already; `called` are those named in its notes."""
        if self.shut_out or not self.sees_account(account_id):
            return False
        if self.sees_all_dialogs:
            return True
        scope = dict(self.account_scopes).get(AccountId(account_id), self.scope(DIALOGS))
        return (
            scope is Scope.ALL
            or self._is_responsible(scope, assignee_id)
            or (scope.with_team and team_id in self.teams)
            or not self.selves.isdisjoint(UserId(one) for one in called)
        )

    def messages_clause(self, table: FromClause = messages) -> ColumnElement[bool]:
        """Give the condition for a table whose rows name their account and their dialog."""
        if self.sees_all_dialogs:
            if not self.hidden_accounts:
                return true()
            return table.c.account_id.notin_(sorted(self.hidden_accounts))
        its_dialog = select(dialogs.c.id).where(
            dialogs.c.id == table.c.dialog_id, self.dialogs_clause()
        )
        return its_dialog.correlate(table).exists()

    # -- objects of kinds ------------------------------------------------------------------

    def objects_clause(self, kind: Kind, table: FromClause) -> ColumnElement[bool]:
        """Give the condition over a kind's table; its description says whose an object is."""
        scope = self.scope(kind.subject)
        if scope is Scope.ALL:
            return true()
        parts = [
            table.c[name].in_(sorted(self.selves)) for name in kind.shared_with if name in table.c
        ]
        if kind.owner:
            parts.append(table.c[kind.owner].in_(self._responsible(scope)))
        if kind.team and scope.with_team and self.teams:
            parts.append(table.c[kind.team].in_(sorted(self.teams)))
        return or_(false(), *parts)

    def sees_object(self, kind: Kind, row: Any) -> bool:
        """Say the same of an object that is read already (a row, or its record)."""
        scope = self.scope(kind.subject)
        if scope is Scope.ALL:
            return True
        return (
            any(getattr(row, name, 0) in self.selves for name in kind.shared_with)
            or (bool(kind.owner) and self._is_responsible(scope, getattr(row, kind.owner)))
            or (bool(kind.team) and scope.with_team and getattr(row, kind.team) in self.teams)
        )

    def people_clause(self, table: FromClause, client: Kind, clients: FromClause) -> Any:
        """Give the condition over contact persons: mine are those of my clients and my dialogs."""
        if self.scope(client.subject) is Scope.ALL:
            return true()
        parts: list[ColumnElement[bool]] = [
            table.c.client_id.in_(select(clients.c.id).where(self.objects_clause(client, clients)))
        ]
        theirs = select(dialogs.c.id).where(dialogs.c.contact_id == table.c.id).correlate(table)
        if self.may("dialogs.view"):
            parts.append(exists(theirs.where(self.dialogs_clause())))
        if self.scope(client.subject).with_unassigned:
            parts.append(and_(table.c.client_id == 0, ~exists(theirs)))
        return or_(*parts)

    def sees_person(self, client: Kind, row: Any, places: Sequence[Place]) -> bool:
        """Say the same of a person that is read already: the client's row, where dialogs stand."""
        scope = self.scope(client.subject)
        if scope is Scope.ALL or (row is not None and self.sees_object(client, row)):
            return True
        if self.may("dialogs.view") and any(
            self.sees_dialog(one.account_id, one.assignee_id, one.team_id, one.called)
            for one in places
        ):
            return True
        return scope.with_unassigned and row is None and not places


_SEES_ALL = Viewer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One read: a connection with a stable snapshot, who asks, when, and what plugins bring.

    `nouns` are the kinds there are, `ageing` what of plugins' tables is removed by its age,
    `segment_fields` what segments can ask of them.
    `known` holds what this read has found out already (`once_a_read`).
    """

    conn: Connection
    viewer: Viewer
    now: Micros
    nouns: Mapping[str, Noun] = field(default_factory=lambda: NOUNS)
    ageing: Mapping[str, Ageing] = field(default_factory=dict)
    segment_fields: Mapping[str, SegmentField] = field(default_factory=dict)
    known: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)


def once_a_read(
    function: Callable[Concatenate[Reader, P], tuple[T, ...]],
) -> Callable[Concatenate[Reader, P], tuple[T, ...]]:
    """Let a question be asked of the database once in a read, however many parts of a page ask it.

    For what is small and asked for again and again: colleagues, teams, pipelines, what is about
    one client. Whoever writes and then reads makes another `Reader`.
    """

    @wraps(function)
    def asked(reader: Reader, /, *args: P.args, **named: P.kwargs) -> tuple[T, ...]:
        key = (function, args, tuple(named.items()))
        found: tuple[T, ...] | None = reader.known.get(key)
        if found is None:
            found = reader.known[key] = function(reader, *args, **named)
        return found

    return asked


def load_viewer(conn: Connection, actor: Actor, scopes: frozenset[str] | None = None) -> Viewer:
    """Read the rights of an actor; a deactivated or unknown user has none.

    `scopes` limits a bearer token to part of its user's rights.
    """
    if actor.kind not in (ActorKind.USER, ActorKind.TOKEN):
        return Viewer.system()
    row = conn.execute(
        select(users.c.role, users.c.active, roles)
        .join(roles, roles.c.name == users.c.role)
        .where(users.c.id == actor.id)
    ).first()
    if row is None or not row.active:
        return Viewer(user_id=UserId(actor.id))
    viewer = viewer_of(conn, UserId(actor.id), row)
    if scopes is None:
        return viewer
    return _limited(viewer, scopes)


def _limited(viewer: Viewer, rights: frozenset[str]) -> Viewer:
    return replace(viewer, permissions=viewer.permissions & rights)


def viewer_of(conn: Connection, user_id: UserId, role: Any) -> Viewer:
    """Give the rights that a row of `roles` gives to a user."""
    standing_in = select(absences.c.user_id).where(
        absences.c.substitute_id == user_id, absences.c.state == "active", absences.c.access
    )
    selves = frozenset({user_id, *map(UserId, conn.execute(standing_in).scalars())})
    hidden: frozenset[AccountId] = frozenset()
    if role.scope == "accounts":
        members = conn.execute(select(account_members)).all()
        limited = {one.account_id for one in members}
        mine = {one.account_id for one in members if one.user_id in selves}
        hidden = frozenset(limited - mine)
    scopes = _scopes(role.scopes)
    by_account = tuple(
        (AccountId(int(name)), scope) for name, scope in _scopes(role.account_scopes, every=True)
    )
    teams: frozenset[TeamId] = frozenset()
    mates: frozenset[UserId] = frozenset()
    if any(scope.with_team for _, scope in (*scopes, *by_account)):
        teams, mates = near(conn, selves)
    return Viewer(
        user_id=user_id,
        role=role.name,
        permissions=frozenset(role.permissions),
        hidden_accounts=hidden,
        scopes=scopes,
        account_scopes=by_account,
        selves=selves,
        teams=teams,
        mates=mates,
        shut_out="dialogs.view" not in role.permissions,
    )


def _scopes(stored: Mapping[str, str], *, every: bool = False) -> tuple[tuple[str, Scope], ...]:
    found = [(name, Scope(value)) for name, value in sorted(stored.items())]
    return tuple(one for one in found if every or one[1] is not Scope.ALL)
