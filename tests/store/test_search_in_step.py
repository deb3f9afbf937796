"""Whatever changes a text changes the search with it: through the handlers themselves."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from crm_store.accounts import create_account
from crm_store.addresses import add_address, remove_address
from crm_store.engine import make_engine
from crm_store.erasure import erase_contact
from crm_store.people import create_contact, update_contact
from crm_store.search import search, search_contacts, search_dialogs, search_messages
from crm_store.tables.dialogs import messages
from crm_store.tables.people import addresses
from crm_store.unit_of_work import Transaction, UnitOfWork
from crm_store.viewer import Reader, Viewer
from dialogs.changes import record_arrival
from dialogs.intake import receive
from dialogs.notes import add_note
from dialogs.surgery import delete_message, split_dialog, start_dialog
from dialogs.workflow import set_subject
from hub.capabilities import Capabilities
from hub.commands import (
    AddAddress,
    AddNote,
    CreateAccount,
    CreateContact,
    DeleteMessage,
    EraseContact,
    Receive,
    RecordArrival,
    RemoveAddress,
    SetSubject,
    SplitDialog,
    StartDialog,
    UpdateContact,
)
from hub.ids import AccountId, AddressId, ContactId, IdMaker, Micros
from hub.messages import Address, InboundMessage, MessageEdited
from hub.records.dialogs import Received

NOW = Micros(1_800_000_000_000_000)
MAIL = Capabilities(address_kind="email", subject=True, threads=True, initiates=True)


class House:
    """A unit of work with one mail account, and the reader that sees what it wrote."""

    def __init__(self, uow: UnitOfWork) -> None:
        self.uow = uow
        self.reader = Reader(conn=uow.conn, viewer=Viewer.system(), now=NOW)
        self.account_id: AccountId = create_account(
            uow, CreateAccount(channel="email", title="Почта", settings={})
        )

    def receive(
        self, written: str, subject: str = "", sender: str = "anna@example.com"
    ) -> Received:
        number = self.uow.new_id()
        message = InboundMessage(
            dedupe_key=f"k{number}",
            external_id=f"<{number}@example.com>",
            sender=Address(kind="email", value=sender, name="Анна Кузнецова"),
            text=written,
            subject=subject,
        )
        return receive(self.uow, Receive(account_id=self.account_id, message=message))

    def messages(self, asked: str) -> list[int]:
        return [one.message_id for one in search_messages(self.reader, asked)[0]]

    def dialogs(self, asked: str) -> list[int]:
        return [one.id for one in search_dialogs(self.reader, asked)]

    def people(self, asked: str) -> list[int]:
        return [one.id for one in search_contacts(self.reader, asked)]


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    engine = make_engine(database_url, writer=True)
    clock = iter(range(NOW, NOW + 10**12, 1000))
    with engine.connect() as conn, conn.begin() as transaction:
        tx = Transaction(
            conn=conn,
            now=NOW,
            new_id=IdMaker(1, lambda: Micros(next(clock))),
            channels={"email": MAIL},
            dialect=conn.dialect.name,
        )
        yield House(UnitOfWork(tx=tx))
        transaction.rollback()
    engine.dispose()


def test_a_received_message_is_found_by_text_subject_and_person(house: House) -> None:
    came = house.receive("Подскажите цены", "Ремонт крыши")
    found = search(house.reader, "крыша")
    assert [one.message_id for one in found.messages] == [came.message_id]
    assert [one.id for one in found.dialogs] == [came.dialog_id]
    assert house.messages("цена") == [came.message_id]
    assert house.people("кузнецовa анна".replace("a", "а")) == [came.contact_id]
    assert house.people("anna@example.com") == [came.contact_id]
    assert house.dialogs("Кузнецова") == [came.dialog_id]


def test_an_edit_by_the_client_is_found_by_its_new_words_only(house: House) -> None:
    came = house.receive("синий диван")
    external = house.uow.conn.execute(
        select(messages.c.external_id).where(messages.c.id == came.message_id)
    ).scalar_one()
    edited = MessageEdited(dedupe_key="e1", external_id=external, text="красное кресло")
    record_arrival(house.uow, RecordArrival(account_id=house.account_id, arrival=edited))
    assert house.messages("кресла") == [came.message_id]
    assert house.messages("диван") == []


def test_a_note_is_found(house: House) -> None:
    came = house.receive("вопрос")
    note = add_note(house.uow, AddNote(dialog_id=came.dialog_id, text="перезвонить завтра"))
    assert house.messages("перезвоните") == [note]


def test_a_deleted_message_is_not_found(house: House) -> None:
    came = house.receive("секретное слово")
    delete_message(house.uow, DeleteMessage(message_id=came.message_id))
    assert house.messages("секретный") == []


def test_a_renamed_dialog_is_found_by_its_new_subject_only(house: House) -> None:
    came = house.receive("вопрос", "Крыша")
    set_subject(house.uow, SetSubject(dialog_id=came.dialog_id, subject="Забор"))
    assert house.dialogs("заборы") == [came.dialog_id]
    assert house.dialogs("крыша") == []
    set_subject(house.uow, SetSubject(dialog_id=came.dialog_id, subject=""))
    assert house.dialogs("забор") == []


def test_dialogs_that_we_start_or_split_off_are_found_by_subject(house: House) -> None:
    to = Address(kind="email", value="boris@example.com", name="Борис")
    started = start_dialog(
        house.uow, StartDialog(account_id=house.account_id, to=to, subject="Предложение")
    )
    assert house.dialogs("предложения") == [started]
    first = house.receive("раз", "Крыша")
    note = add_note(house.uow, AddNote(dialog_id=first.dialog_id, text="два"))
    split = split_dialog(
        house.uow, SplitDialog(dialog_id=first.dialog_id, message_id=note, subject="Подвал")
    )
    assert house.dialogs("подвалы") == [split]


def test_a_person_is_found_by_what_the_card_says_now(house: House) -> None:
    contact_id: ContactId = create_contact(house.uow, CreateContact(name="Зинаида Громова"))
    address_id: AddressId = add_address(
        house.uow,
        AddAddress(contact_id=contact_id, address=Address(kind="phone", value="+79123456789")),
    )
    assert house.people("8 912 345-67-89") == [contact_id]
    update_contact(house.uow, UpdateContact(contact_id=contact_id, name="Клавдия Громова"))
    assert house.people("Зинаида") == []
    assert house.people("Клавдия") == [contact_id]
    remove_address(house.uow, RemoveAddress(address_id=address_id))
    assert house.people("89123456789") == []


def test_an_erased_person_leaves_nothing_to_find(house: House) -> None:
    came = house.receive("утконос", "Выхухоль")
    erase_contact(house.uow, EraseContact(contact_id=came.contact_id))
    for asked in ("утконос", "выхухоль", "Кузнецова", "anna@example.com"):
        found = search(house.reader, asked)
        assert (found.messages, found.dialogs, found.contacts) == ((), (), ()), asked
    left = house.uow.conn.execute(select(addresses.c.id)).all()
    assert left == []
