"""Every event that rules may begin with, brought about: a rule for each of them hears it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from crm_store.pipelines import all_pipelines
from crm_store.unit_of_work import UnitOfWork
from hub import (
    AddNote,
    AskRule,
    AssignDialog,
    Attachment,
    ButtonPressed,
    Capabilities,
    ChangeObject,
    Channel,
    CreateAccount,
    CreateClient,
    CreateObject,
    CreateUser,
    DialogId,
    Event,
    FinishTask,
    GiveConsent,
    LimitAdvertising,
    LoseInterest,
    MergeClients,
    MergeContacts,
    MergeRequests,
    Micros,
    MoveInterest,
    RejectLead,
    RemoveObject,
    ReopenInterest,
    RuleId,
    SendMessage,
    SetDialogStatus,
    SetRequestStatus,
    SnoozeDialog,
    TagDialog,
    TakeLead,
    WakeDialogs,
    WinInterest,
    WithdrawConsent,
    hookimpl,
)
from hub import events as facts
from hub.commands import ConvertLead
from hub.ids import AddressId, DeliveryId, MessageId, UserId
from hub.messages import Address
from tests.houses import NoSettings, World, channels_of, message
from tests.scenarios.rules.house import US, Ruled, ruled
from triggers.moments import TIME

BY_TIME = {one.name for one in TIME}


def forms(world: World) -> Any:
    """A channel of forms."""
    from types import ModuleType

    pigeon: Any = channels_of(world)[0]

    class Form(pigeon):  # type: ignore[misc]
        name = "web_form"
        capabilities: ClassVar[Capabilities] = Capabilities(address_kind="form")
        Settings = NoSettings

    module = ModuleType("forms")

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [Form]

    module.register_channels = register_channels  # type: ignore[attr-defined]
    return module


class Hearing:
    """A house with a rule for every event."""

    def __init__(self, world: Ruled) -> None:
        self.world, self.user = world, world.home.user
        self.rules: dict[str, RuleId] = {}

    async def listen(self) -> None:
        """Write the rules: each notes down, and so shows that it heard."""
        for name, moment in self.world.home.runtime.rule_words.moments.items():
            if name in BY_TIME or moment.group == "facts":
                continue
            self.rules[name] = await self.world.rule(
                name=name, when=[{"event": name}], then=[{"action": "crm_actions.notify"}]
            )

    async def heard(self) -> set[str]:
        """Which of them ran."""
        await self.world.settle()
        found: set[str] = set()
        before = 0
        while page := await self.world.runs(limit=100, before=before):
            found |= {one.trigger for one in page}
            before = page[-1].id
        return found

    async def do(self, *commands: Any) -> list[Any]:
        made = await self.user.do(*commands)
        await self.world.settle()
        return list(made)

    async def happens(self, *events: Event) -> None:
        """Put facts on record whose causes lie in other rooms."""

        def write(tx: Any, given: list[Event]) -> list[None]:
            return [UnitOfWork(tx).record(one) for one in given]

        for one in events:
            await self.world.home.runtime.database.write(write, one)
        await self.world.settle()

    async def writes(self, key: str, who: str = "anna", **more: Any) -> DialogId:
        got = (await self.world.home.receive(message(key, who, **more)))[0]
        await self.world.settle()
        return got.dialog_id


@pytest.fixture
async def hearing(tmp_path: Path, database_url: str) -> AsyncIterator[Hearing]:
    world = World()
    plugins = [("forms", forms(world))]
    async with ruled(tmp_path, database_url, plugins=plugins, world=world) as one:
        found = Hearing(one)
        await found.listen()
        yield found


async def _talk(one: Hearing) -> None:
    user, home = one.user, one.world.home
    file = Attachment(name="a.txt", media_type="text/plain", content=b"a", size=1)
    dialog = await one.writes("1")
    await one.writes("2", text="/start", attachments=(file,))
    sent = (await one.do(SendMessage(dialog_id=dialog, text="Hello")))[0]
    moves = [("sending", "sent"), ("sent", "read"), ("sending", "failed")]
    for before, after in moves:
        await one.happens(
            facts.DeliveryChanged(
                message_id=MessageId(sent),
                dialog_id=dialog,
                account_id=home.pigeon,
                delivery_id=DeliveryId(1),
                before=before,
                after=after,
                reason="invalid_address" if after == "failed" else "",
            )
        )
    anna = Address(kind="pigeon", value="anna", name="Anna")
    press = ButtonPressed(dedupe_key="p", external_id="none", sender=anna, payload="yes")
    await home.receive(press)  # type: ignore[arg-type]
    mate = (await home.system.do(CreateUser(email="m@example.com", name="Mate", role="agent")))[0]
    note = AddNote(dialog_id=dialog, text="@Mate look", mentions=(UserId(mate),))
    await one.do(note, AssignDialog(dialog_id=dialog, user_id=UserId(mate)))
    await one.do(AssignDialog(dialog_id=dialog))
    teams = await user.teams()
    team = teams[0].id if teams else 0
    who = (await user.dialog(dialog)).contact_id
    await one.happens(
        facts.EventPublished(name="order.ready", dialog_id=dialog),
        facts.DetailsAnswered(dialog_id=dialog, contact_id=who, message_id=MessageId(sent)),
        facts.DialogAssigned(dialog_id=dialog, team_id=team or 7, before_team_id=0),  # type: ignore[arg-type]
        facts.DialogRouted(dialog_id=dialog, user_id=UserId(mate), reason="evenly"),
        facts.DialogRouted(dialog_id=dialog, reason="away"),
    )
    until = Micros(home.world.now() + 60 * US)
    await one.do(SnoozeDialog(dialog_id=dialog, until=until))
    await one.world.later(61)
    await home.system.do(WakeDialogs())
    await one.do(
        SetDialogStatus(dialog_id=dialog, status="closed"),
        SetDialogStatus(dialog_id=dialog, status="open"),
        TagDialog(dialog_id=dialog, add=("red",)),
    )
    await one.do(TagDialog(dialog_id=dialog, remove=("red",)))
    for state in ("ringing", "missed", "ended"):
        await one.happens(
            facts.CallChanged(
                message_id=MessageId(sent), dialog_id=dialog, account_id=home.pigeon, state=state
            )
        )
    await one.happens(
        facts.ChannelDown(account_id=home.pigeon), facts.ChannelUp(account_id=home.pigeon)
    )
    await one.do(AskRule(rule_id=one.rules["asked"], dialog_id=dialog))
    form = (await user.do(CreateAccount(channel="web_form", title="Form")))[0]
    account = await user.account(form)
    await home.runtime.receive(account, [message("f", "dora", kind="form")])


async def test_every_event_of_conversation_begins_a_rule(hearing: Hearing) -> None:
    await _talk(hearing)
    moments = hearing.world.home.runtime.rule_words.moments
    asked = {name for name in hearing.rules if moments[name].group in ("dialog", "house")}
    assert asked - await hearing.heard() - {"outside.happened"} == set()


async def test_every_event_of_the_client_base_begins_a_rule(hearing: Hearing) -> None:
    one, user, home = hearing, hearing.user, hearing.world.home
    anna, boris = await one.writes("1"), await one.writes("2", "boris")
    who = (await user.dialog(anna)).contact_id
    other = (await user.dialog(boris)).contact_id
    me = {"owner_id": user.actor.id}

    async def make(kind: str, dialog: DialogId = anna, **values: Any) -> Any:
        command = CreateObject(kind=kind, values={**me, **values}, dialog_id=dialog)
        return (await one.do(command))[0]

    lead = await make("lead", title="One")
    await one.do(TakeLead(lead_id=lead))
    await one.do(ChangeObject(kind="lead", object_id=lead, values={"title": "Two"}))
    await one.do(ConvertLead(lead_id=lead))
    bad = await make("lead", boris, title="Bad")
    await one.do(RejectLead(lead_id=bad, reason="spam"))
    client = (await one.do(CreateClient(name="Boris Ltd", contact_id=other)))[0]
    twin = (await one.do(CreateClient(name="Boris Limited")))[0]
    await one.do(
        ChangeObject(kind="client", object_id=client, values={"region": "North"}),
        ChangeObject(kind="contact", object_id=who, values={"position": "head"}),
    )
    request, second = await make("request"), await make("request")
    await one.do(
        ChangeObject(kind="request", object_id=request, values={"title": "It leaks"}),
        SetRequestStatus(request_id=request, status="in_work"),
    )
    await one.do(MergeRequests(request_id=second, into_id=request))
    due = {"request_id": request, "goal": "first", "dialog_id": anna}
    await one.happens(
        facts.RequestDeadlineNear(due_at=Micros(1), **due),
        facts.RequestDeadlineMissed(due_at=Micros(1), **due),
        facts.RequestDeadlineMet(request_id=request, goal="first"),
        facts.RequestChecklistDone(request_id=request),
    )
    [line] = await user.read(all_pipelines)
    interest, lost = await make("interest", title="Boat"), await make("interest", title="Oar")
    await one.do(ChangeObject(kind="interest", object_id=interest, values={"title": "Boats"}))
    await one.do(MoveInterest(interest_id=interest, stage_id=line.stages[1].id))
    await one.do(WinInterest(interest_id=interest))
    await one.do(
        LoseInterest(interest_id=lost, reason_id=line.reasons[0].id, comment="-"),
        ReopenInterest(interest_id=lost),
    )
    await one.happens(
        facts.InterestChecklistDone(interest_id=lost, pipeline_id=line.id),
        facts.SegmentEntered(contact_id=who, segment_id=1),
        facts.SegmentLeft(contact_id=who, segment_id=1),
        facts.ConsentAsked(contact_id=who, topic="news"),
        facts.MailingOpened(mailing_id=1, delivery_id=DeliveryId(1), contact_id=who),
        facts.MailingClicked(mailing_id=1, delivery_id=DeliveryId(1), contact_id=who, link=1),
        facts.MailingAnswered(
            mailing_id=1, delivery_id=DeliveryId(1), contact_id=who, dialog_id=anna
        ),
        facts.AddressChanged(address_id=AddressId(1), contact_id=who, what="peer_blocked"),
        facts.AddressSuppressed(address_id=AddressId(1), contact_id=who, reason="bounced"),
        facts.OutsideHappened(account_id=home.pigeon, name="parcel", contact_id=who),
    )
    await one.do(GiveConsent(contact_id=who))
    await one.do(LimitAdvertising(contact_id=who, days=7))
    await one.do(WithdrawConsent(contact_id=who))
    task = await make("task", title="Call", due_at=home.world.now() + US)
    await one.do(ChangeObject(kind="task", object_id=task, values={"title": "Call now"}))
    await one.world.later(2)
    from hub import RemindOfTasks

    await home.system.do(RemindOfTasks())
    await one.do(FinishTask(task_id=task))
    meeting = await make("meeting", title="Tea", at=home.world.now() + US)
    await one.do(ChangeObject(kind="meeting", object_id=meeting, values={"title": "Coffee"}))
    sent = (await one.do(SendMessage(dialog_id=anna, text="Hello")))[0]
    await one.happens(
        facts.DeliveryChanged(
            message_id=MessageId(sent),
            dialog_id=anna,
            account_id=home.pigeon,
            delivery_id=DeliveryId(1),
            before="sending",
            after="failed",
            reason="invalid_address",
        )
    )
    for kind, number in (
        ("task", task),
        ("interest", lost),
        ("request", second),
        ("lead", bad),
        ("meeting", meeting),
    ):
        await one.do(RemoveObject(kind=kind, object_id=number))
    await one.do(MergeClients(survivor_id=client, merged_id=twin))
    await one.do(MergeContacts(survivor_id=who, merged_id=other))
    gone = (await one.do(CreateClient(name="Gone")))[0]
    await one.do(RemoveObject(kind="client", object_id=gone))
    moments = home.runtime.rule_words.moments
    asked = {name for name in one.rules if moments[name].group == "crm"} | {"outside.happened"}
    assert asked - await one.heard() == set()
