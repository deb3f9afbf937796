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

from hub.request_line import HubProtocol
from plugins import crm_actions
from tests.scenarios.http_api.brought import PLUGINS
from tests.scenarios.http_api.furnished import BODIES, QUERIES, Furniture, filled, furnish
from tests.scenarios.http_api.world import open_world

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# A stream has no end; test_events.py reads it.
ENDLESS = {"/events/stream"}
NO_CHANNEL = "no pigeon can do this"
UNREACHED = {
    "POST /accounts/{account_id}/templates/sync": NO_CHANNEL,
    "POST /attachments/{attachment_id}/fetch": NO_CHANNEL,
    "PATCH /messages/{message_id}": NO_CHANNEL,
    "POST /messages/{message_id}/retract": NO_CHANNEL,
    "PUT /messages/{message_id}/reaction": NO_CHANNEL,
    "POST /messages/{message_id}/retry": "every pigeon arrives",
    "POST /exports/{export_id}/retry": "every export is written",
    "POST /imports/{import_id}/undo": "test_imports.py brings a file in and takes it back",
    "POST /imports/{import_id}/cancel": "it waits for one that runs",
    "POST /interests/{interest_id}/ticks": "no stage has a checklist",
    "POST /quarantine/{quarantine_id}/replay": "the one that there is was replayed with all",
    "POST /retention/{rule_id}/run": "the rule is off",
    "PUT /tasks/{task_id}/review": "nobody asked for a review",
    "GET /dialogs/{dialog_id}/draft": "it is asked for before one is kept, and gone with an answer",
    "POST /enquiries/{dialog_id}/back": "the person has a newer dialog by then",
    "POST /imports": "a file; test_imports.py uploads one",
    "POST /imports/{import_id}/check": "no columns were said by which rows are recognised",
    "POST /imports/{import_id}/run": "no columns were said by which rows are recognised",
    "GET /interests/funnel": "it wants a pipeline; test_interests.py reads it",
    "POST /addresses/{address_id}/split": "it is the person's only address",
    "POST /messages/{message_id}/reschedule": "the message was called off a moment before",
    "POST /rules/import": "rules as they are exported; test_rules.py brings some in",
    "POST /rules/{rule_id}/run": "the rule is off by then",
    "POST /addresses/{address_id}/confirmations": "nobody was asked this",
    "PUT /networks": "made-up words are no networks; test_networks.py saves some",
    "DELETE /me/passkeys/{passkey_id}": "a passkey is made by a device; test_passkeys.py removes one",
    "POST /mailings/pictures": "a picture; test_mailing_letters.py keeps one",
    "PUT /mailings/mailings/{mailing}/state": "the mailing was sent a moment before",
    "POST /mailings/mailings/{mailing}/restore": "the mailing was sent a moment before",
    "POST /quick_replies/import": "a file; test_quick_replies.py brings one in",
}
"""Endpoints that refuse every request in a house like this one, with the reason."""
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
        self.furniture = Furniture()
        self._server: uvicorn.Server | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self.error = error
            self.ready.set()

    async def _serve(self) -> None:
        plugins = (*PLUGINS, ("crm_actions", crm_actions))
        more = {"api_per_minute": 1_000_000, "webhooks_allow_private": False}
        async with open_world(self._folder, self._database_url, *plugins, **more) as world:
            self.furniture = await furnish(world)
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
        self.refused: dict[str, str] = {}
        self.wrong: list[str] = []

    def use(self, operation: Any) -> None:
        """Ask an endpoint for what it is for, of what is really there."""
        self._try(operation, POSITIVE, 1, st.just(True), known=True)

    def try_out(self, operation: Any, mode: Any, count: int) -> None:
        """Ask it for what a machine makes up, now and then of what is really there."""
        self._try(operation, mode, count, st.booleans())

    def _try(self, operation: Any, mode: Any, count: int, truth: Any, known: bool = False) -> None:
        label = operation.label
        statuses = self.called.setdefault(label, set())
        ids = self._served.furniture.of(label)

        @hypothesis.settings(
            max_examples=count,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode), real=truth)
        def call(case: Any, real: bool) -> None:
            if real:
                case.path_parameters = _with_real_ids(dict(case.path_parameters or {}), ids)
                case.body = _with_real_ids(case.body, ids)
            if known and label in BODIES:
                case.body = filled(BODIES[label], ids)
            if known:
                case.query = filled(QUERIES.get(label, {}), ids)
                case.headers = {}
            if isinstance(case.query, dict) and "wait" in case.query:
                case.query = {**case.query, "wait": "0"}
            answer = case.call(base_url=self._served.address, session=self._session, timeout=60)
            statuses.add(answer.status_code)
            if answer.status_code >= 400:
                said = f"{answer.status_code} {answer.text} to {case.body!r}"
                self.refused.setdefault(label, said[:600])
            case.validate_response(answer, checks=CHECKS)

        try:
            call()
        except hypothesis.errors.Unsatisfiable:
            # Nothing about this operation can be wrong.
            return
        except (Exception, BaseExceptionGroup) as error:
            self.wrong.append(f"{label} {mode}: {error!r} {getattr(error, 'exceptions', '')}")


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(300)
def test_no_request_that_a_machine_makes_up_is_answered_by_a_crash(served: Served) -> None:
    look_at(served, {POSITIVE: 1, NEGATIVE: 1})


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
    found = [one.ok() for one in schema.get_all_operations()]
    mine = {one.label for one in found[part::parts]}
    # What takes away comes last, and what is a part of something before the whole.
    known = sorted((one for one in found if one.path not in ENDLESS), key=_order)
    for takes_away in (False, True):
        some = [one for one in known if _takes_away(one) is takes_away]
        # All of them, in a part too: what one leads to is where another begins.
        for operation in some:
            machine.use(operation)
        for operation in some:
            for mode, count in modes.items() if operation.label in mine else ():
                machine.try_out(operation, mode, count)
    session.close()
    assert not machine.wrong, "\n\n".join(machine.wrong)[:20_000]
    called = machine.called
    assert len(called) > 200 // parts
    missed = {
        label: machine.refused[label]
        for label, seen in called.items()
        if min(seen) >= 400 and label not in UNREACHED and label in mine
    }
    assert not missed, "\n".join(f"{label}: {said}" for label, said in missed.items())


def _takes_away(operation: Any) -> bool:
    return operation.method.upper() == "DELETE" or operation.path.endswith("/erase")


def _order(operation: Any) -> tuple[bool, int]:
    depth = operation.path.count("/")
    return operation.path.startswith("/contacts"), -depth if _takes_away(operation) else 0
