"""The two languages of the interface: gettext catalogues, compiled in memory at start."""

from __future__ import annotations

import gettext
import hashlib
import io
import json
import re
from functools import cache, lru_cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent.parent / "locale"
LANGUAGES = ("en", "ru")
DEFAULT = "en"
LONGEST = 2000
_PLACE = re.compile(r"[a-z_]+(?:\.\w+|\[\d+\])*: (?=\S)")
"""The path an objection to a form or to JSON begins with."""


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Give the catalogue of a language; the source language is English."""
    path = LOCALE / language / "LC_MESSAGES" / "hub.po"
    return read_catalogue(path) if path.is_file() else gettext.NullTranslations()


def read_catalogue(path: Path) -> gettext.GNUTranslations:
    """Compile a .po file in memory, so that nobody has to run a build step."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parent.parent.name)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def translate(language: str, text: str) -> str:
    """Translate one text, also one with something filled in: `at most {} tags` is known of it."""
    known = translations(language).gettext(text)
    return known if known != text or language == DEFAULT else _filled(language, text)


@lru_cache(2000)
def _filled(language: str, text: str) -> str:
    """Translate an error by the text that it was made of; what was filled in stays as it is."""
    place = _PLACE.match(text)
    if place is not None:
        return place[0] + translate(language, text[place.end() :])
    if len(text) <= LONGEST:
        for pattern, words in _patterns(language):
            found = pattern.fullmatch(text)
            if found is not None:
                return words.format(*(_part(language, one) for one in found.groups()))
    return text


def _part(language: str, text: str) -> str:
    """Give what was filled in: a sentence of another library has words of its own."""
    return translate(language, text) if " " in text.strip() else text


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Give what errors with something filled in look like, those that say most first."""
    path = LOCALE / language / "LC_MESSAGES" / "hub.po"
    if not path.is_file():
        return []
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    known = {
        str(one.id): str(one.string)
        for one in catalogue
        if isinstance(one.id, str)
        and "{}" in one.id
        and one.string
        and any(str(where[0]).endswith(".py") for where in one.locations)
    }
    return [
        (re.compile("(.*?)".join(map(re.escape, text.split("{}"))), re.DOTALL), words)
        for text, words in sorted(known.items(), key=lambda one: -len(one[0].replace("{}", "")))
    ]


def choose(*wishes: str) -> str:
    """Give the first language that we speak among wishes like `ru`, `ru-RU` or a header."""
    for wish in wishes:
        for part in (wish or "").split(","):
            code = part.split(";")[0].strip().lower().split("-")[0]
            if code in LANGUAGES:
                return code
    return DEFAULT


@cache
def script_texts(language: str) -> bytes:
    """Give the texts that modules use as JSON: those that stand in a .js file."""
    path = LOCALE / language / "LC_MESSAGES" / "hub.po"
    found = {}
    if path.is_file():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language)
        found = {
            str(one.id): str(one.string)
            for one in catalogue
            if isinstance(one.id, str)
            and one.id
            and one.string
            and any(str(where[0]).endswith(".js") for where in one.locations)
        }
    return json.dumps(found, ensure_ascii=False, sort_keys=True).encode()


@cache
def texts_address(language: str) -> str:
    """Give the address of the modules' texts, which changes with them."""
    mark = hashlib.sha256(script_texts(language)).hexdigest()[:8]
    return f"/texts/{language}.json?{mark}"
