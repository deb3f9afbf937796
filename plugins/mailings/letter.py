"""A letter out of light markup: blocks to MJML to HTML, with a plain twin made of the same words.

    # Heading            a line of its own
    ![alt](https://...)   a picture; without words for who does not see it, it is refused
    [[Order|https://…]]   a button
    [words](https://...)  a link inside a paragraph
    ---                   a line across

What begins with `<mjml` or `<html` (`<!doctype`) is code and stays as it is written; the way to
unsubscribe is put under it where it is missing. Nothing in it may run or read files.

Placeholders pass through untouched: they are filled in for each person when it leaves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html import escape, unescape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import mjml

from hub import Invalid, with_addresses

LOOSE = "a button or a picture stands inside a text: put an empty line before and after it"
_PICTURE = re.compile(r"!\[([^\]\n]*)\]\((\S+?)\)")
# What is filled in for each person may have spaces.
_BUTTON = re.compile(r"\[\[([^|\]\n]+)\|((?:\{\{[^{}]*\}\}|\S)+?)\]\]")
_LINK = re.compile(r"\[([^\]\n]+)\]\(((?:\{\{[^{}]*\}\}|\S)+?)\)")
_FILLED = re.compile(r"\{\{[^{}]*\}\}")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_HREF = re.compile(
    r"(\bhref\s*=\s*([\"']))((?:\{\{[^{}]*\}\}|(?!\2|\{\{).)*)\2", re.IGNORECASE | re.DOTALL
)
_RUNS = re.compile(
    r"<\s*(script|iframe|object|embed|mj-include)\b|\bon[a-z]+\s*=|javascript:", re.IGNORECASE
)
_IMAGE = re.compile(r"<(?:img|mj-image)\b([^>]*)>", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=\s*[\"']\s*[^\"'\s]", re.IGNORECASE)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """HTML with its plain twin."""

    html: str
    text: str


def letter(
    markup: str,
    *,
    language: str = "ru",
    utm: str = "",
    advertising: bool = True,
    plain_twin: str = "",
    service: bool = False,
) -> Letter:
    """Make the letter; raises Invalid with what MJML says. A `plain_twin` replaces the made one.

    A `service` letter stands in a dialog: it has no page of its own in a browser.
    """
    form = form_of(markup)
    if form:
        made = _of_code(markup, form, language, utm, advertising)
    else:
        made = _of_blocks(markup, language, utm, advertising, service)
    if not plain_twin.strip():
        return made
    leave = f"{_feet(language)[0]}: {{{{ unsubscribe_url }}}}"
    own = plain_twin.strip()
    return replace(
        made, text=own if not advertising or "unsubscribe_url" in own else f"{own}\n\n{leave}"
    )


def form_of(markup: str) -> str:
    """Say how a letter is written: `mjml`, `html`, or "" for blocks."""
    start = markup.lstrip()[:20].lower()
    if start.startswith("<mjml"):
        return "mjml"
    return "html" if start.startswith(("<html", "<!doctype")) else ""


def _feet(language: str) -> tuple[str, str]:
    if language == "ru":
        return "Отписаться", "Открыть в браузере"
    return "Unsubscribe", "Open in a browser"


def _foot(language: str, advertising: bool) -> str:
    leave, view = _feet(language)
    foot = f'<a href="{{{{ view_url }}}}">{view}</a>'
    return f'<a href="{{{{ unsubscribe_url }}}}">{leave}</a> · {foot}' if advertising else foot


def _of_code(source: str, form: str, language: str, utm: str, advertising: bool) -> Letter:
    if _RUNS.search(source):
        raise Invalid("a letter cannot run scripts or take in other files", field="text")
    source = _HREF.sub(lambda one: f"{one[1]}{_marked(one[3], utm)}{one[2]}", source)
    needs_foot = advertising and "unsubscribe_url" not in source
    foot = _foot(language, advertising)
    if form == "mjml":
        if needs_foot:
            foot = f"<mj-section><mj-column><mj-text font-size='12px'>{foot}</mj-text></mj-column></mj-section>"
            source = re.sub(
                r"</mj-body\s*>", lambda _: f"{foot}</mj-body>", source, count=1, flags=re.I
            )
        try:
            source = str(mjml.mjml2html(source))
        except (ValueError, OSError, RuntimeError) as error:
            raise Invalid(f"the letter cannot be laid out: {error}", field="text") from error
    elif needs_foot:
        whole = source if re.search(r"</body\s*>", source, re.I) else f"{source}</body>"
        source = re.sub(
            r"</body\s*>", lambda _: f"<p>{foot}</p></body>", whole, count=1, flags=re.I
        )
    return Letter(html=source, text=_words_of(source))


def _marked(address: str, utm: str) -> str:
    """Add the campaign's marks to a link of code; what is no web address stays as it is."""
    if not utm or not address.startswith(("https://", "http://")):
        return address
    return _attribute(_address(address.replace("&amp;", "&"), utm))


def _attribute(address: str) -> str:
    """Write an address into an attribute; a default in a placeholder keeps quotes of its own."""
    held = [(one[0], one[0].replace('"', "'")) for one in _FILLED.finditer(address)]
    made = [escape(part, True) for part in _FILLED.split(address)]
    return "".join(f"{part}{one}" for part, (_, one) in zip(made, [*held, ("", "")], strict=True))


def _words_of(html: str) -> str:
    """Make the plain twin of code: its words, each link with its address behind it."""
    text = re.sub(r"(?is)<(head|style|title)\b.*?</\1\s*>|<!--.*?-->", "", html)
    text = re.sub(
        r'(?is)<a\b[^>]*href="([^"]*)"[^>]*>(.*?)</a>', lambda m: f"{m[2]} ({m[1]})", text
    )
    text = re.sub(r"(?is)<img\b[^>]*alt=[\"']([^\"']+)[\"'][^>]*>", r"[\1]", text)
    text = re.sub(r"(?i)<br\s*/?>|</(p|div|tr|h[1-6]|li|table)\s*>", "\n", text)
    text = unescape(re.sub(r"<[^>]+>", "", text))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _of_blocks(markup: str, language: str, utm: str, advertising: bool, service: bool) -> Letter:
    blocks, plain = [], []
    for part in re.split(r"\n\s*\n", markup.strip()):
        block, words = _block(part.strip(), utm)
        blocks.append(block)
        plain.append(words)
    foot = (
        "<mj-divider border-width='1px' border-color='#dddddd' />"
        f"<mj-text font-size='12px' color='#777777'>{_foot(language, advertising)}</mj-text>"
    )
    if service:
        foot = ""
    if advertising:
        plain.append(f"{_feet(language)[0]}: {{{{ unsubscribe_url }}}}")
    source = (
        "<mjml><mj-head><mj-attributes><mj-all font-family='Arial, sans-serif' />"
        "<mj-text font-size='16px' line-height='1.5' /></mj-attributes>"
        "<mj-raw><meta name='color-scheme' content='light dark'></mj-raw></mj-head>"
        f"<mj-body width='600px'><mj-section><mj-column>{''.join(blocks)}{foot}"
        "</mj-column></mj-section></mj-body></mjml>"
    )
    try:
        html = str(mjml.mjml2html(source))
    except (ValueError, OSError, RuntimeError) as error:
        raise Invalid(f"the letter cannot be laid out: {error}", field="text") from error
    return Letter(html=html, text="\n\n".join(one for one in plain if one))


def _block(part: str, utm: str) -> tuple[str, str]:
    if not part:
        return "", ""
    if part == "---":
        return "<mj-divider border-width='1px' border-color='#dddddd' />", "---"
    if part.startswith("#"):
        words = part.lstrip("#").strip()
        return (
            f"<mj-text font-size='24px' font-weight='bold'>{_inline(words, utm)}</mj-text>",
            words,
        )
    picture = _PICTURE.fullmatch(part)
    if picture is not None:
        alt, address = picture[1], _address(picture[2], "")
        return f'<mj-image alt="{escape(alt, True)}" src="{_attribute(address)}" />', f"[{alt}]"
    button = _BUTTON.fullmatch(part)
    if button is not None:
        address = _address(button[2], utm)
        made = f'<mj-button href="{_attribute(address)}" background-color="#2457d6">{escape(button[1])}</mj-button>'
        return made, f"{button[1]}: {address}"
    plain = _LINK.sub(lambda one: f"{one[1]} ({_address(one[2], utm)})", part)
    return f"<mj-text>{_inline(part, utm)}</mj-text>", _BOLD.sub(r"\1", plain)


def _inline(text: str, utm: str) -> str:
    made, at = [], 0
    for found in _LINK.finditer(text):
        made.append(escape(text[at : found.start()], False))
        address = _attribute(_address(found[2], utm))
        made.append(f'<a href="{address}">{escape(found[1], False)}</a>')
        at = found.end()
    made.append(escape(text[at:], False))
    return _BOLD.sub(r"<strong>\1</strong>", "".join(made)).replace("\n", "<br />")


def _address(address: str, utm: str) -> str:
    """Check an address and add the campaign's marks; marks and anchors that are there stay."""
    if address.startswith("{{"):
        return address
    if not address.lower().startswith(("https://", "http://", "mailto:", "tel:")):
        raise Invalid(f"a link begins with https://: {address[:80]}", field="text")
    if not utm or not address.lower().startswith("http"):
        return address
    # What is filled in for each person stays as it is written.
    filled = _FILLED.findall(address)
    held = {f"placeholder{n}x": one for n, one in enumerate(filled)}
    for name, one in held.items():
        address = address.replace(one, name, 1)
    parts = urlsplit(address)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name, value in parse_qsl(utm):
        given.setdefault(name, value)
    made = urlunsplit(parts._replace(query=urlencode(given)))
    for name, one in held.items():
        made = made.replace(name, one, 1)
    return made


def with_marks(text: str, utm: str) -> str:
    """Add the campaign's marks to the addresses of a plain message."""
    return with_addresses(text, lambda one: _address(one, utm)) if utm else text


def loose(markup: str) -> bool:
    """Say whether a button or a picture stands inside a text, where its signs would be read."""
    if form_of(markup):
        return False
    for part in re.split(r"\n\s*\n", markup.strip()):
        for sign in (_PICTURE, _BUTTON):
            if sign.search(part) and not sign.fullmatch(part.strip()):
                return True
    return False


def complaints(markup: str, made: Letter) -> list[tuple[str, str]]:
    """Say what is doubtful: (level, words)."""
    found = []
    code = form_of(markup)
    blind = [one for one in _IMAGE.findall(markup) if not _ALT.search(one)] if code else []
    if blind or any(not alt.strip() for alt, _ in _PICTURE.findall(markup)):
        found.append(("bad", "a picture has no words for who does not see it"))
    if loose(markup):
        found.append(("bad", LOOSE))
    if len(made.html.encode()) > MAX_HTML:
        found.append(("bad", "the letter is larger than 100 KB: mail programs cut it off"))
    lower = markup.lower()
    bad = [one for one in SPAM if one in lower]
    if bad:
        found.append(("warn", "words that look like spam"))
    if 'href="http://' in made.html:
        found.append(("warn", "a link is not encrypted (http://)"))
    letters = [one for one in markup if one.isalpha()]
    if len(letters) > 40 and sum(one.isupper() for one in letters) > len(letters) * 0.5:
        found.append(("warn", "half of it is in capitals"))
    return found
