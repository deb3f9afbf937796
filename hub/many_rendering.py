"""One row of what goes to many, as the message that a channel will send: its words filled in.

Done when the row is claimed, by the renderer that made the preview. The words are read once per
version and kept; what changes from person to person is a handful of values and links.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import Connection, Row, Select, select

from crm_store.many import link_of
from crm_store.many_places import joined, place_of
from crm_store.rendering import Prepared, prepared, render
from crm_store.rows import among, listed
from crm_store.tables.many import many_contents, many_sends
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts, templates
from crm_store.wording import of_people
from hub.errors import HubError, NotFound, PermanentFailure, RejectReason
from hub.ids import AccountId, DeliveryId, DialogId, MessageId
from hub.messages import Address, Attachment, Button, Lane, OutboundMessage
from hub.objects import Cause
from hub.placeholders import Values

if TYPE_CHECKING:
    from hub.runtime import Runtime

CLICK, OPEN, LEAVE, CONFIRM = "many.click", "many.open", "many.leave", "consent.confirm"
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


class Contents:
    """The words of sends, kept while they are sent; they never change."""

    def __init__(self, most: int = 200) -> None:
        self._most = most
        self._known: dict[int, Mapping[str, Any]] = {}

    def of(self, conn: Connection, content_id: int) -> Mapping[str, Any]:
        """Give the words of a version with what is known of their send."""
        found = self._known.get(content_id)
        if found is None:
            if len(self._known) >= self._most:
                self._known.clear()
            found = self._known[content_id] = _read(conn, content_id)
        return found


def _read(conn: Connection, content_id: int) -> Mapping[str, Any]:
    row = conn.execute(
        select(
            many_contents,
            many_sends.c.mailing_id,
            many_sends.c.advertising,
            many_sends.c.topic,
            many_sends.c.title,
            many_sends.c.routes,
        )
        .join(many_sends, many_sends.c.id == many_contents.c.send_id)
        .where(many_contents.c.id == content_id)
    ).first()
    if row is None:
        raise NotFound("the words of this mailing are gone")
    words = [row.subject, row.text, row.html, *row.template_values.values(), *row.links]
    words += [text for label, _, url in row.buttons for text in (label, url)]
    return {**row._mapping, "own_fields": any(".custom." in one for one in words)}


def leave_token(
    runtime: Runtime, delivery_id: int, contact_id: int, kind: str, topic: str, place: int = 0
) -> str:
    """Make the token of an unsubscribe link: whom, which channel, what about, and by which way."""
    return runtime.keys.sign(LEAVE, f"{which(delivery_id, place)} {contact_id} {kind} {topic}")


def which(delivery_id: int, place: int) -> str:
    """Name a delivery with the place of the way it leaves by, where its send has several."""
    return f"{delivery_id}.{place}" if place else str(delivery_id)


def many_message(
    runtime: Runtime, conn: Connection, contents: Contents, row: Row[Any]
) -> OutboundMessage:
    """Give the message of a row; raises PermanentFailure for a person it cannot be filled for."""
    made = many_messages(runtime, conn, contents, [row])[row.id]
    if isinstance(made, HubError):
        raise made
    return made


def many_messages(
    runtime: Runtime, conn: Connection, contents: Contents, rows: Sequence[Row[Any]]
) -> dict[int, OutboundMessage | HubError]:
    """Give the messages of rows by their ids, or why one cannot be made: what is shared read once."""
    words: dict[int, Mapping[str, Any]] = {}
    made: dict[int, OutboundMessage | HubError] = {}
    for content_id in {row.content_id for row in rows}:
        try:
            words[content_id] = contents.of(conn, content_id)
        except HubError as error:
            made |= {row.id: error for row in rows if row.content_id == content_id}
    given = {"b_ids": listed(conn.dialect.name, {row.address_id for row in rows})}
    places = {one.id: one for one in conn.execute(_places(conn.dialect.name), given)}
    people = of_people(
        conn,
        [row.contact_id for row in rows],
        runtime.now(),
        own_fields=any(one["own_fields"] for one in words.values()),
    )
    titles: dict[int, str] = dict(
        conn.execute(
            select(accounts.c.id, accounts.c.title).where(
                accounts.c.id.in_({row.account_id for row in rows})
            )
        ).all()
    )
    for row in rows:
        if row.id not in made:
            try:
                made[row.id] = _message(
                    runtime,
                    conn,
                    words[row.content_id],
                    row,
                    places.get(row.address_id),
                    people.get(row.contact_id),
                    titles.get(row.account_id, ""),
                )
            except HubError as error:
                made[row.id] = error
    return made


@cache
def _places(dialect: str) -> Select[Any]:
    return select(addresses).where(among(dialect, addresses.c.id, "b_ids"))


def link_target(runtime: Runtime, conn: Connection, row: Any, n: int) -> str:
    """Give where link `n` of a delivery leads its person, "" for none.

    `row` is the delivery with its send, as it left by the way of the link. A target is never in the
    link itself; what is the person's in it is filled in now. Raises PermanentFailure where that is
    gone.
    """
    link = link_of(conn, row.content_id, n)
    if "{" not in link:
        return link
    given = {"b_ids": listed(conn.dialect.name, [row.address_id])}
    address = conn.execute(_places(conn.dialect.name), given).first()
    if address is None:
        raise PermanentFailure(RejectReason.INVALID_ADDRESS, "the address is gone")
    people = of_people(conn, [row.contact_id], runtime.now(), own_fields=".custom." in link)
    place = place_of(row.routes, row.account_id)
    values = _values(runtime, row, row.topic, address, people.get(row.contact_id), link, place)
    return filled_link(link, values)


def filled_link(link: str, values: Mapping[str, str]) -> str:
    """Fill in a link for a person: whatever his values are, they stay where they stand in it."""
    return _strict(link, prepared({name: quote(one, safe="") for name, one in values.items()}))


def _values(
    runtime: Runtime,
    row: Row[Any],
    topic: str,
    address: Row[Any],
    person: Values | None,
    words: str,
    place: int,
) -> dict[str, str]:
    base = runtime.public_url.rstrip("/")
    token = leave_token(runtime, row.id, row.contact_id, address.kind, topic, place)
    values = dict(person.texts) if person is not None else {}
    values |= {"unsubscribe_url": f"{base}/u/{token}", "view_url": f"{base}/u/{token}/letter"}
    if "confirm_url" in words:
        # Whose button it is: the address, and no card, for two cards may become one.
        asked = runtime.keys.sign(CONFIRM, f"{row.id} {row.address_id} {topic}")
        values["confirm_url"] = f"{base}/s/{asked}"
    if not values.get("contact.name") and address.name:
        values["contact.name"] = address.name
    return values


def _message(
    runtime: Runtime,
    conn: Connection,
    content: Mapping[str, Any],
    row: Row[Any],
    address: Row[Any] | None,
    person: Values | None,
    title: str,
) -> OutboundMessage:
    if address is None:
        raise PermanentFailure(RejectReason.INVALID_ADDRESS, "the address is gone")
    base = runtime.public_url.rstrip("/")
    place = place_of(content["routes"], row.account_id)
    values = _values(runtime, row, content["topic"], address, person, content["text"], place)
    for n in range(1, len(content["links"]) + 1):
        token = runtime.keys.sign_short(CLICK, row.id, joined(place, n))
        values[f"link_{n}"] = f"{base}/c/{token}"
    filled = prepared(values)
    for link in content["links"]:
        if "{" in link:
            # It leads where it is filled for the person, when he follows it.
            _strict(link, filled)
    text, html = _filled(content, filled)
    if html and content["tracks_opens"]:
        token = runtime.keys.sign(OPEN, which(row.id, place))
        pixel = f'<img src="{base}/o/{token}" width="1" height="1" alt="">'
        html = _BODY_END.sub(f"{pixel}</body>", html, 1) if _BODY_END.search(html) else html + pixel
    return OutboundMessage(
        id=DeliveryId(row.id),
        message_id=MessageId(0),
        dialog_id=DialogId(0),
        account_id=AccountId(row.account_id),
        to=Address(kind=address.kind, value=address.value, name=address.name),
        text=text,
        html=html,
        subject=_one_line(_strict(content["subject"], filled)),
        attachments=tuple(
            Attachment(name=name, media_type=media_type, size=size, reference=blob)
            for name, media_type, size, blob in content["attachments"]
        ),
        buttons=tuple(
            _button(label, payload, url, values, filled)
            for label, payload, url in content["buttons"]
        ),
        template=content["template"],
        template_language=content["template_language"],
        template_reference=_reference(conn, row.account_id, content),
        template_values={
            name: _strict(value, filled) for name, value in content["template_values"].items()
        },
        lane=Lane.MAILING,
        idempotency_key=f"{row.id}",
        sender_name=content["sender_name"] or title,
        unsubscribe_url=values["unsubscribe_url"] if content["advertising"] else "",
        list_id=f"mailing-{content['mailing_id']}" if content["advertising"] else "",
        cause=Cause(kind="mailing", id=content["mailing_id"], text=content["title"]),
    )


def _button(
    label: str, payload: str, url: str, values: Mapping[str, str], filled: Prepared
) -> Button:
    """Fill in a button: what it carries back is the same for everybody."""
    if url.startswith("{{"):
        url = _strict(url, filled)
    elif "{" in url:
        url = filled_link(url, values)
    return Button(label=_one_line(_strict(label, filled)), payload=payload, url=url)


def _filled(content: Mapping[str, Any], values: Prepared) -> tuple[str, str]:
    html = _strict(content["html"], values, html=True) if content["html"] else ""
    return _strict(content["text"], values), html


def _strict(template: str, values: Prepared, *, html: bool = False) -> str:
    made = render(template, values, html=html)
    if made.missing:
        raise PermanentFailure(
            RejectReason.OTHER, f"not filled in for this person: {', '.join(made.missing)}"
        )
    return made.text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _reference(conn: Connection, account_id: int, content: Mapping[str, Any]) -> str:
    if not content["template"]:
        return ""
    found = conn.execute(
        select(templates.c.reference).where(
            templates.c.account_id == account_id,
            templates.c.name == content["template"],
            templates.c.language == content["template_language"],
        )
    ).scalar()
    return str(found or "")
