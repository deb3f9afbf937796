"""Every action of the bundled plugin, carried out once by a rule: each says that it did its work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crm_store.pipelines import all_pipelines
from hub import (
    AskRule,
    ChangeObject,
    CreateClient,
    CreateObject,
    CreateUser,
    GiveConsent,
    SaveSegment,
    SaveWebhook,
    SendMessage,
    TagDialog,
)
from plugins import crm_actions
from tests.houses import letter
from tests.scenarios.rules.house import ruled

LAST = ("reject_lead", "lose", "set_aside", "block_sender", "suppress_address", "unsubscribe")
"""Those after which others have nothing to do."""


async def test_every_action_does_its_work(tmp_path: Path, database_url: str) -> None:
    async with ruled(tmp_path, database_url) as world:
        home, user = world.home, world.home.user
        [line] = await user.read(all_pipelines)
        given: dict[str, Any] = {"email": "mate@example.com", "name": "Mate", "role": "agent"}
        mate = (await home.system.do(CreateUser(**given)))[0]
        hook = SaveWebhook(url="https://example.com/hook", secret="s" * 20)
        webhook = (await user.do(hook))[0]
        segment = (await user.do(SaveSegment(name="Chosen", static=True)))[0]
        params: dict[str, dict[str, Any]] = {
            "send_message": {"text": "Hello"},
            "send_elsewhere": {"text": "Hello"},
            "forward": {"account": str(home.letter), "to": "boss@example.com"},
            "create_lead": {"even_if_open": True},
            "change_lead": {"values": {"source": "site"}},
            "reject_lead": {"reason": "spam"},
            "create_object": {"kind": "task", "values": {"title": "Look"}},
            "create_task": {"title": "Call"},
            "create_request": {"even_if_open": True},
            "create_interest": {"values": {"title": "Boat"}, "even_if_open": True},
            "change_object": {"kind": "request", "values": {"priority": "high"}},
            "attach": {"kind": "request"},
            "tag_client": {"tags": ["vip"]},
            "assign": {"user": str(mate), "only_if_free": False},
            "ask_for_data": {"phone": "Your phone?"},
            "publish": {"name": "order.ready"},
            "tag": {"tags": ["red"]},
            "untag": {"tags": ["green"]},
            "set_priority": {"priority": 1},
            "set_status": {"status": "waiting"},
            "snooze": {"minutes": 60},
            "note": {"text": "A note"},
            "block_sender": {"reason": "spam"},
            "set_stage": {"stage": str(line.stages[1].id)},
            "lose": {"reason": str(line.reasons[0].id)},
            "add_participant": {"user": str(mate)},
            "set_request_status": {"status": "in_work"},
            "start_checklist": {"points": ["Look", "Pay"]},
            "add_to_segment": {"segment": str(segment)},
            "remove_from_segment": {"segment": str(segment)},
            "create_client": {"name": "Somebody Ltd"},
            "set_aside": {"reason": "supplier"},
            "call_webhook": {"webhook": str(webhook)},
            "notify": {"users": [str(mate)]},
            "run_job": {"job": "beside.count"},
        }
        names = [one.name for one in crm_actions.register_actions()]
        did: dict[str, list[tuple[str, str]]] = {}
        for number, name in enumerate(sorted(names, key=lambda one: (one in LAST, one))):
            # A person of its own for each, who has one of everything.
            got = (await home.receive(letter(str(number), f"p{number}@example.com"), letter=True))[
                0
            ]
            dialog = got.dialog_id
            if name != "create_client":
                await user.do(CreateClient(name="Anna Ltd", contact_id=got.contact_id))
            me = {"owner_id": user.actor.id}
            for kind, values in (("lead", {}), ("request", {}), ("interest", {"title": "Oar"})):
                await user.do(CreateObject(kind=kind, values={**me, **values}, dialog_id=dialog))
            await user.do(
                SendMessage(dialog_id=dialog, text="Hello"),
                TagDialog(dialog_id=dialog, add=("green",)),
                GiveConsent(contact_id=got.contact_id),
                ChangeObject(kind="contact", object_id=got.contact_id, values={"position": "head"}),
            )
            rule = await world.rule(
                when=[{"event": "asked"}],
                then=[{"action": f"crm_actions.{name}", "params": params.get(name, {})}],
            )
            await user.do(AskRule(rule_id=rule, dialog_id=dialog))
            await world.settle()
            [run] = await world.runs(rule_id=rule)
            did[name] = [(one.state, one.reason) for one in run.steps]
        missed = {name: one for name, one in did.items() if one[0][0] != "done"}
        assert missed == {}
