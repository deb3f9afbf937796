"""What is written many rows at once is what SQLAlchemy would have written one by one."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, insert, select

from crm_store.engine import make_engine
from crm_store.rows import (
    among,
    insert_missing,
    insert_returning,
    insert_rows,
    listed,
    read_json,
    update_rows,
)
from crm_store.tables.dialogs import bodies, dialogs, messages, participants
from crm_store.tables.people import addresses

BIG = (1 << 62) + 1


@pytest.fixture
def conn(database_url: str) -> Iterator[Connection]:
    """A connection whose changes nobody sees."""
    engine = make_engine(database_url, writer=True)
    with engine.connect() as one, one.begin() as transaction:
        yield one
        transaction.rollback()
    engine.dispose()


def message(number: int, text: str = "") -> dict[str, object]:
    """Give a row with every kind of value."""
    return {
        "id": number, "dialog_id": BIG, "text": text, "late": True, "has_html": False,
        "people": {"from": ["a\"'\\", "Ё\n"], "none": None, "deep": {"n": [1, 2.5, True]}},
        "extra": {}, "cause": None,
    }  # fmt: skip


def test_rows_are_the_same_as_one_by_one(conn: Connection) -> None:
    """Large numbers, quotes, line breaks, emoji, truths and JSON survive the journey."""
    text = 'it\'s "quoted" \\ and\nbroken \u2028 Ёлка 🎄'
    insert_rows(conn, messages, [message(BIG, text), message(BIG + 1)])
    conn.execute(insert(messages), [message(BIG + 2, text), message(BIG + 3)])
    rows = conn.execute(select(messages).order_by(messages.c.id)).mappings().all()
    plain = [{**row, "id": 0} for row in rows]
    assert plain[:2] == plain[2:]
    assert [row["id"] for row in rows] == [BIG + n for n in range(4)]
    assert rows[0]["text"] == text


def test_bytes_survive(conn: Connection) -> None:
    """What no text can hold comes back as it was."""
    raw = bytes(range(256))
    row = {"message_id": 7, "headers": {"to": "x"}, "raw": raw, "html": "<p>"}
    insert_rows(conn, bodies, [row, {**row, "message_id": 8, "raw": b""}])
    found = conn.execute(select(bodies).order_by(bodies.c.message_id)).all()
    assert [bytes(one.raw) for one in found] == [raw, b""]
    assert found[0].headers == {"to": "x"}


def test_what_is_there_stays(conn: Connection) -> None:
    """A row whose key is taken is passed over, also within one statement."""
    row = {"dialog_id": 1, "kind": "email", "value": "a@b.example"}
    insert_missing(conn, participants, [row, row])
    insert_missing(conn, participants, [row, {**row, "dialog_id": 2}])
    assert len(conn.execute(select(participants)).all()) == 2


def test_a_conflict_gives_back_what_is_there(conn: Connection) -> None:
    """An upsert says which row counts, its JSON included."""
    row = {
        "id": 1, "contact_id": 5, "kind": "email", "value": "a@b.example", "name": "A",
        "profile": {"city": "Казань"}, "created_at": 3,
    }  # fmt: skip
    tail = (
        "ON CONFLICT (kind, value) DO UPDATE SET name = excluded.name RETURNING id, name, profile"
    )
    insert_returning(conn, addresses, [row], tail)
    [found] = insert_returning(
        conn, addresses, [{**row, "id": 2, "name": "B", "profile": {}}], tail
    )
    assert (found.id, found.name, read_json(found.profile)) == (1, "B", {"city": "Казань"})


def test_updates_write_and_add(conn: Connection) -> None:
    """Each row gets its own values; counters are moved, not written."""
    insert_rows(
        conn,
        dialogs,
        [{"id": n, "slot": f"s{n}", "message_count": 10 * n, "preview": "old"} for n in (1, 2, 3)],
    )
    update_rows(
        conn,
        dialogs,
        [{"id": n, "preview": f"new {n}", "is_open": n == 1, "message_count": n} for n in (1, 2)],
        added=("message_count",),
    )
    rows = conn.execute(select(dialogs).order_by(dialogs.c.id)).all()
    assert [(one.preview, one.is_open, one.message_count) for one in rows] == [
        ("new 1", True, 11), ("new 2", False, 22), ("old", True, 30),
    ]  # fmt: skip


def test_lists_of_numbers_and_words(conn: Connection) -> None:
    """A list is found whatever is in it; an empty one finds nothing."""
    dialect = conn.dialect.name
    insert_rows(conn, dialogs, [{"id": n, "slot": f"'{n}\""} for n in (BIG, 2, 3)])
    by_id = select(dialogs.c.id).where(among(dialect, dialogs.c.id, "ids")).order_by(dialogs.c.id)
    by_slot = select(dialogs.c.id).where(among(dialect, dialogs.c.slot, "slots"))
    assert conn.execute(by_id, {"ids": listed(dialect, {BIG, 3, 9})}).scalars().all() == [3, BIG]
    assert conn.execute(by_id, {"ids": listed(dialect, ())}).scalars().all() == []
    assert conn.execute(by_slot, {"slots": listed(dialect, ["'2\""])}).scalars().all() == [2]
    words = ["", "null", "{a,b}", "a\\", 'a\\"b"', "a\nb", " й "]
    insert_rows(conn, dialogs, [{"id": 10 + n, "slot": one} for n, one in enumerate(words)])
    for n, one in enumerate(words):
        given = {"slots": listed(dialect, ["9", one])}
        assert conn.execute(by_slot, given).scalars().all() == [10 + n]
