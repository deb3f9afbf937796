"""Topics: what a person may subscribe to, in the words that people read, and who still has to
press the button of a letter."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from crm_store.mailboxes import need_mailbox
from crm_store.objects import visible_people
from crm_store.rendering import check
from crm_store.sql import locked
from crm_store.tables.consents import confirmations, topics
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import RemoveTopic, SaveTopic
from hub.errors import Conflict, Invalid, NotFound
from hub.events import TopicChanged
from hub.ids import AccountId, AddressId, ContactId, Micros
from hub.placeholders import VARIABLES
from hub.records.topics import Confirmation, Topic

MOST_HOURS, MOST_LETTERS = 24 * 60, 10
TEXTS = (
    "label_en", "label_ru", "about_en", "about_ru", "subject_en", "subject_ru", "text_en", "text_ru",
)  # fmt: skip
WORDS = {
    "en": (
        "Please confirm: [topic]",
        (
            "Hello!\n\nSomebody, most likely you, asked us to write to this address about “[topic]”.\n\n"
            "Please confirm it here:\n{{ confirm_url }}\n\n"
            "The page counts for [hours] hours. If it was not you, do nothing: without the button "
            "there will be no letters.\n\n[house]"
        ),
    ),
    "ru": (
        "Подтвердите подписку: [topic]",
        (
            "Здравствуйте!\n\nКто-то, скорее всего вы, попросил присылать на этот адрес письма на тему "
            "«[topic]».\n\nПодтвердите, пожалуйста, подписку:\n{{ confirm_url }}\n\n"
            "Страница действует [hours] ч. Если это были не вы, ничего делать не нужно: без "
            "подтверждения писем не будет.\n\n[house]"
        ),
    ),
}
"""The built-in letter: subject and text by language. `[topic]`, `[house]` and `[hours]` are known
when the letter is planned, the address of the page for each person."""


def of_name(conn: Connection, name: str) -> Topic | None:
    """Give the topic of a name."""
    row = conn.execute(select(topics).where(topics.c.name == name.strip())).first()
    return _record(row) if row is not None else None


def listed(conn: Connection) -> list[Topic]:
    """Give every topic by name."""
    return [_record(row) for row in conn.execute(select(topics).order_by(topics.c.name))]


def all_topics(reader: Reader) -> list[Topic]:
    """Give every topic by name, to who may see people."""
    reader.viewer.need("contacts.view")
    return listed(reader.conn)


def one_topic(reader: Reader, topic_id: int) -> Topic:
    """Give one topic; raises NotFound."""
    reader.viewer.need("contacts.view")
    row = reader.conn.execute(select(topics).where(topics.c.id == topic_id)).first()
    if row is None:
        raise NotFound("there is no such topic")
    return _record(row)


def asked(
    reader: Reader, *, topic: str = "", state: str = "", before: int = 0, limit: int = 50
) -> list[Confirmation]:
    """Give who was asked to confirm, the newest first; `state` is waiting, confirmed or expired."""
    reader.viewer.need("contacts.view")
    statement = (
        select(confirmations, addresses.c.value)
        .join(addresses, addresses.c.id == confirmations.c.address_id)
        .order_by(confirmations.c.id.desc())
        .limit(limit)
    )
    if reader.viewer.is_limited:
        person = contacts.c.id == confirmations.c.contact_id
        statement = statement.join(contacts, person).where(visible_people(reader.viewer))
    if topic:
        statement = statement.where(confirmations.c.topic == topic)
    if state == "confirmed":
        statement = statement.where(confirmations.c.state == "confirmed")
    elif state == "waiting":
        statement = statement.where(
            confirmations.c.state == "waiting", confirmations.c.expires_at > reader.now
        )
    elif state == "expired":
        statement = statement.where(
            confirmations.c.state == "waiting", confirmations.c.expires_at <= reader.now
        )
    if before:
        statement = statement.where(confirmations.c.id < before)
    return [_asked(row, reader.now) for row in reader.conn.execute(statement)]


def question(conn: Connection, address_id: int, topic: str, now: int) -> Confirmation | None:
    """Give the question of an address about a topic, for the page of its letter."""
    row = conn.execute(
        select(confirmations, addresses.c.value)
        .join(addresses, addresses.c.id == confirmations.c.address_id)
        .where(confirmations.c.address_id == address_id, confirmations.c.topic == topic)
    ).first()
    return _asked(row, now) if row is not None else None


def _asked(row: Row[Any], now: int) -> Confirmation:
    late = row.state == "waiting" and row.expires_at <= now
    return Confirmation(
        id=row.id,
        contact_id=ContactId(row.contact_id),
        address_id=AddressId(row.address_id),
        address=row.value,
        topic=row.topic,
        state="expired" if late else row.state,
        language=row.language,
        how=row.how,
        asked_at=Micros(row.asked_at),
        expires_at=Micros(row.expires_at),
        letters=row.letters,
        letter_at=Micros(row.letter_at),
    )


def _record(row: Row[Any]) -> Topic:
    return Topic(
        id=row.id,
        name=row.name,
        confirm=row.confirm,
        public=row.public,
        account_id=AccountId(row.account_id),
        valid_hours=row.valid_hours,
        most_letters=row.most_letters,
        version=row.version,
        **{name: getattr(row, name) for name in TEXTS},
    )


# -- commands --------------------------------------------------------------------------------------


def save_topic(uow: UnitOfWork, command: SaveTopic) -> int:
    """Write a topic; a letter that cannot lead to its button is refused."""
    name = " ".join(command.name.split())[:100]
    if not name:
        raise Invalid("give the topic a name", field="name")
    _check_letter(command)
    if command.account_id:
        need_mailbox(uow, command.account_id)
    values: dict[str, Any] = {
        "name": name,
        "confirm": command.confirm,
        "public": command.public,
        "account_id": command.account_id,
        "valid_hours": _within(command.valid_hours, MOST_HOURS, "valid_hours"),
        "most_letters": _within(command.most_letters, MOST_LETTERS, "most_letters"),
    }
    for one in TEXTS:
        text = str(getattr(command, one)).strip()
        values[one] = text[:20_000] if one.startswith("text") else " ".join(text.split())[:400]
    twin = uow.conn.execute(
        select(topics.c.id).where(topics.c.name == name, topics.c.id != command.topic_id)
    ).scalar()
    if twin:
        raise Conflict("there is a topic of this name", what="name")
    topic_id = command.topic_id
    if topic_id:
        row = _locked(uow, topic_id)
        if command.version is not None and command.version != row.version:
            raise Conflict("somebody changed this topic meanwhile", what="version")
        if row.name != name:
            raise Invalid("mailings and consents know this name: it stays", field="name")
        uow.conn.execute(
            update(topics).where(topics.c.id == topic_id).values(version=row.version + 1, **values)
        )
    else:
        topic_id = uow.new_id()
        uow.conn.execute(insert(topics).values(id=topic_id, **values))
    uow.record(TopicChanged(topic_id=topic_id, what="changed" if command.topic_id else "created"))
    return topic_id


def remove_topic(uow: UnitOfWork, command: RemoveTopic) -> None:
    """Take a topic out of the list; consents and refusals keep its name."""
    _locked(uow, command.topic_id)
    uow.conn.execute(delete(topics).where(topics.c.id == command.topic_id))
    uow.record(TopicChanged(topic_id=command.topic_id, what="removed"))


def _locked(uow: UnitOfWork, topic_id: int) -> Row[Any]:
    row = uow.conn.execute(
        locked(uow.dialect, select(topics).where(topics.c.id == topic_id))
    ).first()
    if row is None:
        raise NotFound("there is no such topic")
    return row


def _within(number: int, most: int, field: str) -> int:
    if not 1 <= number <= most:
        raise Invalid(f"between 1 and {most}", field=field)
    return number


def _check_letter(command: SaveTopic) -> None:
    known = dict.fromkeys({*VARIABLES, "confirm_url"})
    for field in ("subject_en", "subject_ru", "text_en", "text_ru"):
        words = str(getattr(command, field))
        problems = check(words, known)
        if problems:
            raise Invalid(f"line {problems[0].line}: {problems[0].text}", field=field)
        if field.startswith("text") and words.strip() and "confirm_url" not in words:
            raise Invalid("the letter needs its {{ confirm_url }}", field=field)
