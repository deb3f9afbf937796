"""What nobody could read is taken in once the channel can, and only once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from crm_store.quarantine import quarantined
from hub import (
    SYSTEM,
    Account,
    AccountId,
    Address,
    Arrival,
    Attachment,
    ButtonPressed,
    Capabilities,
    Channel,
    Conflict,
    CreateAccount,
    DialogQuery,
    InboundMessage,
    MessageDeleted,
    Micros,
    Quarantine,
    QuarantineId,
    Screening,
    Verdict,
    VerdictKind,
    WebhookRequest,
    hookimpl,
)
from hub.handle import BoundHub
from hub.kept_arrivals import kept_arrival, put_aside
from hub.plugin_host import PluginHost
from hub.records.dialogs import QuarantineItem
from hub.replay import Replayed, replay, replay_all, waiting
from hub.runtime import Runtime
from hub.settings import HubSettings


class NoSettings(BaseModel):
    """None are needed."""


def owls(mended: list[bool]) -> ModuleType:
    """A channel that cannot read until it is mended."""

    class Owl(Channel):
        name: ClassVar[str] = "owl"
        capabilities: ClassVar[Capabilities] = Capabilities(address_kind="owl")
        Settings: ClassVar[type[BaseModel]] = NoSettings

        def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
            return self.replay(request.body)

        def replay(self, raw: bytes) -> Iterable[Arrival]:
            if not mended:
                raise ValueError("strange feathers")
            text = raw.decode()
            sender = Address(kind="owl", value="vera")
            return [InboundMessage(dedupe_key=text, external_id=text, sender=sender, text=text)]

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [Owl]

    module = ModuleType("owl")
    vars(module).update(register_channels=register_channels)
    return module


@hookimpl
def screen_inbound(screening: Screening) -> Verdict | None:
    """Refuse what is loud."""
    loud = screening.message.text.isupper()
    return Verdict(kind=VerdictKind.DROP, reason="too loud") if loud else None


@asynccontextmanager
async def running(
    folder: Path, database_url: str, mended: list[bool]
) -> AsyncIterator[tuple[Runtime, BoundHub, Account]]:
    plugins = PluginHost()
    plugins.add("owl", owls(mended))
    quiet = ModuleType("quiet")
    vars(quiet).update(screen_inbound=screen_inbound)
    plugins.add("quiet", quiet)
    runtime = Runtime(HubSettings(data=folder, database_url=database_url), plugins=plugins)
    runtime.migrate()
    await runtime.start()
    hub = runtime.handle(SYSTEM)
    account_id = (await hub.do(CreateAccount(channel="owl", title="Owls")))[0]
    yield runtime, hub, await hub.account(account_id)
    await runtime.stop()


async def previews(hub: BoundHub) -> list[str]:
    return sorted(one.preview for one in (await hub.dialogs(DialogQuery())).dialogs)


def hoot(key: str, text: str, **more: Any) -> InboundMessage:
    sender = Address(kind="owl", value=key)
    return InboundMessage(dedupe_key=key, external_id=key, sender=sender, text=text, **more)


async def test_all_is_read_again_together_and_what_still_fails_waits(
    tmp_path: Path, database_url: str
) -> None:
    mended: list[bool] = []
    async with running(tmp_path, database_url, mended) as (runtime, hub, account):
        kept = [
            (await hub.do(Quarantine(account_id=account.id, raw=raw, error="x")))[0]
            for raw in (b"one", b"\xff", b"two", b"\xfe", b"three")
        ]
        assert await replay_all(runtime) == Replayed(failed=5)
        mended.append(True)
        # Time runs out at once: what is left is gone on with, nothing is tried twice.
        assert await replay_all(runtime, seconds=-1) == Replayed(read=1, next=kept[0])
        assert await replay_all(runtime, kept[0]) == Replayed(read=2, failed=2)
        assert await waiting(runtime) == [kept[1], kept[3]]
        assert await replay_all(runtime) == Replayed(failed=2)


async def test_what_a_filter_refused_is_let_in_by_a_person_alone(
    tmp_path: Path, database_url: str
) -> None:
    """Files and all, also where the channel keeps no bytes of its own."""
    async with running(tmp_path, database_url, [True]) as (runtime, hub, account):
        file = Attachment(name="a.bin", media_type="x/y", content=b"\xff\x00", size=2)
        loud = [
            hoot("1", "HOO", raw=b"HOO AGAIN"),
            hoot("2", "WHO", attachments=(file,), profile={"phone": "1"}),
        ]
        await runtime.receive(account, [*loud, hoot("3", "hello")])
        assert await previews(hub) == ["hello"]
        held = (await hub.read(quarantined))[::-1]
        assert [(one.source, one.state) for one in held] == [("dropped", "waiting")] * 2
        assert await replay_all(runtime) == Replayed()
        for one in held:
            assert await replay(runtime, one.id) == 1
        assert await previews(hub) == ["HOO AGAIN", "WHO", "hello"]
        assert await hub.read(quarantined) == []
        [dialog] = [
            one.id for one in (await hub.dialogs(DialogQuery())).dialogs if one.preview == "WHO"
        ]
        [message] = (await hub.thread(dialog)).messages
        assert [one.name for one in message.attachments] == ["a.bin"]


def test_any_arrival_is_kept_whole_and_no_stranger_can_write_one() -> None:
    sender = Address(kind="owl", value="vera")
    owl, bare = owls([]).register_channels()[0], Channel
    for arrival in (
        hoot("1", "hoo", raw=b"\xff"),
        ButtonPressed(dedupe_key="b", external_id="1", sender=sender, payload="y"),
        MessageDeleted(dedupe_key="d", external_id="1"),
    ):
        kept = put_aside(AccountId(1), object.__new__(bare), arrival, "x")
        item = QuarantineItem(
            id=QuarantineId(1),
            account_id=kept.account_id,
            received_at=Micros(0),
            source=kept.source,
            state="waiting",
            error=kept.error,
            trace="",
            size=len(kept.raw),
            attempts=0,
            raw=kept.raw,
            method=kept.method,
        )
        assert kept_arrival(item) == arrival
        for forged in (replace(item, source="webhook"), replace(item, method="POST")):
            assert kept_arrival(forged) is None
    # A channel that reads its own bytes again is given those.
    assert put_aside(AccountId(1), object.__new__(owl), hoot("1", "x", raw=b"y"), "x").raw == b"y"


@pytest.mark.parametrize("source", ["webhook", "pull"])
async def test_a_quarantined_input_is_taken_in_after_the_fix(
    tmp_path: Path, database_url: str, source: str
) -> None:
    mended: list[bool] = []
    plugins = PluginHost()
    plugins.add("owl", owls(mended))
    runtime = Runtime(HubSettings(data=tmp_path, database_url=database_url), plugins=plugins)
    runtime.migrate()
    await runtime.start()
    hub = runtime.handle(SYSTEM)
    account_id = (await hub.do(CreateAccount(channel="owl", title="Owls")))[0]
    first: QuarantineId = (
        await hub.do(Quarantine(account_id=account_id, raw=b"hoo", error="x", source=source))
    )[0]

    with pytest.raises(Conflict, match="strange feathers"):
        await replay(runtime, first)
    assert await waiting(runtime) == [first]

    mended.append(True)
    assert await replay(runtime, first) == 1
    assert await waiting(runtime) == []
    with pytest.raises(Conflict, match="replayed already"):
        await replay(runtime, first)
    found: Any = (await hub.dialogs(DialogQuery())).dialogs
    assert [one.preview for one in found] == ["hoo"]
    await runtime.stop()
