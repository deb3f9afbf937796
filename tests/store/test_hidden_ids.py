"""Whatever command names what its actor may not see is refused as if that were not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hub import (
    PERMISSIONS,
    AddNote,
    AddressId,
    AssignDialog,
    AttachmentId,
    ClientId,
    Command,
    ContactId,
    CreateClient,
    CreateObject,
    CreateUser,
    DialogId,
    HubError,
    InterestId,
    LeadId,
    MessageId,
    RequestId,
    SaveRole,
    Scope,
    TaskId,
    UserId,
)
from hub.messages import Attachment
from hub.nouns import CORE_KINDS
from tests.houses import House, house, message
from tests.store.test_rights import commands

NOWHERE = 1 << 60
"""An id that nothing has."""
IDS = {
    AddressId: "address",
    AttachmentId: "attachment",
    ClientId: "client",
    ContactId: "contact",
    DialogId: "dialog",
    InterestId: "interest",
    LeadId: "lead",
    MessageId: "message",
    RequestId: "request",
    TaskId: "task",
}
REMARKS = {
    "ConfirmSubscription.address_id",
    "IntroducePerson.dialog_id",
    "MarkRead.message_id",
    "ReadNotices.object_id",
    "SaveDraft.attachments",
    "SaveDraft.reply_to",
}
"""What is not refused: nothing is read of what is named there, and nothing of it changes."""
Planted = dict[str, int]


async def plant(home: House, owner: UserId, name: str) -> Planted:
    """Give a person with a dialog, a file in it, and an object of each kind to somebody."""
    came = (await home.receive(message(name, name)))[0]
    hub = home.system.as_user(owner)
    await home.user.do(AssignDialog(dialog_id=came.dialog_id, user_id=owner))
    file = Attachment(name="a.txt", media_type="text/plain", content=b"x", size=1)
    sent = await hub.upload(file, came.dialog_id)
    await hub.do(AddNote(dialog_id=came.dialog_id, text="x", attachments=(sent,)))
    [client] = await home.user.do(
        CreateClient(name=name, contact_id=came.contact_id, values={"owner_id": str(owner)})
    )
    ids = {
        "address": (await home.user.contact(came.contact_id)).addresses[0].id,
        "attachment": sent,
        "client": client,
        "contact": came.contact_id,
        "dialog": came.dialog_id,
        "message": came.message_id,
    }
    for kind in ("lead", "request", "interest", "task"):
        values = {"title": name, "owner_id": str(owner), "contact_id": str(came.contact_id)}
        known = {one.name for one in CORE_KINDS[kind].properties if one.editable}
        values = {one: value for one, value in values.items() if one in known}
        ids[kind] = (await home.user.do(CreateObject(kind=kind, values=values)))[0]
    return {kind: int(one) for kind, one in ids.items()}


def value(hint: Any, mine: Planted) -> Any:
    """Give something that a field of this type may hold; ids are those of one's own."""
    if hint in IDS:
        return mine[IDS[hint]]
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return value(parts[0], mine)
    if origin is Literal:
        return parts[0]
    if origin is not None and isinstance(origin, type):
        return {} if issubclass(origin, Mapping) else origin()
    if hasattr(hint, "__supertype__"):
        return value(hint.__supertype__, mine)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if is_dataclass(hint):
        return hint(**filled(hint, mine))
    return hint() if isinstance(hint, type) and hint in (str, int, bool, float, bytes) else None


def filled(kind: Any, mine: Planted) -> dict[str, Any]:
    """Give values of all fields that need one."""
    hints = get_type_hints(kind)
    needed = [
        one for one in fields(kind) if one.default is MISSING and one.default_factory is MISSING
    ]
    return {one.name: value(hints[one.name], mine) for one in needed}


def places(kind: type[Command], mine: Planted) -> Iterator[tuple[dict[str, Any], str, str, bool]]:
    """Give where a command names something: its values, the field, what is named, as a tuple."""
    hints = get_type_hints(kind)
    for one in fields(kind):
        hint = hints[one.name]
        for part in (hint, *get_args(hint)):
            if part in IDS:
                yield filled(kind, mine), one.name, IDS[part], get_origin(hint) is tuple
        if one.name == "object_id" and ("kind" in hints or "object_kind" in hints):
            name = "kind" if "kind" in hints else "object_kind"
            for of in ("client", "contact", "lead", "request", "interest", "task"):
                yield {**filled(kind, mine), name: of}, "object_id", of, False


async def said(home: House, me: UserId, command: Command) -> str:
    """Give what is said to a command, "" where it is carried out."""
    try:
        await home.system.as_user(me).do(command)
    except HubError as error:
        return f"{type(error).__name__}: {error}"
    return ""


async def test_no_command_tells_of_what_is_hidden_or_changes_it(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        subjects = {"dialogs", *(one.subject for one in CORE_KINDS.values())}
        rights = frozenset(PERMISSIONS) - {"system.manage", "users.manage", "rules.manage"}
        scopes = dict.fromkeys(sorted(subjects), Scope.OWN)
        narrow = SaveRole(name="narrow", based_on="agent", permissions=rights, scopes=scopes)
        await home.user.do(narrow)
        made = await home.user.do(
            *(CreateUser(email=f"{one}@a.example", name=one, role="narrow") for one in ("i", "o"))
        )
        me, other = map(UserId, made)
        mine, hidden = await plant(home, me, "mine"), await plant(home, other, "theirs")
        wrong, tried = [], 0
        for kind in commands():
            if not kind.permission:
                continue
            for values, name, what, many in places(kind, mine):
                answers = []
                for number in (hidden[what], NOWHERE):
                    given = {**values, name: (number,) if many else number}
                    try:
                        command = kind(**given)
                    except HubError:
                        break
                    answers.append((await said(home, me, command)).replace(str(number), "?"))
                tried += len(answers) == 2
                told = len(set(answers)) == 2
                done = "" in answers and f"{kind.__name__}.{name}" not in REMARKS
                if told or done:
                    wrong.append(f"{kind.__name__}.{name} of a {what}: {answers}")
        assert tried > 100
        assert wrong == []
