"""Columns of imports: what a heading most likely means, and a row's cells as values.

Headings are compared as people write them, in both languages; cells go through the same
`read_value` as forms and programs, after names were turned into what they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number
from phonenumbers import parse as parse_phone

from hub.card_addresses import LINES, SEVERAL, CardAddress, kept
from hub.errors import Invalid
from hub.import_words import Words
from hub.kinds import Kind
from hub.properties import Property, PropertyType, empty_value, read_value
from hub.records.imports import MORE, GivenFile, ImportRow
from hub.terms import fold

SYNONYMS: Mapping[str, str] = {
    "id": "id, ид, номер карточки",
    "external_id": "external id, внешний код, внешний ид, внешний id, код, код 1с, uid, guid, артикул",
    "name": "name, full name, client, customer, company, organisation, organization, имя, фио, название, "
    "наименование, клиент, контрагент, партнер, партнёр, покупатель, заказчик, организация, компания",
    "title": "title, subject, topic, lead, тема, название, лид, заголовок",
    "client_id": "client, company, organisation, organization, клиент, компания, организация, фирма",
    "company": "company, organisation, organization, компания, организация, фирма",
    "phone": "phone, phone number, mobile phone, telephone, tel, mobile, cell, телефон, тел, мобильный, "
    "мобильный телефон, сотовый, номер телефона, контактный телефон",
    "email": "email, e mail, mail, email address, e mail address, почта, эл почта, электронная почта, имейл, адрес эл почты, "
    "адрес электронной почты",
    "addresses": "addresses, contacts, all addresses, more phones, other phones, контакты, телефоны, "
    "другие телефоны, доп телефоны, контактная информация, адреса",
    "organisation": "is organisation, юрлицо, юридическое лицо да нет, это организация",
    "status": "status, stage, статус, состояние",
    "owner_id": "owner, responsible, manager, ответственный, менеджер, куратор",
    "team_id": "team, команда, отдел, подразделение",
    "source": "source, источник, откуда",
    "site": "site, website, web, url, сайт, веб сайт",
    "region": "region, city, регион, город, область",
    "industry": "industry, отрасль, сфера, вид деятельности",
    "birthday": "birthday, birth date, date of birth, день рождения, дата рождения, др",
    "tags": "tags, labels, теги, метки, тэги",
    "notes": "notes, comment, comments, about, заметки, комментарий, примечание, о клиенте",
    "message": "message, text, сообщение, текст, вопрос, комментарий",
    "legal_name": "legal name, юрлицо, юридическое название, полное наименование",
    "inn": "inn, tax number, инн",
    "kpp": "kpp, кпп",
    "ogrn": "ogrn, огрн, огрнип",
    "legal_address": "legal address, address, юридический адрес, юр адрес, адрес",
    "bank": "bank, bank account, банк, реквизиты, расчетный счет, расчётный счёт",
    "contact_name": "contact, contact person, контакт, контактное лицо, представитель",
    "contact_position": "position, job, должность",
    "consent": "consent, opt in, subscribed, согласие, подписан, согласие на рассылку",
    "consent_channel": "consent channel, channel of consent, канал согласия",
    "consent_topic": "consent topic, subscription, тема согласия, тема подписки",
    "consent_at": "consent date, opt in date, optin time, subscribed at, дата согласия, дата подписки",
    "consent_source": "consent source, opt in source, источник согласия, откуда согласие",
    "consent_text": "consent text, proof, evidence, текст согласия, подтверждение согласия",
    "utm_source": "utm source",
    "utm_medium": "utm medium",
    "utm_campaign": "utm campaign, кампания",
    "utm_content": "utm content",
    "utm_term": "utm term",
}
NAME_PARTS = (
    "first name, given name, middle name, last name, family name, surname, имя, отчество, фамилия"
)
"""Headings of columns that make one name together."""
PEOPLE = ("user", "team")
LEAST_DIGITS = 7
"""So many a phone has at least, without its extension."""
_EMAIL = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[^\s@,;<>\"]+")
_NOT_WORD = re.compile(r"[\W_]+")
_GUARDED = re.compile(r"'[=@\t\r+-]")
_ZONE = re.compile(r" \(([\w+/-]+)\)$")
TEXTS = (
    "id",
    "external_id",
    "contact_name",
    "contact_position",
    "consent_topic",
    "consent_source",
    "consent_text",
)


def plain(heading: str) -> str:
    """Give a heading as it is compared."""
    return _NOT_WORD.sub(" ", fold(heading)).strip()


def unguarded(cell: str) -> str:
    """Take away the apostrophe that our own files put before what looks like a formula."""
    return cell[1:] if _GUARDED.match(cell) else cell


def zone_in(heading: str) -> str:
    """Give the time zone that a heading names behind its words, as our workbooks do; "" for none."""
    found = _ZONE.search(heading)
    return found[1] if found and found[1] in _zones() else ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def suggest(kind: Kind, targets: Sequence[str], heads: Sequence[str]) -> tuple[str, ...]:
    """Give what each column most likely fills, "" where nothing fits.

    Nothing is filled twice, but a name by the columns of its parts. A heading that says a property
    by its own name comes before those that only mean it, wherever it stands.
    """
    own: dict[str, list[str]] = {}
    like: dict[str, list[str]] = {}
    labels = {one.name: one for one in kind.properties}
    for target in targets:
        names = [target]
        if target in labels:
            names += [labels[target].label, *labels[target].translations.values()]
        for word in names:
            own.setdefault(plain(word), []).append(target)
        for word in SYNONYMS.get(target, "").split(","):
            like.setdefault(plain(word), []).append(target)
    headings = [plain(_ZONE.sub("", head) if zone_in(head) else head) for head in heads]
    found = [""] * len(heads)
    for meanings in (own, like):
        for n, heading in enumerate(headings):
            wanted = (one for one in meanings.get(heading, ()) if one not in found)
            found[n] = found[n] or next(wanted, "")
    parts = {plain(word) for word in NAME_PARTS.split(",")}
    at = [n for n, head in enumerate(heads) if plain(head) in parts]
    if kind.title == "name" and not any(
        target == "name" and n not in at for n, target in enumerate(found)
    ):
        for n in at:
            found[n] = "name"
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What names stand for: colleagues and teams by folded name or address, cards that the file
    names, and the country whose phones are written without their code."""

    refs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    country: str = ""
    topics: frozenset[str] = frozenset()
    """Those whose subscriptions are asked about by a letter."""
    kinds: frozenset[str] = frozenset()
    """The kinds of addresses that the connected channels know."""
    now: int = 0
    zone: str = "UTC"
    """Where an instant without a zone of its own was written."""
    files: Callable[[str], GivenFile] | None = None
    """Finds what came together with the table; None where it came alone."""


class Reading:
    """Reads the rows of one import."""

    def __init__(
        self,
        kind: Kind,
        columns: Sequence[str],
        defaults: Mapping[str, str],
        names: Names,
        heads: Sequence[str] = (),
    ) -> None:
        self._known: dict[str, Property] = {one.name: one for one in kind.properties}
        self._columns = columns
        self._defaults = dict(defaults)
        self._names = names
        self._zones = {
            name: zone_in(head) for name, head in zip(columns, heads, strict=False) if name
        }
        self._title = kind.title
        self._has_many = any(one.type is PropertyType.ADDRESSES for one in kind.properties)
        self._words = Words(topics=names.topics, kinds=names.kinds, now=names.now, zone=names.zone)

    def row(self, number: int, cells: Sequence[str]) -> ImportRow:
        """Give a row's values, or what is wrong with it."""
        found: dict[str, list[str]] = {}
        for name, cell in zip(self._columns, cells, strict=False):
            if name and cell:
                found.setdefault(name, []).append(unguarded(cell))
        given = self._defaults | {
            name: self._between(name).join(texts) for name, texts in found.items()
        }
        values: dict[str, object] = {}
        more: list[tuple[str, str]] = []
        for name, text in given.items():
            try:
                if name in SEVERAL and (name not in self._known or self._has_many):
                    # A person, or a client, has as many addresses as stand in the cell.
                    values[name], *others = (self._value(name, one) for one in several(name, text))
                    more += [(name, str(one)) for one in others]
                else:
                    values[name] = self._value(name, text)
            except Invalid as error:
                return ImportRow(number=number, error=f"{name}|{error}")
        if self._has_many:
            more = self._put_together(values, more)
        if more:
            values[MORE] = tuple(more)
        try:
            self._words.check(values)
        except Invalid as error:
            return ImportRow(number=number, error=f"{error.field}|{error}")
        if self._title == "title" and not values.get("title"):
            title = values.get("name") or values.get("company") or values.get("phone")
            values |= {"title": title} if title else {}
        return ImportRow(number=number, values=values)

    def _put_together(
        self, values: dict[str, object], more: list[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """Let the lines of a card hold its main addresses; give the other phones and e-mails."""
        said: Any = values.pop("addresses", ())
        lines = [(kind, str(values[kind])) for kind in LINES if values.get(kind)]
        firsts = [CardAddress(kind=kind, value=one, main=True) for kind, one in lines]
        labels = {(one.kind, self._written(one)): one.label for one in said}
        found: dict[tuple[str, str], CardAddress] = {}
        others = [CardAddress(kind=kind, value=one) for kind, one in more]
        for one in (*firsts, *others, *said):
            value = self._written(one)
            label = labels.get((one.kind, value), "")
            found.setdefault((one.kind, value), replace(one, value=value, label=label))
        mains, kept_more = kept(found.values())
        values |= {kind: one for kind, one in mains.items() if one}
        if kept_more:
            values["addresses"] = kept_more
        return [(one.kind, one.value) for one in kept_more if one.value and one.kind in SEVERAL]

    def _written(self, one: CardAddress) -> str:
        return phone(one.value, self._names.country) if one.kind == "phone" else one.value

    def _between(self, name: str) -> str:
        """Give what stands between the cells of several columns that fill one property."""
        prop = self._known.get(name)
        if self._has_many and name in (*SEVERAL, "addresses"):
            return "; "
        return ", " if prop is not None and prop.type is PropertyType.TAGS else " "

    def _value(self, name: str, text: str) -> object:
        if name in TEXTS:
            return " ".join(text.split())[:400]
        if name.startswith("consent"):
            return self._words.value(name, text)
        if name not in self._known:
            # Addresses of a contact person, who has no such properties himself.
            return phone(text, self._names.country) if name == "phone" else email(text)
        prop = self._known[name]
        if prop.type is PropertyType.FILE:
            if self._names.files is None:
                raise Invalid("files come in one ZIP with the table that names them", field=name)
            return self._names.files(text)
        if prop.type is PropertyType.CHOICE:
            text = self._choice(prop, text)
        elif prop.type is PropertyType.REF:
            text = self._ref(prop, text)
        elif prop.type is PropertyType.INSTANT:
            text = self._instant(name, text)
        elif name == "phone":
            text = phone(text, self._names.country)
        elif name == "email":
            text = email(text)
        value = read_value(prop, text)
        return empty_value(prop.type) if value is None else value

    def _instant(self, name: str, text: str) -> str:
        """Give an instant with its zone: its own, that of the heading, or the organisation's."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return text
        zone = self._zones.get(name) or self._names.zone
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).isoformat()

    def _choice(self, prop: Property, text: str) -> str:
        wanted = plain(text)
        for one in prop.choices:
            words = (one.value, one.label, *one.translations.values())
            if wanted in {plain(word) for word in words}:
                return one.value
        if prop.choices_from:
            known = ", ".join(one.label for one in prop.choices if one.value)
            raise Invalid(f"one of these is needed: {known}", field=prop.name)
        return text

    def _ref(self, prop: Property, text: str) -> str:
        known = self._names.refs.get(prop.ref)
        found = None if known is None else known.get(fold(text))
        if found is None and prop.ref not in PEOPLE and not text.isdecimal():
            raise Invalid("no card here is called so, or several are", field=prop.name)
        if found is None and known is not None and not text.isdecimal():
            raise Invalid("nobody here is called so", field=prop.name)
        return str(found) if found is not None else text


def phone(text: str, country: str) -> str:
    """Give a phone in its international form where it is one, else as it was written."""
    digits = re.sub(r"\D", "", text)
    if not text.startswith("+") and len(digits) == 11 and digits[0] in "78":
        # How Russia writes its numbers, whatever language the hub speaks.
        text = f"+7{digits[1:]}"
    try:
        number = parse_phone(text, country or None)
    except NumberParseException:
        return text
    return format_number(number, PhoneNumberFormat.E164) if is_possible_number(number) else text


def several(name: str, text: str) -> list[str]:
    """Give the addresses that a cell holds, at least one: `a@x.org; b@x.org`."""
    if name == "email":
        parts = re.split(r"[\s,;]+", text.strip(" ,;\n"))
        return parts if all("@" in one for one in parts) else [text]
    parts = [one.strip() for one in re.split(r"[,;/\n]", text.strip(" ,;/\n"))]
    # What is too short for a number is a part of one: its extension, its last digits.
    return parts if all(len(re.sub(r"\D", "", one)) >= LEAST_DIGITS for one in parts) else [text]


def email(text: str) -> str:
    """Give a mail address in lower case; raises Invalid."""
    address = text.strip().strip("<>").lower()
    if not _EMAIL.fullmatch(address):
        raise Invalid("this is not an e-mail address", field="email")
    return address
