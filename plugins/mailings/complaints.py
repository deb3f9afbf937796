"""What is doubtful in a letter: links, size, words for pictures, contrast, spam-likely words."""

from __future__ import annotations

import re

from hub import HubError
from plugins.mailings.blocks import BUTTON, PICTURE, Block, each, read
from plugins.mailings.colours import BUTTON as BUTTON_GROUND
from plugins.mailings.colours import ENOUGH, ENOUGH_LARGE, Colours, ink_on, ratio
from plugins.mailings.letter import Letter, form_of

LOOSE = "a button or a picture stands inside a text: put an empty line before and after it"
MAX_HTML = 100_000
SPAM = (
    "100% бесплатно",
    "бесплатно!!!",
    "без риска",
    "гарантированный доход",
    "заработок",
    "казино",
    "act now",
    "free!!!",
    "guaranteed income",
    "make money",
    "no risk",
    "winner!!!",
    "viagra",
)
_IMAGE = re.compile(r"<(?:img|mj-image)\b([^>]*)>", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=\s*[\"']\s*[^\"'\s]", re.IGNORECASE)
_LEAVES = re.compile(r"<a\b[^>]*\bhref\s*=\s*[\"']\s*\{\{\s*unsubscribe_url\b", re.IGNORECASE)


def loose(markup: str) -> bool:
    """Say whether a button or a picture stands inside a text, where its signs would be read."""
    return any(
        sign.search(one.text)
        for one in _read(markup)
        if one.kind in ("text", "heading")
        for sign in (PICTURE, BUTTON)
    )


def complaints(
    markup: str, made: Letter, *, subject: str = "", advertising: bool = True
) -> list[tuple[str, str, str]]:
    """Say what is doubtful: (level, words, what it is about)."""
    found = []
    blocks = _read(markup)
    if _blind(markup, blocks):
        found.append(("bad", "a picture has no words for who does not see it", ""))
    if loose(markup):
        found.append(("bad", LOOSE, ""))
    if advertising and not _LEAVES.search(re.sub(r"(?s)<!--.*?-->", "", made.html)):
        found.append(("bad", "nothing in the letter leads to unsubscribing", ""))
    size = len(made.html.encode())
    if size > MAX_HTML:
        text = "the letter is larger than 100 KB: mail programs cut it off"
        found.append(("bad", text, f"{size // 1000} KB"))
    lower = f"{subject}\n{markup}".lower()
    bad = [one for one in SPAM if one in lower]
    if bad:
        found.append(("warn", "words that look like spam", ", ".join(bad)))
    found += _pale(markup)
    if 'href="http://' in made.html:
        found.append(("warn", "a link is not encrypted (http://)", ""))
    if any(map(_shouts, (subject, markup))):
        found.append(("warn", "half of it is in capitals", ""))
    return found


def _shouts(text: str) -> bool:
    letters = [one for one in text if one.isalpha()]
    return len(letters) > 40 and sum(one.isupper() for one in letters) > len(letters) * 0.5


def _read(markup: str) -> list[Block]:
    """Give the blocks, those of columns too; none of code, and none where they cannot be read."""
    if form_of(markup):
        return []
    try:
        return list(each(read(markup)))
    except HubError:
        return []


def _blind(markup: str, blocks: list[Block]) -> bool:
    code = [markup] if form_of(markup) else [one.text for one in blocks if one.kind == "raw"]
    if any(not _ALT.search(one) for text in code for one in _IMAGE.findall(text)):
        return True
    texts = [one.text for one in blocks if one.kind == "text"]
    written = [alt for text in texts for alt, _ in PICTURE.findall(text)]
    return any(not alt.strip() for alt in written) or any(
        one.kind == "picture" and not one.text.strip() for one in blocks
    )


def _pale(markup: str) -> list[tuple[str, str, str]]:
    """Say which blocks are hard to read, by day or in the dark (WCAG 2.2, 1.4.3)."""
    found: dict[tuple[str, str], None] = {}
    if form_of(markup):
        return []
    try:
        blocks = read(markup)
    except HubError:
        return []
    for block in blocks:
        inner = [(one, one.colours.over(block.colours)) for row in block.columns for one in row]
        for one, colours in inner or [(block, block.colours)]:
            for dark, value in _ratios(one, colours):
                where = f"«{one.text[:40] or one.kind}» {value:.1f} : 1"
                words = "words are hard to read in the dark" if dark else "words are hard to read"
                found[words, where] = None
    return [("warn", words, where) for words, where in found]


def _ratios(block: Block, colours: Colours) -> list[tuple[bool, float]]:
    """Give the ratios of a block that are too low, as (in the dark, ratio); by day comes first."""
    if block.kind in ("line", "space", "picture", "columns"):
        return []
    enough = ENOUGH_LARGE if block.kind == "heading" else ENOUGH
    if block.kind == "button":
        # Its own colours are those of the button, which looks the same in the dark.
        back = block.colours.ground or BUTTON_GROUND
        value = ratio(block.colours.ink or ink_on(back), back)
        return [(False, value)] if value < enough else []
    made = [(dark, ratio(words, ground)) for dark, words, ground in colours.pairs()]
    low = [(dark, value) for dark, value in made if value < enough]
    # The same colours by day and at night are said once.
    return low[:1] if colours.ground else low
