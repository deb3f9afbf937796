"""Fields of segments that a plugin brings: the marks of people, asked by one and the same language."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from crm_store import segments
from crm_store.filter_sql import compile_sql
from crm_store.journal import events_after, visible
from crm_store.segment_brought import brought
from crm_store.segment_memberships import segments_of
from crm_store.tables.people import contacts
from crm_store.viewer import Reader, Viewer
from hub import (
    ROLES,
    Address,
    Asking,
    AssignDialog,
    ContactId,
    CreateAccount,
    Field,
    FieldType,
    InboundMessage,
    Invalid,
    Micros,
    RefreshSegment,
    SaveRole,
    SaveSegment,
    Scope,
    SegmentEntered,
    SegmentField,
    SegmentLeft,
    Where,
    hookimpl,
)
from hub.events import EventRegistry
from hub.filters import Condition, Filter, Group, Match, Moment, Operator, Use, compile_predicate
from hub.plugin_host import PluginHost
from hub.records.segments import Segment
from hub.registration import register
from plugins import csat
from plugins.csat.commands import KeepAsk, Rate
from plugins.csat.people import MEAN_DAYS, SEGMENT_FIELDS
from plugins.csat.tables import asks
from tests.houses import World, plugin_of
from tests.scenarios.web.house import House, open_house

DAY = 86_400_000_000
LOW = {"field": "csat.last_mark", "operator": "in", "value": [1, 2]}


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(World())), ("csat", csat))
    async with open_house(tmp_path, database_url, *parts) as one:
        yield one


async def _dialogs(house: House, *names: str) -> dict[str, tuple[int, ContactId]]:
    """Let people write; gives their dialogs and who they are."""
    hub, found = house.system, {}
    (account_id,) = await hub.do(CreateAccount(channel="pigeon", title="Loft"))
    account = await hub.account(account_id)
    for name in names:
        said = InboundMessage(
            dedupe_key=name,
            external_id=name,
            sender=Address(kind="pigeon", value=name.lower(), name=name),
            text="Hello",
            sent_at=hub.now(),
        )
        (received,) = await house.runtime.receive(account, [said])
        found[name] = (received.dialog_id, received.contact_id)
    return found


async def _mark(house: House, dialog: tuple[int, ContactId], *marks: int) -> None:
    hub = house.system
    for mark in marks:
        ask_id = hub.new_id()
        kept = KeepAsk(
            ask_id=ask_id, dialog_id=dialog[0], contact_id=dialog[1], user_id=0, channel="pigeon",
            days=0,
        )  # fmt: skip
        await hub.do(kept, Rate(ask_id=ask_id, mark=mark))


async def test_everybody_whose_last_mark_was_low(house: House) -> None:
    hub = house.system
    people = await _dialogs(house, "Anna", "Boris", "Vera", "Walter")
    for name, marks in (("Anna", (5, 2)), ("Boris", (1, 4)), ("Vera", (1,))):
        await _mark(house, people[name], *marks)
    (low,) = await hub.do(SaveSegment(name="Unhappy", filter=LOW, watched=True))

    async def who(tree: dict[str, object]) -> list[str]:
        found = await hub.audience(
            Segment(id=0, name="", static=False, filter=tree), channel="pigeon"
        )
        return [one.name for one in found]

    assert await who(LOW) == ["Anna", "Vera"]
    assert await who({"field": "csat.last_mark", "operator": "empty"}) == ["Walter"]
    lately: dict[str, object] = {"operator": "within_last", "value": "1d"}
    assert await who({"field": "csat.last_mark_at", **lately}) == ["Anna", "Boris", "Vera"]
    assert await who({"field": "csat.mean_mark", "operator": "greater", "value": 3}) == ["Anna"]
    segment = await hub.read(segments.one, low)
    assert await hub.read(segments.count, segment) == 2
    assert (await hub.reach(segment, channel="pigeon", topic="")).total == 2
    # Who comes and goes is a fact, by which rules begin.
    await hub.do(RefreshSegment(segment_id=low))
    await _mark(house, people["Boris"], 1)
    await _mark(house, people["Vera"], 5)
    assert await hub.do(RefreshSegment(segment_id=low)) == [(1, 1, 0)]
    facts, _ = await house.runtime.database.read(
        lambda conn: events_after(conn, house.runtime.registry, 0, 10_000)
    )
    came = [one.contact_id for one in facts if isinstance(one, SegmentEntered)]
    went = [one.contact_id for one in facts if isinstance(one, SegmentLeft)]
    assert (came, went) == ([people["Boris"][1]], [people["Vera"][1]])
    with pytest.raises(Invalid):
        await hub.do(SaveSegment(name="No", filter={**LOW, "field": "csat.nothing"}))


async def test_a_mark_is_asked_of_dialogs_that_the_reader_sees(house: House) -> None:
    hub = house.system
    scopes = {"dialogs": Scope.OWN, "contacts": Scope.ALL}
    await hub.do(SaveRole(name="narrow", based_on="marketer", scopes=scopes))
    me = await house.user("narrow")
    people = await _dialogs(house, "Anna", "Boris")
    for one in people.values():
        await _mark(house, one, 1)
    await hub.do(AssignDialog(dialog_id=people["Anna"][0], user_id=me))
    as_me = hub.as_user(me)

    async def mine(tree: dict[str, object]) -> list[ContactId]:
        found = Segment(id=0, name="", static=False, filter=tree)
        return [one.contact_id for one in await as_me.audience(found, channel="pigeon")]

    anna, boris = (one[1] for one in people.values())
    assert await mine(LOW) == [anna]
    assert await mine({"field": "csat.last_mark", "operator": "empty"}) == [boris]
    # What the hub saw itself at its last look is no way round, neither on the card nor as a fact.
    (low,) = await hub.do(SaveSegment(name="Unhappy", filter=LOW, watched=True))
    await hub.do(RefreshSegment(segment_id=low))
    assert [one.name for one in await hub.read(segments_of, [boris])] == ["Unhappy"]
    assert await as_me.read(segments_of, [boris]) == []
    assert [one.name for one in await as_me.read(segments_of, [anna])] == ["Unhappy"]
    came = SegmentEntered(contact_id=boris, segment_id=low)
    assert await hub.read(visible, [came]) == [came]
    assert await as_me.read(visible, [came]) == []
    # Who sees no dialog at all learns of no mark.
    rights = ROLES["marketer"].permissions - {"dialogs.view"}
    await hub.do(SaveRole(name="narrow", permissions=rights, version=1))
    assert await mine(LOW) == []
    assert await mine({"field": "csat.last_mark_at", "operator": "not_empty"}) == []


async def test_a_marketer_asks_for_marks_on_screen_and_by_the_api(house: House) -> None:
    people = await _dialogs(house, "Anna", "Boris")
    await _mark(house, people["Anna"], 2)
    await _mark(house, people["Boris"], 5)
    browser = await house.logged_in("marketer")
    page = (await browser.get("/segments/new")).text
    assert '<optgroup label="Plugins">' in page
    assert "Last mark, from 1 to 5" in page
    asked = (await browser.get("/segments/condition?field=csat.last_mark")).text
    assert '<option value="less">' in asked
    asks_for = {"field": "csat.last_mark", "operator": "less", "value": "3"}
    form = {"do": "add", "name": "Unhappy", **asks_for}
    shown = (await browser.submit("/segments/new", data=form)).text
    assert "How many, now: 1" in shown
    assert "Anna" in shown
    known = (await browser.get("/api/v1/segments/fields")).json()["items"]
    [mark] = [one for one in known if one["name"] == "csat.last_mark"]
    assert (mark["type"], mark["labels"]["ru"]) == ("number", "Последняя оценка, от 1 до 5")
    assert {"in", "less", "empty"} <= set(mark["operators"])


# -- one language, two ways to ask ---------------------------------------------------------

NOW = Micros(1_800_000_000_000_000)
PEOPLE = range(1, 41)
MOMENTS = [1, NOW - 400 * DAY, NOW - MEAN_DAYS * DAY, NOW - MEAN_DAYS * DAY + 1, NOW - DAY, NOW]


async def test_sql_and_predicate_find_the_same_people(house: House) -> None:
    """What the plugin asks the database is what a program would find in the same marks."""
    dice = random.Random(7)
    given_marks: dict[int, list[tuple[int, int, int]]] = {one: [] for one in PEOPLE}
    with house.runtime.database.administer() as conn:
        for number in PEOPLE:
            conn.execute(insert(contacts).values(id=number, name="", name_folded="", created_at=1))
            for n in range(dice.randrange(4)):
                mark, at = dice.choice([0, 1, 2, 3, 4, 5]), dice.choice(MOMENTS)
                key = number * 10 + n
                row = {"id": key, "dialog_id": key, "number": 1, "contact_id": number}
                conn.execute(
                    insert(asks).values(
                        channel="x", asked_at=at, mark=mark, rated_at=at * bool(mark), **row
                    )
                )
                if mark:
                    given_marks[number].append((at, key, mark))
        reader = Reader(
            conn=conn, viewer=Viewer.system(), now=NOW, segment_fields=house.runtime.segment_fields
        )
        _agree(reader, given_marks)


def _agree(reader: Reader, marks: dict[int, list[tuple[int, int, int]]]) -> None:
    def last(person: int) -> object:
        return max(marks[person])[2] if marks[person] else None

    def mean(person: int) -> object:
        lately = [mark for at, _, mark in marks[person] if at > NOW - MEAN_DAYS * DAY]
        return sum(lately) / len(lately) if lately else None

    values = {
        "csat.last_mark": last,
        "csat.last_mark_at": lambda person: max(marks[person])[0] if marks[person] else 0,
        "csat.mean_mark": mean,
    }
    known = {
        one.name: replace(one.field, value=values[one.name], where=Where.BOTH)
        for one in SEGMENT_FIELDS
    }
    columns = brought(reader)

    @st.composite
    def conditions(draw: st.DrawFn) -> Condition:
        field: Field = draw(st.sampled_from(sorted(known.values(), key=lambda one: one.name)))
        operator = draw(st.sampled_from(sorted(field.operators(Use.QUERY))))
        if operator in (Operator.EMPTY, Operator.NOT_EMPTY):
            return Condition(field.name, operator)
        if operator in (Operator.OLDER_THAN, Operator.WITHIN_LAST, Operator.WITHIN_NEXT):
            return Condition(field.name, operator, draw(st.sampled_from([DAY, 400 * DAY])))
        moments = field.type is FieldType.INSTANT
        value = st.sampled_from(MOMENTS) if moments else st.integers(0, 6)
        if operator is Operator.BETWEEN:
            return Condition(field.name, operator, draw(st.tuples(value, value)))
        if operator in (Operator.IN, Operator.NOT_IN):
            some = draw(st.lists(value, min_size=1, max_size=3))
            return Condition(field.name, operator, tuple(some))
        return Condition(field.name, operator, draw(value))

    trees: st.SearchStrategy[Filter] = st.recursive(
        conditions(),
        lambda inner: st.builds(
            Group,
            st.sampled_from(list(Match)),
            st.lists(inner, min_size=1, max_size=3).map(tuple),
        ),
        max_leaves=4,
    )
    moment, found_some = Moment(now=NOW), set[str]()

    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(tree=trees)
    def same(tree: Filter) -> None:
        dialect = reader.conn.dialect.name
        clause = compile_sql(tree, known, columns, contacts.c.id, moment, dialect)
        by_sql = set(reader.conn.execute(select(contacts.c.id).where(clause)).scalars())
        test = compile_predicate(tree, known)
        by_predicate = {one for one in PEOPLE if test(one, moment)}
        assert by_sql == by_predicate, tree
        if isinstance(tree, Condition) and by_sql:
            found_some.add(tree.field)

    same()
    assert found_some == set(known)


# -- what is refused -----------------------------------------------------------------------


def _bringing(**more: object) -> str:
    """Give what is said of a plugin with such a field."""

    def sql(asking: Asking) -> object:
        return select(asks.c.mark).where(asks.c.contact_id == asking.person).scalar_subquery()

    values: dict[str, object] = {
        "name": "desk.mark", "label": "Mark", "type": FieldType.NUMBER, "sql": sql, **more
    }  # fmt: skip
    module = ModuleType("desk")

    @hookimpl
    def register_segment_fields() -> list[SegmentField]:
        return [SegmentField(**values)]  # type: ignore[arg-type]

    module.register_segment_fields = register_segment_fields  # type: ignore[attr-defined]
    host = PluginHost()
    host.add("desk", module)
    register(host, EventRegistry(), ())
    return host.plugins["desk"].error


def test_a_field_has_its_plugins_name_a_known_type_and_a_known_right() -> None:
    assert _bringing() == ""
    assert "is not called desk.<word>" in _bringing(name="contact.mark")
    assert "its type is one of" in _bringing(type=FieldType.TEXT)
    assert "there is no right" in _bringing(permission="marks.view")
