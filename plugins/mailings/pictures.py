"""Pictures of letters, kept and shown by us: no letter loads anything from elsewhere for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
)

from hub import (
    Answer,
    Command,
    File,
    Handler,
    Hub,
    Invalid,
    Json,
    NotFound,
    PluginRequest,
    Route,
    UnitOfWork,
    UntrustedRequest,
)
from plugins.mailings.endpoints import write
from plugins.mailings.shapes import mailings as shapes

ID = BigInteger().with_variant(Integer(), "sqlite")
PURPOSE = "picture"
MOST = 2_000_000
KINDS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)

pictures = Table(
    "mailings_pictures",
    MetaData(),
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("media_type", String(40), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", ID, nullable=False),
)


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    pictures.to_metadata(metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPicture(Command):
    """Keep a picture for letters; gives its id."""

    permission: ClassVar[str] = "mailings.send"

    content: bytes = field(repr=False)


def handler() -> Handler:
    """Who carries it out."""
    return Handler(command=KeepPicture, handle=keep)


def keep(uow: UnitOfWork, command: KeepPicture) -> int:
    """Write it down; what it is says its first bytes, never its name."""
    if len(command.content) > MOST:
        raise Invalid("a picture of a letter has at most 2 MB", field="file")
    found = [kind for start, kind in KINDS if command.content.startswith(start)]
    if not found:
        raise Invalid("a picture of a letter is PNG, JPEG or GIF", field="file")
    picture_id = uow.new_id()
    uow.execute(
        insert(pictures).values(
            id=picture_id, media_type=found[0], content=command.content, created_at=uow.now
        )
    )
    return picture_id


def routes() -> list[Route]:
    """Putting one in, and showing it to whoever got the letter."""
    return [
        write("POST", "/pictures", put, "image/*", shapes.Picture, max_body=MOST + 100_000),
        Route(path="/picture/{token}", endpoint=shown, public=True),
    ]


async def put(hub: Hub, request: PluginRequest) -> Answer:
    """Take a picture, as a form's file or as the body; gives the address that a letter may use."""
    content = request.files[0].content if request.files else request.body
    (picture_id,) = await hub.do(KeepPicture(content=bytes(content or b"")))
    token = hub.sign(PURPOSE, str(picture_id))
    return Json(value={"url": hub.public_url(f"/p/mailings/picture/{token}")}, status=201)


async def shown(hub: Hub, request: PluginRequest) -> Answer:
    """Show a picture; its address cannot be guessed and its bytes never change."""
    try:
        number = int(hub.unsign(PURPOSE, request.path.get("token", "")))
    except (UntrustedRequest, ValueError) as error:
        raise NotFound("there is no such picture") from error
    row = await hub.store.first(select(pictures).where(pictures.c.id == number))
    if row is None:
        raise NotFound("there is no such picture")
    headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return File(content=row["content"], media_type=row["media_type"], headers=headers)
