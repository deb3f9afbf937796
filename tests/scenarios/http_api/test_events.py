"""The journal over the API: nothing skipped, nothing twice, also after a cut and a restore."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import uvicorn

from crm_store.journal import new_epoch
from hub import UpdateAccount
from tests.scenarios.http_api.world import World


async def test_the_journal_is_read_page_by_page_and_goes_on(world: World) -> None:
    account = await world.account()
    for n in range(5):
        await world.letter(account, f"bird-{n}")
    program = await world.program()
    seen: list[str] = []
    place = ""
    while True:
        page = await program.ok("GET", "/events", params={"after": place, "limit": 4})
        seen += [one["id"] for one in page["events"]]
        place = page["next"]
        if not page["more"]:
            break
    numbers = [int(one.rpartition("-")[2]) for one in seen]
    assert numbers == sorted(set(numbers))
    assert place == seen[-1]
    assert (await program.ok("GET", "/events", params={"after": place}))["events"] == []
    came = await world.letter(account, "bird-9", "the text stays inside")
    page = await program.ok("GET", "/events", params={"after": place, "types": "message.*"})
    assert [one["type"] for one in page["events"]] == ["message.received"]
    assert page["events"][0]["data"]["message_id"] == str(came.message_id)
    assert page["events"][0]["subject"] == {"kind": "message", "id": str(came.message_id)}
    assert "the text" not in json.dumps(page)
    # What was not asked for is passed over for good.
    again = await program.ok("GET", "/events", params={"after": page["next"]})
    assert again["events"] == []
    assert "message.received" in (await program.ok("GET", "/events/types"))["types"]


async def test_a_reader_waits_for_what_comes(world: World) -> None:
    account = await world.account()
    program = await world.program()
    place = (await program.ok("GET", "/events", params={"after": "now"}))["next"]
    params = {"after": place, "wait": 30, "types": "message.received"}
    waiting = asyncio.create_task(program.ok("GET", "/events", params=params))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    came = await world.letter(account, "anna")
    async with asyncio.timeout(20):
        page = await waiting
    assert page["events"][0]["data"]["dialog_id"] == str(came.dialog_id)
    empty = await program.ok("GET", "/events", params={"after": "now", "wait": 1})
    assert empty["events"] == []
    waiting = asyncio.create_task(
        program.ok("GET", "/events", params={"after": "now", "wait": 30, "types": "nothing"})
    )
    await asyncio.sleep(0.2)
    world.house.app.state.stopping.set()
    async with asyncio.timeout(20):
        assert (await waiting)["events"] == [], "a stop does not wait for those who wait"


async def test_a_place_of_another_journal_is_told_to_read_again(world: World) -> None:
    await world.account()
    program = await world.program()
    place = (await program.ok("GET", "/events"))["next"]
    epoch, _, number = place.rpartition("-")
    runtime = world.house.runtime
    with runtime.database.administer() as conn:
        runtime.epoch = new_epoch(conn)
    error = await program.refused(409, "resync", "GET", "/events", params={"after": place})
    assert error["details"] == {"epoch": runtime.epoch, "next": f"{runtime.epoch}-{number}"}
    await program.refused(409, "resync", "GET", "/events/stream", params={"after": place})
    await program.ok("GET", "/events", params={"after": error["details"]["next"]})
    ahead = f"{runtime.epoch}-{int(number) + 1000}"
    await program.refused(409, "resync", "GET", "/events", params={"after": ahead})
    for wrong in ("x", "-", f"{epoch}-", f"{epoch}-x", "1"):
        await program.refused(422, "invalid", "GET", "/events", params={"after": wrong})


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """The same application behind a real server."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            world.house.app, lifespan="off", log_level="warning", timeout_graceful_shutdown=5
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(20):
                while not server.started:
                    await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
        finally:
            server.should_exit = True
            world.house.app.state.stopping.set()
            await task


class Stream:
    """A reader of server-sent events."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.place = ""

    async def fact(self) -> dict[str, object]:
        """The next fact."""
        async with asyncio.timeout(30):
            async for line in self._lines:
                if line.startswith("id: "):
                    self.place = line[4:]
                elif line.startswith("data: "):
                    found: dict[str, object] = json.loads(line[6:])
                    assert found["id"] == self.place
                    return found
        raise EOFError("the stream ended")


@asynccontextmanager
async def followed(
    client: httpx2.AsyncClient, address: str, token: str, place: str = "", types: str = ""
) -> AsyncIterator[Stream]:
    headers = {"authorization": f"Bearer {token}"}
    if place:
        headers["last-event-id"] = place
    async with client.stream(
        "GET", f"{address}/events/stream", headers=headers, params={"types": types}
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer.aiter_lines())


async def test_a_stream_goes_on_where_it_was_cut(world: World) -> None:
    account = await world.account()
    token = await world.token("supervisor")
    async with served(world) as address, httpx2.AsyncClient(timeout=40) as client:
        async with followed(client, address, token, types="message.received") as stream:
            first = await world.letter(account, "anna")
            fact = await stream.fact()
            assert fact["data"]["message_id"] == str(first.message_id)  # type: ignore[index]
            place = stream.place
        missed = [await world.letter(account, f"bird-{n}") for n in range(30)]
        async with followed(client, address, token, place, "message.received") as stream:
            late = await world.letter(account, "late")
            expected = [str(one.message_id) for one in (*missed, late)]
            found = [(await stream.fact())["data"]["message_id"] for _ in expected]  # type: ignore[index]
            assert found == expected


async def test_a_stream_ends_with_its_token_and_with_the_server(world: World) -> None:
    account = await world.account()
    admin = await world.program()
    made = await admin.ok("POST", "/tokens", json={"name": "feed", "scopes": ["events.view"]})
    token = await world.token("supervisor")
    async with served(world) as address, httpx2.AsyncClient(timeout=40) as client:
        async with followed(client, address, made["token"], types="message.received") as stream:
            await world.letter(account, "anna")
            await stream.fact()
            await admin.ok("DELETE", f"/tokens/{made['id']}")
            await world.letter(account, "anna")
            ended = False
            try:
                for _ in range(3):
                    await stream.fact()
            except EOFError:
                ended = True
            assert ended
        async with followed(client, address, token, types="message.received") as stream:
            await world.letter(account, "anna")
            await stream.fact()
            world.house.app.state.stopping.set()
            try:
                await stream.fact()
                raise AssertionError("the stream outlived the server")
            except EOFError:
                pass


async def test_facts_of_hidden_accounts_are_left_out(world: World) -> None:
    """Roles that read the journal see every account today; a limited role of tomorrow must not."""
    from dataclasses import replace

    from crm_store.journal import events_after, visible
    from crm_store.viewer import Reader, Viewer

    hidden, shown = await world.account("Hidden"), await world.account("Shown")
    await world.house.system.do(UpdateAccount(account_id=hidden.id, title="Still hidden"))
    secret = await world.letter(hidden, "anna")
    known = await world.letter(shown, "boris")
    program = await world.program()
    await program.ok("PATCH", f"/dialogs/{secret.dialog_id}", json={"priority": 1})
    runtime = world.house.runtime

    def run(reader: Reader) -> list[str]:
        found, _ = events_after(reader.conn, runtime.registry, 0)
        viewer = replace(Viewer.system(), is_system=False, hidden_accounts=frozenset({hidden.id}))
        return [
            json.dumps(one.to_data()) + one.type
            for one in visible(replace(reader, viewer=viewer), found)
        ]

    told = await world.house.system.read(run)
    assert any(str(known.dialog_id) in one for one in told)
    for number in (hidden.id, secret.dialog_id, secret.message_id):
        assert not any(str(number) in one for one in told)
