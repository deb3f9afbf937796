"""Accounts are made known to their provider, asked after, and taken back when they go."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from crm_store import templates
from hub import (
    AccountId,
    AccountRefused,
    Channel,
    Health,
    Micros,
    PermanentFailure,
    RemoveAccount,
    SaveTemplates,
    SendMessage,
    Template,
    TemporaryFailure,
    UpdateAccount,
    listeners,
)
from hub.connections import fetch_templates
from hub.records.system import Account
from hub.workers import Workers
from tests.houses import until
from tests.parrots import Aviary, aviary, says


async def account_of(home: Aviary) -> Account:
    return await home.system.account(home.account)


async def test_a_saved_account_is_made_known_and_taken_back(
    tmp_path: Path, database_url: str
) -> None:
    async with aviary(tmp_path, database_url, workers=True) as home:
        perch = home.perch
        account = await account_of(home)
        hook = f"https://hub.example/hooks/{account.hook_token}"
        await until(lambda: _is(home, "ok"))
        assert perch.made("connect") == [(hook,)]
        # What `connect` remembered reaches the object that everybody uses.
        await until(lambda: ("1",) in perch.made("inspect"))
        # Another change connects again; what did not change does not.
        await home.user.do(UpdateAccount(account_id=home.account, title="Macaws"))
        await until(lambda: len(perch.made("connect")) == 2)
        await home.user.do(UpdateAccount(account_id=home.account, paused=True))
        await home.user.do(RemoveAccount(account_id=home.account))
        # The secrets were still known when the provider was told.
        assert perch.made("disconnect") == [("cracker",)]
        assert len(perch.made("connect")) == 2


async def test_a_provider_that_refuses_turns_the_account_red_until_it_works(
    tmp_path: Path, database_url: str
) -> None:
    async with aviary(tmp_path, database_url) as home:
        home.perch.outcomes["connect"] = [PermanentFailure(text="the token was revoked")]
        home.perch.outcomes["disconnect"] = [RuntimeError("gone")]
        loops = Workers(home.runtime)
        loops.start()
        try:
            await until(lambda: _is(home, "down"))
            assert (await account_of(home)).last_error == "the token was revoked"
            # Whoever mends the settings need not wait for the pause to end.
            await home.user.do(UpdateAccount(account_id=home.account, title="Mended"))
            await until(lambda: _is(home, "ok"))
            # A provider that fails does not keep the account from going.
            await home.user.do(RemoveAccount(account_id=home.account))
            assert (await account_of(home)).removed
        finally:
            await loops.stop()


async def test_an_inspection_shows_webhook_and_quota_and_turns_red(
    tmp_path: Path, database_url: str
) -> None:
    async with aviary(tmp_path, database_url) as home:
        home.perch.health = Health(
            ok=False, text="12 updates wait: wrong certificate", webhook="failing", quota="3 left"
        )
        loops = Workers(home.runtime)
        loops.start()
        try:
            await until(lambda: _is(home, "down"))
            account = await account_of(home)
            assert (account.webhook_state, account.quota) == ("failing", "3 left")
            assert account.last_error == "12 updates wait: wrong certificate"
            assert account.inspected_at
        finally:
            await loops.stop()


async def test_a_revoked_account_keeps_its_messages_and_turns_red(
    tmp_path: Path, database_url: str
) -> None:
    async with aviary(tmp_path, database_url, workers=True) as home:
        given = (await home.arrive(says("1")))[0]
        await until(lambda: _is(home, "ok"))
        home.perch.outcomes["send"] = [
            AccountRefused("401: token revoked", retry_after=timedelta(hours=1))
        ]
        sent = (await home.user.do(SendMessage(dialog_id=given.dialog_id, text="hi")))[0]
        await until(lambda: _is(home, "down"))
        assert (await account_of(home)).last_error == "401: token revoked"
        assert (await home.user.message(sent)).status == "queued"


async def test_the_catalogue_is_synchronised_and_its_failure_shown(
    tmp_path: Path, database_url: str
) -> None:
    async with aviary(tmp_path, database_url) as home:
        one = Template(name="order", language="en", body="Order {{number}}", variables=("number",))
        two = Template(name="order", language="ru", body="Заказ {{number}}", variables=("number",))
        home.perch.catalogue = [one, two]
        home.perch.outcomes["templates"] = [TemporaryFailure("busy")]
        loops = Workers(home.runtime)
        loops.start()
        try:
            await until(lambda: _error(home, "busy"))
            await home.user.do(UpdateAccount(account_id=home.account, title="Again"))
            await until(lambda: _error(home, ""))
        finally:
            await loops.stop()
        assert await home.user.read(templates.all_templates, home.account) == [one, two]
        _, channel = await home.runtime.channel_host.get(home.account)
        assert await fetch_templates(home.runtime, home.account, channel) == 0
        home.perch.catalogue = [one]
        assert await fetch_templates(home.runtime, home.account, channel) == 1
        # Two may ask side by side: an answer that comes late does not undo a newer one.
        late = SaveTemplates(account_id=home.account, templates=(two,), asked_at=Micros(1))
        assert await home.system.do(late) == [0]
        assert await home.user.read(templates.all_templates, home.account) == [one]
        asked = [fetch_templates(home.runtime, home.account, channel) for _ in range(8)]
        home.perch.catalogue = [one, two]
        assert sum(await asyncio.gather(*asked)) == 1


async def test_a_dead_listener_is_red_and_a_quiet_one_is_not(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "CALM_SECONDS", 0.5)
    async with aviary(tmp_path, database_url, channel="hearing") as home:
        home.perch.outcomes["listen"] = [TemporaryFailure("the line is cut")]
        loops = Workers(home.runtime)
        loops.start()
        try:
            await until(lambda: _is(home, "down"))
            assert (await account_of(home)).last_error == "the line is cut"
            # Nobody writes, but it is connected again.
            await until(lambda: _is(home, "ok"))
            assert len(home.perch.made("listen")) == 2
        finally:
            await loops.stop()


async def _is(home: Aviary, state: str) -> bool:
    return (await account_of(home)).state == state


async def _error(home: Aviary, words: str) -> bool:
    account = await account_of(home)
    return account.templates_error == words and bool(account.templates_at or words)


async def test_a_change_while_a_channel_opens_is_not_lost(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aviary(tmp_path, database_url) as home:
        host = home.runtime.channel_host
        await host.forget(home.account)
        build, built = host._build, list[str]()

        async def slow(account: Account, sealed: str) -> Channel:
            channel = await build(account, sealed)
            built.append(account.title)
            if len(built) == 1:
                await home.user.do(UpdateAccount(account_id=home.account, title="Macaws"))
                await host.forget(home.account)
            return channel

        monkeypatch.setattr(host, "_build", slow)
        assert (await host.get(home.account))[0].title == "Macaws"
        assert (await host.get(home.account))[0].title == "Macaws"
        assert len(built) == 2


async def test_a_report_does_not_bring_back_a_channel_that_was_replaced(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late word of the old token's channel must not put it in the new one's place."""
    async with aviary(tmp_path, database_url) as home:
        host = home.runtime.channel_host
        old = (await host.get(home.account))[1]
        load = host._load

        async def slow(account_id: AccountId) -> tuple[Account, str]:
            found = await load(account_id)
            await host.forget(account_id)
            return found

        monkeypatch.setattr(host, "_load", slow)
        await host.report(home.account, "down", "401")
        monkeypatch.setattr(host, "_load", load)
        assert (await host.get(home.account))[1] is not old
        assert (await account_of(home)).state == "down"
