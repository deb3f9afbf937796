"""The two languages of the hub and the catalogues of words in them, a plugin's own among them.

A catalogue is a `.po` file in `locale/<language>/LC_MESSAGES/`; it is compiled in memory when it is
first asked, so that nobody has to run a build step. What a plugin's catalogue does not have is
looked up in the hub's: names that both show, such as those of placeholders, stand there once.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = ("en", "ru")
DEFAULT = "en"


def choose(*wishes: str) -> str:
    """Give the first language that we speak among wishes like `ru`, `ru-RU` or a header."""
    for wish in wishes:
        for part in (wish or "").split(","):
            code = part.split(";")[0].strip().lower().split("-")[0]
            if code in LANGUAGES:
                return code
    return DEFAULT


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Give the hub's own catalogue of a language; the source language is English."""
    path = LOCALE / language / "LC_MESSAGES" / "hub.po"
    return _read(path, language) if path.is_file() else gettext.NullTranslations()


def own_catalogue(folder: Traversable, name: str, language: str) -> gettext.NullTranslations:
    """Give the catalogue `name` below a plugin's folder; what is not in it is the hub's to say."""
    path = folder.joinpath("locale", language, "LC_MESSAGES", f"{name}.po")
    if not path.is_file():
        return translations(language)
    own = _read(path, language)
    own.add_fallback(translations(language))
    return own


def translator_of(package: str) -> Callable[[str], Callable[[str], str]]:
    """Give a plugin's translator: called with a language, it gives what looks a text up.

    `package` is the plugin's own (`__package__`), and its catalogue is called as the last word of
    that: `locale/ru/LC_MESSAGES/<word>.po`. What neither it nor the hub knows stays as it is, and a
    language that nobody here speaks is English. Nothing is read before the first text is asked for.
    """

    @cache
    def catalogue(language: str) -> gettext.NullTranslations:
        return own_catalogue(files(package), package.rpartition(".")[2], language)

    def translator(language: str) -> Callable[[str], str]:
        known = choose(language)
        return lambda text: catalogue(known).gettext(text) if text else text

    return translator


def _read(path: Traversable, language: str) -> gettext.GNUTranslations:
    # Whoever speaks English only reads no catalogue, and a channel's worker speaks to nobody.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
