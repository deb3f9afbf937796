"""A letter out of light markup (see `blocks`) or code: MJML, HTML, and a plain twin of its words.

What begins with `<mjml` or `<html` (`<!doctype`) is code and stays as it is written; the way to
unsubscribe is put under it where it is missing. Nothing in it may run or read files, and what would
load fonts or styles from elsewhere is left out.

Placeholders pass through untouched: they are filled in for each person when it leaves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from xml.parsers import expat

import mjml

from hub import Invalid
from plugins.mailings.addresses import with_marked_links
from plugins.mailings.blocks import is_plain, read
from plugins.mailings.fonts import without_fonts
from plugins.mailings.layout import laid_out, twin, words_of

_RUNS = re.compile(
    r"<\s*(script|iframe|object|embed|mj-include)\b|\bon[a-z]+\s*=|javascript:", re.IGNORECASE
)
_OPEN = re.compile(r"<(br|hr|img|input|link|meta)\b([^>]*?)/?>", re.IGNORECASE)


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


def said(markup: str) -> str:
    """Give the words of a letter for a channel without letters; plain ones stay as they are."""
    if form_of(markup) or is_plain(markup):
        return markup
    return "\n\n".join(twin(read(markup)))


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
    source = with_marked_links(source, utm)
    needs_foot = advertising and "unsubscribe_url" not in source
    foot = _foot(language, advertising)
    if form == "mjml":
        if needs_foot:
            foot = f"<mj-section><mj-column><mj-text font-size='12px'>{foot}</mj-text></mj-column></mj-section>"
            source = re.sub(
                r"</mj-body\s*>", lambda _: f"{foot}</mj-body>", source, count=1, flags=re.I
            )
        source = _html_of(source)
    elif needs_foot:
        whole = source if re.search(r"</body\s*>", source, re.I) else f"{source}</body>"
        source = re.sub(
            r"</body\s*>", lambda _: f"<p>{foot}</p></body>", whole, count=1, flags=re.I
        )
    return Letter(html=without_fonts(source), text=words_of(source))


def _of_blocks(markup: str, language: str, utm: str, advertising: bool, service: bool) -> Letter:
    blocks = read(markup)
    plain = twin(blocks, utm)
    if advertising:
        plain.append(f"{_feet(language)[0]}: {{{{ unsubscribe_url }}}}")
    source, held = laid_out(blocks, utm=utm, foot="" if service else _foot(language, advertising))
    html = _html_of(source)
    for name, inside in held.items():
        html = html.replace(name, inside, 1)
    return Letter(html=html, text="\n\n".join(plain))


def _html_of(source: str) -> str:
    try:
        # It would link a font of Google's wherever a name of one, or its own default, is met.
        return str(mjml.mjml2html(source, fonts={}))
    except (ValueError, OSError, RuntimeError) as error:
        if line := _broken_line(source):
            raise Invalid(
                f"the letter cannot be laid out, look at line {line}", field="text"
            ) from error
        raise Invalid(f"the letter cannot be laid out: {error}", field="text") from error


def _broken_line(source: str) -> int:
    """Give the line where code stops being well formed, 0 where that is not what is wrong.

    MJML says what it cannot read and not where. What HTML leaves open is closed first.
    """
    closed = _OPEN.sub(r"<\1\2/>", source.replace("&", "&amp;"))
    try:
        expat.ParserCreate().Parse(closed, True)
    except expat.ExpatError as error:
        return int(error.lineno)
    return 0
