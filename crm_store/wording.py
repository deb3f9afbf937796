"""What placeholders stand for: the person, the colleague, the organisation and the work in hand.

One function reads it for a dialog, another for many people at once (a mailing); both give the
same names (hub/placeholders.py). What is not known is not given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, and_, select

from crm_store import custom, objects
from crm_store import dialogs as dialog_reads
from crm_store.objects import NOUNS
from crm_store.rows import among, listed
from crm_store.tables.calendars import calendars
from crm_store.tables.people import addresses, clients, contacts
from crm_store.tables.users import brands, users
from crm_store.viewer import Reader
from hub.calendars import read_week, week_text
from hub.errors import NotFound
from hub.figures import sum_said
from hub.ids import ContactId, DialogId, UserId
from hub.placeholders import Values, names_of
from hub.properties import Property, PropertyType
from hub.terms import script_of

US = 1_000_000
SYMBOLS = {"RUB": "₽", "EUR": "€", "USD": "$", "GBP": "£", "KZT": "₸"}


def of_dialog(reader: Reader, dialog_id: DialogId, user_id: UserId) -> Values:
    """Give what placeholders stand for in an answer of a colleague's; raises NotFound."""
    dialog = dialog_reads.one(reader, dialog_id)
    # Whose language nobody noted is answered in that of the dialog's last words, by their letters.
    written = script_of(dialog.preview)
    people = of_people(
        reader.conn,
        [dialog.contact_id],
        reader.now,
        own_fields=True,
        spoken=written if written in ("en", "ru") else "",
    )
    found = people.get(dialog.contact_id, Values())
    texts = dict(found.texts) | agent(reader.conn, user_id) | {"dialog.channel": dialog.channel}
    texts |= work(reader, dialog_id, found.language)
    return Values(texts=texts, language=found.language)


def work(reader: Reader, dialog_id: DialogId, language: str) -> dict[str, str]:
    """Give what is told of the interest and the request that a dialog is about.

    The newest one that is open, of those that the reader may see; else the newest.
    """
    over = ("won", "lost", "solved", "closed")
    found = {}
    for kind, field in (("interest", "title"), ("request", "number")):
        noun = NOUNS[kind]
        if not reader.viewer.may(noun.kind.read):
            continue
        linked = objects.of_dialog(reader, noun, dialog_id)
        if not linked:
            continue
        one = min(linked, key=lambda each: each.status in over)
        found[f"{kind}.{field}"] = str(getattr(one, field))
        for prop, value in own_values(reader.conn, kind, [one.id]).get(one.id, ()):
            found[f"{kind}.{prop.name}"] = _own(prop, value, language)
        if kind == "interest" and one.amount:
            found["interest.sum"] = money(one.amount, one.currency, language)
        if kind == "request" and one.due_at:
            brand = reader.conn.execute(select(brands).order_by(brands.c.id)).first()
            found["request.due"] = _moment(one.due_at, _zone(brand), language)
    return found


def of_contact(reader: Reader, contact_id: ContactId, user_id: UserId) -> Values:
    """Give what placeholders stand for when a colleague writes to a person."""
    found = of_people(reader.conn, [contact_id], reader.now, own_fields=True).get(contact_id)
    if found is None:
        raise NotFound("there is no such contact")
    return Values(texts={**found.texts, **agent(reader.conn, user_id)}, language=found.language)


def agent(conn: Connection, user_id: UserId) -> dict[str, str]:
    """Give what is known of a colleague."""
    row = conn.execute(
        select(users.c.name, users.c.preferences).where(users.c.id == user_id)
    ).first()
    if row is None:
        return {}
    position = str((row.preferences or {}).get("position", ""))
    return {
        "agent.name": row.name,
        "agent.first_name": names_of(row.name).first,
        "agent.position": position,
    }


def of_people(
    conn: Connection,
    contact_ids: Sequence[int],
    now: int,
    *,
    own_fields: bool = False,
    spoken: str = "",
) -> Mapping[int, Values]:
    """Give what placeholders stand for, for many people with a handful of statements.

    The organisation's own fields of a person and his client are read where they are asked for.
    `spoken` is the language of those whose card names none; else it is the organisation's.
    """
    brand = conn.execute(_brand()).first()
    dialect = conn.dialect.name
    given = {"b_people": listed(dialect, set(contact_ids))}
    rows = conn.execute(_people(dialect), given).all()
    reach: dict[int, dict[str, str]] = {}
    for one in conn.execute(_reach(dialect), given):
        if one.kind in TOLD:
            reach.setdefault(one.contact_id, {}).setdefault(f"contact.{one.kind}", one.value)
    shared, hours = _organisation(brand), _open_hours(brand)
    own_language = brand.language if brand is not None and brand.language else "en"
    people = own_values(conn, "contact", [row.id for row in rows]) if own_fields else {}
    companies = own_values(conn, "client", [row.client_id for row in rows]) if own_fields else {}
    found = {}
    for row in rows:
        names = names_of(row.name)
        texts = {
            "contact.name": "" if "@" in row.name else row.name,
            "contact.first_name": names.first,
            "contact.patronymic": names.patronymic,
            "contact.last_name": names.last,
            "contact.polite_name": names.polite,
            "contact.gender": names.gender,
            "contact.position": row.position,
            "client.name": row.client or "",
            **reach.get(row.id, {}),
            **shared,
        }
        language = row.language or spoken or own_language
        for prefix, values in (
            ("contact", people.get(row.id, ())),
            ("client", companies.get(row.client_id, ())),
        ):
            for prop, value in values:
                texts[f"{prefix}.{prop.name}"] = _own(prop, value, language)
        texts["working_hours"] = hours.get("ru" if language.startswith("ru") else "en", "")
        texts["today"] = _date(now, row.time_zone or _zone(brand), language)
        found[row.id] = Values(texts=texts, language=language)
    return found


TOLD = ("email", "phone")
"""The kinds of addresses that words may tell."""


@cache
def _people(dialect: str) -> Select[Any]:
    return (
        select(
            contacts.c.id,
            contacts.c.name,
            contacts.c.language,
            contacts.c.position,
            contacts.c.time_zone,
            contacts.c.client_id,
            clients.c.name.label("client"),
        )
        .outerjoin(clients, (clients.c.id == contacts.c.client_id) & (clients.c.deleted_at == 0))
        .where(among(dialect, contacts.c.id, "b_people"))
    )


@cache
def _reach(dialect: str) -> Select[Any]:
    return (
        select(addresses.c.contact_id, addresses.c.kind, addresses.c.value)
        # Asked for by kind, SQLite reads every address of that kind; a person has a handful.
        .where(among(dialect, addresses.c.contact_id, "b_people"))
        .order_by(addresses.c.id)
    )


@cache
def _brand() -> Select[Any]:
    default = and_(calendars.c.brand_id == brands.c.id, calendars.c.is_default)
    return select(brands, calendars.c.week).outerjoin(calendars, default).order_by(brands.c.id)


def _organisation(brand: Any) -> dict[str, str]:
    if brand is None:
        return {}
    return {"company": brand.name}


def _open_hours(brand: Any) -> Mapping[str, str]:
    """Give the organisation's own words for its hours, or those of its default calendar."""
    if brand is None:
        return {}
    if own := str((brand.settings or {}).get("working_hours", "")):
        return {"en": own, "ru": own}
    if not brand.week:
        return {}
    week = read_week(brand.week)
    return {language: week_text(week, language) for language in ("en", "ru")}


def _zone(brand: Any) -> str:
    return str(brand.time_zone) if brand is not None and brand.time_zone else "UTC"


def _date(now: int, zone: str, language: str) -> str:
    try:
        at = datetime.fromtimestamp(now / US, ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        at = datetime.fromtimestamp(now / US, UTC)
    return at.strftime("%d.%m.%Y") if language.startswith("ru") else f"{at.day} {at:%B %Y}"


def own_values(
    conn: Connection, kind: str, ids: Sequence[int]
) -> dict[int, list[tuple[Property, object]]]:
    """Give the organisation's own fields of objects with what stands in them."""
    noun = custom.whole(conn, NOUNS[kind])
    known = custom.customs(noun)
    found: dict[int, list[tuple[Property, object]]] = {}
    for number, values in custom.values_of(conn, noun, [one for one in ids if one]).items():
        found[number] = [
            (prop, values[prop.name.removeprefix("custom.")])
            for prop in known
            if prop.type not in (PropertyType.REF, PropertyType.FILE)
        ]
    return found


def _own(prop: Property, value: object, language: str) -> str:
    """Write the value of an own field; "" where nothing stands in it."""
    russian = language.startswith("ru")
    named = {one.value: one.translations.get(language[:2], one.label) for one in prop.choices}
    match prop.type:
        case PropertyType.FLAG:
            return ("да" if russian else "yes") if value else ("нет" if russian else "no")
        case PropertyType.DATE:
            return _date(int(str(value)), "UTC", language) if value else ""
        case PropertyType.MONEY:
            return money(int(str(value)), "", language) if value else ""
        case PropertyType.TAGS:
            items = value if isinstance(value, tuple) else ()
            return ", ".join(named.get(str(one), str(one)) for one in items)
        case PropertyType.CHOICE:
            return named.get(str(value), str(value))
        case PropertyType.NUMBER:
            return str(value)
    return str(value)


def money(minor: int, currency: str, language: str) -> str:
    """Write a sum as people read it; a whole one without its kopecks."""
    said = sum_said(minor, language)
    symbol = SYMBOLS.get(currency, currency)
    if not symbol:
        return said
    if language.startswith("ru") or symbol == currency:
        return f"{said}\u00a0{symbol}"
    sign = "-" if minor < 0 else ""
    return f"{sign}{symbol}{said.removeprefix('-')}"


def _moment(at: int, zone: str, language: str) -> str:
    try:
        place: tzinfo = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        place = UTC
    return f"{_date(at, zone, language)}, {datetime.fromtimestamp(at / US, place):%H:%M}"
