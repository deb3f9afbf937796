"""Colleagues, teams, the organisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Label,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from crm_store.calendars import checked_zone
from crm_store.push_devices import forget_devices, forget_without_login
from crm_store.roles import need_reach
from crm_store.sql import locked
from crm_store.tables.absences import absences
from crm_store.tables.pushes import push_devices
from crm_store.tables.users import (
    brands,
    roles,
    sessions,
    team_members,
    teams,
    users,
)
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader, once_a_read
from hub.commands import (
    CreateUser,
    SetPassword,
    SetSecondFactor,
    UpdateBrand,
    UpdateProfile,
    UpdateUser,
)
from hub.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.events import (
    BrandChanged,
    SessionsRevoked,
    UserChanged,
    UserCreated,
)
from hub.ids import BrandId, Micros, TeamId, UserId
from hub.records.system import Brand, Team, User
from hub.terms import fold

LANGUAGES = ("en", "ru")
THEMES = ("system", "light", "dark")


def user(reader: Reader, user_id: UserId) -> User:
    """Give one colleague."""
    row = reader.conn.execute(_ONE, {"user": user_id, "at": reader.now}).first()
    if row is None:
        raise NotFound("there is no such colleague")
    theirs = reader.conn.execute(_OWN_TEAMS, {"user": user_id}).scalars()
    return user_of_row(row, tuple(map(TeamId, theirs)))


def all_users(reader: Reader, *, inactive: bool = True) -> list[User]:
    """Give every colleague by name."""
    return [one for one in _colleagues(reader) if inactive or one.active]


@once_a_read
def _colleagues(reader: Reader) -> tuple[User, ...]:
    owned = _teams_of(reader)
    rows = reader.conn.execute(_ALL, {"at": reader.now}).all()
    return tuple(user_of_row(row, owned.get(row.id, ())) for row in rows)


def credentials(reader: Reader, email: str) -> tuple[UserId, str, str, bool] | None:
    """Give (id, password hash, sealed TOTP secret, active) behind an e-mail address."""
    row = reader.conn.execute(
        select(users).where(users.c.email_folded == fold(email.strip()))
    ).first()
    if row is None:
        return None
    return UserId(row.id), row.password_hash, row.totp_secret, row.active


def count_users(reader: Reader) -> int:
    """Say how many colleagues there are."""
    return int(reader.conn.execute(select(func.count()).select_from(users)).scalar_one())


def _teams_of(reader: Reader) -> dict[int, tuple[TeamId, ...]]:
    found: dict[int, tuple[TeamId, ...]] = {}
    for team_id, user_id in _memberships(reader):
        found[user_id] = (*found.get(user_id, ()), team_id)
    return found


@once_a_read
def _memberships(reader: Reader) -> tuple[tuple[TeamId, UserId], ...]:
    rows = reader.conn.execute(_MEMBERS)
    return tuple((TeamId(row.team_id), UserId(row.user_id)) for row in rows)


def user_of_row(row: Any, owned: Sequence[TeamId]) -> User:
    return User(
        id=UserId(row.id),
        email=row.email,
        name=row.name,
        role=row.role,
        active=row.active,
        language=row.language,
        theme=row.theme,
        time_zone=row.time_zone,
        signature=row.signature,
        preferences=row.preferences,
        teams=tuple(owned),
        created_at=Micros(row.created_at),
        last_seen_at=Micros(row.last_seen_at),
        version=row.version,
        away_until=Micros(row.away_until or 0),
    )


def away_until(at: Micros | BindParameter[int]) -> Label[int]:
    """Give, as a column beside colleagues, until when each is away at that time."""
    return (
        select(func.max(absences.c.to_at))
        .where(
            absences.c.user_id == users.c.id,
            absences.c.state.in_(("planned", "active")),
            absences.c.from_at <= at,
            absences.c.to_at > at,
        )
        .scalar_subquery()
        .label("away_until")
    )


_AT: BindParameter[int] = bindparam("at", type_=BigInteger)
_ONE = select(users, away_until(_AT)).where(users.c.id == bindparam("user"))
_ALL = select(users, away_until(_AT)).order_by(users.c.name, users.c.id)
_OWN_TEAMS = select(team_members.c.team_id).where(team_members.c.user_id == bindparam("user"))
_MEMBERS = select(team_members)
_TEAMS = select(teams).order_by(teams.c.name)
_BRAND = select(brands).order_by(brands.c.id).limit(1)


def all_teams(reader: Reader) -> list[Team]:
    """Give every team with its members."""
    return list(_teams(reader))


@once_a_read
def _teams(reader: Reader) -> tuple[Team, ...]:
    members: dict[int, list[UserId]] = {}
    for team_id, user_id in _memberships(reader):
        members.setdefault(team_id, []).append(user_id)
    return tuple(
        Team(
            id=TeamId(row.id),
            name=row.name,
            members=tuple(members.get(row.id, ())),
            parent_id=TeamId(row.parent_id),
        )
        for row in reader.conn.execute(_TEAMS)
    )


def brand(reader: Reader) -> Brand:
    """Give the organisation."""
    row = reader.conn.execute(_BRAND).one()
    return Brand(
        id=BrandId(row.id),
        name=row.name,
        public_url=row.public_url,
        language=row.language,
        time_zone=row.time_zone,
        settings=row.settings,
        version=row.version,
    )


# -- commands ------------------------------------------------------------------------------


def create_user(uow: UnitOfWork, command: CreateUser) -> UserId:
    """Add a colleague."""
    email = command.email.strip()
    if "@" not in email:
        raise Invalid("this is not an e-mail address", field="email")
    if not command.name.strip():
        raise Invalid("a name is needed", field="name")
    _need_role(uow, command.role)
    taken = uow.conn.execute(select(users.c.id).where(users.c.email_folded == fold(email))).first()
    if taken:
        raise Conflict("somebody has this e-mail address already", what="email")
    user_id = command.user_id or UserId(uow.new_id())
    uow.conn.execute(
        insert(users).values(
            id=user_id,
            email=email,
            email_folded=fold(email),
            name=command.name.strip()[:400],
            role=command.role,
            password_hash=command.password_hash,
            language=command.language if command.language in LANGUAGES else "en",
            preferences={},
            created_at=uow.now,
        )
    )
    uow.record(UserCreated(user_id=user_id))
    return user_id


def _need_role(uow: UnitOfWork, name: str) -> None:
    # Locked, so that a role is not removed while somebody gets it.
    found = uow.conn.execute(
        locked(uow.dialect, select(roles.c.name).where(roles.c.name == name))
    ).first()
    if found is None:
        raise Invalid(f"there is no role {name!r}", field="role")
    need_reach(uow, name)


def lock_user(uow: UnitOfWork, user_id: UserId) -> Any:
    row = uow.conn.execute(locked(uow.dialect, select(users).where(users.c.id == user_id))).first()
    if row is None:
        raise NotFound("there is no such colleague")
    return row


def update_user(uow: UnitOfWork, command: UpdateUser) -> None:
    """Change a colleague; the last active administrator stays one."""
    row = lock_user(uow, command.user_id)
    need_reach(uow, row.role)
    values: dict[str, Any] = {}
    if command.name is not None:
        if not command.name.strip():
            raise Invalid("a name is needed", field="name")
        values["name"] = command.name.strip()[:400]
    if command.email is not None and fold(command.email.strip()) != row.email_folded:
        values |= {"email": command.email.strip(), "email_folded": fold(command.email.strip())}
        if uow.conn.execute(
            select(users.c.id).where(users.c.email_folded == values["email_folded"])
        ).first():
            raise Conflict("somebody has this e-mail address already", what="email")
    if command.role is not None and command.role != row.role:
        _need_role(uow, command.role)
        values["role"] = command.role
    if command.active is not None:
        values["active"] = command.active
    loses = row.role == "administrator" and (
        values.get("role", row.role) != "administrator" or values.get("active") is False
    )
    if loses and row.active:
        others = uow.conn.execute(
            locked(
                uow.dialect,
                select(users.c.id).where(
                    users.c.role == "administrator", users.c.active, users.c.id != row.id
                ),
            )
        ).first()
        if others is None:
            raise Conflict("the last administrator must stay one", what="last_administrator")
    if command.teams is not None:
        uow.conn.execute(delete(team_members).where(team_members.c.user_id == row.id))
        if command.teams:
            uow.conn.execute(
                insert(team_members),
                [{"team_id": one, "user_id": row.id} for one in set(command.teams)],
            )
    uow.conn.execute(
        update(users).where(users.c.id == row.id).values(version=users.c.version + 1, **values)
    )
    if values.get("active") is False:
        end_sessions(uow, command.user_id)
        forget_devices(uow.conn, push_devices.c.user_id == command.user_id)
    uow.record(UserChanged(user_id=command.user_id, fields=tuple(values)))


def end_sessions(uow: UnitOfWork, user_id: UserId, *, but: str = "", only: str = "") -> None:
    where = [sessions.c.user_id == user_id]
    if but:
        where.append(sessions.c.token_hash != but)
    if only:
        where.append(sessions.c.token_hash == only)
    if uow.conn.execute(delete(sessions).where(*where)).rowcount:
        forget_without_login(uow.conn, uow.now, user_id)
        uow.record(SessionsRevoked(user_id=user_id))


def update_profile(uow: UnitOfWork, command: UpdateProfile) -> None:
    """Change one's own profile."""
    row = lock_user(uow, uow.viewer.user_id)
    values: dict[str, Any] = {}
    if command.name is not None:
        if not command.name.strip():
            raise Invalid("a name is needed", field="name")
        values["name"] = command.name.strip()[:400]
    for field, allowed in (("language", LANGUAGES), ("theme", THEMES)):
        given = getattr(command, field)
        if given is not None:
            if given not in allowed:
                raise Invalid(f"one of {', '.join(allowed)}", field=field)
            values[field] = given
    if command.signature is not None:
        values["signature"] = command.signature[:10_000]
    if command.time_zone is not None:
        values["time_zone"] = checked_zone(command.time_zone)
    if command.preferences is not None:
        values["preferences"] = {**row.preferences, **command.preferences}
    uow.conn.execute(
        update(users).where(users.c.id == row.id).values(version=users.c.version + 1, **values)
    )
    uow.record(UserChanged(user_id=UserId(row.id), fields=tuple(values)))


def need_self(uow: UnitOfWork, user_id: UserId) -> None:
    if uow.viewer.user_id == user_id or uow.viewer.is_system:
        return
    if not uow.viewer.may("users.manage"):
        raise NotAllowed("this is another colleague's")
    role = uow.conn.execute(select(users.c.role).where(users.c.id == user_id)).scalar()
    need_reach(uow, role or "")


def set_password(uow: UnitOfWork, command: SetPassword) -> None:
    """Set a password hash; other sessions end."""
    need_self(uow, command.user_id)
    lock_user(uow, command.user_id)
    uow.conn.execute(
        update(users)
        .where(users.c.id == command.user_id)
        .values(password_hash=command.password_hash, version=users.c.version + 1)
    )
    end_sessions(uow, command.user_id, but=command.keep_session)
    uow.record(UserChanged(user_id=command.user_id, fields=("password",)))


def set_second_factor(uow: UnitOfWork, command: SetSecondFactor) -> None:
    """Set or remove a second factor; it is on record who did."""
    need_self(uow, command.user_id)
    lock_user(uow, command.user_id)
    uow.conn.execute(
        update(users)
        .where(users.c.id == command.user_id)
        .values(totp_secret=command.secret, version=users.c.version + 1)
    )
    uow.record(UserChanged(user_id=command.user_id, fields=("second_factor",)))


def update_brand(uow: UnitOfWork, command: UpdateBrand) -> None:
    """Change the organisation."""
    row = uow.conn.execute(select(brands).where(brands.c.id == command.brand_id)).first()
    if row is None:
        raise NotFound("there is no such organisation")
    values: dict[str, Any] = {
        name: given.strip()[:400]
        for name in ("name", "public_url", "language", "time_zone")
        if (given := getattr(command, name)) is not None
    }
    if command.time_zone is not None:
        values["time_zone"] = checked_zone(command.time_zone)
    if command.settings is not None:
        values["settings"] = {**row.settings, **command.settings}
    uow.conn.execute(
        update(brands).where(brands.c.id == row.id).values(version=brands.c.version + 1, **values)
    )
    uow.record(BrandChanged(brand_id=command.brand_id, fields=tuple(values)))
