"""How SQLite reads what the screens ask: by an index, whatever the size, and nothing is sorted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlalchemy.dialects import postgresql

from crm_store import (
    boards,
    dialog_counts,
    dialogs,
    duplicates,
    journey,
    many,
    many_results,
    object_grams,
    object_records,
    objects,
    person_objects,
    person_timeline,
    pipelines,
    search,
    search_messages,
    search_people,
    segments,
    users,
    wording,
)
from crm_store.belongings import belongings
from crm_store.engine import make_engine
from crm_store.funnel import FunnelQuery, funnel
from crm_store.nouns import NOUNS
from crm_store.objects import ObjectQuery
from crm_store.rows import listed, numbered
from crm_store.segment_memberships import segments_of
from crm_store.tables.dialogs import messages
from crm_store.tables.people import clients
from crm_store.viewer import Reader, Viewer
from dialogs.claiming import _due
from dialogs.many import PLACE, already_there
from dialogs.many_sender import _most_of
from hub import (
    AccountId,
    ClientId,
    CreateObject,
    DialogQuery,
    Micros,
    PipelineId,
    Segment,
    TeamId,
    UserId,
)
from hub.filters import Moment, Use, parse
from hub.roles import DIALOGS, Scope
from hub.web import day, leads, requests
from tests.houses import House, house

Ask = Callable[[Reader], object]
LARGE = (
    "clients", "contacts", "dialogs", "messages", "leads", "requests", "interests", "tasks",
    "meetings", "interest_stays", "deliveries", "object_tags", "addresses", "contact_grams",
)  # fmt: skip


@pytest.fixture
async def home(tmp_path: Path, database_kind: str, database_url: str) -> AsyncIterator[House]:
    if database_kind != "sqlite":
        pytest.skip("PostgreSQL plans by what its tables hold")
    async with house(tmp_path, database_url) as one:
        yield one


def plans(home: House, ask: Ask, viewer: Viewer | None = None) -> list[str]:
    """Give how each statement of a question is carried out, a line for each."""
    engine = make_engine(home.runtime.database.url, writer=False)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "after_cursor_execute")
    def note(conn: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    found = []
    with engine.connect() as conn, conn.begin():
        ask(Reader(conn=conn, viewer=viewer or Viewer.system(), now=home.runtime.now()))
        cursor = conn.connection.cursor()
        for statement, values in asked:
            rows = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            found.append("; ".join(row[3] for row in rows))
        cursor.close()
    engine.dispose()
    return found


def page(kind: str, **query: Any) -> Ask:
    return lambda reader: objects.page(reader, NOUNS[kind], ObjectQuery(**query))


def _is(field: str, value: object) -> dict[str, object]:
    return {"field": field, "operator": "equals", "value": value}


def _between(field: str) -> list[dict[str, object]]:
    bounds = (("greater", 1), ("less", 9))
    return [{"field": field, "operator": one, "value": value} for one, value in bounds]


IN_STAGE = {"all": [_is("interest.status", "in_work"), _is("interest.stage", "1")]}
LISTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "clients": ("client", {}, "SCAN clients"),
    "clients, deep": ("client", {"before": "5~5"}, "USING INTEGER PRIMARY KEY (rowid<?)"),
    "by name": ("client", {"sort": "name"}, "USING INDEX ix_clients_name_folded"),
    "by name, deep": ("client", {"sort": "name", "before": "5~b"}, "(name_folded>?)"),
    "leads": ("lead", {}, "USING INDEX ix_leads_newest"),
    "leads, unanswered": (
        "lead",
        {"filter": leads.SCREEN.filters("unanswered")},
        "USING INDEX ix_leads_response (deleted_at=? AND first_response_us=?)",
    ),
    "leads by response": (
        "lead",
        {"sort": "-first_response_us"},
        "USING INDEX ix_leads_response (deleted_at=?)",
    ),
    "tasks": ("task", {}, "USING INDEX ix_tasks_newest"),
    "requests": ("request", {}, "USING INDEX ix_requests_newest"),
    "requests, late": (
        "request",
        {"filter": _is("request.overdue", True), "sort": "due_at"},
        "USING INDEX ix_requests_overdue (overdue=? AND deleted_at=?)",
    ),
    "requests, undated": (
        "request",
        {"filter": requests.SCREEN.filters("undated"), "sort": "due_at"},
        "USING INDEX ix_requests_open_due (deleted_at=? AND due_at=?)",
    ),
    "meetings, a month": (
        "meeting",
        {"filter": {"all": _between("meeting.at")}, "sort": "at"},
        "USING INDEX ix_meetings_at (at>? AND at<?)",
    ),
    "my tasks, a month": (
        "task",
        {
            "filter": {
                "all": [
                    _is("task.status", "open"),
                    *_between("task.due_at"),
                    _is("task.owner", "me"),
                ]
            },
            "sort": "due_at",
        },
        "USING INDEX ix_tasks_owner_id (owner_id=? AND status=? AND due_at>? AND due_at<?)",
    ),
    "a board's column": (
        "interest",
        {"filter": IN_STAGE, "sort": "-stage_since"},
        "USING INDEX ix_interests_board (stage_id=? AND status=? AND deleted_at=?)",
    ),
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_of_a_list_is_read_in_its_order(home: House, name: str) -> None:
    kind, query, expected = LISTS[name]
    table = NOUNS[kind].table.name
    [own] = [one for one in plans(home, page(kind, **query)) if f" {table}" in one]
    assert expected in own
    assert "TEMP B-TREE" not in own


async def test_my_day_reads_what_is_mine_and_near(home: House) -> None:
    ends = requests.edges("UTC", home.runtime.now())
    found = plans(home, lambda reader: day.waiting_for_me(reader, ends, "UTC"))
    for by in (
        "ix_tasks_owner_id (owner_id=? AND status=? AND due_at>?)",
        "ix_tasks_author_id (author_id=? AND status=? AND deleted_at=?)",
        "ix_messages_calls (dialog_id=?)",
        "ix_requests_owner_due (owner_id=? AND due_at>? AND due_at<?)",
        "ix_interests_owner_step (owner_id=? AND status=? AND next_step_at>? AND next_step_at<?)",
        "ix_meetings_owner_at (owner_id=? AND at>? AND at<?)",
        "ix_meetings_owner_step (owner_id=? AND next_step_at>? AND next_step_at<?)",
    ):
        assert any(by in one for one in found), by
    # Its lists name nothing that the organisation itself describes.
    assert not any("custom_fields" in one or "support_levels" in one for one in found)


async def test_colleagues_and_people_share_the_question_of_their_dialogs(home: House) -> None:
    for name in ("assignee_id", "contact_id", "team_id", "account_id"):
        made = []
        for number in (7, 8):
            query = DialogQuery(view="waiting", **{name: number})  # type: ignore[arg-type]
            plans(home, lambda reader, query=query: dialogs.page(reader, query))  # type: ignore[misc]
            made.append(dialogs._listing.cache_info().misses)
        assert made[0] == made[1], name


def test_who_asks_is_somebody_also_for_a_plan_for_all() -> None:
    """Where nobody is the author of most tasks, PostgreSQL would look through all of them for one's own."""
    task = NOUNS["task"]
    tree = parse(_is("task.author", "me"), task.kind.registered(), Use.QUERY)
    moment = Moment(now=Micros(0), me=UserId(0))
    made = objects._filtered(task, tree, moment, "postgresql")
    text = str(made.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert "tasks.author_id =" in text
    assert "tasks.author_id > 0" in text


async def test_what_is_of_an_object_is_found_by_it(home: House) -> None:
    def ask(reader: Reader) -> None:
        belongings(reader, NOUNS["request"], parent_id=1)
        belongings(reader, NOUNS["task"], object_kind="request", object_id=1, status="open")
        segments_of(reader, [1])

    parts, tasks, within = plans(home, ask)
    assert "USING INDEX ix_requests_parent_id (parent_id=?)" in parts
    assert "USING INDEX ix_tasks_object (object_kind=? AND object_id=?)" in tasks
    assert "INDEX ix_segment_members_contact (contact_id=?)" in within


async def test_the_last_purchase_of_a_client_is_looked_up(home: House) -> None:
    late = {"field": "client.last_purchase", "operator": "older_than", "value": "90d"}
    [own] = [one for one in plans(home, page("client", filter=late)) if " clients" in one]
    assert "SEARCH interests USING INDEX ix_interests_bought (client_id=?)" in own


async def test_sums_of_a_board_and_of_the_funnel_need_no_rows(home: House) -> None:
    await home.user.do(CreateObject(kind="interest", values={"title": "Desks"}))
    in_work = ObjectQuery(filter=_is("interest.status", "in_work"))
    [heaps] = [
        one
        for one in plans(home, lambda reader: boards.stage_heaps(reader, in_work))
        if "interests" in one
    ]
    assert "COVERING INDEX ix_interests_heaps (deleted_at=? AND status=?)" in heaps
    query = FunnelQuery(pipeline_id=PipelineId(1), since=Micros(1))
    found = [one for one in plans(home, lambda reader: funnel(reader, query)) if "interests" in one]
    for one in found:
        assert "COVERING INDEX ix_interests_funnel" in one
        assert "(pipeline_id=? AND deleted_at=? AND created_at>? AND created_at<?)" in one
    assert any("COVERING INDEX ix_interest_stays_reached" in one for one in found)


async def test_enquiries_are_read_from_the_end_of_the_open_dialogs(home: House) -> None:
    [own] = plans(home, boards.enquiries)
    assert "USING INDEX ix_dialogs_open_last (is_open=?)" in own
    assert "TEMP B-TREE" not in own


async def test_what_parts_of_a_page_ask_again_is_asked_once_a_read(home: House) -> None:
    def page_of(reader: Reader) -> None:
        for _ in range(3):
            users.all_users(reader), users.all_teams(reader), pipelines.all_pipelines(reader)

    # Colleagues, who is in which team, the teams, and pipelines with stages and reasons.
    assert len(plans(home, page_of)) == 6


async def test_what_a_list_shows_beside_its_rows_is_one_question(home: House) -> None:
    await home.user.do(CreateObject(kind="client", values={"name": "Harbour", "tags": ["port"]}))
    # The rows; their tags, with the fields and levels that the organisation has.
    assert len(plans(home, page("client"))) == 2


async def test_a_card_asks_by_its_own_keys_only(home: House) -> None:
    made = (await home.user.do(CreateObject(kind="client", values={"name": "Harbour"})))[0]
    for kind in ("request", "interest"):
        await home.user.do(CreateObject(kind=kind, values={"title": "x", "client_id": str(made)}))

    def card(reader: Reader) -> None:
        subject = person_timeline.of_client(reader, ClientId(made))
        person_timeline.timeline(reader, subject)
        journey.journey(reader, ClientId(made))

    for one in plans(home, card):
        assert "(deleted_at=?" not in one, one
        assert not any(f"SCAN {name};" in f"{one};" for name in LARGE), one


async def test_a_search_for_people_reads_so_many_entries_at_most(home: House) -> None:
    await home.user.do(CreateObject(kind="client", values={"name": "Anna Petrova"}))
    for one in plans(home, lambda reader: search_people.search_contacts(reader, "Anna Petrova")):
        assert not any(f"SCAN {name};" in f"{one};" for name in LARGE), one


async def test_cards_that_are_alike_are_found_by_their_keys(home: House) -> None:
    with home.runtime.database.administer() as conn:
        conn.execute(insert(clients), [{"id": n, "name": "Anna Petrova"} for n in (1, 2)])
        duplicates.index_cards(conn, "client", (1, 2))
    card = {"name": "Petrova Anna", "phone": "+79123456789"}
    read = frozenset({NOUNS["client"].kind.read})
    limited = Viewer(user_id=UserId(7), permissions=read, scopes=(("contacts", Scope.OWN),))
    # Who sees everything is not asked once more what of it he sees.
    for viewer, asked in ((None, 1), (limited, 2)):
        near, *others = plans(home, lambda reader: duplicates.alike(reader, "client", card), viewer)
        assert near.count("SEARCH duplicate_keys USING PRIMARY KEY (kind=? AND key=?)") == 3
        assert len(others) == asked
        for one in (near, *others):
            assert "SCAN clients" not in one
            assert "SCAN duplicate_keys" not in one


async def test_words_of_a_list_are_looked_up_and_not_looked_through(home: House) -> None:
    with home.runtime.database.administer() as conn:
        rows = [{"id": n, "name": f"n{n}", "name_folded": f"name {n}"} for n in range(1, 300)]
        conn.execute(insert(clients), rows)
        assert object_grams.candidates(conn, NOUNS["client"], ["299"]) == [299]
    [by_words, *_] = [one for one in plans(home, page("client", text="299")) if " clients" in one]
    assert "SEARCH clients USING INTEGER PRIMARY KEY (rowid=?)" in by_words
    assert "SCAN clients" not in by_words
    # Other words are other values of the same question.
    made = objects._listing.cache_info().misses
    plans(home, page("client", text="298"))
    assert objects._listing.cache_info().misses == made


async def test_who_is_in_a_mailing_already_is_looked_up_however_large_it_is(home: House) -> None:
    given = {**numbered("sqlite", PLACE, [(1, 1)]), "b_send": 1}
    asked = already_there("sqlite")
    (plan,) = plans(home, lambda reader: reader.conn.execute(asked, given).all())
    assert "uq_deliveries_person (contact_id=? AND send_id=?)" in plan
    assert "uq_deliveries_address (send_id=? AND address_id=?)" in plan


async def test_a_claim_finds_what_is_due_in_the_queue_itself(home: House) -> None:
    asked = {"account": 1, "now": 1, "limit": 10}
    (plan,) = plans(
        home, lambda reader: reader.conn.execute(_due("sqlite", True, "first"), asked).all()
    )
    assert "ix_deliveries_queue (account_id=? AND lane<?)" in plan
    assert "older USING INDEX ix_deliveries_unfinished (dialog_id=? AND id<?)" in plan


async def test_who_has_written_to_an_account_is_looked_up_by_whose_address_it_is(
    home: House,
) -> None:
    given = {"b_ids": listed("sqlite", [1]), "b_account": 1}
    asked = _most_of("sqlite", "inbound_count")
    (plan,) = plans(home, lambda reader: reader.conn.execute(asked, given).all())
    assert "SEARCH addresses USING INTEGER PRIMARY KEY (rowid=?)" in plan
    assert "SEARCH dialogs USING INDEX ix_dialogs_contact (contact_id=?)" in plan


async def test_a_segment_is_walked_from_where_the_last_batch_ended(home: House) -> None:
    everybody = Segment(id=0, name="", static=False)
    (people, values) = plans(
        home, lambda reader: segments.audience(reader, everybody, channel="email", after=5)
    )
    assert people.count(" contacts") == 1, people
    assert "SEARCH contacts USING INTEGER PRIMARY KEY (rowid>?)" in people
    assert "SEARCH addresses USING INDEX ix_addresses_contact_id (contact_id=?)" in people
    assert "SCAN addresses" not in values


async def test_what_letters_are_filled_with_is_looked_up_by_whom_they_go_to(home: House) -> None:
    found = plans(home, lambda reader: wording.of_people(reader.conn, [1, 2], 0))
    reached = [one for one in found if " addresses " in one]
    assert reached
    for one in reached:
        assert "ix_addresses_contact_id (contact_id=?)" in one, one


async def test_what_went_to_many_is_found_by_its_send_and_by_its_person(home: House) -> None:
    def asked(reader: Reader) -> None:
        many.counts(reader, [1])
        many_results.by_content(reader, [1])
        many.people_of(reader, [1])
        many_results.links_of(reader, [1])
        many_results.costs(reader, [1])
        many_results.tallies(reader, [1])
        person_timeline.mailings_of(reader, person_timeline.Subject(people=(1,)), (1, 1), 10)

    found = [one for one in plans(home, asked) if "deliveries" in one]
    assert len(found) > 6
    for one in found:
        assert "SCAN deliveries" not in one, one


ME = UserId(7)
SIGHTS = {
    "everything": Viewer(user_id=ME),
    "some accounts": Viewer(user_id=ME, hidden_accounts=frozenset({AccountId(3)})),
    "one's own and nobody's": Viewer(
        user_id=ME, selves=frozenset({ME}), scopes=((DIALOGS, Scope.OWN_AND_UNASSIGNED),)
    ),
    "the team's": Viewer(
        user_id=ME,
        selves=frozenset({ME}),
        scopes=((DIALOGS, Scope.TEAM),),
        teams=frozenset({TeamId(5)}),
        mates=frozenset({UserId(8)}),
    ),
}


@pytest.mark.parametrize("sight", SIGHTS)
async def test_numbers_of_views_are_counted_without_reading_a_dialog(
    home: House, sight: str
) -> None:
    (plan,) = plans(home, dialog_counts.counters, SIGHTS[sight])
    indexes = [one for one in plan.split("; ") if " dialogs USING " in one]
    # Dialogs with a mention are named by the mentions, so few of them are read.
    by_id = [one for one in indexes if "INTEGER PRIMARY KEY" in one]
    assert len(by_id) == 1
    assert len(indexes) == 8
    for one in indexes:
        assert one in by_id or "SEARCH dialogs USING COVERING INDEX ix_dialogs_" in one, one
    for name in ("waiting", "snoozed", "failed"):
        assert f"ix_dialogs_{name} " in plan


def test_a_page_of_dialogs_is_cut_before_anything_is_joined_to_it() -> None:
    """PostgreSQL guesses how many a view has; by a bound limit it would guess that too."""
    asked = DialogQuery(view="waiting", limit=50)
    made = dialogs._listing(Viewer.system(), asked, True, "postgresql")
    text = " ".join(str(made.compile(dialect=postgresql.dialect())).split())
    cut, joined = text.split(" LIMIT 51) AS dialogs LEFT OUTER JOIN contacts ")
    assert "JOIN" not in cut
    assert joined.endswith("ORDER BY dialogs.last_at DESC, dialogs.id DESC")


def test_a_board_gives_postgresql_no_values_where_its_plan_hangs_on_them() -> None:
    # A plan for all values reads everybody who is nobody's client: 146 ms for 1.
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    assert not boards.enquiring(Viewer()).compile(dialect=dialect).params


async def test_a_search_reads_the_messages_and_dialogs_that_it_found(home: House) -> None:
    found = plans(home, lambda reader: search.search(reader, "слово"))
    [own] = [one for one in found if " messages" in one]
    assert "SEARCH messages USING INTEGER PRIMARY KEY" in own
    assert "TEMP B-TREE" not in own
    given = {"people": listed("sqlite", [1, 2]), "most": 20}
    theirs = search._theirs(Viewer.system(), "sqlite")
    (plan,) = plans(home, lambda reader: reader.conn.execute(theirs, given).all())
    assert "USING INDEX ix_dialogs_contact (contact_id=?)" in plan


def test_messages_are_looked_through_one_by_one_until_a_page_is_full() -> None:
    """PostgreSQL must not read all that has a word, nor all that may be seen, to sort it then."""
    made = search_messages._through(SIGHTS["the team's"], 1, 4000)
    text = " ".join(str(made.compile(dialect=postgresql.dialect())).split())
    newest, kept = text.split(" LIMIT 4000) AS newest JOIN LATERAL (")
    assert newest.endswith("ORDER BY message_terms.id DESC")
    assert " OFFSET 0) AS own ON true WHERE " in kept
    assert kept.split(" ORDER BY ")[-1].startswith("newest.id DESC LIMIT ")


def test_words_within_one_dialog_may_be_looked_for_from_its_own_messages() -> None:
    """Collected from the index first, the commonest words of a million messages took 125 ms."""
    own = messages.c.dialog_id == 5
    made = search_messages._collected(Viewer.system(), own)
    text = " ".join(str(made.compile(dialect=postgresql.dialect())).split())  # type: ignore[no-untyped-call]
    collected, shown = text.split(") SELECT ")
    assert "messages.dialog_id = " in collected
    assert "message_terms.terms @> " in collected
    assert "LIMIT" not in collected
    assert " ORDER BY found.id DESC LIMIT " in shown


def test_what_is_nobodys_is_not_looked_through_for_a_card() -> None:
    # Its plan is one for all values (`plan_for_all`), and most leads have no client.
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    looking = person_objects._looking(Viewer(), "postgresql", of_client=True)
    text = str(looking.compile(dialect=dialect))
    for column in ("leads.client_id", "leads.contact_id", "deliveries.contact_id"):
        assert text.count(f"{column} =") == text.count(f"{column} > 0") == 1


def test_tags_of_a_page_are_asked_for_object_by_object() -> None:
    """By a list of ids PostgreSQL would read the tags of all objects."""
    text = " ".join(
        str(object_records._tags("postgresql").compile(dialect=postgresql.dialect())).split()
    )
    assert " JOIN LATERAL (SELECT object_tags.object_id " in text
    assert " OFFSET 0) AS own ON true WHERE own.object_id IS NOT NULL" in text
