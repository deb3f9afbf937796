"""The Russian interface is complete: nothing missing, nothing doubtful, every plural form there."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.pofile import read_po

from hub.catalogues import translations
from hub.web.i18n import translate
from tools.i18n import PO, WEB, found


def test_every_text_is_translated() -> None:
    with PO.open("rb") as file:
        known = read_po(file, locale="ru")
    missing = []
    for message in found():
        if not message.id:
            continue
        have = known.get(message.id, message.context)
        forms = have.string if have is not None else ""
        complete = all(forms) and len(forms) == 3 if isinstance(forms, tuple) else bool(forms)
        if not complete or (have is not None and have.fuzzy):
            missing.append((message.id, message.locations[:1]))
    assert missing == [], "run tools/i18n.py and translate what is new"


def test_placeholders_survive_translation() -> None:
    with PO.open("rb") as file:
        known = read_po(file, locale="ru")
    for message in known:
        if isinstance(message.id, str) and message.string:
            places = re.findall(r"%\(\w+\)s|\{\w+\}", message.id)
            assert sorted(re.findall(r"%\(\w+\)s|\{\w+\}", str(message.string))) == sorted(places)


def test_an_empty_field_is_asked_to_be_filled() -> None:
    assert translate("ru", "String should have at least 1 character") == "Заполните это поле"
    assert translate("ru", "String should have at least 3 characters").endswith("не меньше 3")


def test_russian_counts_in_three_ways() -> None:
    russian = translations("ru")
    one = "%(count)s character at most"
    many = "%(count)s characters at most"
    assert len({russian.ngettext(one, many, n) for n in (1, 2, 5)}) >= 2


def test_no_text_hides_inside_a_template_literal() -> None:
    hidden = [
        f"{path.name}: {line.strip()[:80]}"
        for path in Path(WEB / "static/js").rglob("*.js")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"`[^`]*\$\{[^}]*\b_\(", line)
    ]
    assert hidden == []


def test_what_is_filled_into_an_error_survives_translation() -> None:
    with PO.open("rb") as file:
        known = read_po(file, locale="ru")
    for message in known:
        if isinstance(message.id, str) and message.string:
            assert str(message.string).count("{}") <= message.id.count("{}"), message.id


def test_an_error_with_something_filled_in_is_translated() -> None:
    assert translate("ru", "at most 5 tags") == "меток не больше 5"
    assert translate("en", "at most 5 tags") == "at most 5 tags"
    said = "smtp.port: Input should be less than or equal to 65535"
    assert translate("ru", said) == "smtp.port: Нужно не больше 65535"
    # What a validator of ours says, and pydantic hands on.
    assert translate("ru", "Value error, there is no time zone Mars") == "нет часового пояса Mars"
    assert translate("ru", "Anna wrote at most of it") == "Anna wrote at most of it"
    assert translate("ru", "Tea or coffee") == "Tea or coffee"
