"""Each ready rule over the real engine, alone and in its turn: it does what its title says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crm_store import enquiries, notices, objects
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.pipelines import all_pipelines
from crm_store.tables.requests import notices as notice_rows
from crm_store.unit_of_work import UnitOfWork
from hub import (
    AssignDialog,
    CallEvent,
    ChangeObject,
    ContactId,
    CreateClient,
    CreateObject,
    CreateUser,
    DialogId,
    Event,
    FinishTask,
    GiveConsent,
    InterestId,
    LoseInterest,
    Micros,
    MoveInterest,
    RegisterAbsence,
    RejectLead,
    RuleId,
    SaveRule,
    SaveStage,
    SendMessage,
    SetDesk,
    SetDialogStatus,
    SetRequestStatus,
    SwitchRule,
    UserId,
    WinInterest,
    WithdrawConsent,
)
from hub.events import (
    DeliveryChanged,
    MailingClicked,
    OutsideHappened,
    RequestDeadlineMissed,
    RequestDeadlineNear,
)
from hub.ids import AccountId, DeliveryId, MessageId
from hub.messages import Address
from plugins.crm_actions.recipes import RECIPES
from tests.houses import message
from tests.scenarios.rules.house import US, Ruled, ruled
from triggers.gallery import rule_of

MINUTE, HOUR, DAY = 60, 3600, 86_400


class Stage:
    """A house in which one preset after another is shown."""

    def __init__(self, world: Ruled) -> None:
        self.world, self.home = world, world.home
        self._numbers = count(1)
        self.did: dict[str, list[str]] = {}

    @asynccontextmanager
    async def preset(self, key: str, **answers: object) -> AsyncIterator[None]:
        """Have one preset alone, in Russian, and see that it did all it says."""
        found = next(one for one in RECIPES if one.key == key)
        rule = rule_of(found, "ru", answers)
        rule_id = RuleId((await self.home.user.do(SaveRule(definition=rule, enabled=True)))[0])
        await self.world.settle()
        yield
        await self.world.settle()
        runs = await self.world.runs(rule_id=rule_id, limit=100)
        states = [one.state for run in runs for one in run.steps]
        assert "done" in states, (key, [(one.state, one.reason, one.steps) for one in runs])
        assert "failed" not in states, (key, [one.steps for one in runs])
        await self.home.user.do(SwitchRule(rule_id=rule_id, enabled=False))
        await self.world.settle()

    async def writes(self, who: str, text: str, *, letter: bool = False, **more: Any) -> DialogId:
        """Somebody writes."""
        kind = "email" if letter else "pigeon"
        sender = f"{who}@example.com" if letter else who
        sent = message(f"m{next(self._numbers)}", sender, text=text, kind=kind, **more)
        got = (await self.home.receive(sent, letter=letter))[0]
        await self.world.settle()
        return got.dialog_id

    async def client(self, dialog_id: DialogId, **values: object) -> int:
        """Make a client of whoever writes there, ours to look after."""
        contact = (await self.home.user.dialog(dialog_id)).contact_id
        values = {"owner_id": self.home.user.actor.id, **values}
        made = await self.home.user.do(
            CreateClient(name="Anna Ltd", contact_id=contact, values=values)
        )
        await self.world.settle()
        return int(made[0])

    async def morning(self) -> None:
        """Let half a day pass, in steps: one that ended in another night would wait once more."""
        for _ in range(13):
            await self.world.later(HOUR)

    async def contact(self, dialog_id: DialogId) -> ContactId:
        return (await self.home.user.dialog(dialog_id)).contact_id

    async def do(self, *commands: Any) -> list[Any]:
        made = await self.home.user.do(*commands)
        await self.world.settle()
        return list(made)

    async def happens(self, event: Event) -> None:
        """Put a fact on record whose cause lies in another room."""

        def write(tx: Any, given: list[Event]) -> list[None]:
            return [UnitOfWork(tx).record(one) for one in given]

        await self.home.runtime.database.write(write, event)
        await self.world.settle()

    async def said(self, dialog_id: DialogId) -> list[str]:
        return [one.text for one in await self.world.said(dialog_id)]

    async def titles(self, kind: str = "task") -> list[str]:
        page = await self.home.user.read(objects.page, NOUNS[kind], ObjectQuery(limit=100))
        return [one.title for one in page.items]

    async def details(self, title: str) -> str:
        page = await self.home.user.read(objects.page, NOUNS["task"], ObjectQuery(limit=100))
        return next(str(one.description) for one in page.items if one.title == title)

    async def notes(self, dialog_id: DialogId) -> list[str]:
        thread = await self.home.user.thread(dialog_id)
        return [one.text for one in thread.messages if one.direction == "note"]

    async def told(self, user: int = 0) -> int:
        """How many notices a colleague has."""
        statement = select(func.count()).where(
            notice_rows.c.user_id == (user or self.home.user.actor.id),
            notice_rows.c.kind.like("rule.%"),
        )
        return int(
            await self.home.runtime.database.read(lambda conn: conn.execute(statement).scalar_one())
        )

    async def boss(self) -> UserId:
        """A supervisor."""
        email = f"boss{next(self._numbers)}@example.com"
        return UserId(
            (await self.home.system.do(CreateUser(email=email, name="Boss", role="supervisor")))[0]
        )


@pytest.fixture
async def stage(tmp_path: Path, database_url: str) -> AsyncIterator[Stage]:
    async with ruled(tmp_path, database_url) as world:
        yield Stage(world)


async def test_presets_of_intake(stage: Stage) -> None:
    boss = await stage.boss()
    async with stage.preset("reject_noise"):
        noise = await stage.writes("robot", "I am away", automated=True)
        assert (await stage.home.user.dialog(noise)).status == "closed"
    async with stage.preset("new_sender"):
        anna = await stage.writes("anna", "Здравствуйте")
        assert "Anna" in (await stage.said(anna))[0]
    [lead] = await stage.world.leads()
    assert lead.contact_id == await stage.contact(anna)
    async with stage.preset("repeat_enquiry"):
        await stage.do(RejectLead(lead_id=lead.id, reason="spam"))
        await stage.writes("anna", "Я снова здесь")
        [new] = [one for one in await stage.world.leads() if one.id != lead.id]
        assert ("repeat" in new.tags, new.repeat_of) == (True, lead.id)
    async with stage.preset("ask_for_data"):
        zina = await stage.writes("zina", "Добрый день")
        # Her name is known: only the phone is asked for, and once.
        [asked] = await stage.said(zina)
        assert "позвонить" in asked
        assert "обращаться" not in asked
    client = await stage.client(anna)
    await stage.do(SetDialogStatus(dialog_id=anna, status="closed"))
    await stage.world.later(60 * DAY)
    async with stage.preset("known_client_interest"):
        await stage.writes("anna", "Сколько стоит лодка? Нужна цена")
        page = await stage.home.user.read(objects.page, NOUNS["interest"], ObjectQuery())
        assert [one.client_id for one in page.items] == [client]
    async with stage.preset("sort_by_meaning"):
        boris = await stage.writes("boris", "Это ужасно, у меня претензия")
        dialog = await stage.home.user.dialog(boris)
        assert (dialog.priority, dialog.tags) == (1, ("complaint",))
        assert await stage.told(boss) == 1
    channel = ("if.all.1.value", "letter")
    async with stage.preset("support_mailbox", **{channel[0]: channel[1]}):
        await _retarget(stage, "support_mailbox", "email", "letter")
        letter = await stage.writes("clara", "Не работает мотор", letter=True)
        assert len(await stage.said(letter)) == 1
        first = (await stage.home.user.read(objects.of_dialog, NOUNS["request"], letter))[0]
    async with stage.preset("append_request"):
        more = await stage.writes("clara", "И ещё вопрос", letter=True, subject="New matter")
        assert more != letter
        links = await stage.home.user.read(objects.of_dialog, NOUNS["request"], more)
        assert [one.id for one in links] == [first.id]
        # Of several none is guessed: it waits among the enquiries.
        await stage.do(CreateObject(kind="request", dialog_id=letter))
        third = await stage.writes("clara", "И третий", letter=True, subject="Another matter")
        assert await stage.home.user.read(objects.of_dialog, NOUNS["request"], third) == []
        [run] = await stage.world.runs(dialog_id=third)
        assert (run.steps[0].state, "several" in run.steps[0].reason) == ("held", True)
        assert third in await stage.home.user.read(enquiries.waiting)
    async with stage.preset("form_submission"):
        await _retarget(stage, "form_submission", "web_form", "letter")
        form = await stage.writes("dora", "Хочу лодку", letter=True)
        # A form cannot answer: the confirmation goes to the other place the person is known at.
        runs = await stage.world.runs(dialog_id=form)
        assert runs[0].steps[1].state == "held", runs[0].steps
        assert "no way" in runs[0].steps[1].reason
    async with stage.preset("ringing_call"):
        known = await stage.writes("galina", "Call me")
        await stage.do(AssignDialog(dialog_id=known, user_id=stage.home.user.actor.id))
        await stage.home.receive(  # type: ignore[call-arg]
            *[
                CallEvent(  # type: ignore[list-item]
                    dedupe_key="r1",
                    external_id="ring-1",
                    caller=Address(kind="pigeon", value="galina", name="Galina"),
                    state="ringing",
                )
            ]
        )
        await stage.world.settle()
        told = await stage.home.user.read(notices.page)
        assert (told[0].kind, told[0].dialog_id) == ("rule.told", known)
    async with stage.preset("missed_call"):
        await stage.home.receive(  # type: ignore[call-arg]
            *[
                CallEvent(  # type: ignore[list-item]
                    dedupe_key="c1",
                    external_id="call-1",
                    caller=Address(kind="pigeon", value="faina", name="Faina"),
                    state="missed",
                )
            ]
        )
        await stage.world.settle()
        assert "Перезвонить" in await stage.titles()


async def _retarget(stage: Stage, key: str, channel: str, ours: str) -> None:
    """Let a rule for a channel that is not in this house hear one that is."""
    found = next(one for one in RECIPES if one.key == key)
    title = found.translations["ru"][0]
    from triggers.rules import all_rules

    [rule] = [
        one for one in await stage.home.user.read(all_rules) if one.name == title and one.enabled
    ]
    text = str(rule.definition)
    assert channel in text
    changed = _put(rule.definition, channel, ours)
    await stage.do(SaveRule(rule_id=rule.id, definition=changed))


def _put(tree: Any, old: str, new: str) -> Any:
    if isinstance(tree, dict):
        return {name: _put(one, old, new) for name, one in tree.items()}
    if isinstance(tree, list | tuple):
        return [_put(one, old, new) for one in tree]
    return new if tree == old else tree


async def test_presets_of_routing(stage: Stage) -> None:
    boss, me = await stage.boss(), stage.home.user.actor.id
    await stage.do(SetDesk(status_id=1))
    async with stage.preset("even_distribution"):
        anna = await stage.writes("anna", "Здравствуйте")
        assert (await stage.home.user.dialog(anna)).assignee_id == me
    await stage.client(anna)
    await stage.do(SetDialogStatus(dialog_id=anna, status="closed"))
    await stage.world.later(60 * DAY)
    await stage.do(SetDesk(status_id=1))
    async with stage.preset("own_manager"):
        again = await stage.writes("anna", "Это снова я")
        assert (await stage.home.user.dialog(again)).assignee_id == me
    async with stage.preset("nobody_took_it"):
        lonely = await stage.writes("boris", "Есть кто?")
        await stage.world.later(4 * DAY)
        assert await stage.notes(lonely) == ["Пять минут никто не брал"]
        assert await stage.told(boss) == 1
    now = stage.home.world.now()
    substitute = (
        await stage.home.system.do(CreateUser(email="s@example.com", name="Sub", role="agent"))
    )[0]
    await stage.do(
        RegisterAbsence(
            user_id=boss,
            from_at=Micros(now - 1),
            to_at=Micros(now + 3 * DAY * US),
            substitute_id=UserId(substitute),
            what=("intake",),
        )
    )
    async with stage.preset("owner_absent"):
        other = await stage.writes("clara", "Здравствуйте")
        await stage.do(AssignDialog(dialog_id=other, user_id=boss))
        assert (await stage.home.user.dialog(other)).assignee_id == substitute


async def test_presets_of_service(stage: Stage) -> None:
    boss = await stage.boss()
    async with stage.preset("slow_first_answer"):
        anna = await stage.writes("anna", "Есть кто?")
        await stage.world.later(4 * MINUTE)
        assert await stage.said(anna) == ["Минутку, мы уже смотрим ваш вопрос."]
    async with stage.preset("client_silent"):
        await stage.do(SendMessage(dialog_id=anna, text="Сколько штук?"))
        await stage.world.later(3 * DAY + MINUTE)
        assert (await stage.said(anna))[-1] == "Ваш вопрос ещё актуален?"
        await stage.world.later(3 * DAY + MINUTE)
        assert (await stage.home.user.dialog(anna)).status == "closed"
        assert await stage.notes(anna) == ["Закрыто: ответа нет 6 дней"]
    async with stage.preset("out_of_hours"):
        # The next Sunday, at nine in the morning.
        now = stage.home.world.now() // US
        sunday = -(now // DAY + 4) % 7 or 7
        await stage.world.later(sunday * DAY + 9 * HOUR - now % DAY)
        clara = await stage.writes("clara", "Вы работаете?")
        assert (await stage.said(clara))[0].startswith("Сейчас нерабочее время")
        assert "Ответить на ночное обращение" in await stage.titles()
    letter = await stage.writes("dora", "Сломалось", letter=True)
    values = {"owner_id": stage.home.user.actor.id}
    request = (await stage.do(CreateObject(kind="request", values=values, dialog_id=letter)))[0]
    near = RequestDeadlineNear(request_id=request, goal="first", due_at=Micros(1), dialog_id=letter)
    async with stage.preset("deadline_near"):
        await stage.happens(near)
        assert await stage.told() == 1
    async with stage.preset("deadline_missed"):
        await stage.happens(
            RequestDeadlineMissed(
                request_id=request, goal="first", due_at=Micros(1), dialog_id=letter
            )
        )
        kept = (await stage.home.user.read(objects.of_dialog, NOUNS["request"], letter))[0]
        assert (kept.priority, await stage.told(boss)) == ("urgent", 1)
    async with stage.preset("window_closing"):
        egor = await stage.writes("egor", "Вопрос")
        await stage.home.runtime.database.write(_open_window, (egor, stage.home.world.now()))
        await stage.writes("egor", "Ещё вопрос")
        await stage.world.later(23.5 * HOUR)
        assert await stage.notes(egor) == ["Окно ответа закроется через час"]


def _open_window(tx: Any, given: list[tuple[int, int]]) -> list[None]:
    """The pigeons have no reply window: this dialog gets WhatsApp's."""
    from sqlalchemy import update

    from crm_store.tables.dialogs import dialogs

    for dialog_id, now in given:
        tx.conn.execute(
            update(dialogs)
            .where(dialogs.c.id == dialog_id)
            .values(window_until=now + 24 * HOUR * US)
        )
    return [None for _ in given]


async def test_presets_of_sales(stage: Stage) -> None:
    boss = await stage.boss()
    anna = await stage.writes("anna", "Хочу лодку")
    await stage.client(anna)
    [line] = await stage.home.user.read(all_pipelines)
    norm = DAY * US
    second = line.stages[1]
    await stage.do(
        SaveStage(pipeline_id=line.id, stage_id=second.id, name=second.name, norm_us=norm)
    )
    me = {"owner_id": stage.home.user.actor.id}

    async def interest(**values: object) -> InterestId:
        command = CreateObject(
            kind="interest", values={"title": "Boat", **me, **values}, dialog_id=anna
        )
        return InterestId((await stage.do(command))[0])

    first = await interest()
    asked = {"if.all.0.value": [str(second.id)]}
    async with stage.preset("stage_task", **asked):
        await stage.do(MoveInterest(interest_id=first, stage_id=second.id))
        assert "Выполнить действия этапа" in await stage.titles()
        points = (await stage.details("Выполнить действия этапа")).splitlines()
        assert len(points) == 3
        assert points[0] == "☐ Поговорить с клиентом"
    async with stage.preset("stuck_card"):
        before = await stage.told()
        await stage.world.later(8 * DAY)
        assert await stage.told() > before
        assert await stage.told(boss) >= 1
    async with stage.preset("stage_message", **asked):
        await stage.do(MoveInterest(interest_id=first, stage_id=line.stages[0].id))
        await stage.do(MoveInterest(interest_id=first, stage_id=second.id))
        await stage.morning()
        offer = "Мы отправили вам предложение."
        assert offer not in await stage.said(anna)
        await stage.do(GiveConsent(contact_id=await stage.contact(anna)))
        await stage.do(MoveInterest(interest_id=first, stage_id=line.stages[0].id))
        await stage.do(MoveInterest(interest_id=first, stage_id=second.id))
        await stage.morning()
        assert (await stage.said(anna))[-1] == offer
        await stage.world.later(4 * DAY)
        assert "Позвонить по предложению" in await stage.titles()
    async with stage.preset("no_next_step"):
        page = await stage.home.user.read(objects.page, NOUNS["task"], ObjectQuery())
        for one in page.items:
            if one.title in ("Выполнить действия этапа", "Позвонить по предложению"):
                await stage.do(FinishTask(task_id=one.id))
        assert "Запланировать следующий шаг" in await stage.titles()
    await stage.do(ChangeObject(kind="interest", object_id=first, values={"amount": "1000"}))
    async with stage.preset("paid", **{"then.0.params.stage": str(line.stages[2].id)}):
        payment = OutsideHappened(
            account_id=AccountId(stage.home.pigeon),
            name="payment",
            object_kind="interest",
            object_id=first,
            amount=100_000,
        )
        await stage.happens(payment)
        moved = await stage.home.user.read(objects.objects_by_id, NOUNS["interest"], [first])
        assert moved[first].stage_id == line.stages[2].id
        assert (await stage.said(anna))[-1] == "Спасибо за оплату!"
    async with stage.preset("won_thanks"):
        other = await interest()
        await stage.do(WinInterest(interest_id=other))
        await stage.morning()
        assert "Спасибо, что выбрали нас!" in await stage.said(anna)
        await stage.world.later(8 * DAY)
        await stage.morning()
        assert (await stage.said(anna))[-1].startswith("Всё ли вас устраивает?")
        await stage.world.later(84 * DAY)
        assert "Повторная продажа" in await stage.titles("interest")
    later, never = line.reasons[0].id, line.reasons[1].id
    async with stage.preset("lost_later", **{"if.all.0.value": [str(later)]}):
        other = await interest()
        await stage.do(LoseInterest(interest_id=other, reason_id=never, comment="-"))
        await stage.world.later(91 * DAY)
        assert "Спросить снова" not in await stage.titles()
        gone = await interest()
        await stage.do(LoseInterest(interest_id=gone, reason_id=line.reasons[0].id, comment="-"))
        await stage.world.later(91 * DAY)
        assert "Спросить снова" in await stage.titles()
    async with stage.preset("request_state"):
        request = (await stage.do(CreateObject(kind="request", dialog_id=anna)))[0]
        await stage.do(SetRequestStatus(request_id=request, status="solved", solution="ok"))
        assert (await stage.said(anna))[-1].startswith("Ваша заявка")
    from hub import SaveWebhook

    webhook = (await stage.do(SaveWebhook(url="https://example.com/hook", secret="s" * 20)))[0]
    async with stage.preset("webhook_event", **{"then.0.params.webhook": str(webhook)}):
        told = await interest()
        await stage.do(WinInterest(interest_id=told))


async def test_presets_of_clients(stage: Stage) -> None:
    anna = await stage.writes("anna", "Хочу лодку")
    async with stage.preset("poor_card"):
        client = await stage.client(anna)
        await stage.world.later(8 * DAY)
        lacks = "Не хватает: Phone / E-mail, Source"
        assert await stage.details("Заполнить карточку клиента") == lacks
    contact = await stage.contact(anna)
    await stage.do(
        ChangeObject(
            kind="client",
            object_id=client,
            values={"status": "active", "birthday": "1990-05-01", "tags": ["VIP"]},
        )
    )
    async with stage.preset("forgotten_clients"):
        await stage.world.later(58 * DAY)
        await stage.world.later(4 * DAY)
        assert "Позвонить забытому клиенту" in await stage.titles()
    async with stage.preset("birthday"):
        # Who did not consent is not greeted; whoever looks after him is told all the same.
        await stage.world.later(366 * DAY)
        assert "С днём рождения!" not in await stage.said(anna)
        assert "Поздравить клиента" in await stage.titles()
        await stage.do(GiveConsent(contact_id=contact))
        await stage.world.later(366 * DAY)
        assert "С днём рождения!" in await stage.said(anna)
    async with stage.preset("expiry"):
        closes = stage.home.world.now() // US + 31 * DAY
        await stage.do(
            CreateObject(
                kind="interest",
                values={"title": "Contract", "expected_close": closes // DAY * DAY * US},
                dialog_id=anna,
            )
        )
        await stage.world.later(3 * DAY)
        assert "Подготовить закрытие" in await stage.titles()
    async with stage.preset("clicked_offer"):
        before = await stage.told()
        await stage.happens(
            MailingClicked(mailing_id=1, delivery_id=DeliveryId(1), contact_id=contact, link=1)
        )
        assert await stage.told() == before + 1
    async with stage.preset("unsubscribed"):
        await stage.do(WithdrawConsent(contact_id=contact))
        assert await stage.notes(anna) == ["Больше не хочет рекламы"]
    async with stage.preset("bounced_address"):
        await stage.do(SendMessage(dialog_id=anna, text="Ответ"))
        last = (await stage.world.said(anna))[-1]
        await stage.happens(
            DeliveryChanged(
                message_id=MessageId(last.id),
                dialog_id=anna,
                account_id=stage.home.pigeon,
                delivery_id=DeliveryId(1),
                before="sending",
                after="failed",
                reason="invalid_address",
            )
        )
        assert "bad address" in (await stage.home.user.dialog(anna)).tags
    async with stage.preset("new_duplicate"):
        boris = await stage.writes("boris", "Здравствуйте")
        await stage.home.runtime.database.write(_twin, (await stage.contact(boris), contact))
        await stage.do(ChangeObject(kind="contact", object_id=contact, values={"position": "head"}))
        assert len([one for one in await stage.notes(anna) if "объединить" in one]) == 1
    async with stage.preset("nightly_digest"):
        before = await stage.told()
        await stage.world.later(DAY)
        assert await stage.told() == before + 1
        [newest, *_] = await stage.home.user.read(notices.page)
        assert newest.kind == "rule.digest"


def _twin(tx: Any, given: list[tuple[int, int]]) -> list[None]:
    """Two people with one address, as imports bring them."""
    from sqlalchemy import insert

    from crm_store.tables.people import addresses

    for one, other in given:
        row = tx.conn.execute(select(addresses).where(addresses.c.contact_id == one)).first()
        values = {**row._mapping, "id": tx.new_id(), "contact_id": other, "kind": "twin"}
        tx.conn.execute(insert(addresses).values(**values))
    return [None for _ in given]


def test_every_preset_is_shown_here() -> None:
    """A new recipe needs its scenario: one that names it stands in this file."""
    shown = set(re.findall(r'stage\.preset\(\s*"(\w+)"', Path(__file__).read_text("utf-8")))
    assert {one.key for one in RECIPES} - shown == set()


async def test_a_poor_card_is_a_task_again_when_it_changes_a_month_later(stage: Stage) -> None:
    async with stage.preset("poor_card"):
        client = await stage.client(await stage.writes("anna", "Хочу лодку"))
        await stage.world.later(8 * DAY)
        for days, count in ((1, 1), (31, 2)):
            await stage.world.later(days * DAY)
            region = {"region": f"North {days}"}
            await stage.do(ChangeObject(kind="client", object_id=client, values=region))
            await stage.world.later(8 * DAY)
            assert (await stage.titles()).count("Заполнить карточку клиента") == count
