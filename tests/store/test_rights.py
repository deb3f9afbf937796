"""Rights: every command by every role, and what is hidden is nowhere to be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import MISSING, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import update

from crm_store import messages as message_reads
from crm_store import objects
from crm_store import roles as role_reads
from crm_store.dialog_counts import counters, counters_of
from crm_store.objects import NOUNS
from crm_store.people import contacts_page
from crm_store.search import search
from crm_store.tables.users import roles
from crm_store.viewer import Reader, Viewer
from hub import (
    PERMISSIONS,
    ROLES,
    AddNote,
    AddressId,
    AssignDialog,
    Attachment,
    BlockAddress,
    Command,
    Conflict,
    ContactId,
    CreateLead,
    CreateUser,
    DialogId,
    DialogQuery,
    Invalid,
    NotAllowed,
    NotFound,
    ReleaseAddress,
    RemoveAddress,
    RemoveRole,
    SaveRole,
    SaveTeam,
    Scope,
    SendElsewhere,
    SendMessage,
    SetDialogStatus,
    SetPassword,
    SetPriority,
    SuppressAddress,
    TakeLead,
    TeamId,
    UpdateAccount,
    UpdateUser,
    UploadAttachment,
    UserId,
    VerifyAddress,
)
from hub import commands as every_command
from hub.commands.objects import BY_KIND
from hub.handle import BoundHub
from hub.handlers import MANY, ONE, need_permission
from hub.nouns import CORE_KINDS
from hub.records.system import Counters
from tests.houses import House, house, message


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def colleague(home: House, role: str, email: str = "") -> BoundHub:
    made = await home.user.do(
        CreateUser(email=email or f"{role}@example.com", name=role.title(), role=role)
    )
    return home.system.as_user(UserId(made[0]))


def commands() -> list[type[Command]]:
    found = [getattr(every_command, name) for name in every_command.__all__]
    return [
        one
        for one in found
        if isinstance(one, type) and issubclass(one, Command) and one is not Command
    ]


def test_every_command_has_a_handler() -> None:
    assert [one.__name__ for one in commands() if one not in ONE and one not in MANY] == []


@pytest.mark.parametrize("role", sorted(ROLES))
async def test_a_role_may_give_exactly_its_commands(home: House, role: str) -> None:
    hub = await colleague(home, role)
    viewer = await hub.read(lambda reader: reader.viewer)

    unit: Any = SimpleNamespace(viewer=viewer, tx=SimpleNamespace(kinds=CORE_KINDS))
    given: list[tuple[Command, str]] = []
    for one in commands():
        if one.permission != BY_KIND:
            command = object.__new__(one)
            for each in fields(one):
                if each.default is not MISSING:
                    object.__setattr__(command, each.name, each.default)
            given.append((command, one.permission))
            continue
        # What is the same for all objects needs the right of the kind it is given for.
        for name, kind in CORE_KINDS.items():
            command = object.__new__(one)
            object.__setattr__(command, "kind", name)
            given.append((command, kind.write))
    for command, right in given:
        allowed = bool(right) and right in ROLES[role].permissions
        try:
            need_permission(unit, command)
            assert allowed, f"{role} must not give {type(command).__name__}"
        except NotAllowed:
            assert not allowed, f"{role} must be able to give {type(command).__name__}"


async def test_dialogs_of_a_hidden_account_are_nowhere(home: House) -> None:
    given = (await home.receive(message("k1", text="hidden treasure")))[0]
    agent = await colleague(home, "agent")
    member = await colleague(home, "agent", "member@example.com")
    assert (await agent.dialog(given.dialog_id)).id == given.dialog_id
    await home.user.do(UpdateAccount(account_id=home.pigeon, members=(UserId(member.actor.id),)))
    assert (await agent.dialogs(DialogQuery(view="everything"))).dialogs == ()
    assert (await agent.read(search, "treasure")).messages == ()
    assert (await agent.read(search, "anna")).dialogs == ()
    assert await agent.accounts("pigeon") == []
    for attempt in (
        agent.dialog(given.dialog_id),
        agent.thread(given.dialog_id),
        agent.message(given.message_id),
        agent.read(message_reads.raw, given.message_id),
        agent.do(SendMessage(dialog_id=given.dialog_id, text="x")),
        agent.do(AddNote(dialog_id=given.dialog_id, text="x")),
        agent.do(SetDialogStatus(dialog_id=given.dialog_id, status="closed")),
        agent.do(AssignDialog(dialog_id=given.dialog_id)),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert (await member.dialog(given.dialog_id)).id == given.dialog_id


async def role(home: House, scope: Scope, name: str = "narrow", **more: Any) -> str:
    """A copy of the agent's role that reaches less."""
    scopes = dict.fromkeys(("dialogs", "leads", "contacts"), scope)
    await home.user.do(SaveRole(name=name, based_on="agent", scopes=scopes, **more))
    return name


def counted_with_others(reader: Reader) -> Counters:
    """The same numbers as the live stream counts them, for many people in one reading."""
    return counters_of(reader.conn, [Viewer.system(), reader.viewer])[reader.viewer]


async def seen(hub: BoundHub) -> set[str]:
    """What is seen of everything: by the list, the counters, one by one, and by its lock."""
    everything = DialogQuery(view="everything")
    listed = {one.subject: one.id for one in (await hub.dialogs(everything)).dialogs}
    numbers = await hub.read(counters)
    assert numbers.all == len(listed)
    assert numbers == await hub.read(counted_with_others)
    for subject, number in listed.items():
        assert (await hub.dialog(number)).subject == subject
        await hub.do(SetPriority(dialog_id=number, priority=1))
    return set(listed)


async def test_a_scope_reaches_ones_own_the_teams_and_what_nobody_has(home: House) -> None:
    await role(home, Scope.OWN)
    me, mate, other = [
        await colleague(home, "narrow", f"{name}@example.com") for name in ("me", "mate", "other")
    ]
    ids = [UserId(one.actor.id) for one in (me, mate, other)]
    team = (await home.user.do(SaveTeam(name="Sales", members=tuple(ids[:2]))))[0]
    owners = {"mine": (ids[0], 0), "mate's": (ids[1], 0), "other's": (ids[2], 0)}
    owners |= {"team's": (ids[2], team), "nobody's": (0, 0)}
    numbers, leads = {}, {}
    for name, (user_id, team_id) in owners.items():
        came = (
            await home.receive(message(f"k-{name}", name, kind="email", subject=name), letter=True)
        )[0]
        numbers[name] = came.dialog_id
        await home.user.do(
            AssignDialog(dialog_id=came.dialog_id, user_id=UserId(user_id), team_id=TeamId(team_id))
        )
        values = {"title": name, "owner_id": user_id, "team_id": team_id}
        leads[name] = (await home.user.do(CreateLead(values=values)))[0]
    expected = {
        Scope.OWN: {"mine"},
        Scope.OWN_AND_UNASSIGNED: {"mine", "nobody's"},
        Scope.TEAM: {"mine", "mate's", "team's"},
        Scope.TEAM_AND_UNASSIGNED: {"mine", "mate's", "team's", "nobody's"},
        Scope.ALL: set(owners),
    }
    version = 1
    for scope, names in expected.items():
        scopes = dict.fromkeys(("dialogs", "leads", "contacts"), scope)
        version = (await home.user.do(SaveRole(name="narrow", scopes=scopes, version=version)))[0]
        assert await seen(me) == names
        found = await me.read(objects.page, NOUNS["lead"], objects.ObjectQuery())
        assert {one.title for one in found.items} == names
        assert await me.read(objects.count, NOUNS["lead"], objects.ObjectQuery()) == len(names)
        people, _ = await me.read(contacts_page)
        assert {one.name.lower() for one in people} == names
        for name in owners:
            assert [
                one.dialog.subject for one in (await me.read(search, f"hello {name}")).messages
            ] in ([[name]] if name in names else [[]])
            attempts = [
                me.do(TakeLead(lead_id=leads[name])),
                me.do(AddNote(dialog_id=numbers[name], text="x")),
            ]
            if name in names:
                attempts[0].close()
                await attempts[1]
                continue
            for attempt in attempts:
                with pytest.raises(NotFound):
                    await attempt


async def test_what_hangs_on_a_hidden_person_is_as_good_as_not_there(home: House) -> None:
    await role(home, Scope.OWN)
    me = await colleague(home, "narrow")
    given = (await home.receive(message("k1", text="treasure")))[0]
    address = (await home.system.contact(given.contact_id)).addresses[0]
    file, blob = Attachment(name="a.txt", media_type="text/plain"), ("b", "", 1)

    async def refused(contact_id: int, address_id: int, dialog_id: int) -> list[str]:
        commands = (
            SendElsewhere(contact_id=ContactId(contact_id), text="x"),
            RemoveAddress(address_id=AddressId(address_id)),
            VerifyAddress(address_id=AddressId(address_id)),
            BlockAddress(address_id=AddressId(address_id), reason="spam"),
            SuppressAddress(address_id=AddressId(address_id), reason="by_hand"),
            ReleaseAddress(address_id=AddressId(address_id), reason="by_hand"),
            UploadAttachment(file=file, blob=blob, dialog_id=DialogId(dialog_id)),
        )
        said = []
        for command in commands:
            with pytest.raises(NotFound) as found:
                await me.do(command)
            said.append(str(found.value))
        return said

    hidden = await refused(given.contact_id, address.id, given.dialog_id)
    assert hidden == await refused(5, 5, 5)
    assert (await home.system.contact(given.contact_id)).addresses == (address,)


async def test_a_note_calls_a_colleague_into_a_dialog(home: House) -> None:
    await role(home, Scope.OWN)
    me = await colleague(home, "narrow")
    given = (await home.receive(message("k1", text="treasure")))[0]
    with pytest.raises(NotFound):
        await me.dialog(given.dialog_id)
    note = AddNote(dialog_id=given.dialog_id, text="look", mentions=(UserId(me.actor.id),))
    await home.user.do(note)
    assert (await me.dialog(given.dialog_id)).id == given.dialog_id
    assert len((await me.read(search, "treasure")).messages) == 1
    viewer = await me.read(lambda reader: reader.viewer)
    assert viewer.sees_dialog(home.pigeon, 0, 0, called={me.actor.id})
    assert not viewer.sees_dialog(home.pigeon, 0, 0)


async def test_a_channel_can_have_a_scope_of_its_own(home: House) -> None:
    await role(home, Scope.OWN, account_scopes={home.pigeon: Scope.ALL})
    me = await colleague(home, "narrow")
    open_one = (await home.receive(message("k1")))[0]
    closed = (await home.receive(message("k2", kind="email"), letter=True))[0]
    found = (await me.dialogs(DialogQuery(view="everything"))).dialogs
    assert [one.id for one in found] == [open_one.dialog_id]
    with pytest.raises(NotFound):
        await me.dialog(closed.dialog_id)


async def test_roles_of_ones_own_are_copied_changed_and_removed(home: House) -> None:
    with pytest.raises(Conflict):
        await home.user.do(SaveRole(name="agent", permissions=frozenset()))
    with pytest.raises(Invalid):
        await home.user.do(SaveRole(name="night", based_on="nobody"))
    rights = ROLES["agent"].permissions - {"leads.view"}
    await home.user.do(SaveRole(name="night", based_on="agent", permissions=rights))
    made = await home.user.read(role_reads.role, "night")
    assert (made.permissions, made.scope, made.based_on) == (rights, "accounts", "agent")
    assert (made.new_rights, made.users, made.builtin) == ((), 0, False)
    with pytest.raises(Conflict):
        await home.user.do(SaveRole(name="Night", based_on="agent"))
    with pytest.raises(Conflict):
        await home.user.do(SaveRole(name="night", scope="all", version=7))
    keeper = await colleague(home, "night")
    with pytest.raises(Conflict, match="another one first"):
        await home.user.do(RemoveRole(name="night"))
    await home.user.do(UpdateUser(user_id=UserId(keeper.actor.id), role="agent"))
    await home.user.do(RemoveRole(name="night"))
    with pytest.raises(NotFound):
        await home.user.read(role_reads.role, "night")


async def test_nobody_lifts_himself_by_a_role_or_by_another(home: House) -> None:
    rights = ROLES["agent"].permissions | {"users.manage"}
    await home.user.do(SaveRole(name="warden", based_on="agent", permissions=rights))
    warden = await colleague(home, "warden")
    mine = UserId(warden.actor.id)
    boss = UserId(home.user.actor.id)
    for command in (
        UpdateUser(user_id=mine, role="administrator"),
        CreateUser(email="new@example.com", name="New", role="administrator"),
        UpdateUser(user_id=boss, active=False),
        SetPassword(user_id=boss, password_hash="x"),
        SaveRole(name="mighty", based_on="administrator"),
        SaveRole(name="warden", permissions=frozenset(PERMISSIONS), version=1),
    ):
        with pytest.raises(NotAllowed):
            await warden.do(command)
    await warden.do(SaveRole(name="weaker", based_on="agent"))
    await warden.do(CreateUser(email="new@example.com", name="New", role="weaker"))


async def test_a_right_of_a_new_release_is_off_in_a_role_of_ones_own(home: House) -> None:
    await home.user.do(SaveRole(name="night", based_on="supervisor"))

    def forget(tx: Any, items: list[str]) -> list[None]:
        for name in items:
            known = sorted(set(PERMISSIONS) - {"work.handover"})
            rights = sorted(ROLES["supervisor"].permissions - {"work.handover"})
            where = update(roles).where(roles.c.name == name)
            tx.conn.execute(where.values(known=known, permissions=rights))
        return [None] * len(items)

    await home.runtime.database.write(forget, "night")
    home.runtime.migrate()
    found = await home.user.read(role_reads.role, "night")
    assert found.new_rights == ("work.handover",)
    assert "work.handover" not in found.permissions
    await home.user.do(SaveRole(name="night", permissions=found.permissions, version=1))
    assert (await home.user.read(role_reads.role, "night")).new_rights == ()


async def test_somebody_switched_off_may_nothing(home: House) -> None:
    agent = await colleague(home, "agent")
    given = (await home.receive(message("k1")))[0]
    await home.user.do(UpdateUser(user_id=UserId(agent.actor.id), active=False))
    with pytest.raises(NotAllowed):
        await agent.do(SendMessage(dialog_id=given.dialog_id, text="x"))
