"""When two addresses or two names are the same: one spelling for phones, e-mails and names.

A phone is E.164 ("8 912 345-67-89" and "+7 (912) 345-67-89" are one), an e-mail is compared
without case. Names are compared in Latin letters, in any order, without patronymics and legal
forms. Nothing here decides: equal spellings are a reason to ask or to suggest.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

from hub.ids import bounded_key
from hub.terms import fold, words

COUNTRY = "RU"
"""Where a number without a country's prefix is from."""

_PHONE = re.compile(r"\+?[0-9][0-9 ()\-.\u2010-\u2015\u00a0/]{5,28}")
# Begun at a word's first letter only: a text of one long word is not gone through from each of them.
_MAIL = re.compile(r"(?<![^\s@<>,;:])[^\s@<>,;:]+@[^\s@<>,;:]+\.[^\s@<>,;:]+")
_MAX = 100


@lru_cache(4096)
def normal_form(kind: str, value: str) -> str:
    """Give the spelling in which an address is compared, "" for one that has no other spelling."""
    text = value.strip()
    if kind == "email":
        return bounded_key(f"e:{fold(text)}") if _MAIL.fullmatch(text) else ""
    # A network that writes a plus means a number of the phone network.
    if kind == "phone" or text.startswith("+"):
        return phone_form(text)
    return ""


def phone_form(text: str) -> str:
    """Give a phone number as `p:+79123456789`, "" for what cannot be one."""
    text = text.strip()[:_MAX]
    if not _PHONE.fullmatch(text):
        return ""
    digits = re.sub(r"\D", "", text)
    # People of this numbering plan leave the plus out as often as not.
    spelling = f"+{digits}" if len(digits) == 11 and digits[0] == "7" else text
    try:
        number = phonenumbers.parse(spelling, COUNTRY)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return f"p:{phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)}"


def said_addresses(text: str) -> list[tuple[str, str]]:
    """Give the phones and e-mails that a text tells, as (kind, value), at most five."""
    found: dict[tuple[str, str], None] = {}
    for match in _MAIL.finditer(text[:20_000]):
        found[("email", match.group().strip(".!?()[]\"'«»").lower())] = None
    for one in phonenumbers.PhoneNumberMatcher(text[:20_000], COUNTRY):
        number = phonenumbers.format_number(one.number, phonenumbers.PhoneNumberFormat.E164)
        found[("phone", number)] = None
    return list(found)[:5]


_NUMBERS = re.compile(r"\+?[0-9][0-9 ()\-.\u2010-\u2015\u00a0/]{4,28}[0-9]")
_INTRODUCES = re.compile(
    r"^(?:меня зовут|мо[её] имя|имя|это|я|my name is|my name's|the name is|name|i am|i'm|this is)\b"
    r"[\s:\u2010-\u2015-]*",
    re.IGNORECASE,
)
_NO_NAMES = frozenset(
    words(
        "да нет не ок окей хорошо ладно спасибо конечно понятно здравствуйте здравствуй привет добрый "
        "доброе доброго день утро вечер суток потом позже сейчас зачем что как где когда вот мой моя "
        "мое телефон почта номер всем жду ясно пожалуйста "
        "yes no ok okay sure thanks thank you hello hi hey good morning day evening later please what "
        "why how when where here my phone mail email number dear"
    )
)


def said_name(text: str) -> str:
    """Give the name that an answer to "what is your name" tells, "" where none can be made out.

    One to three words with capitals that are no greeting and no number; it may begin with "my
    name is" and stand beside a phone or an e-mail.
    """
    rest = _NUMBERS.sub(",", _MAIL.sub(",", text[:1000]))
    for part in re.split(r"[,;.!\n]+", rest):
        name = " ".join(_INTRODUCES.sub("", part.strip()).split())
        said = name.split()
        if (
            0 < len(said) <= 3
            and len(name) <= 60
            and all(re.fullmatch(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", one) for one in said)
            and all(one[0].isupper() for one in said)
            and not any(fold(one) in _NO_NAMES for one in said)
        ):
            return name
    return ""


# -- names ---------------------------------------------------------------------------------

_LETTERS = dict(
    zip(
        "абвгдезийклмнопрстуфхцыэ",
        (*"abvgdeziiklmnoprstuf", "h", "ts", "y", "e"),
        strict=True,
    )
) | {
    "ж": "zh",
    "ч": "ch",
    "ш": "sh",
    "щ": "sh",
    "ю": "yu",
    "я": "ya",
    "ъ": "",
    "ь": "",
    "і": "i",
    "ї": "yi",
    "є": "ye",
    "ґ": "g",
    "ў": "u",
}
# Ways of writing one sound in Latin letters, brought to one; the longer come first.
_SPELLINGS = (
    ("shch", "sh"),
    ("sch", "sh"),
    ("tch", "ch"),
    ("kh", "h"),
    ("ks", "x"),
    ("ck", "k"),
    ("ph", "f"),
    ("tz", "ts"),
    ("cz", "ch"),
    ("dzh", "j"),
    ("iu", "u"),
    ("ju", "u"),
    ("yu", "u"),
    ("ia", "a"),
    ("ja", "a"),
    ("ya", "a"),
    ("io", "e"),
    ("jo", "e"),
    ("yo", "e"),
    ("ye", "e"),
    ("je", "e"),
    ("ii", "i"),
    ("iy", "i"),
    ("ij", "i"),
    ("yi", "i"),
    ("yy", "i"),
    ("ey", "ei"),
    ("ay", "ai"),
    ("oy", "oi"),
    ("y", "i"),
    ("w", "v"),
    ("j", "i"),
)
_PATRONYMIC = re.compile(r"[a-z]+(?:ovich|evich|ovna|evna|ichna|inichna|ogly|kyzy)")
_LEGAL = frozenset(
    [
        "ооо",
        "оао",
        "зао",
        "пао",
        "ао",
        "нко",
        "ано",
        "ип",
        "чп",
        "тоо",
        "llc",
        "ltd",
        "inc",
        "gmbh",
        "jsc",
        "cjsc",
        "co",
        "corp",
        "company",
        "plc",
        "ag",
        "sa",
        "общество",
        "компания",
    ]
)


def latin(word: str) -> str:
    """Give a word as it sounds, in Latin letters, whichever alphabet it was written in."""
    text = "".join(_LETTERS.get(one, one) for one in word)
    for written, sound in _SPELLINGS:
        text = text.replace(written, sound)
    return re.sub(r"(.)\1+", r"\1", text)


@lru_cache(4096)
def name_parts(name: str) -> tuple[str, ...]:
    """Give the words of a name that tell people apart, sorted; at most six."""
    said = [one for one in words(name) if one not in _LEGAL][:10]
    plain = [(one, latin(one)) for one in said]
    kept = [
        sound
        for written, sound in plain
        if sound and not _PATRONYMIC.fullmatch("".join(_LETTERS.get(n, n) for n in written))
    ]
    return tuple(sorted(kept or [sound for _, sound in plain if sound])[:6])


def likeness(one: str, other: str) -> int:
    """Say how alike two names are, 0 to 100: order, alphabet and patronymics do not count."""
    from rapidfuzz import fuzz

    mine, theirs = name_parts(one), name_parts(other)
    if not mine or not theirs:
        return 0
    # An initial agrees with the word that it begins.
    if len(mine) == len(theirs) and min(map(len, mine + theirs)) == 1:
        mine, theirs = _spelt_out(mine, theirs), _spelt_out(theirs, mine)
    return int(fuzz.token_sort_ratio(" ".join(mine), " ".join(theirs)))


def _spelt_out(parts: tuple[str, ...], by: tuple[str, ...]) -> tuple[str, ...]:
    whole = [one for one in by if len(one) > 1]
    found = [next((w for w in whole if len(one) == 1 and w.startswith(one)), one) for one in parts]
    return tuple(sorted(found))
