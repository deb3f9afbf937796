"""Mailings from the command line: what a page does, done from a shell or a script."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from hub import Actor, ActorKind, Address, CreateContact, GiveConsent, SaveSegment
from hub.cli.base import opened
from hub.settings import HubSettings
from plugins.mailings.commands import SaveMailing
from plugins.telemarketing.commands import SaveCallList
from tests.scenarios.cli.processes import CommandLine


async def _draft(hub: CommandLine, account: str, *texts: str) -> list[str]:
    """Make a draft of each text to the one person that there is."""
    settings = HubSettings.load(data=hub.data, database_url=hub.database or None)
    async with opened(settings) as handle:
        vera = Address(kind="pigeon", value="vera")
        (contact,) = await handle.do(CreateContact(name="Vera", addresses=(vera,)))
        await handle.do(GiveConsent(contact_id=contact, how="form"))
        (segment,) = await handle.do(SaveSegment(name="Everybody"))
        own = handle.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="mailings"))
        drafts = (
            SaveMailing(
                title=f"Spring {number}",
                plan={
                    "segment_id": str(segment),
                    "accounts": [account],
                    "topic": "news",
                    "variants": [{"text": text}],
                },
            )
            for number, text in enumerate(texts)
        )
        return [str(one) for one in await own.do(*drafts)]


@pytest.mark.slow
def test_a_mailing_is_checked_started_held_and_ended(hub: CommandLine) -> None:
    hub("account", "add", "pigeon", "ring=x", "--title", "Loft")
    (account,) = json.loads(hub("account", "list", "--json"))
    good, empty = asyncio.run(_draft(hub, account["id"], "The ice is gone", ""))
    assert {one["id"] for one in json.loads(hub("mailing", "list", "--json"))} == {good, empty}
    assert "Spring 0" in hub("mailing", "list")
    shown = json.loads(hub("mailing", "show", good, "--json"))
    assert (shown["state"], shown["plan"]["accounts"]) == ("draft", [account["id"]])
    assert hub.try_out("mailing", "check", empty).returncode == 1
    assert json.loads(hub("mailing", "check", good, "--json"))["ready"]
    assert f"mailing check {empty}" in hub.refused("mailing", "start", empty)
    assert "has not begun" in hub.refused("mailing", "pause", good)
    assert json.loads(hub("mailing", "test", good, "--to", "vera", "--json"))["send_ids"]
    started = json.loads(hub("mailing", "start", good, "--json"))
    assert started["state"] in ("scheduled", "filling")
    assert json.loads(hub("mailing", "pause", good, "--json"))["state"] == "paused"
    assert json.loads(hub("mailing", "resume", good, "--json"))["state"] != "paused"
    assert "Spring 0: cancelled" in hub("mailing", "cancel", good)
    results = json.loads(hub("mailing", "results", good, "--json"))
    assert (results["state"], results["numbers"]["planned"], results["reasons"]) == (
        "cancelled",
        0,
        [],
    )
    assert "`dialoghub mailing list`" in hub.refused("mailing", "results", "7")


async def _call_list(hub: CommandLine) -> str:
    settings = HubSettings.load(data=hub.data, database_url=hub.database or None)
    async with opened(settings) as handle:
        own = handle.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="telemarketing"))
        (segment,) = await own.do(SaveSegment(name="Sailors", static=True))
        plan = {"segment_id": str(segment)}
        (made,) = await own.do(SaveCallList(title="Spring calls", plan=plan))
        return str(made)


def test_a_call_list_is_filled_from_a_file_and_its_calls_are_exported(
    hub: CommandLine, tmp_path: Path
) -> None:
    number = asyncio.run(_call_list(hub))
    assert "Spring calls" in hub("calls", "list")
    file = tmp_path / "numbers.txt"
    file.write_text("+7 912 345-67-89 Anna\n8 (912) 345-67-90\nnonsense\n")
    told = json.loads(hub("calls", "fill", number, "--numbers", str(file), "--json"))
    assert told == {"added": 2, "left": ["nonsense"], "filling": False}
    again = json.loads(hub("calls", "fill", number, "--numbers", str(file), "--json"))
    assert again["added"] == 0
    assert "0 added, 0 not taken" in hub("calls", "fill", number)
    assert "Spring calls: running" in hub("calls", "state", number, "running")
    assert hub("calls", "export", number).startswith("id,at,contact_id")
    assert "calls list" in hub.refused("calls", "export", "7")
