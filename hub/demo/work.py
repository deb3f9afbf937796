"""What the demo company works on: clients, leads, interests, requests and tasks of its dialogs.

Everything is made in one transaction of the supervisor's, so that a seeding that was interrupted
has either all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.pipelines import my_pipelines
from hub.commands import (
    Command,
    CreateClient,
    CreateLead,
    CreateObject,
    RejectLead,
    SetInterestLines,
    WinInterest,
)
from hub.handle import BoundHub
from hub.ids import ClientId, DialogId, InterestId, LeadId, Micros, UserId
from hub.properties import DAY
from hub.records.interests import Line

HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """An interest: whose it is, in which stage (from 0) it stands, what for and how much."""

    title: str
    owner: str
    stage: int
    currency: str
    lines: tuple[tuple[str, int, int], ...]
    story: str = ""
    closes_in: int = 14
    step: str = ""
    step_in: int = 0
    won: bool = False


CLIENTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "v.orlov@stroy.example": (
        "СтройСвет",
        {
            "status": "active",
            "region": "Тверь",
            "industry": "строительство",
            "source": "сайт",
            "addresses": [
                {"kind": "phone", "value": "+7 4822 000-10-20", "label": "приёмная"},
                {"kind": "phone", "value": "+7 4822 000-10-21", "label": "бухгалтерия"},
                {"kind": "email", "value": "office@stroy.example"},
                {"kind": "site", "value": "https://stroy.example"},
            ],
        },
    ),
    "hannah@cafe-linde.example": (
        "Café Linde",
        {"status": "active", "region": "Berlin", "industry": "cafés", "source": "fair"},
    ),
}
"""Organisations, by the address of the dialog whose person works there."""

SALES = (
    Sale(
        title="40 светильников для офиса",
        owner="anna",
        stage=2,
        currency="RUB",
        lines=(("Светильник «Верба», белый", 40, 780_000),),
        story="v.orlov@stroy.example",
        closes_in=6,
        step="Отправить счёт со скидкой",
    ),
    Sale(
        title="Pendant lamps for the second café",
        owner="james",
        stage=1,
        currency="EUR",
        lines=(("Pendant lamp Linden", 12, 14_900), ("Installation", 1, 45_000)),
        story="hannah@cafe-linde.example",
        closes_in=20,
        step="Call about the colours",
        step_in=2,
    ),
    Sale(
        title="Шторы с подшивкой",
        owner="anna",
        stage=0,
        currency="RUB",
        lines=(("Шторы «Лён», пара", 2, 640_000), ("Подшивка", 2, 90_000)),
        story="egromova",
    ),
    Sale(
        title="Blankets for a hotel",
        owner="james",
        stage=3,
        currency="EUR",
        lines=(("Wool blanket, grey", 30, 5_900),),
        closes_in=3,
        step="Wait for the signed order",
        step_in=1,
    ),
    Sale(
        title="Пледы в подарок партнёрам",
        owner="anna",
        stage=4,
        currency="RUB",
        lines=(("Плед «Север»", 25, 420_000),),
        won=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to make, and who does it."""

    hub: BoundHub
    users: Mapping[str, UserId]
    dialogs: Mapping[str, DialogId]
    now: Micros
    clients: dict[str, ClientId] = field(default_factory=dict)

    async def make(self) -> None:
        """Make it all, unless it is there."""
        if await self.hub.read(objects.count, NOUNS["interest"], ObjectQuery()):
            return
        await self.hub.do(
            *await self._clients(),
            *self._leads(),
            *await self._sales(),
            *self._requests(),
            *self._tasks(),
        )

    async def _clients(self) -> list[Command]:
        made: list[Command] = []
        for address, (name, values) in CLIENTS.items():
            dialog = await self.hub.dialog(self.dialogs[address])
            self.clients[address] = ClientId(self.hub.new_id())
            made.append(
                CreateClient(
                    client_id=self.clients[address],
                    name=name,
                    organisation=True,
                    contact_id=dialog.contact_id,
                    values=values,
                )
            )
        return made

    def _leads(self) -> Iterator[Command]:
        yield CreateLead(
            dialog_id=self.dialogs["karim.haddad@customer.example"],
            values={"source": "mail", "owner_id": self.users["james"]},
        )
        yield CreateLead(
            values={
                "title": "Оформить витрину салона",
                "name": "Ирина Власова",
                "company": "Салон «Мята»",
                "phone": "+7 900 000-12-34",
                "source": "выставка",
            }
        )
        lost = LeadId(self.hub.new_id())
        yield CreateLead(
            lead_id=lost,
            values={"title": "Wholesale of candles", "name": "Tom Baker", "source": "site"},
        )
        yield RejectLead(lead_id=lost, reason="not our goods")

    async def _sales(self) -> list[Command]:
        stages = (await self.hub.read(my_pipelines))[0].stages
        commands: list[Command] = []
        for sale in SALES:
            number = self.hub.new_id()
            values: dict[str, object] = {
                "title": sale.title,
                "owner_id": self.users[sale.owner],
                "currency": sale.currency,
                "stage_id": stages[min(sale.stage, len(stages) - 1)].id,
                "expected_close": self._day(sale.closes_in),
            }
            if sale.step:
                values |= {"next_step": sale.step, "next_step_at": self._day(sale.step_in)}
            if sale.story in self.clients:
                values["client_id"] = self.clients[sale.story]
            commands.append(
                CreateObject(
                    kind="interest",
                    object_id=number,
                    values=values,
                    dialog_id=self.dialogs.get(sale.story, DialogId(0)),
                )
            )
            lines = tuple(
                Line(name=name, quantity=n * 1000, price=price) for name, n, price in sale.lines
            )
            commands.append(SetInterestLines(interest_id=InterestId(number), lines=lines))
            if sale.won:
                commands.append(WinInterest(interest_id=InterestId(number)))
        return commands

    def _requests(self) -> Iterator[Command]:
        yield CreateObject(
            kind="request",
            dialog_id=self.dialogs["robert.hughes@customer.example"],
            values={
                "title": "Broken lamp, order 4402",
                "type": "complaint",
                "priority": "high",
                "owner_id": self.users["james"],
                "solution_due": self.now + 2 * HOUR,
            },
        )
        yield CreateObject(
            kind="request",
            dialog_id=self.dialogs["ysafina"],
            values={
                "title": "Возврат пледа",
                "type": "service",
                "owner_id": self.users["anna"],
                "solution_due": self.now + 26 * HOUR,
            },
        )

    def _tasks(self) -> Iterator[Command]:
        for who, title, hours, priority in (
            ("anna", "Позвонить Виктору Орлову насчёт счёта", 1, "high"),
            ("anna", "Проверить остатки «Вербы» на складе", 20, "normal"),
            ("james", "Ask the carrier about order 4402", 2, "normal"),
            ("admin", "Connect the real mailbox in Settings, Channels", 4, "normal"),
        ):
            yield CreateObject(
                kind="task",
                values={
                    "title": title,
                    "owner_id": self.users[who],
                    "due_at": self.now + hours * HOUR,
                    "priority": priority,
                },
            )

    def _day(self, days: int) -> int:
        return self.now // DAY * DAY + days * DAY
