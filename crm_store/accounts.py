"""Accounts: the connected channels, their settings, health and quarantine."""

from __future__ import annotations

import secrets as random
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from crm_store.sql import locked
from crm_store.tables.dialogs import quarantine
from crm_store.tables.users import account_members, accounts, brands
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import (
    AdvanceMark,
    CreateAccount,
    Quarantine,
    RecordConnection,
    RecordHealth,
    RecordInspection,
    RemoveAccount,
    SettleQuarantine,
    UpdateAccount,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import (
    AccountChanged,
    AccountConnected,
    AccountCreated,
    AccountRemoved,
    ChannelDown,
    ChannelUp,
    MessageQuarantined,
    QuarantineSettled,
)
from hub.ids import (
    AccountId,
    BrandId,
    Micros,
    QuarantineId,
    TeamId,
    UserId,
    bounded_key,
)
from hub.records.system import Account

THREAD_RULES = ("always_one", "reopen", "always_new")
MAX_RAW = 64_000_000


def all_accounts(reader: Reader, channel: str = "", removed: bool = False) -> list[Account]:
    """Give the accounts the viewer may see, oldest first."""
    statement = select(accounts).order_by(accounts.c.id)
    if not removed:
        statement = statement.where(~accounts.c.removed)
    if channel:
        statement = statement.where(accounts.c.channel == channel)
    rows = reader.conn.execute(statement).all()
    return _records(reader, [row for row in rows if reader.viewer.sees_account(row.id)])


_ONE = select(accounts).where(accounts.c.id == bindparam("account"))
_MEMBERS = select(account_members)


def account(reader: Reader, account_id: AccountId) -> Account:
    """Give one account."""
    rows = reader.conn.execute(_ONE, {"account": account_id}).all()
    if not rows or not reader.viewer.sees_account(account_id):
        raise NotFound("there is no such account")
    return _records(reader, rows)[0]


def account_by_hook(reader: Reader, hook_token: str) -> AccountId | None:
    """Find the account behind a webhook address."""
    found = reader.conn.execute(
        select(accounts.c.id).where(accounts.c.hook_token == hook_token, ~accounts.c.removed)
    ).scalar()
    return AccountId(found) if found else None


def kind_of(conn: Connection, account_id: AccountId) -> tuple[str, dict[str, Any]]:
    """Give the channel of an account and its settings without the secrets; raises NotFound."""
    row = conn.execute(
        select(accounts.c.channel, accounts.c.settings).where(accounts.c.id == account_id)
    ).first()
    if row is None:
        raise NotFound("there is no such account")
    return row.channel, dict(row.settings)


def sealed_secrets(reader: Reader, account_id: AccountId) -> str:
    """Give the encrypted secrets of an account."""
    return str(
        reader.conn.execute(select(accounts.c.secrets).where(accounts.c.id == account_id)).scalar()
        or ""
    )


def _records(reader: Reader, rows: Sequence[Row[Any]]) -> list[Account]:
    members: dict[int, list[UserId]] = {}
    for row in reader.conn.execute(_MEMBERS):
        members.setdefault(row.account_id, []).append(UserId(row.user_id))
    return [_record(row, tuple(members.get(row.id, ()))) for row in rows]


def _record(row: Row[Any], members: tuple[UserId, ...]) -> Account:
    settings = dict(row.settings)
    return Account(
        id=AccountId(row.id),
        brand_id=BrandId(row.brand_id),
        channel=row.channel,
        title=row.title,
        secrets_set=tuple(settings.pop("_secrets_set", ())),
        settings=settings,
        paused=row.paused,
        removed=row.removed,
        state=row.state,
        last_error=row.last_error,
        last_error_at=Micros(row.last_error_at),
        last_in_at=Micros(row.last_in_at),
        last_out_at=Micros(row.last_out_at),
        mark=row.mark,
        signature=row.signature,
        thread_rule=row.thread_rule,
        reopen_days=row.reopen_days,
        team_id=TeamId(row.team_id),
        hook_token=row.hook_token,
        members=members,
        created_at=Micros(row.created_at),
        version=row.version,
        memory=row.memory,
        connected_to=row.connected_to,
        webhook_state=row.webhook_state,
        quota=row.quota,
        inspected_at=Micros(row.inspected_at),
        templates_at=Micros(row.templates_at),
        templates_error=row.templates_error,
    )


# -- commands ------------------------------------------------------------------------------
# The runtime has checked `settings` by the channel's own model and sealed the secrets before
# the transaction: `settings` holds plain values and `_secrets_set`, `_sealed` the rest.


def create_account(uow: UnitOfWork, command: CreateAccount) -> AccountId:
    """Connect a channel."""
    title = command.title.strip()[:400]
    if not title:
        raise Invalid("a title is needed", field="title")
    account_id = command.account_id or AccountId(uow.new_id())
    settings = dict(command.settings)
    sealed = settings.pop("_sealed", "")
    brand = uow.conn.execute(select(brands.c.id).order_by(brands.c.id).limit(1)).scalar()
    uow.conn.execute(
        insert(accounts).values(
            id=account_id,
            brand_id=brand or 0,
            channel=command.channel,
            title=title,
            settings=settings,
            secrets=sealed,
            hook_token=random.token_hex(16),
            created_at=uow.now,
        )
    )
    uow.record(AccountCreated(account_id=account_id))
    return account_id


def _lock(uow: UnitOfWork, account_id: AccountId) -> Row[Any]:
    row = uow.conn.execute(
        locked(uow.dialect, select(accounts).where(accounts.c.id == account_id))
    ).first()
    if row is None:
        raise NotFound("there is no such account")
    return row


def update_account(uow: UnitOfWork, command: UpdateAccount) -> int:
    """Change an account; gives its new version."""
    row = _lock(uow, command.account_id)
    if command.version is not None and command.version != row.version:
        raise Conflict("the account was changed meanwhile", what="version")
    values: dict[str, Any] = {}
    if command.title is not None:
        values["title"] = command.title.strip()[:400]
        if not values["title"]:
            raise Invalid("a title is needed", field="title")
    if command.settings is not None:
        settings = dict(command.settings)
        values["secrets"] = settings.pop("_sealed", row.secrets)
        values["settings"] = settings
    if command.paused is not None:
        values["paused"] = command.paused
    if command.signature is not None:
        values["signature"] = command.signature[:10_000]
    if command.thread_rule is not None:
        if command.thread_rule not in THREAD_RULES:
            raise Invalid(f"one of {', '.join(THREAD_RULES)}", field="thread_rule")
        values["thread_rule"] = command.thread_rule
    if command.reopen_days is not None:
        values["reopen_days"] = max(0, min(command.reopen_days, 3650))
    if command.team_id is not None:
        values["team_id"] = command.team_id
    if command.members is not None:
        uow.conn.execute(delete(account_members).where(account_members.c.account_id == row.id))
        if command.members:
            uow.conn.execute(
                insert(account_members),
                [{"account_id": row.id, "user_id": one} for one in set(command.members)],
            )
    uow.conn.execute(
        update(accounts)
        .where(accounts.c.id == row.id)
        .values(version=accounts.c.version + 1, **values)
    )
    fields = [*(name for name in values if name != "secrets")]
    if command.members is not None:
        fields.append("members")
    uow.record(AccountChanged(account_id=command.account_id, fields=tuple(fields)))
    return int(row.version) + 1


def remove_account(uow: UnitOfWork, command: RemoveAccount) -> None:
    """Disconnect a channel: secrets are forgotten, dialogs stay readable."""
    _lock(uow, command.account_id)
    uow.conn.execute(
        update(accounts)
        .where(accounts.c.id == command.account_id)
        .values(removed=True, paused=True, secrets="", version=accounts.c.version + 1)
    )
    uow.record(AccountRemoved(account_id=command.account_id))


def record_health(uow: UnitOfWork, command: RecordHealth) -> None:
    """Note an account's state; a change of state is a fact."""
    row = _lock(uow, command.account_id)
    values: dict[str, Any] = {"state": command.state}
    if command.error:
        values |= {"last_error": command.error[:2000], "last_error_at": uow.now}
    uow.conn.execute(update(accounts).where(accounts.c.id == row.id).values(**values))
    if row.state != command.state:
        if command.state == "ok":
            uow.record(ChannelUp(account_id=command.account_id))
        else:
            uow.record(ChannelDown(account_id=command.account_id, state=command.state))


def record_connection(uow: UnitOfWork, command: RecordConnection) -> None:
    """Note what a channel remembers and to which webhook its provider was pointed."""
    row = _lock(uow, command.account_id)
    values: dict[str, Any] = {}
    if command.connected_to is not None:
        values["connected_to"] = bounded_key(command.connected_to)
    if command.memory is not None:
        values["memory"] = {**row.memory, **{k: str(v) for k, v in command.memory.items()}}
    if values and not row.removed:
        uow.conn.execute(update(accounts).where(accounts.c.id == row.id).values(**values))
        uow.record(AccountConnected(account_id=command.account_id))


def record_inspection(uow: UnitOfWork, command: RecordInspection) -> None:
    """Note what the provider says of an account."""
    uow.conn.execute(
        update(accounts)
        .where(accounts.c.id == command.account_id)
        .values(
            webhook_state=command.webhook[:2000],
            quota=command.quota[:2000],
            inspected_at=uow.now,
        )
    )


_MARK = update(accounts).where(accounts.c.id == bindparam("b_id")).values(mark=bindparam("b_mark"))


def advance_mark(uow: UnitOfWork, command: AdvanceMark) -> None:
    """Move a pull channel's mark."""
    uow.conn.execute(_MARK, {"b_id": command.account_id, "b_mark": command.mark})


def quarantine_input(uow: UnitOfWork, command: Quarantine) -> QuarantineId:
    """Keep bytes that nobody could read."""
    quarantine_id = QuarantineId(uow.new_id())
    uow.conn.execute(
        insert(quarantine).values(
            id=quarantine_id,
            account_id=command.account_id,
            received_at=uow.now,
            source=command.source,
            error=command.error[:2000],
            trace=command.trace[-20_000:],
            method=command.method,
            url=command.url[:4000],
            headers=[list(one) for one in command.headers],
            raw=command.raw[:MAX_RAW],
        )
    )
    uow.record(MessageQuarantined(quarantine_id=quarantine_id, account_id=command.account_id))
    return quarantine_id


def settle_quarantine(uow: UnitOfWork, command: SettleQuarantine) -> None:
    """Mark a quarantined input replayed, dropped or failed again."""
    row = uow.conn.execute(
        locked(uow.dialect, select(quarantine).where(quarantine.c.id == command.quarantine_id))
    ).first()
    if row is None:
        raise NotFound("there is no such input")
    if command.state not in ("waiting", "replayed", "dropped"):
        raise Invalid("a state is waiting, replayed or dropped", field="state")
    values: dict[str, Any] = {"state": command.state, "attempts": row.attempts + 1}
    if command.error:
        values["error"] = command.error[:2000]
    uow.conn.execute(update(quarantine).where(quarantine.c.id == row.id).values(**values))
    uow.record(
        QuarantineSettled(
            quarantine_id=command.quarantine_id,
            account_id=AccountId(row.account_id),
            state=command.state,
        )
    )
