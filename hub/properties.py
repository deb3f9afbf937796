"""Properties: what a kind's objects have, described once for forms, lists, filters, API, imports.

A property is read and written under its name; `read_value` turns what a form, a file or a program
gave into the stored value, and says in words what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from hub import card_addresses
from hub.errors import Invalid
from hub.figures import lasting, minor_units, sum_said
from hub.filters import EMPTIES, OPERATORS, Choice, Field, FieldType, Operator, Where

LINE = 400
TEXT = 100_000
LARGEST = (1 << 63) - 1
DAY = 86_400_000_000
MOST_TAGS = 50


class PropertyType(StrEnum):
    """What a property holds.

    A line is one short text, a text is long. A date is a day of the calendar, kept as its
    midnight in UTC and never moved by time zones. Money is whole minor units (kopecks, cents) of
    the object's `currency`. A reference is another object's id, 0 for none. Tags are short texts. A
    file, which custom fields alone hold, is the id of what was uploaded, 0 for none. Addresses,
    which only kinds of the hub hold, are what stands in `hub/card_addresses.py`.
    """

    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    MONEY = "money"
    FLAG = "flag"
    INSTANT = "instant"
    DATE = "date"
    REF = "ref"
    TAGS = "tags"
    FILE = "file"
    ADDRESSES = "addresses"


_FIELD_TYPES: Mapping[PropertyType, FieldType] = {
    PropertyType.LINE: FieldType.LINE,
    PropertyType.TEXT: FieldType.TEXT,
    PropertyType.CHOICE: FieldType.CHOICE,
    PropertyType.NUMBER: FieldType.NUMBER,
    PropertyType.MONEY: FieldType.NUMBER,
    PropertyType.FLAG: FieldType.FLAG,
    PropertyType.INSTANT: FieldType.INSTANT,
    PropertyType.DATE: FieldType.INSTANT,
    PropertyType.REF: FieldType.REF,
    PropertyType.TAGS: FieldType.SET,
    PropertyType.FILE: FieldType.FILE,
    PropertyType.ADDRESSES: FieldType.LINE,
}


_WITHOUT_WORDS = OPERATORS[FieldType.LINE] - {Operator.WORDS}
_OF_MANY = EMPTIES | {Operator.CONTAINS, Operator.NOT_CONTAINS}
"""What is asked of all the addresses of a card, which are one text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property of a kind.

    `ref` names the kind a reference points to. `choices_from` names the list of records that a
    choice is made from where the organisation keeps it itself; `choices` are then its beginning.
    `reads` gives the stored form of a line, and raises ValueError with what is wrong with it.
    `lasts` says of a number that is a duration how many microseconds one is; `running` gives the
    instant since which one that is not set yet goes on in a record, 0 where it does not.
    `editable` ones are changed by `ChangeObject`;
    the others move by commands of their own. Of a `personal` one the journal keeps only that it
    changed. `listed` ones are columns of the list at first. `group` names the part of the card.
    """

    name: str
    label: str
    type: PropertyType = PropertyType.LINE
    choices: tuple[Choice, ...] = ()
    choices_from: str = ""
    ref: str = ""
    lasts: int = 0
    running: Callable[[Any], int] | None = None
    reads: Callable[[str], str] | None = None
    required: bool = False
    editable: bool = True
    personal: bool = False
    listed: bool = False
    sortable: bool = False
    group: str = ""
    help: str = ""
    field_id: int = 0
    translations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_custom(self) -> bool:
        """True for a property that the organisation added itself."""
        return self.name.startswith("custom.")

    @property
    def is_joined(self) -> bool:
        """True where two cards that become one have what both had: tags and addresses."""
        of_card = self.type is PropertyType.TAGS and not self.is_custom
        return of_card or self.type is PropertyType.ADDRESSES

    def filter_field(self, kind: str) -> Field:
        """Give the field by which filters ask for this property.

        A long text of one's own is asked for by its beginning, as much as a line holds.
        """
        name = self.name
        is_long = self.type is PropertyType.TEXT and self.is_custom
        type_ = FieldType.LINE if is_long else _FIELD_TYPES[self.type]
        is_many = self.type is PropertyType.ADDRESSES
        operators = _OF_MANY if is_many else _WITHOUT_WORDS if type_ is FieldType.LINE else None
        return Field(
            name=f"{kind}.{name.removesuffix('_id')}",
            label=self.label,
            type=type_,
            value=card_addresses.said if is_many else lambda facts: value_of(facts, name),
            where=Where.BOTH,
            query_operators=operators,
            # What stands for "not set" is asked for as empty.
            choices=tuple(one for one in self.choices if one.value),
            translations=self.translations,
            says=self._says(),
        )

    def _says(self) -> Callable[[int, str], str] | None:
        """Give what says a number of this property in a language; None: as it is."""
        if self.type is PropertyType.MONEY:
            return sum_said
        return partial(lasting, one=self.lasts) if self.lasts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFile:
    """A file that a custom field holds; its size is in bytes."""

    id: int
    name: str
    size: int
    media_type: str


class CustomValues(dict[str, object]):
    """The values of an object's custom fields, by name without `custom.`.

    `files` describes the files that stand among them, by their ids.
    """

    def __init__(
        self,
        values: Mapping[str, object] | None = None,
        types: Mapping[str, PropertyType] | None = None,
    ) -> None:
        super().__init__(values or {})
        self.types = dict(types or {})
        self.files: Mapping[int, CardFile] = {}

    def plain(self) -> dict[str, object]:
        """Give them as JSON: days as texts, ids as texts, null for nobody, never and no file."""
        return {name: self._as_json(self.types.get(name), one) for name, one in self.items()}

    def _as_json(self, kind: PropertyType | None, value: object) -> object:
        if kind is not PropertyType.FILE:
            return _as_json(kind, value)
        file = self.files.get(int(str(value)))
        return {**asdict(file), "id": str(file.id)} if file is not None else None


def _as_json(kind: PropertyType | None, value: object) -> object:
    match kind:
        case PropertyType.DATE:
            day = date(1970, 1, 1) + timedelta(days=int(str(value)) // DAY)
            return day.isoformat() if value else None
        case PropertyType.REF:
            return str(value) if value else None
        case PropertyType.TAGS:
            return list(value) if isinstance(value, tuple) else []
    return value


def value_of(record: object, name: str) -> object:
    """Read a property off a record; a custom one stands in its `custom` mapping."""
    if name.startswith("custom."):
        return getattr(record, "custom").get(name.removeprefix("custom."))  # noqa: B009
    return getattr(record, name)


def empty_value(kind: PropertyType) -> object:
    """Give what stands for "not set": no column of ours is nullable."""
    match kind:
        case PropertyType.NUMBER | PropertyType.MONEY:
            return 0
        case PropertyType.INSTANT | PropertyType.DATE | PropertyType.REF | PropertyType.FILE:
            return 0
        case PropertyType.FLAG:
            return False
        case PropertyType.TAGS | PropertyType.ADDRESSES:
            return ()
    return ""


def read_value(prop: Property, given: object) -> object:
    """Give the stored form of a value from outside; raises Invalid with the property's name.

    None and "" empty the property. Texts are taken for everything (a form, a file); programs
    may also give numbers, truths and lists as such.
    """
    if given is None or given == "" or given == []:
        if prop.required:
            raise Invalid("this is needed", field=prop.name)
        return empty_value(prop.type)
    try:
        value = _READERS[prop.type](prop, given)
    except ValueError as error:
        raise Invalid(str(error), field=prop.name) from error
    if prop.required and value == empty_value(prop.type) and prop.type is not PropertyType.FLAG:
        raise Invalid("this is needed", field=prop.name)
    return value


def _text(given: object, most: int) -> str:
    if not isinstance(given, str):
        raise ValueError("this is not a text")
    if "\x00" in given or any("\ud800" <= one <= "\udfff" for one in given):
        raise ValueError("the text has a character that cannot be kept")
    if len(given) > most:
        raise ValueError(f"at most {most} characters")
    return given.strip()


def _line(prop: Property, given: object) -> str:
    line = " ".join(_text(given, LINE).split())
    return prop.reads(line) if prop.reads and line else line


def _long(prop: Property, given: object) -> str:
    return _text(given, TEXT).replace("\r\n", "\n")


def _choice(prop: Property, given: object) -> str:
    if prop.choices_from:
        # Which ones there are is known where it is written.
        return _line(prop, given)
    known = [one.value for one in prop.choices]
    if given not in known:
        raise ValueError(f"one of these is needed: {', '.join(known)}")
    return str(given)


def _number(prop: Property, given: object) -> int:
    if isinstance(given, bool):
        raise ValueError("a whole number is needed")
    if isinstance(given, str) and re.fullmatch(r"[+-]?[0-9]{1,19}", given.strip()):
        given = int(given)
    if not isinstance(given, int) or abs(given) > LARGEST:
        raise ValueError("a whole number is needed")
    return given


def _money(prop: Property, given: object) -> int:
    """A number is minor units; a text is how people write a sum: "1 200,50"."""
    if isinstance(given, str):
        return minor_units(given)
    return _number(prop, given)


def _flag(prop: Property, given: object) -> bool:
    if isinstance(given, bool):
        return given
    word = str(given).strip().lower()
    if word in ("yes", "true", "1", "on", "да"):
        return True
    if word in ("no", "false", "0", "off", "нет"):
        return False
    raise ValueError("yes or no is needed")


def _instant(prop: Property, given: object) -> int:
    if isinstance(given, str):
        try:
            at = datetime.fromisoformat(given.strip())
        except ValueError:
            raise ValueError("an instant is needed, as 2026-01-31T12:00:00Z") from None
        if at.tzinfo is None:
            raise ValueError("an instant needs its time zone, as 2026-01-31T12:00:00Z")
        return _between(int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000))
    return _between(_number(prop, given))


def _between(at: int) -> int:
    if not 0 < at < 253_402_300_800_000_000:
        raise ValueError("this instant is out of range")
    return at


def _date(prop: Property, given: object) -> int:
    if isinstance(given, str):
        day = _day(given.strip())
        if day is None or day.year < 1900:
            raise ValueError("a day is needed, as 2026-01-31 or 31.01.2026")
        return (day - date(1970, 1, 1)).days * DAY
    at = _number(prop, given)
    return at - at % DAY


def _day(given: str) -> date | None:
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y"):
        try:
            return datetime.strptime(given[:10], pattern).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _ref(prop: Property, given: object) -> int:
    value = _number(prop, given)
    if value < 0:
        raise ValueError("an id is needed")
    return value


def _file(prop: Property, given: object) -> int:
    """A file is named by its id, or given as it is read."""
    if isinstance(given, CardFile):
        return given.id
    return _ref(prop, given.get("id") if isinstance(given, Mapping) else given)


def _tags(prop: Property, given: object) -> tuple[str, ...]:
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, list | tuple):
        raise ValueError("a list of tags is needed")
    if prop.choices:
        return _several(prop, [str(one) for one in parts])
    found: dict[str, str] = {}
    for one in parts:
        tag = " ".join(_text(one, 100).split())
        if tag:
            found.setdefault(tag.casefold(), tag)
    if len(found) > MOST_TAGS:
        raise ValueError(f"at most {MOST_TAGS} tags")
    return tuple(found.values())


def _several(prop: Property, parts: list[str]) -> tuple[str, ...]:
    """Some of the choices, as they are called or as they are stored; a name may hold commas."""
    known = {one.value: one.value for one in prop.choices}
    for one in prop.choices:
        for word in (one.label, *one.translations.values()):
            known.setdefault(word.casefold(), one.value)
    found: set[str] = set()
    while parts:
        for end in range(len(parts), 0, -1):
            word = " ".join(",".join(parts[:end]).split())
            value = known.get(word, known.get(word.casefold()))
            if value is not None:
                found.add(value)
                break
        else:
            if parts[0].strip():
                raise ValueError(
                    f"some of these are needed: {', '.join(c.value for c in prop.choices)}"
                )
            end = 1
        parts = parts[end:]
    return tuple(sorted(found))


_READERS: Mapping[PropertyType, Callable[[Property, Any], object]] = {
    PropertyType.LINE: _line,
    PropertyType.TEXT: _long,
    PropertyType.CHOICE: _choice,
    PropertyType.NUMBER: _number,
    PropertyType.MONEY: _money,
    PropertyType.FLAG: _flag,
    PropertyType.INSTANT: _instant,
    PropertyType.DATE: _date,
    PropertyType.REF: _ref,
    PropertyType.TAGS: _tags,
    PropertyType.FILE: _file,
    PropertyType.ADDRESSES: lambda prop, given: card_addresses.read(given),
}
