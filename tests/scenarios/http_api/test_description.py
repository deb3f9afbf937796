"""Requests made from the description by a machine: none is answered by a crash, and every answer
is one that the description names."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub import Quarantine
from hub.request_line import HubProtocol
from tests.scenarios.http_api.world import open_world

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# A stream has no end; test_events.py reads it.
ENDLESS = {"/events/stream"}
PARTS = 6
"""A part of the long run has a verdict of its own, within two minutes of an idle machine."""
POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE


class Served(threading.Thread):
    """A hub behind a real server, on a thread of its own."""

    def __init__(self, folder: Path, database_url: str) -> None:
        super().__init__(daemon=True)
        self._folder, self._database_url = folder, database_url
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/api/v1"
        self.ready = threading.Event()
        self.token = ""
        self.ids: dict[str, str] = {}
        self._server: uvicorn.Server | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self.error = error
            self.ready.set()

    async def _serve(self) -> None:
        more = {"api_per_minute": 1_000_000, "webhooks_allow_private": False}
        async with open_world(self._folder, self._database_url, **more) as world:
            account = await world.account()
            came = await world.letter(account, "anna", "hello")
            program = await world.program()
            made = await program.ok(
                "POST", f"/dialogs/{came.dialog_id}/messages", json={"text": "hi"}
            )
            file = await program.ok("POST", "/attachments", files={"file": ("a.txt", b"a")})
            contact = await program.ok("GET", f"/contacts/{came.contact_id}")
            hook = {"url": "http://127.0.0.1:9/", "active": False}
            made_hook = await program.ok("POST", "/webhooks", json=hook)
            view = await program.ok("POST", "/views", json={"name": "mine"})
            team = await program.ok("POST", "/teams", json={"name": "ours"})
            client = await program.ok("POST", "/clients", json={"name": "Acme"})
            rows = {"file": ("people.csv", b"Name,Phone\nAnna,1\n")}
            brought = await program.ok("POST", "/imports", files=rows, data={"kind": "client"})
            field = {"kind": "client", "label": "Boat"}
            added = await program.ok("POST", "/fields", json=field)
            rule = {"subject": "files", "days": 3000}
            kept_for = await program.ok("POST", "/retention", json=rule)
            facts = await program.ok("GET", "/events")
            kept = Quarantine(account_id=account.id, raw=b"not a letter", error="unreadable")
            quarantined = (await world.house.system.do(kept))[0]
            self.ids = {
                "import_id": brought["id"],
                "field_id": added["id"],
                "rule_id": kept_for["id"],
                "webhook_id": made_hook["id"],
                "view_id": view["id"],
                "team_id": team["id"],
                "client_id": client["id"],
                "event_id": facts["events"][0]["id"],
                "quarantine_id": str(quarantined),
                "dialog_id": str(came.dialog_id),
                "merged_id": str(came.dialog_id),
                "message_id": made["id"],
                "seen_message_id": str(came.message_id),
                "contact_id": str(came.contact_id),
                "address_id": contact["addresses"][0]["id"],
                "attachment_id": file["id"],
                "account_id": str(account.id),
                "user_id": str(await world.user("agent")),
                "name": "pigeon",
                "channel": "pigeon",
            }
            self.token = await world.token()
            config = uvicorn.Config(
                world.house.app,
                http=HubProtocol,
                lifespan="off",
                log_level="warning",
                timeout_graceful_shutdown=5,
            )
            self._server = uvicorn.Server(config)
            self._listener.listen(100)
            self.ready.set()
            await self._server.serve(sockets=[self._listener])

    def close(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
        self.join(30)
        self._listener.close()


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[Served]:
    """A hub with a dialog in it."""
    one = Served(tmp_path, database_url)
    one.start()
    assert one.ready.wait(60)
    assert one.error is None, one.error
    yield one
    one.close()


def _with_real_ids(value: Any, ids: dict[str, str]) -> Any:
    """Put ids of what is really there in the places of made-up ones."""
    if isinstance(value, dict):
        return {
            key: ids[key] if key in ids and isinstance(one, str) else _with_real_ids(one, ids)
            for key, one in value.items()
        }
    return [_with_real_ids(one, ids) for one in value] if isinstance(value, list) else value


class Machine:
    """Makes requests of one operation up, sends them, and looks at the answers."""

    def __init__(self, served: Served, session: requests.Session) -> None:
        self._served, self._session = served, session
        self.called: dict[str, set[int]] = {}
        self.wrong: list[str] = []

    def try_out(self, operation: Any, mode: Any, count: int) -> None:
        statuses = self.called.setdefault(operation.label, set())

        @hypothesis.settings(
            max_examples=count,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
        def call(case: Any, real: bool) -> None:
            if real:
                ids = self._served.ids
                case.path_parameters = _with_real_ids(dict(case.path_parameters or {}), ids)
                case.body = _with_real_ids(case.body, ids)
            if isinstance(case.query, dict) and "wait" in case.query:
                case.query = {**case.query, "wait": "0"}
            answer = case.call(base_url=self._served.address, session=self._session, timeout=60)
            statuses.add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        try:
            call()
        except hypothesis.errors.Unsatisfiable:
            # Nothing about this operation can be wrong.
            return
        except Exception as error:
            self.wrong.append(f"{operation.label} {mode}: {error}")


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(300)
def test_no_request_that_a_machine_makes_up_is_answered_by_a_crash(served: Served) -> None:
    look_at(served, {POSITIVE: 3, NEGATIVE: 1})


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_request_of_many_is_answered_by_a_crash(served: Served, part: int) -> None:
    look_at(served, {POSITIVE: 25, NEGATIVE: 10}, part, PARTS)


def look_at(served: Served, modes: Mapping[Any, int], part: int = 0, parts: int = 1) -> None:
    """Try every so many-th operation of the description out, with so many requests of each mode."""
    schema = schemathesis.openapi.from_url(f"{served.address}/openapi.json", timeout=60)
    session = requests.Session()
    session.trust_env = False
    session.headers["authorization"] = f"Bearer {served.token}"
    machine = Machine(served, session)
    for found in list(schema.get_all_operations())[part::parts]:
        operation = found.ok()
        if operation.path not in ENDLESS:
            for mode, count in modes.items():
                machine.try_out(operation, mode, count)
    session.close()
    assert not machine.wrong, "\n\n".join(machine.wrong)[:20_000]
    called = machine.called
    assert len(called) > 200 // parts
    reached = [label for label, seen in called.items() if any(one < 300 for one in seen)]
    assert len(reached) > len(called) // 3, "most made-up requests must get somewhere"
