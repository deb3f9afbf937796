"""Rights: every command by every role, and what is hidden is nowhere to be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm_store import messages as message_reads
from crm_store.search import search
from hub import (
    ROLES,
    AddNote,
    AssignDialog,
    Command,
    CreateUser,
    DialogQuery,
    NotAllowed,
    NotFound,
    SendMessage,
    SetDialogStatus,
    UpdateAccount,
    UserId,
)
from hub import commands as every_command
from hub.handle import BoundHub
from hub.handlers import MANY, ONE, need_permission
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

    class Unit:
        pass

    unit = Unit()
    unit.viewer = viewer  # type: ignore[attr-defined]
    for kind in commands():
        command = object.__new__(kind)
        allowed = bool(kind.permission) and kind.permission in ROLES[role].permissions
        try:
            need_permission(unit, command)  # type: ignore[arg-type]
            assert allowed, f"{role} must not give {kind.__name__}"
        except NotAllowed:
            assert not allowed, f"{role} must be able to give {kind.__name__}"


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


async def test_somebody_switched_off_may_nothing(home: House) -> None:
    from hub import UpdateUser

    agent = await colleague(home, "agent")
    given = (await home.receive(message("k1")))[0]
    await home.user.do(UpdateUser(user_id=UserId(agent.actor.id), active=False))
    with pytest.raises(NotAllowed):
        await agent.do(SendMessage(dialog_id=given.dialog_id, text="x"))
