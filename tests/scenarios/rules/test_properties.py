"""Random rules and events: what crashes, comes twice or is read again changes nothing.

Each example is played twice in one house: in peace, and by other people with an engine that dies
in the middle of its work, a provider that repeats itself and a journal that is read again from the
beginning. Both must end alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.journal import journal
from crm_store.tables.people import addresses
from crm_store.tables.rules import rule_runs
from hub import EventId, Micros, RemoveRule, RuleId, SaveRule, SendMessage, TagDialog
from hub.commands import MoveCursor
from hub.rule_desk import RuleDesk
from hub.rule_engine import RuleEngine
from hub.runtime import system_now
from tests.houses import World, message
from tests.scenarios.rules.house import Ruled, ruled
from triggers.running import Runs

PEOPLE = ("anna", "boris", "clara")
WORDS = ("цена", "boat", "hello")
MOMENTS = (
    {"event": "message.received"},
    {"event": "message.opening"},
    {"event": "message.answered"},
    {"event": "note.added"},
    {"event": "dialog.tagged"},
    {"event": "lead.created"},
    {"event": "no_answer.ours", "after": "10m"},
    {"event": "no_answer.client", "after": "20m"},
    {"event": "message.received", "settle": "2m"},
)
ACTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("note", {"text": "a note"}),
    ("tag", {"tags": ["red"]}),
    ("tag", {"tags": ["blue"]}),
    ("send_message", {"text": "an answer"}),
    ("create_lead", {}),
    ("close", {}),
)

word = st.sampled_from(WORDS).map(
    lambda one: {"field": "message.text", "operator": "words", "value": one}
)
# What is asked of a message stays as it is, so that judging it again gives the same.
conditions = st.one_of(
    st.just({}),
    st.builds(lambda how, parts: {how: parts}, st.sampled_from(["all", "any", "none"]),
              st.lists(word, min_size=1, max_size=2)),
)  # fmt: skip


@st.composite
def steps(draw: st.DrawFn) -> dict[str, Any]:
    action, params = draw(st.sampled_from(ACTS))
    step: dict[str, Any] = {"action": f"crm_actions.{action}", "params": params}
    if draw(st.integers(0, 3)) == 0:
        step |= {"wait": draw(st.sampled_from(["5m", "1h"]))}
        step |= {"cancel_on": draw(st.sampled_from([[], ["agent_answers"], ["client_answers"]]))}
    if draw(st.integers(0, 5)) == 0:
        step |= {"repeat": {"every": "30m", "times": 2}}
    return step


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    once = draw(st.sampled_from(["", "", "dialog", "contact", "contact_day"]))
    return {
        "name": "A rule",
        "when": [dict(draw(st.sampled_from(MOMENTS)))],
        "if": draw(conditions),
        "then": draw(st.lists(steps(), min_size=1, max_size=3)),
        "guards": {"once_per": once},
        # What stops others, and does not run again itself, would let them by when read again.
        "stop": not once and draw(st.integers(0, 4)) == 0,
    }


def asked_alike(rule: dict[str, Any]) -> dict[str, Any]:
    """Give the rule as it decides the same whenever its facts are read.

    A fact that is of no message is asked about the newest one of its dialog, which is another later.
    """
    of_messages = all(one["event"].startswith("message.") for one in rule["when"])
    return rule if of_messages else {**rule, "if": {}}


people = st.sampled_from(PEOPLE)
deeds = st.one_of(
    st.tuples(st.just("writes"), people, st.lists(st.sampled_from(WORDS), max_size=2)),
    st.tuples(st.just("answers"), people, st.none()),
    st.tuples(st.just("tags"), people, st.sampled_from(["red", "green"])),
    st.tuples(st.just("later"), people, st.sampled_from([60, 400, 4000])),
    st.tuples(st.just("works"), people, st.none()),
)
troubles = st.lists(
    st.sampled_from(["", "", "crash", "restart", "twice"]), min_size=14, max_size=14
)


@dataclass
class Watched(World):
    """A world whose time passes by being looked at, so that a busy machine changes nothing."""

    began: int = field(default_factory=system_now)
    looks: int = 0

    def now(self) -> Micros:
        self.looks += 1
        return Micros(self.began + self.looks * 100 + self.offset_us)


class Play:
    """One example in a house that has seen others before."""

    def __init__(self, world: Ruled, number: int) -> None:
        self.world, self.number = world, number
        self.written = 0
        self.sent: list[Any] = []

    async def once(
        self, side: str, story: list[Any], troubles: list[str], monkeypatch: Any
    ) -> list[Any]:
        """Play a story by the people of a side; gives how it ended for each.

        In peace the engine works at the same moments, so that what waits is due at the same time;
        and both begin at noon, so that days and nights come at the same places of the story.
        """
        await self.world.noon()
        self.sent.clear()
        self.written = 0
        for (what, who, more), trouble in zip(story, troubles, strict=False):
            await self._deed(f"{side}{self.number}-{who}", what, more)
            if side == "wild":
                await self._trouble(trouble, monkeypatch)
            if what in ("works", "later") or trouble:
                await self.world.settle()
        await self.world.settle()
        # Until nothing waits any more: an answer that is read again would end what waits since.
        for _ in range(6):
            await self.world.later(3_700)
        return [await self._end(f"{side}{self.number}-{who}") for who in PEOPLE]

    async def _trouble(self, trouble: str, monkeypatch: Any) -> None:
        if trouble == "twice" and self.sent:
            await self.world.home.receive(*self.sent)
        if trouble == "crash":
            await self._crash(monkeypatch)
        if trouble == "restart":
            await self._restart()

    async def _deed(self, who: str, what: str, more: Any) -> None:
        home = self.world.home
        if what == "writes":
            self.written += 1
            key = f"{who}-{self.written}"
            self.sent.append(message(key, who, text=" ".join(more) or "nothing"))
            await home.receive(self.sent[-1])
        elif what == "later":
            home.world.offset_us += int(more) * 1_000_000
        elif what in ("answers", "tags"):
            dialog_id = await self._dialog(who)
            if dialog_id:
                command: Any = SendMessage(dialog_id=dialog_id, text="Hello")
                if what == "tags":
                    command = TagDialog(dialog_id=dialog_id, add=(more,))
                await home.user.do(command)

    async def _dialog(self, who: str) -> Any:
        statement = (
            select(func.max(dialogs.c.id))
            .join(addresses, addresses.c.contact_id == dialogs.c.contact_id)
            .where(addresses.c.value == who)
        )
        return await self.world.home.runtime.database.read(
            lambda conn: conn.execute(statement).scalar()
        )

    async def _crash(self, monkeypatch: Any) -> None:
        """The engine dies when everything is written but nothing is committed."""

        def fail(runs: Runs) -> None:
            raise OSError("the machine is gone")

        with monkeypatch.context() as patch:
            patch.setattr(Runs, "write", fail)
            with suppress(OSError):
                await self.world.settle()
        await self._restart()

    async def _restart(self) -> None:
        self.world.engine = RuleEngine(self.world.home.runtime)
        await self.world.engine.begin()

    async def _end(self, who: str) -> Any:
        statement = select(dialogs.c.id, dialogs.c.status, dialogs.c.contact_id).join(
            addresses, addresses.c.contact_id == dialogs.c.contact_id
        ).where(addresses.c.value == who)  # fmt: skip

        def read(conn: Any) -> Any:
            rows = conn.execute(statement.order_by(dialogs.c.id)).all()
            ids = [row.id for row in rows]
            people = {row.contact_id for row in rows}
            said = conn.execute(
                select(messages.c.direction, messages.c.text)
                .where(messages.c.dialog_id.in_(ids))
                .order_by(messages.c.direction, messages.c.text)
            ).all()
            runs = conn.execute(
                select(rule_runs.c.rule_id, rule_runs.c.step, rule_runs.c.state, func.count())
                .where(rule_runs.c.contact_id.in_(people))
                .group_by(rule_runs.c.rule_id, rule_runs.c.step, rule_runs.c.state)
                .order_by(rule_runs.c.rule_id, rule_runs.c.step, rule_runs.c.state)
            ).all()
            return ([row.status for row in rows], [tuple(one) for one in said],
                    [tuple(one) for one in runs])  # fmt: skip

        found = await self.world.home.runtime.database.read(read)
        tags = [
            tuple(sorted((await self.world.home.user.dialog(one)).tags))
            for one in [await self._dialog(who)]
            if one
        ]
        return found, tags


async def examples(count: int, strategy: Any, play: Callable[[Any], Awaitable[None]]) -> None:
    """Play examples in this loop, drawn in a thread."""
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=count,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate, Phase.shrink],
    )
    @given(strategy)
    def check(drawn: Any) -> None:
        asyncio.run_coroutine_threadsafe(play(drawn), loop).result(120)  # type: ignore[arg-type]

    await asyncio.to_thread(check)


async def written(world: Ruled, given: list[dict[str, Any]]) -> list[RuleId]:
    """Write rules, switched on."""
    done = await world.home.user.do(*(SaveRule(definition=one, enabled=True) for one in given))
    await world.settle()
    return [RuleId(one) for one in done]


async def removed(world: Ruled, ids: list[RuleId]) -> None:
    await world.home.user.do(*(RemoveRule(rule_id=one) for one in ids))
    await world.settle()


async def test_crashes_and_repeats_change_nothing(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter(range(10_000))
    async with ruled(tmp_path, database_url, world=Watched()) as world:

        async def play(drawn: Any) -> None:
            given_rules, story, trouble, again = drawn
            if again:
                given_rules = [asked_alike(one) for one in given_rules]
            ids = await written(world, given_rules)
            example = Play(world, next(numbers))
            calm = await example.once("calm", story, trouble, monkeypatch)
            wild = await example.once("wild", story, trouble, monkeypatch)
            assert wild == calm
            if again:
                # Read again from the beginning: what was decided is not decided again.
                await world.home.system.do(MoveCursor(name="rules", event_id=EventId(0)))
                await example._restart()
                await world.settle()
                side = f"wild{example.number}-"
                assert [await example._end(side + who) for who in PEOPLE] == calm
            await removed(world, ids)
            depths = await world.home.runtime.database.read(
                lambda conn: [
                    row.cause.get("depth", 0) for row in conn.execute(select(journal.c.cause))
                ]
            )
            assert max(depths) <= 3

        drawn = st.tuples(
            st.lists(rules(), min_size=1, max_size=4),
            st.lists(deeds, min_size=6, max_size=14),
            troubles,
            st.booleans(),
        )
        await examples(12, drawn, play)


async def test_a_preview_says_what_the_run_does(tmp_path: Path, database_url: str) -> None:
    numbers = iter(range(10_000))
    async with ruled(tmp_path, database_url) as world:
        desk = RuleDesk(world.home.runtime, world.home.user)

        async def preview(ids: list[RuleId], event_id: int) -> dict[RuleId, bool]:
            found = {}
            for rule_id in ids:
                rule, ready = await desk.to_try(rule_id, None)
                one = await desk.on_event(rule, ready, EventId(event_id))
                found[rule_id] = one.heard and one.fires and "hear" not in one.reason
            return found

        async def following(place: int) -> int:
            statement = select(func.min(journal.c.id)).where(journal.c.id > place)
            return int(
                await world.home.runtime.database.read(
                    lambda conn: conn.execute(statement).scalar() or 0
                )
            )

        async def play(drawn: Any) -> None:
            given_rules, story = drawn
            plain = [
                {**one, "guards": {}, "stop": False}
                for one in given_rules
                if one["when"][0].keys() == {"event"}
            ]
            ids = await written(world, plain)
            example = Play(world, next(numbers))
            for what, who, more in story:
                await example._deed(f"seen{example.number}-{who}", what, more)
                for _ in range(40):
                    event_id = await following(world.engine.place)
                    if not event_id:
                        break
                    said = await preview(ids, event_id)
                    monkey = hub_engine_batch(1)
                    with monkey:
                        await world.engine.step()
                    ran = {
                        one.rule_id
                        for one in await world.runs(limit=50)
                        if one.event_id == event_id and one.step == 0 and one.rule_id in ids
                    }
                    assert {one for one, fires in said.items() if fires} == ran, (plain, event_id)
            await world.settle()
            await removed(world, ids)

        drawn = st.tuples(
            st.lists(rules(), min_size=1, max_size=3), st.lists(deeds, min_size=3, max_size=6)
        )
        await examples(6, drawn, play)


def hub_engine_batch(size: int) -> Any:
    """Let the engine judge so many facts at a time."""
    import hub.rule_engine

    patch = pytest.MonkeyPatch()
    patch.setattr(hub.rule_engine, "BATCH", size)

    class Undone:
        def __enter__(self) -> None:
            """Nothing more."""

        def __exit__(self, *problem: object) -> None:
            patch.undo()

    return Undone()
