"""Words as the hub compares them: one function for search, filters and conditions on text.

"Цены", "ценами" and "ЦЕНА" are one term, "prices" and "price" another; "ё" is "е". Whatever
stores terms also stores `TERMS_VERSION`, because terms made by two versions of this file do
not meet. Text comes from strangers: its length, the length of a word and the number of terms
are bounded here, once.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

TERMS_VERSION = 1
"""Changes when the same text would give other terms: then the search is indexed again."""

MAX_TEXT = 200_000
MAX_TERMS = 4_000
MAX_WORD = 40
MAX_QUERY_TERMS = 16
MAX_GRAMS = 200
PHONE_GRAM = 4

# A stress mark, a soft hyphen or a zero-width joiner inside a word does not make it another.
_MARKS = "\u00ad\u0300-\u036f\u200b-\u200f\u2060\ufe0e\ufe0f\ufeff"
_INVISIBLE = re.compile(f"[{_MARKS}]+")
_WORD = re.compile(r"[^\W_]+")
_MARKED_WORD = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_NOT_DIGIT = re.compile(r"[^0-9]+")
_PHONE = re.compile(r"[+0-9 ()\-.\u2010-\u2015\u00a0/]+")

# Words that stand in every second sentence and tell nothing: "счёт на оплату" is looked for as
# "счёт оплату". "не", "нет", "not" and "no" tell something and stay.
_EMPTY_WORDS = frozenset(
    [
        "и",
        "а",
        "в",
        "во",
        "на",
        "с",
        "со",
        "к",
        "ко",
        "у",
        "о",
        "об",
        "от",
        "до",
        "по",
        "из",
        "за",
        "для",
        "но",
        "же",
        "бы",
        "ли",
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "at",
        "and",
        "or",
        "for",
        "is",
        "are",
        "be",
        "by",
    ]
)


_LETTERS = 3
"""Fewer letters are no text in a language."""


def _clean(text: str) -> str:
    """Bring a text to the one spelling in which texts are compared."""
    text = text[:MAX_TEXT]
    if text.isascii():
        return text.lower()
    # NFKC would write these as letters, which then stick to the word beside them.
    text = text.replace("№", " ").replace("™", " ")
    # Compatibility forms expand (one ligature may become eighteen letters), so cut once more.
    text = unicodedata.normalize("NFKC", text)[:MAX_TEXT].casefold().replace("ё", "е")
    text = _INVISIBLE.sub("", text)
    if not unicodedata.is_normalized("NFKC", text):
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return text


def fold(text: str) -> str:
    """Give the folded twin of a text, by which it is sorted and searched."""
    return " ".join(_clean(text).replace("\x00", " ").split())


class _Stemmers(threading.local):
    """The stemmers of one thread: a PyStemmer object must not be shared between threads."""

    def __init__(self) -> None:
        # Imported late, so that the front door loads nothing beyond the standard library.
        import Stemmer

        # Without PyStemmer's cache: with the vocabulary of many people it is slower than stemming.
        self.russian: Callable[[list[str]], list[str]] = Stemmer.Stemmer("russian", 0).stemWords
        self.english: Callable[[list[str]], list[str]] = Stemmer.Stemmer("english", 0).stemWords


_local: _Stemmers | None = None
_lock = threading.Lock()


def _stemmers() -> _Stemmers:
    global _local
    if _local is None:
        with _lock:
            if _local is None:
                _local = _Stemmers()
    return _local


def _stem(words: Sequence[str]) -> dict[str, str]:
    """Give the term of each word; the script of a word chooses the language."""
    stemmers = _stemmers()
    found = dict(zip(words, words, strict=True))
    russian = [word for word in words if "а" <= word[0] <= "я"]
    if russian:
        stems = [
            _mended(stem) if stem[-1] in _DOUBTFUL else stem for stem in stemmers.russian(russian)
        ]
        found.update(zip(russian, stems, strict=True))
    if len(russian) < len(words):
        english = [word for word in words if word.isascii() and word.isalpha()]
        found.update(zip(english, stemmers.english(english), strict=True))
    return found


# Snowball takes the end of many a noun for that of a verb, in some of its forms only: "канал" and
# "каналы", "деталь" and "детали", "кредит" and "кредита", "отмена" and "отмену" would not meet. A
# stem that still has such an end loses it too. That joins, never parts: "работает" also meets
# "работа", at the price of a few strangers ("визит" and "виза").
_DOUBTFUL = frozenset("алнтмкя")  # the last letters of the ends below
_VERB_ENDS = ("ен", "ил", "ит", "им", "ыт", "ыл")
_PAST_ENDS = ("ал", "ан", "ял", "ян")
_FLEETING = ("ок", "ек")
_VOWELS = frozenset("аеиоуыэюя")


def _mended(stem: str) -> str:
    if len(stem) < 5:
        return stem
    if stem.endswith(_FLEETING) and stem[-3] not in _VOWELS:
        # "скидок" and "скидки", "звонок" and "звонки".
        return stem[:-2] + "к"
    if stem.endswith(_VERB_ENDS) or (len(stem) > 5 and stem.endswith("ем")):
        return stem[:-2]
    if stem.endswith(_PAST_ENDS):
        stem = stem[:-1]
    return stem[:-1] if len(stem) > 4 and stem[-1] in "ая" else stem


def words(text: str) -> list[str]:
    """Give the words of a text in order, in the spelling in which words are compared."""
    return split(_clean(text))


def split(folded: str) -> list[str]:
    """Give the words of a text that is folded already."""
    found: list[str] = _WORD.findall(folded)
    return [word[:MAX_WORD] for word in found]


def terms(text: str) -> list[str]:
    """Give the distinct terms of a text, in order of appearance, at most MAX_TERMS."""
    # Distinct words first: a word that is repeated is stemmed once.
    distinct = [word for word in dict.fromkeys(words(text)) if word not in _EMPTY_WORDS]
    return list(dict.fromkeys(_stem(distinct[:MAX_TERMS]).values()))


def query_terms(text: str) -> list[str]:
    """Give the terms that a found text must all have; none when nothing is worth asking."""
    return terms(text[: MAX_WORD * MAX_QUERY_TERMS * 4])[:MAX_QUERY_TERMS]


def has_terms(text: str, wanted: Iterable[str]) -> bool:
    """Say whether a text has all these terms, without stemming every word of it."""
    targets = frozenset(wanted)
    cleaned = _clean(text)
    # So long a text may have more words than are kept of it.
    if len(cleaned) > 2 * MAX_TERMS:
        return targets <= set(terms(text))
    near = {word[:MAX_WORD] for word in _near(targets).findall(cleaned)} - _EMPTY_WORDS
    return targets <= set(_stem(list(near)).values())


def _near(targets: frozenset[str]) -> re.Pattern[str]:
    """Give what finds the words that may have one of these terms, by their beginnings.

    The stemmers cut the end of a word and write at most its last letters anew: "happy" is
    "happi", "dying" is "die", "скидок" is "скидк".
    """
    beginnings = {one[: max(1, len(one) - (3 if one.isascii() else 1))] for one in targets}
    either = "|".join(sorted(beginnings)) or "(?!)"
    return re.compile(rf"(?<![^\W_])(?:{either})[^\W_]*")


def term_spans(text: str, wanted: Iterable[str], limit: int = 1_000) -> list[tuple[int, int]]:
    """Give where words of the wanted terms stand in a text, for marking them."""
    targets = frozenset(wanted)
    # What is cut short ends with a sign that folding makes three; no word holds it, nor a hard space.
    text = text[:MAX_TEXT].replace("…", " ").replace("\xa0", " ")
    lower = text.lower().replace("ё", "е")
    spans: list[tuple[int, int]] = []
    # Places are those of the text as it stands, and folding may change lengths: then each word
    # is folded by itself, the marks inside it included.
    aligned = len(lower) == len(text) and lower == _clean(text)
    for match in _near(targets).finditer(lower) if aligned else _MARKED_WORD.finditer(text):
        inside = [match.group()[:MAX_WORD]] if aligned else words(match.group())
        if any(_stem([word])[word] in targets for word in inside if word not in _EMPTY_WORDS):
            spans.append(match.span())
            if len(spans) >= limit:
                break
    return spans


def trigrams(name: str) -> list[str]:
    """Give the distinct three-letter parts of a name's words, their borders included.

    A typing mistake changes at most three of them, so names that share most are alike.
    """
    found: dict[str, None] = {}
    for word in words(name[: MAX_WORD * 20]):
        padded = f"  {word} "
        found.update(dict.fromkeys(padded[n : n + 3] for n in range(len(padded) - 2)))
        if len(found) >= MAX_GRAMS:
            break
    return list(islice(found, MAX_GRAMS))


def digits(phone: str) -> str:
    """Give a phone number's digits without its country's prefix where two are in use.

    "8 912 345-67-89", "+7 (912) 345-67-89" and "9123456789" are one number.
    """
    text = phone[:200]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    number = _NOT_DIGIT.sub("", text)[:MAX_WORD]
    if (len(number) == 11 and number[0] in "78") or text.lstrip().startswith("+7"):
        return number[1:]
    return number


def is_phone(text: str) -> bool:
    """Say whether a text can be a phone number, or the beginning or end of one."""
    return len(digits(text)) >= PHONE_GRAM and _PHONE.fullmatch(_clean(text[:200])) is not None


def phone_grams(phone: str) -> list[str]:
    """Give the four-digit parts of a phone number, by which any part of it is found."""
    number = digits(phone)
    return list(
        dict.fromkeys(f"#{number[n : n + PHONE_GRAM]}" for n in range(len(number) - PHONE_GRAM + 1))
    )


def find_words(text: str, wanted: Iterable[str]) -> list[str]:
    """Give the words of a text that are one of these in any form, as they stand there, each once."""
    targets = frozenset(term for one in wanted for term in query_terms(one))
    found = (text[start:end] for start, end in term_spans(text, targets, 200)) if targets else ()
    return list(dict.fromkeys(found))


def script_of(text: str) -> str:
    """Say by its letters in what language a text is: ru, en, other, or "" where there are few."""
    cyrillic = sum("а" <= one <= "я" or one == "ё" for one in text.lower())
    latin = sum("a" <= one <= "z" for one in text.lower())
    letters = sum(one.isalpha() for one in text)
    if letters < _LETTERS:
        return ""
    if cyrillic * 2 >= letters:
        return "ru"
    return "en" if latin * 2 >= letters else "other"
