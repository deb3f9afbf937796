"""Search finds the same on both databases and is never out of step with the data."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text, update

from crm_store import search_people
from crm_store.engine import make_engine
from crm_store.people import contacts_of
from crm_store.rows import numbered
from crm_store.search import (
    index_contacts,
    index_dialogs,
    index_messages,
    is_out_of_date,
    reindex,
    remove_contact,
    remove_messages,
    search,
    search_contacts,
    search_dialogs,
    search_messages,
    snippet,
    start_reindex,
)
from crm_store.search_messages import _own
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.people import addresses, contacts
from crm_store.tables.search import number_of
from crm_store.viewer import Reader, Viewer
from hub.errors import Invalid
from hub.ids import AccountId, ContactId, Micros, UserId
from hub.roles import DIALOGS, Scope
from hub.terms import fold, query_terms, terms, trigrams, words

NOW = Micros(1_700_000_000_000_000)


class Store:
    """A database with people, dialogs and messages, written as the handlers write them."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.reader = Reader(conn=conn, viewer=Viewer.system(), now=NOW)
        self._number = 0

    def new_id(self) -> int:
        self._number += 1
        return self._number

    def contact(self, name: str, *owned: str, last_at: int = 0) -> int:
        contact_id = self.new_id()
        self.conn.execute(
            insert(contacts).values(
                id=contact_id, name=name, name_folded=fold(name), last_at=last_at
            )
        )
        for value in owned:
            kind = "email" if "@" in value else "phone"
            self.conn.execute(
                insert(addresses).values(
                    id=self.new_id(), contact_id=contact_id, kind=kind, value=value, profile={}
                )
            )
        index_contacts(self.conn, [(contact_id, [name, *owned])])
        return contact_id

    def dialog(self, contact_id: int = 0, subject: str = "", account_id: int = 1) -> int:
        dialog_id = self.new_id()
        self.conn.execute(
            insert(dialogs).values(
                id=dialog_id,
                account_id=account_id,
                contact_id=contact_id,
                slot=f"d{dialog_id}",
                subject=subject,
                subject_folded=fold(subject),
                last_at=dialog_id,
            )
        )
        index_dialogs(self.conn, [(dialog_id, subject)])
        return dialog_id

    def message(self, written: str, dialog_id: int, subject: str = "", account_id: int = 1) -> int:
        message_id = self.new_id()
        row = {
            "id": message_id,
            "dialog_id": dialog_id,
            "account_id": account_id,
            "text": written,
            "subject": subject,
            "at": message_id,
            "people": {},
            "cause": {},
            "extra": {},
        }
        self.conn.execute(insert(messages).values(row))
        index_messages(self.conn, [(message_id, f"{subject}\n{written}")])
        return message_id

    def found(self, asked: str, limit: int = 20) -> list[int]:
        return [one.message_id for one in search_messages(self.reader, asked, limit)[0]]

    def people(self, asked: str) -> list[str]:
        return [one.name for one in search_contacts(self.reader, asked)]


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    engine = make_engine(database_url, writer=True)
    with engine.connect() as conn, conn.begin() as transaction:
        yield Store(conn)
        transaction.rollback()
    engine.dispose()


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Подскажите цены на доставку", "цена доставки"),
        ("Пришлите счёт на оплату", "СЧЕТ оплата"),
        ("Когда отправят мои заказы?", "заказ отправить"),
        ("Could you tell me the prices?", "price"),
        ("My deliveries were late", "delivery"),
        ("Заказ №48213 invoices", "48213 invoice"),
        ("высо\u00adкие це\u0301ны", "высокая цена"),
    ],
)
def test_a_message_is_found_by_other_forms_of_its_words(
    store: Store, written: str, asked: str
) -> None:
    dialog_id = store.dialog()
    expected = store.message(written, dialog_id)
    store.message("совсем другое, something else", dialog_id)
    assert store.found(asked) == [expected]


def test_all_words_asked_for_must_be_there(store: Store) -> None:
    dialog_id = store.dialog()
    store.message("красный диван", dialog_id)
    both = store.message("красный диван и синий стул", dialog_id)
    assert store.found("диван стулья") == [both]
    assert store.found("диван кресло") == []


def test_a_subject_is_searched_with_the_text(store: Store) -> None:
    message_id = store.message("добрый день", store.dialog(), subject="Рекламация по договору")
    assert store.found("договор день") == [message_id]


def test_nothing_worth_asking_finds_nothing(store: Store) -> None:
    store.message("и в на the of", store.dialog())
    for asked in ("", "  ", "и", "the", "!?", "\x00", '"', "' OR 1=1 --", "*", "NEAR(", "^"):
        assert store.found(asked) == []


def test_what_looks_like_the_language_of_the_index_is_plain_text(store: Store) -> None:
    message_id = store.message("not near AND or terms:foo", store.dialog())
    assert store.found('NOT "near" AND terms:foo*') == [message_id]


def test_the_newest_come_first_and_pages_follow_without_gap(store: Store) -> None:
    dialog_id = store.dialog()
    ids = [store.message(f"письмо номер {n}", dialog_id) for n in range(25)]
    seen: list[int] = []
    before = ""
    for _ in range(3):
        hits, before = search_messages(store.reader, "письма", 10, before)
        seen += [one.message_id for one in hits]
    assert seen == ids[::-1]
    assert before == ""


def test_an_old_and_rare_word_is_found_behind_thousands_of_newer_messages(store: Store) -> None:
    dialog_id = store.dialog()
    rare = store.message("единственный утконос", dialog_id)
    rows = [(100_000 + n, f"обычное письмо {n}") for n in range(5000)]
    row = {"dialog_id": dialog_id, "account_id": 1, "people": {}, "cause": {}, "extra": {}}
    store.conn.execute(
        insert(messages), [{**row, "id": one, "text": written} for one, written in rows]
    )
    index_messages(store.conn, rows)
    assert store.found("утконосы") == [rare]
    assert store.found("обычное письмо", limit=5) == [104_999, 104_998, 104_997, 104_996, 104_995]
    hits, following = search_messages(store.reader, "письмо", 5, "100003")
    assert [one.message_id for one in hits] == [100_002, 100_001, 100_000]
    assert following == ""


def many_messages(store: Store, count: int) -> dict[str, list[int]]:
    """Write messages of which every second, ninth and sixtieth has a word; gives them, newest first.

    Every fifth is of an account that some do not see.
    """
    shares = {"часто": 2, "иногда": 9, "редко": 60, "давно": 1}
    rows, found = [], {word: [0] for word in shares}
    seen, hidden = store.dialog(account_id=1), store.dialog(account_id=2)
    for n in range(count):
        said = [one for one, share in shares.items() if n % share == 0 and (share > 1 or n < 40)]
        place = (hidden, 2) if n % 5 == 0 else (seen, 1)
        rows.append((store.new_id(), " ".join([*said, "слово"]), *place))
        for one in said:
            found[one].insert(0, rows[-1][0])
    row = {"people": {}, "cause": {}, "extra": {}}
    store.conn.execute(
        insert(messages),
        [
            {**row, "id": one, "text": written, "dialog_id": dialog, "account_id": account}
            for one, written, dialog, account in rows
        ],
    )
    index_messages(store.conn, [row[:2] for row in rows])
    if store.conn.dialect.name == "postgresql":
        store.conn.exec_driver_sql("ANALYZE message_terms")
    return {word: ids[:-1] for word, ids in found.items()}


@pytest.mark.parametrize("newest", [1, 7, 40, 4_000])
def test_however_far_is_looked_through_every_page_is_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch, newest: int
) -> None:
    found = many_messages(store, 400)
    monkeypatch.setattr("crm_store.search_messages.NEWEST", newest)
    kept = set(
        store.conn.execute(select(messages.c.id).where(messages.c.account_id == 1)).scalars()
    )
    some = Reader(
        conn=store.conn, viewer=Viewer(hidden_accounts=frozenset({AccountId(2)})), now=NOW
    )
    own = Reader(conn=store.conn, viewer=seeing_own(store), now=NOW)
    monkeypatch.setattr("crm_store.search_messages.MANY", 1)
    questions = {**found, "часто иногда": [one for one in found["часто"] if one in found["иногда"]]}
    for asked, expected in questions.items():
        for reader in (store.reader, some, own):
            for clause in (None, messages.c.account_id == 1):
                ids: list[int] = []
                before = "start"
                while before:
                    key = "" if before == "start" else before
                    hits, before = search_messages(reader, asked, 12, key, clause)
                    ids += [one.message_id for one in hits]
                everything = reader is store.reader and clause is None
                assert ids == [one for one in expected if everything or one in kept], asked


def seeing_own(store: Store) -> Viewer:
    """Give somebody who sees his own dialogs alone: those of the first account."""
    of_one = dialogs.c.account_id == 1
    store.conn.execute(update(dialogs).where(of_one).values(assignee_id=7, message_count=300))
    me = UserId(7)
    return Viewer(user_id=me, selves=frozenset({me}), scopes=((DIALOGS, Scope.OWN),))


def test_frequent_words_are_looked_for_in_the_few_dialogs_that_somebody_sees(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.conn.dialect.name == "sqlite":
        pytest.skip("SQLite's index gives the newest first")
    many_messages(store, 600)
    monkeypatch.setattr("crm_store.search_messages.NEWEST", 600)
    [number] = map(number_of, query_terms("часто"))
    me = Reader(conn=store.conn, viewer=seeing_own(store), now=NOW)
    assert not _own(store.reader, [number])
    assert not _own(me, [number])
    monkeypatch.setattr("crm_store.search_messages.MANY", 100)
    assert not _own(me, [number])
    monkeypatch.setattr("crm_store.search_messages.PER_OWN", 1)
    assert _own(me, [number])
    assert not _own(me, [number_of("ничего")])
    monkeypatch.setattr("crm_store.search_messages.FEW_DIALOGS", 0)
    assert not _own(me, [number])


def test_a_page_that_is_met_a_little_further_on_does_without_the_index(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.conn.dialect.name == "sqlite":
        pytest.skip("SQLite's index gives the newest first")
    found = many_messages(store, 400)
    monkeypatch.setattr("crm_store.search_messages.NEWEST", 40)
    monkeypatch.setattr("crm_store.search_messages._collected", None)
    assert store.found("иногда", 10) == found["иногда"][:10]


def test_the_few_that_a_viewer_may_see_are_found_among_the_many_hidden(store: Store) -> None:
    mine, theirs = store.dialog(account_id=1), store.dialog(account_id=2)
    wanted = [store.message(f"письмо {n}", mine) for n in range(3)]
    rows = [(100_000 + n, "письмо") for n in range(5000)]
    row = {"dialog_id": theirs, "account_id": 2, "people": {}, "cause": {}, "extra": {}}
    store.conn.execute(
        insert(messages), [{**row, "id": one, "text": written} for one, written in rows]
    )
    index_messages(store.conn, rows)
    viewer = Viewer(hidden_accounts=frozenset({AccountId(2)}))
    reader = Reader(conn=store.conn, viewer=viewer, now=NOW)
    hits, following = search_messages(reader, "письма", 2)
    assert [one.message_id for one in hits] == wanted[:0:-1]
    hits, following = search_messages(reader, "письма", 2, following)
    assert [one.message_id for one in hits] == wanted[:1]
    assert following == ""


def test_a_page_key_that_is_none_is_refused(store: Store) -> None:
    store.message("цена", store.dialog())
    with pytest.raises(Invalid):
        search_messages(store.reader, "цена", 10, "yesterday")


def test_an_edited_message_is_found_by_its_new_words_only(store: Store) -> None:
    message_id = store.message("синий диван", store.dialog())
    store.conn.execute(update(messages).values(text="красное кресло"))
    index_messages(store.conn, [(message_id, "красное кресло")])
    assert store.found("кресла") == [message_id]
    assert entries(store, "диван") == 0
    index_messages(store.conn, [(message_id, "!!!")])
    assert entries(store, "кресло") == 0


def entries(store: Store, asked: str) -> int:
    """Count index entries, without the comparison with the text that follows in a search."""
    [term] = query_terms(asked)
    if store.conn.dialect.name == "sqlite":
        statement = "SELECT count(*) FROM message_terms WHERE message_terms MATCH :term"
        given: object = f'"{number_of(term) & 0xFFFFFFFF:x}"'
    else:
        statement = "SELECT count(*) FROM message_terms WHERE terms @> ARRAY[CAST(:term AS int)]"
        given = number_of(term)
    return int(store.conn.execute(text(statement), {"term": given}).scalar_one())


def test_a_removed_message_is_gone_from_the_index(store: Store) -> None:
    message_id = store.message("синий диван", store.dialog())
    assert entries(store, "диван") == 1
    remove_messages(store.conn, [message_id])
    assert entries(store, "диван") == 0
    assert store.found("диван") == []


def test_one_batch_may_name_a_message_twice_and_the_last_word_counts(store: Store) -> None:
    message_id = store.message("цена", store.dialog())
    index_messages(store.conn, [(message_id, "старое"), (message_id, "цена")])
    assert store.found("цены") == [message_id]
    assert entries(store, "старое") == 0


def test_a_hostile_text_is_indexed_and_bounded(store: Store) -> None:
    dialog_id = store.dialog()
    for written in ("\ufdfa" * 50_000, "слово" * 50_000, " ".join(map(str, range(100_000)))):
        store.message(written, dialog_id)
    assert len(store.found("77")) == 1


def test_two_words_that_share_a_number_are_told_apart(store: Store) -> None:
    pair = ("gmbypnx7", "dcuifxg7")
    assert number_of(pair[0]) == number_of(pair[1])
    assert terms(" ".join(pair)) == list(pair)
    dialog_id = store.dialog()
    first = store.message(pair[0], dialog_id)
    second = store.message(pair[1], dialog_id)
    assert entries(store, pair[0]) == 2
    assert store.found(pair[0]) == [first]
    assert store.found(pair[1]) == [second]


def test_messages_of_a_hidden_account_are_not_found(store: Store) -> None:
    open_one = store.message("цена", store.dialog(), account_id=1)
    store.message("цена", store.dialog(account_id=2), account_id=2)
    viewer = Viewer(hidden_accounts=frozenset({AccountId(2)}))
    reader = Reader(conn=store.conn, viewer=viewer, now=NOW)
    assert [one.message_id for one in search_messages(reader, "цена")[0]] == [open_one]
    secret = store.contact("Пётр Тайный")
    store.dialog(secret, subject="Смета", account_id=2)
    assert search_dialogs(reader, "смета") == ()
    assert search_dialogs(reader, "тайный") == ()
    assert len(search_dialogs(store.reader, "смета")) == 1


def test_a_search_within_one_dialog(store: Store) -> None:
    one, other = store.dialog(), store.dialog()
    wanted = store.message("цена", one)
    store.message("цена", other)
    hits, _ = search_messages(store.reader, "цены", clause=messages.c.dialog_id == one)
    assert [hit.message_id for hit in hits] == [wanted]


def test_the_snippet_shows_the_found_word_in_its_line() -> None:
    long = "вступление " * 60 + "а цены у вас какие " + "конец " * 60
    shown = snippet(long, query_terms("цена"))
    assert "цены у вас" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) < 200
    assert snippet("нет такого", query_terms("цена")) == ""


def test_a_dialog_is_found_by_subject_and_by_person(store: Store) -> None:
    person = store.contact("Анна Кузнецова", "anna@example.com")
    hers = store.dialog(person, subject="Ремонт крыши")
    store.dialog(store.contact("Борис"), subject="Прочее")
    for asked in ("крыша", "Кузнецова", "кузнецва анна", "anna@example.com"):
        assert [one.id for one in search_dialogs(store.reader, asked)] == [hers], asked
    index_dialogs(store.conn, [(hers, "Покраска забора")])
    assert search_dialogs(store.reader, "крыша") == ()
    assert [one.id for one in search_dialogs(store.reader, "заборы")] == [hers]


@pytest.mark.parametrize(
    "asked",
    ["Александр", "алексадр", "Алексондр", "иванов александр", "Ивaнов Алекс", "Ёванов Александр"],
)
def test_a_name_is_found_in_spite_of_a_mistake(store: Store, asked: str) -> None:
    store.contact("Александр Иванов")
    store.contact("Мария Петренко")
    store.contact("Сергей Ивашкевич")
    assert store.people(asked.replace("Ё", "И").replace("a", "а")) == ["Александр Иванов"]


def test_parts_that_too_many_have_are_counted_no_further(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_contacts(store.conn, [(n, [f"Anna{n}"]) for n in (1, 2, 3)])
    grams = [number_of(one) for one in ("  a", "na1", "zzz")]
    dialect = store.conn.dialect.name
    asked = numbered(dialect, ("gram",), [(one,) for one in grams])
    for most in (1, 2, 3, 6000):
        monkeypatch.setattr(search_people, "GRAM_ROWS", most)
        rows = store.conn.execute(search_people._sizes.__wrapped__(dialect), asked).all()
        sizes = {int(row.gram): row.size for row in rows}
        assert sizes == dict(zip(grams, (min(most, 3), 1, 0), strict=True))


@given(st.text("абв12 ", max_size=30), st.text("абв12", min_size=1, max_size=12))
def test_shared_parts_are_those_of_both_words(text: str, word: str) -> None:
    """Counted in the text itself: making the parts of each name found took most of a search."""
    parts = trigrams(word)
    known = [set(trigrams(one)) for one in words(text)]
    padded = [f"  {one} " for one in words(text)]
    for its, one in zip(known, padded, strict=True):
        assert search_people._share(parts, one) == len(its & set(parts)) / len(parts)
    every = set().union(*known)
    assert search_people._share(parts, "".join(padded)) == len(every & set(parts)) / len(parts)


def test_the_best_match_comes_first(store: Store) -> None:
    store.contact("Иванова Анна")
    store.contact("Иванов Антон")
    store.contact("Анна")
    assert store.people("Анна")[0] == "Анна"
    assert store.people("Иванова Анна")[0] == "Иванова Анна"


@pytest.mark.parametrize(
    "asked",
    ["8 912 345-67-89", "+7 (912) 345 67 89", "9123456789", "345-67-89", "8912345", "6789"],
)
def test_a_phone_is_found_in_any_spelling_and_by_any_part(store: Store, asked: str) -> None:
    store.contact("Ольга", "+79123456789")
    store.contact("Пётр", "+79998887766")
    assert store.people(asked) == ["Ольга"]


def test_parts_of_a_number_in_the_wrong_order_are_not_that_number(store: Store) -> None:
    store.contact("Ольга", "+79123456789")
    assert store.people("67891234") == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("ivan.petrov@example.com", ["Иван"]),
        ("IVAN.PETROV@EXAMPLE.COM", ["Иван"]),
        ("petrov", ["Иван"]),
        ("petrof", ["Иван"]),
        ("@example.com", ["Мария", "Иван"]),
        ("petrov@mail.example.com", []),
    ],
)
def test_an_address_is_found_by_its_parts(store: Store, asked: str, expected: list[str]) -> None:
    store.contact("Иван", "ivan.petrov@example.com")
    store.contact("Мария", "maria@mail.example.com")
    store.contact("Кто-то", "someone@example.org")
    assert store.people(asked) == expected


def test_a_renamed_and_a_removed_contact_leave_no_entry(store: Store) -> None:
    contact_id = store.contact("Зинаида")
    index_contacts(store.conn, [(contact_id, ["Клавдия"])])
    store.conn.execute(update(contacts).values(name="Клавдия"))
    assert store.people("Зинаида") == []
    assert store.people("Клавдия") == ["Клавдия"]
    remove_contact(store.conn, contact_id)
    left = store.conn.execute(text("SELECT count(*) FROM contact_grams")).scalar_one()
    assert left == 0


def test_hostile_questions_to_the_contact_search_end(store: Store) -> None:
    store.contact("Иван")
    for asked in ("\x00", "@", "@@@", "+", "7" * 500, "ы" * 5000, "%", "_", "'", "a@b@c.d"):
        assert store.people(asked) == []


def test_one_question_gives_messages_dialogs_and_people(store: Store) -> None:
    person = store.contact("Договоров Олег")
    dialog_id = store.dialog(person, subject="Договор поставки")
    message_id = store.message("высылаю договор", dialog_id)
    found = search(store.reader, "договор")
    assert [one.message_id for one in found.messages] == [message_id]
    assert [one.id for one in found.dialogs] == [dialog_id]
    assert contacts_of(store.reader, [ContactId(person)]) == list(found.contacts)


def test_reindexing_mends_the_index_step_by_step_and_goes_on_after_a_break(store: Store) -> None:
    person = store.contact("Анна", "anna@example.com")
    dialog_id = store.dialog(person, subject="Крыша")
    ids = [store.message(f"письмо {n}", dialog_id) for n in range(7)]
    spoil(store, ids)
    assert not is_out_of_date(store.conn)
    start_reindex(store.conn)
    assert is_out_of_date(store.conn)
    first = reindex(store.conn, 3)
    assert (first.done, first.total, first.finished) == (3, 9, False)
    assert len(store.found("письма")) == 3
    rounds = until_finished(store)
    assert rounds > 3
    assert store.found("письма") == ids[::-1]
    assert entries(store, "призрак") == 0
    assert store.people("anna@example.com") == ["Анна"]
    assert [one.id for one in search_dialogs(store.reader, "крыши")] == [dialog_id]
    assert not is_out_of_date(store.conn)
    assert reindex(store.conn).finished


def spoil(store: Store, ids: Sequence[int]) -> None:
    """Lose the entries of all messages, and keep some of a message that never was."""
    remove_messages(store.conn, ids)
    index_messages(store.conn, [(1, "призрак"), (10**12, "призрак")])
    store.conn.execute(text("DELETE FROM contact_grams"))
    store.conn.execute(text("DELETE FROM dialog_terms"))


def until_finished(store: Store) -> int:
    for rounds in range(1, 100):
        if reindex(store.conn, 3).finished:
            return rounds
    raise AssertionError("reindexing does not end")


def test_reindexing_leaves_deleted_messages_out(store: Store) -> None:
    message_id = store.message("секрет", store.dialog())
    store.conn.execute(update(messages).where(messages.c.id == message_id).values(deleted_at=1))
    start_reindex(store.conn)
    until_finished(store)
    assert entries(store, "секрет") == 0


def test_an_index_of_another_version_is_noticed(store: Store) -> None:
    store.conn.execute(text("UPDATE meta SET value = '0' WHERE key = 'search.terms_version'"))
    assert is_out_of_date(store.conn)
    until_finished(store)
    assert not is_out_of_date(store.conn)


def test_the_index_never_spells_out_what_was_written(store: Store) -> None:
    store.message("утконос platypus", store.dialog())
    kept = store.conn.execute(text("SELECT * FROM message_terms")).all()
    assert len(kept) == 1
    assert "утконос" not in str(kept)
    assert "platypus" not in str(kept)


def test_what_is_rolled_back_is_not_found(store: Store) -> None:
    dialog_id = store.dialog()
    savepoint = store.conn.begin_nested()
    store.message("утконос", dialog_id)
    savepoint.rollback()
    assert entries(store, "утконос") == 0
    assert store.conn.execute(delete(dialogs).where(dialogs.c.id == dialog_id)).rowcount == 1
