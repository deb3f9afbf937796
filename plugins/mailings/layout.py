"""Blocks laid out: MJML for who sees a letter, plain words for who reads it without pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape, unescape

from plugins.mailings.addresses import address_of, attribute, with_marked_links
from plugins.mailings.blocks import Block
from plugins.mailings.colours import (
    BUTTON,
    DARK_INK,
    DARK_LINK,
    DARK_PAPER,
    DARK_QUIET,
    INK,
    LINK,
    QUIET,
    Colours,
    ink_on,
)
from plugins.mailings.raw import clean, is_laid_out

_LINK = re.compile(r"\[([^\]\n]+)\]\(((?:\{\{[^{}]*\}\}|\S)+?)\)")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_BARE = re.compile(r"<mj-text((?:(?!\s(?:container-background-)?color=)[^>])*)>")
LINE = "#8a8a8a"
FLUID = ' fluid-on-mobile="true"'
"""Pictures of columns are as wide as the letter where these stand one over another."""
# What has no colour of its own follows the reader's theme; what has one keeps it.
DARK = (
    "@media (prefers-color-scheme: dark) {"
    f" body, .letter {{ background-color: {DARK_PAPER} !important; }}"
    f" .said div, .said td {{ color: {DARK_INK} !important; }}"
    f" .said a {{ color: {DARK_LINK} !important; }}"
    f" .quiet div {{ color: {DARK_QUIET} !important; }}"
    " }"
)
PHONE = "@media (max-width: 479px) { .letter td { word-break: break-word; } }"
HEAD = (
    "<mj-head><mj-attributes><mj-all font-family='Arial, sans-serif' />"
    f"<mj-text font-size='16px' line-height='1.5' color='{INK}' />"
    "<mj-button font-size='16px' /><mj-section padding='0' /></mj-attributes>"
    f"<mj-style>{DARK} {PHONE}</mj-style>"
    "<mj-raw><meta name='color-scheme' content='light dark'>"
    "<meta name='supported-color-schemes' content='light dark'></mj-raw></mj-head>"
)


@dataclass(slots=True, kw_only=True)
class _Sheet:
    """What is laid out so far."""

    utm: str
    # Cleaned HTML is put in after the layout, which reads no more than MJML.
    held: dict[str, str] = field(default_factory=dict)

    def hold(self, html: str) -> str:
        name = f"heldblock{len(self.held)}x"
        self.held[name] = html
        return name


def laid_out(blocks: tuple[Block, ...], *, utm: str, foot: str) -> tuple[str, dict[str, str]]:
    """Give the MJML of a letter, and the HTML that takes the place of words in what comes of it."""
    sheet = _Sheet(utm=utm)
    sections: list[str] = []
    plain: list[str] = []

    def end() -> None:
        if plain:
            sections.append(_section([("100%", "".join(plain))]))
            plain.clear()

    for block in blocks:
        if block.kind in ("columns", "product"):
            end()
            sections.append(_wide(sheet, block))
        else:
            plain.append(_drawn(sheet, block, block.colours))
    if foot:
        foot = foot.replace("<a ", '<a style="color:inherit" ')
        plain.append(f"<mj-divider border-width='1px' border-color='{LINE}' />")
        plain.append(
            f"<mj-text css-class='said quiet' font-size='12px' color='{QUIET}'>{foot}</mj-text>"
        )
    end()
    body = "".join(sections)
    source = (
        f"<mjml>{HEAD}<mj-body width='600px' css-class='letter'>"
        f"<mj-wrapper padding='20px 0'>{body}</mj-wrapper></mj-body></mjml>"
    )
    return source, sheet.held


def _section(columns: list[tuple[str, str]], ground: str = "", place: str = "top") -> str:
    background = f" background-color='{ground}'" if ground else ""
    inside = "".join(
        f"<mj-column width='{width}' vertical-align='{place}'>{one}</mj-column>"
        for width, one in columns
    )
    return f"<mj-section{background}>{inside}</mj-section>"


def _wide(sheet: _Sheet, block: Block) -> str:
    """A block that takes the whole width: columns, or a product with its picture beside it."""
    ground = block.colours.ground
    if block.kind == "product":
        words = _words_of_product(sheet, block, block.colours)
        if not block.picture:
            return _section([("100%", words)], ground)
        return _section([("40%", _picture(sheet, block)), ("60%", words)], ground, "middle")
    width = f"{100 // len(block.columns)}%"
    columns = [
        (
            width,
            "".join(
                _drawn(sheet, one, one.colours.over(block.colours), narrow=True) for one in column
            ),
        )
        for column in block.columns
    ]
    return _section(columns, ground)


def _picture(sheet: _Sheet, block: Block) -> str:
    alt = escape(block.alt or block.text, True)
    source = attribute(address_of(block.picture))
    where = f' href="{attribute(address_of(block.links[0][1], sheet.utm))}"' if block.links else ""
    return f'<mj-image alt="{alt}" src="{source}"{where}{FLUID} />'


def _words_of_product(sheet: _Sheet, block: Block, colours: Colours) -> str:
    made = _text(sheet, block.text, colours, "font-size='20px' font-weight='bold'")
    if block.price:
        made += _text(sheet, block.price, colours, "font-size='18px'")
    if block.more:
        made += _text(sheet, block.more, colours)
    for words, address in block.links:
        made += _button(sheet, words, address, Colours(), colours.ground, align="left")
    return made


def _ground(colours: Colours) -> str:
    return f" container-background-color='{colours.ground}'" if colours.ground else ""


def _text(sheet: _Sheet, words: str, colours: Colours, how: str = "") -> str:
    mark = "" if colours.own else " css-class='said'"
    link = "inherit" if colours.own else LINK
    inside = _inline(words, sheet.utm, link)
    return f"<mj-text {how} color='{colours.words}'{mark}{_ground(colours)}>{inside}</mj-text>"


def _button(
    sheet: _Sheet, words: str, address: str, own: Colours, ground: str, align: str = "center"
) -> str:
    href = attribute(address_of(address, sheet.utm))
    back = own.ground or BUTTON
    around = f" container-background-color='{ground}'" if ground else ""
    return (
        f"<mj-button href=\"{href}\" align='{align}' background-color='{back}'"
        f" color='{own.ink or ink_on(back)}'{around}>{escape(words, False)}</mj-button>"
    )


def _drawn(sheet: _Sheet, block: Block, colours: Colours, *, narrow: bool = False) -> str:
    """Lay one block out in its column; `colours` are its own over those around it."""
    ground = _ground(colours)
    if block.kind == "line":
        return f"<mj-divider border-width='1px' border-color='{colours.ink or LINE}'{ground} />"
    if block.kind == "space":
        return f"<mj-spacer height='{block.size}px'{ground} />"
    if block.kind == "heading":
        return _text(sheet, block.text, colours, "font-size='24px' font-weight='bold'")
    if block.kind == "picture":
        source = attribute(address_of(block.address))
        wide = FLUID if narrow else ""
        return f'<mj-image alt="{escape(block.text, True)}" src="{source}"{wide}{ground} />'
    if block.kind == "button":
        # A background around it is the columns'; its own is the button's.
        around = "" if block.colours.ground else colours.ground
        return _button(sheet, block.text, block.address, block.colours, around)
    if block.kind == "social":
        return _social(sheet, block, colours)
    if block.kind == "product":
        drawn = _picture(sheet, block).replace(" />", f"{ground} />") if block.picture else ""
        return drawn + _words_of_product(sheet, block, colours)
    if block.kind == "raw":
        return _raw(sheet, block, colours)
    return _text(sheet, block.text, colours)


def _social(sheet: _Sheet, block: Block, colours: Colours) -> str:
    """Draw them as words: icons would be loaded from somebody else's house."""
    colour = "inherit" if colours.own else LINK
    links = " ".join(
        f'<a href="{attribute(address_of(address, sheet.utm))}" style="display:inline-block;'
        f"margin:4px;padding:6px 14px;border:1px solid;border-radius:18px;text-decoration:none;"
        f'color:{colour}">{escape(name, False)}</a>'
        for name, address in block.links
    )
    mark = "" if colours.own else " css-class='said'"
    look = f"align='center' font-size='14px' line-height='1.4' color='{colours.words}'"
    return f"<mj-text {look}{mark}{_ground(colours)}>{links}</mj-text>"


def _raw(sheet: _Sheet, block: Block, colours: Colours) -> str:
    made = with_marked_links(clean(block.text), sheet.utm)
    if is_laid_out(block.text):
        # Words without a colour of their own follow the reader's theme here too.
        return _BARE.sub(r'<mj-text css-class="said"\1>', made)
    mark = "" if colours.own else " css-class='said'"
    inside = sheet.hold(made)
    return f"<mj-text color='{colours.words}'{mark}{_ground(colours)}>{inside}</mj-text>"


def _inline(text: str, utm: str, colour: str) -> str:
    made, at = [], 0
    for found in _LINK.finditer(text):
        made.append(escape(text[at : found.start()], False))
        address = attribute(address_of(found[2], utm))
        made.append(f'<a href="{address}" style="color:{colour}">{escape(found[1], False)}</a>')
        at = found.end()
    made.append(escape(text[at:], False))
    return _BOLD.sub(r"<strong>\1</strong>", "".join(made)).replace("\n", "<br />")


# -- the plain twin -------------------------------------------------------------------------------


def twin(blocks: tuple[Block, ...], utm: str = "") -> list[str]:
    """Give the same words without HTML, a block an item."""
    return [said for block in blocks if (said := _said(block, utm))]


def _said(block: Block, utm: str) -> str:
    if block.kind == "line":
        return "---"
    if block.kind == "heading":
        return _words(block.text, utm)
    if block.kind == "picture":
        return f"[{block.text}]"
    if block.kind == "button":
        return f"{block.text}: {address_of(block.address, utm)}"
    if block.kind == "social":
        return "\n".join(f"{name}: {address_of(one, utm)}" for name, one in block.links)
    if block.kind == "columns":
        return "\n\n".join(one for column in block.columns for one in twin(column, utm))
    if block.kind == "product":
        lines = [block.text, block.price, _words(block.more, utm)]
        lines += [f"{name}: {address_of(one, utm)}" for name, one in block.links]
        return "\n".join(filter(None, lines))
    if block.kind == "raw":
        return words_of(with_marked_links(clean(block.text), utm))
    return _words(block.text, utm)


def _words(text: str, utm: str) -> str:
    plain = _LINK.sub(lambda one: f"{one[1]} ({address_of(one[2], utm)})", text)
    return _BOLD.sub(r"\1", plain)


def words_of(html: str) -> str:
    """Make the plain twin of code: its words, each link with its address behind it."""
    text = re.sub(r"(?is)<(head|style|title)\b.*?</\1\s*>|<!--.*?-->", "", html)
    text = re.sub(
        r'(?is)<(a|mj-button)\b[^>]*href="([^"]*)"[^>]*>(.*?)</\1>',
        lambda m: f"{m[3]} ({m[2]})\n" if m[1].lower() == "mj-button" else f"{m[3]} ({m[2]})",
        text,
    )
    text = re.sub(r"(?is)<(?:img|mj-image)\b[^>]*alt=[\"']([^\"']+)[\"'][^>]*>", r"[\1]", text)
    text = re.sub(r"(?i)</t[dh]\s*>", " ", text)
    text = re.sub(r"(?i)<br\s*/?>|</(p|div|tr|h[1-6]|li|table|mj-\w+)\s*>", "\n", text)
    text = unescape(re.sub(r"<[^>]+>", "", text))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
