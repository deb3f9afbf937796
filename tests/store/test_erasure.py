"""Erasing a person: planted words are gone from every table, index and file."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from crm_store.tables import metadata
from hub import (
    AddNote,
    Address,
    Attachment,
    EraseContact,
    SaveDraft,
    SendMessage,
    SetSubject,
    UpdateContact,
)
from tests.houses import house, letter

WORD = "xylophonequartz"


async def test_nothing_of_an_erased_person_is_left(tmp_path: Path, database_url: str) -> None:
    async with house(tmp_path, database_url) as home:
        file = Attachment(name=f"{WORD}.txt", media_type="text/plain", content=WORD.encode())
        arrival = letter(
            "k1",
            f"{WORD}@example.com",
            name=WORD,
            text=f"text {WORD}",
            full_text=f"full {WORD}",
            html=f"<b>{WORD}</b>",
            subject=f"subject {WORD}",
            external_id=f"<{WORD}@x>",
            references=(f"<{WORD}2@x>",),
            headers={"x": WORD},
            raw=WORD.encode() * 2000,
            profile={"page_url": WORD},
            attachments=(file,),
            cc=(Address(kind="email", value=f"cc{WORD}@example.com"),),
        )
        given = (await home.receive(arrival, letter=True))[0]
        await home.user.do(
            SendMessage(dialog_id=given.dialog_id, text=f"answer {WORD}"),
            AddNote(dialog_id=given.dialog_id, text=f"note {WORD}"),
            SaveDraft(dialog_id=given.dialog_id, text=f"draft {WORD}"),
            SetSubject(dialog_id=given.dialog_id, subject=f"about {WORD}"),
            UpdateContact(contact_id=given.contact_id, notes=WORD, position=WORD),
        )
        assert _places(home.runtime.database, tmp_path), "the words were never planted"
        await home.user.do(EraseContact(contact_id=given.contact_id))
        assert _places(home.runtime.database, tmp_path) == []
        # The same letter again is recognised and stays out.
        again = (await home.receive(arrival, letter=True))[0]
        assert not again.new


def _places(database: object, folder: Path) -> list[str]:
    found = []
    with database.connect() as conn:  # type: ignore[attr-defined]
        for table in metadata.sorted_tables:
            rows = conn.execute(table.select()).all()
            found += [table.name for row in rows if WORD in repr(tuple(row))]
        if conn.dialect.name == "sqlite":
            names = conn.execute(
                text("SELECT name FROM sqlite_master WHERE name LIKE '%terms%'")
            ).scalars()
            for name in list(names):
                rows = conn.execute(text(f"SELECT * FROM {name}")).all()
                found += [name for row in rows if WORD in repr(tuple(row))]
    files = [one for one in (folder / "data" / "blobs").rglob("*") if one.is_file()]
    found += [one.name for one in files if WORD.encode() in one.read_bytes()]
    return sorted(set(found))
