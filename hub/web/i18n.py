"""The two languages of the interface: gettext catalogues, compiled in memory at start."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache, lru_cache

from babel.messages.pofile import read_po

from hub.catalogues import DEFAULT, LOCALE, translations

LONGEST = 2000
_PLACE = re.compile(r"[a-z_]+(?:\.\w+|\[\d+\])*: (?=\S)")
"""The path an objection to a form or to JSON begins with."""


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
