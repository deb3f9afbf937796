"""How a list in a file speaks: to a program, or to a person in a language and a time zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_store import users as user_reads
from crm_store.viewer import Reader
from hub import card_addresses
from hub.ids import UserId
from hub.properties import Property, PropertyType, empty_value, value_of
from hub.web.cells import WORDS
from hub.web.i18n import translate
from hub.web.instants import zone_of
from hub.wire_json import rfc3339

Names = Mapping[str, Mapping[int, str]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMULA = re.compile(r"[=@\t\r+-]")
_HARMLESS = re.compile(r"[+-]?[0-9][0-9 ().,-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWords:
    """Words of a list's file.

    Without a `language` they are a program's: names of properties, stored choices, instants in
    UTC. With one they are a reader's: labels, and instants by the clock of `zone`. The importer
    reads both.
    """

    language: str = ""
    zone: str = "UTC"

    def heading(self, prop: Property, *, has_zone: bool = False) -> str:
        """Give a column's heading, with the zone of its instants where the cells have none."""
        if not self.language:
            return prop.name
        label = str(prop.translations.get(self.language, prop.label))
        is_told = has_zone and prop.type is PropertyType.INSTANT
        return f"{label} ({zone_of(self.zone).key})" if is_told else label

    def cell(self, prop: Property, record: object, names: Names) -> str:
        """Give what stands in one cell."""
        value: Any = value_of(record, prop.name)
        if prop.type is PropertyType.ADDRESSES:
            return harmless(card_addresses.written(card_addresses.every(record)))  # type: ignore[arg-type]
        if value == empty_value(prop.type) and prop.type is not PropertyType.FLAG:
            return ""
        match prop.type:
            case PropertyType.FLAG:
                word = "yes" if value else "no"
                return translate(self.language, word) if self.language else word
            case PropertyType.MONEY:
                return f"{value / 100:.2f}"
            case PropertyType.INSTANT:
                return self.instant(value)
            case PropertyType.DATE:
                return datetime.fromtimestamp(value / 1_000_000, UTC).date().isoformat()
            case PropertyType.REF:
                return harmless(self._name(prop, names.get(prop.ref, {}).get(value, str(value))))
            case PropertyType.FILE:
                return harmless(record.custom.files[value].name)  # type: ignore[attr-defined]
            case PropertyType.TAGS:
                return harmless(", ".join(self._choice(prop, one) for one in value))
            case PropertyType.CHOICE:
                return harmless(self._choice(prop, value))
        if self.language and prop.lasts:
            minutes = value * prop.lasts // 60_000_000
            return f"{minutes // 60}:{minutes % 60:02}"
        return harmless(str(value))

    def cell_value(self, prop: Property, record: object, names: Names) -> object:
        """Give what stands in one cell of a workbook: a number, a day or an instant as such."""
        value: Any = value_of(record, prop.name)
        if value and self.language and prop.lasts:
            return timedelta(microseconds=value * prop.lasts // 1_000_000 * 1_000_000)
        if prop.type is PropertyType.NUMBER:
            return value
        if value and prop.type is PropertyType.MONEY:
            return value / 100
        if value and prop.type is PropertyType.DATE:
            return (_EPOCH + timedelta(microseconds=value)).date()
        if value and prop.type is PropertyType.INSTANT:
            # Workbooks know no time zones: the heading says which one it is.
            return self._at(value).replace(tzinfo=None)
        return self.cell(prop, record, names)

    def _at(self, micros: int) -> datetime:
        zone: ZoneInfo | Any = zone_of(self.zone) if self.language else UTC
        return (_EPOCH + timedelta(microseconds=micros)).astimezone(zone).replace(microsecond=0)

    def instant(self, micros: int) -> str:
        """Give an instant with the offset of its zone."""
        if not self.language:
            return str(rfc3339(micros))
        return self._at(micros).isoformat(sep=" ")

    def _name(self, prop: Property, name: str) -> str:
        return translate(self.language, name) if self.language and prop.ref in WORDS else name

    def _choice(self, prop: Property, value: str) -> str:
        if not self.language:
            return value
        found = next((one for one in prop.choices if one.value == value), None)
        return str(found.translations.get(self.language, found.label)) if found else value


FOR_PROGRAMS = ListWords()


def harmless(text: str) -> str:
    """Keep a spreadsheet from carrying out what somebody wrote."""
    if _FORMULA.match(text) and not _HARMLESS.fullmatch(text):
        return f"'{text}"
    return text


def words_for(reader: Reader, user_id: UserId, language: str) -> ListWords:
    """Give the words for a colleague, who lives in the organisation's zone unless told otherwise."""
    if not language:
        return FOR_PROGRAMS
    zone = user_reads.user(reader, user_id).time_zone or user_reads.brand(reader).time_zone
    return ListWords(language=language, zone=zone or "UTC")
