"""Files that go with a letter: kept once, named by plans, and never changed.

A plan names files by their ids, so that a copy of a mailing, a template or an earlier version has the
same ones. The bytes lie where the hub keeps those of every message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, insert, select

from hub import Attachment, Capabilities, Command, Handler, Hub, Invalid, UnitOfWork

ID = BigInteger().with_variant(Integer(), "sqlite")
MOST = 25_000_000
HEAVY = 10_000_000
"""Many providers refuse a letter above this."""

files = Table(
    "mailings_files",
    MetaData(),
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", ID, nullable=False),
    Column("blob", String(40), nullable=False),
    Column("created_at", ID, nullable=False),
)


def _(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFile:
    """A file of a letter."""

    id: int
    name: str
    media_type: str
    size: int
    blob: str

    @property
    def sent(self) -> tuple[str, str, int, str]:
        """The file as words that go to many name it."""
        return self.name, self.media_type, self.size, self.blob


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFile(Command):
    """Give kept bytes a name in letters; gives the file's id."""

    permission: ClassVar[str] = "mailings.send"

    name: str
    media_type: str
    size: int
    blob: str


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    files.to_metadata(metadata)


def handler() -> Handler:
    """Who carries it out."""
    return Handler(command=NameFile, handle=name_file)


def name_file(uow: UnitOfWork, command: NameFile) -> int:
    """Write it down."""
    file_id = uow.new_id()
    uow.execute(
        insert(files).values(
            id=file_id,
            name=command.name,
            media_type=command.media_type,
            size=command.size,
            blob=command.blob,
            created_at=uow.now,
        )
    )
    return file_id


async def keep(hub: Hub, given: Sequence[Attachment]) -> tuple[int, ...]:
    """Keep files; gives their ids. Those without a name or bytes are none."""
    found = []
    for one in given:
        content = bytes(one.content or b"")
        name = " ".join(one.name.replace("\0", "").replace("\\", "/").rpartition("/")[2].split())
        if not content or not name:
            continue
        if len(content) > MOST:
            raise Invalid("a file of a letter has at most 25 MB", field="files")
        media_type = one.media_type.partition(";")[0].strip().lower()
        (file_id,) = await hub.do(
            NameFile(
                name=name[-200:],
                media_type=media_type[:100] or "application/octet-stream",
                size=len(content),
                blob=await hub.keep_file(content),
            )
        )
        found.append(int(file_id))
    return tuple(found)


async def files_of(hub: Hub, ids: Sequence[int]) -> list[LetterFile]:
    """Give files in the order of a plan; raises Invalid where one is not there."""
    if not ids:
        return []
    rows = await hub.store.all(select(files).where(files.c.id.in_(ids)))
    known = {
        row["id"]: LetterFile(**{name: row[name] for name in LetterFile.__slots__}) for row in rows
    }
    if any(one not in known for one in ids):
        raise Invalid("a file of this letter is gone", field="files")
    return [known[one] for one in dict.fromkeys(ids)]


def megabytes(size: int) -> str:
    """Write a size."""
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1_000_000:.2f} MB" if size >= 1_000_000 else f"{size / 1_000:.1f} kB"


def objections(capabilities: Capabilities, given: Sequence[LetterFile]) -> list[tuple[str, str]]:
    """Say what a channel has against files: (words, detail)."""
    if given and not capabilities.max_attachment_bytes:
        return [(_("This channel takes no files"), "")]
    found = []
    if len(given) > capabilities.max_attachments:
        found.append((_("More files than this channel takes"), str(capabilities.max_attachments)))
    for one in given:
        if not capabilities.takes_type(one.media_type):
            found.append((_("This channel does not take such a file"), one.name))
        elif one.size > (most := capabilities.limit_of(one.media_type)):
            detail = f"{one.name}: {megabytes(one.size)} > {megabytes(most)}"
            found.append((_("A file is too large for this channel"), detail))
    whole = sum(one.size for one in given)
    if capabilities.max_files_bytes and whole > capabilities.max_files_bytes:
        detail = f"{megabytes(whole)} > {megabytes(capabilities.max_files_bytes)}"
        found.append((_("The files together are too large for this channel"), detail))
    return found
