"""A hub with something in it, and programs that call its API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from hub import (
    Account,
    Address,
    CreateAccount,
    CreateToken,
    InboundMessage,
    Micros,
    Received,
    UserId,
)
from hub.web.auth import new_api_token, token_hash
from tests.scenarios.web.house import ADDRESS, House, open_house
from tests.scenarios.web.pigeons import SETTINGS, plugin

API = f"{ADDRESS}/api/v1"


class Program(httpx2.AsyncClient):
    """A program with a bearer token."""

    def __init__(self, house: House, secret: str, **more: Any) -> None:
        super().__init__(
            transport=httpx2.ASGITransport(app=house.app, client=("198.51.100.9", 5000)),
            base_url=API,
            headers={"authorization": f"Bearer {secret}"} if secret else {},
            timeout=60,
            **more,
        )

    async def ok(self, method: str, path: str, **more: Any) -> Any:
        """Call, and give the answer's JSON; anything but success is a failure of the test."""
        answer = await self.request(method, path, **more)
        assert answer.status_code in (200, 201, 202, 204), f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    async def refused(self, status: int, code: str, method: str, path: str, **more: Any) -> Any:
        """Call, and give the error; anything but this refusal is a failure of the test."""
        answer = await self.request(method, path, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        error = answer.json()["error"]
        assert set(error) == {"code", "message", "field", "details", "request_id"}
        assert error["code"] == code, error
        assert error["request_id"] == answer.headers["x-request-id"]
        return error


class World:
    """A house with a pigeon account, people who wrote, and programs."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.users: dict[str, UserId] = {}
        self.programs: list[Program] = []
        self._count = 0

    async def user(self, role: str) -> UserId:
        """The one colleague of a role."""
        if role not in self.users:
            self.users[role] = await self.house.user(role)
        return self.users[role]

    async def token(self, role: str = "administrator", scopes: Iterable[str] = ()) -> str:
        """A new token's secret."""
        secret = new_api_token()
        command = CreateToken(
            user_id=await self.user(role),
            name="test",
            token_hash=token_hash(secret),
            scopes=tuple(scopes),
        )
        await self.house.system.do(command)
        return secret

    async def program(self, role: str = "administrator", scopes: Iterable[str] = ()) -> Program:
        """A program with a new token of a role's colleague."""
        program = Program(self.house, await self.token(role, scopes))
        self.programs.append(program)
        return program

    def stranger(self, secret: str = "") -> Program:
        """A program without a token of ours."""
        program = Program(self.house, secret)
        self.programs.append(program)
        return program

    async def account(self, title: str = "Loft", channel: str = "pigeon") -> Account:
        """A new account."""
        made = await self.house.system.do(
            CreateAccount(channel=channel, title=title, settings=SETTINGS)
        )
        return await self.house.system.account(made[0])

    async def letter(
        self, account: Account, sender: str, text: str = "coo", **more: Any
    ) -> Received:
        """A customer writes."""
        self._count += 1
        message = InboundMessage(
            dedupe_key=f"{sender}-{self._count}",
            external_id=f"{sender}-{self._count}",
            sender=Address(kind="pigeon", value=sender, name=sender.title()),
            text=text,
            sent_at=Micros(self.house.runtime.now()),
            **more,
        )
        received: Received = (await self.house.runtime.receive(account, [message]))[0]
        return received


@asynccontextmanager
async def open_world(
    folder: Path, database_url: str, *plugins: tuple[str, Any], **settings: Any
) -> AsyncIterator[World]:
    """Start a hub for programs, with these plugins beside the pigeons."""
    every = (("pigeons", plugin()), *plugins)
    async with open_house(folder, database_url, *every, **settings) as house:
        world = World(house)
        try:
            yield world
        finally:
            for program in world.programs:
                await program.aclose()
