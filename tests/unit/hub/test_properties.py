"""What forms, files and programs may give for a property, and what is kept of it."""

from __future__ import annotations

import pytest

from hub import Invalid, Property, PropertyType
from hub.filters import Choice
from hub.list_words import harmless
from hub.nouns import CORE_KINDS
from hub.nouns.contacts import CONTACTS
from hub.properties import DAY, read_value

T = PropertyType


def prop(kind: PropertyType, **more: object) -> Property:
    return Property(name="x", label="X", type=kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        (T.LINE, "  two\n words ", "two words"),
        (T.TEXT, "a\r\nb ", "a\nb"),
        (T.NUMBER, " -12 ", -12),
        (T.NUMBER, 7, 7),
        (T.MONEY, "1 200,50", 120_050),
        (T.MONEY, "1\u00a0200", 120_000),
        (T.MONEY, "1,234.5", 123_450),
        (T.MONEY, "1.234.567,89", 123_456_789),
        (T.MONEY, "-3", -300),
        (T.MONEY, 250, 250),
        (T.FLAG, "да", True),
        (T.FLAG, "no", False),
        (T.DATE, "1970-01-03", 2 * DAY),
        (T.DATE, "03.01.1970", 2 * DAY),
        (T.DATE, "1969-12-31", -DAY),
        (T.INSTANT, "1970-01-01T03:00:01+03:00", 1_000_000),
        (T.REF, "42", 42),
        (T.TAGS, "Hot, hot ,  big  one,", ("Hot", "big one")),
        (T.TAGS, ["a"], ("a",)),
        (T.LINE, None, ""),
        (T.DATE, "", 0),
        (T.TAGS, [], ()),
    ],
)
def test_a_value_is_read_as_people_write_it(kind: T, given: object, kept: object) -> None:
    assert read_value(prop(kind), given) == kept


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (T.LINE, "x" * 401),
        (T.LINE, "a\x00b"),
        (T.LINE, 5),
        (T.NUMBER, "1.5"),
        (T.NUMBER, True),
        (T.NUMBER, 1 << 63),
        (T.MONEY, "12,345"[:3] + "4.5.6"),
        (T.MONEY, "много"),
        (T.FLAG, "perhaps"),
        (T.DATE, "31.02.2026"),
        (T.DATE, "0001-01-01"),
        (T.INSTANT, "2026-01-01T00:00:00"),
        (T.INSTANT, -1),
        (T.REF, -1),
        (T.TAGS, {"a": 1}),
        (T.TAGS, ",".join(map(str, range(51)))),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(kind: T, given: object) -> None:
    with pytest.raises(Invalid) as refused:
        read_value(prop(kind), given)
    assert refused.value.field == "x"


def test_a_choice_is_one_of_its_choices_and_a_needed_line_is_not_empty() -> None:
    choice = prop(T.CHOICE, choices=(Choice("a", "A"),))
    assert read_value(choice, "a") == "a"
    with pytest.raises(Invalid):
        read_value(choice, "b")
    for empty in ("", None, "   "):
        with pytest.raises(Invalid):
            read_value(prop(T.LINE, required=True), empty)


NO_PROPERTIES = {
    "client": {"merged_into"},
    "contact": {"merged_into", "addresses"},
}
"""What only some records have: a merge's trace, the addresses."""


@pytest.mark.parametrize("kind", CORE_KINDS.values(), ids=lambda kind: kind.name)
def test_a_kind_and_its_record_agree(kind: object) -> None:
    names = {one.name for one in kind.properties}  # type: ignore[attr-defined]
    fields = set(kind.record.__dataclass_fields__)  # type: ignore[attr-defined]
    own = {"id", "deleted_at", "version", "custom"} | NO_PROPERTIES.get(kind.name, set())  # type: ignore[attr-defined]
    assert fields == names | own
    assert all("ru" in one.translations for one in kind.properties)  # type: ignore[attr-defined]
    assert all("ru" in one.translations for p in kind.properties for one in p.choices)  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["=1+1", "@sum", "+cmd|x", "-x", "\tx"])
def test_a_cell_that_would_be_a_formula_is_not_one(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+7 (912) 000-00-00", "-12.50", "a=b", ""])
def test_a_number_and_a_phone_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("time_zone", "europe/moscow", "Europe/Moscow"),
        ("time_zone", "New York", "America/New_York"),
        ("time_zone", "", ""),
        ("language", "pt-BR", "pt-BR"),
    ],
)
def test_a_zone_and_a_language_are_kept_as_programs_read_them(
    name: str, given: str, kept: str
) -> None:
    assert read_value(CONTACTS.property(name), given) == kept


@pytest.mark.parametrize(
    ("name", "given"), [("time_zone", "Gotham"), ("language", "Russian, some English")]
)
def test_what_no_program_would_read_is_refused_with_an_example(name: str, given: str) -> None:
    with pytest.raises(Invalid, match=r"Europe/Moscow|pt-BR"):
        read_value(CONTACTS.property(name), given)
