"""The light markup of a letter, read into blocks.

    # Heading              a line of its own
    ![alt](https://...)    a picture; without words for who does not see it, it is refused
    [[Order|https://…]]    a button
    [words](https://...)   a link inside a paragraph
    ---                    a line across
    ::: space 24           room, in pixels
    ::: columns … +++ … :::   two to four columns, blocks in each
    ::: social … :::       one a line: VK https://vk.com/shop
    ::: product … :::      a picture, the name, the price, more words, a button; only the name must be
    ::: raw … :::          HTML or parts of MJML, cleaned

An empty line ends a block. Its colours stand in a line over it, `{color=#fff background=#246}`, or
behind its name: `::: columns background=#f4f4f4`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hub import Invalid
from plugins.mailings.colours import COLOUR, Colours

# What is filled in for each person may have spaces.
PICTURE = re.compile(r"!\[([^\]\n]*)\]\(((?:\{\{[^{}]*\}\}|\S)+?)\)")
BUTTON = re.compile(r"\[\[([^|\]\n]+)\|((?:\{\{[^{}]*\}\}|\S)+?)\]\]")
_NAMED = re.compile(r":::[ \t]*([a-z]+)\b(.*)")
_END = re.compile(r":::\s*")
_COLOURED = re.compile(r"\{\s*((?:(?:color|background)=[^\s{}]*\s*)+)\}")
_CHOSEN = re.compile(r"(color|background)=(\S*)")
_LINK = re.compile(r"(.+?)[ \t]+((?:\{\{[^{}]*\}\}|\S)+)")
HOLDING = {"columns", "social", "product", "raw"}
MOST_COLUMNS = 4
SPACE, MOST_SPACE = 24, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block; of its fields each kind uses its own."""

    kind: str
    text: str = ""
    address: str = ""
    colours: Colours = field(default=Colours())
    size: int = 0
    alt: str = ""
    picture: str = ""
    price: str = ""
    more: str = ""
    links: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[Block, ...], ...] = ()


def read(markup: str) -> tuple[Block, ...]:
    """Read the blocks of a letter; raises Invalid where one is not whole."""
    return _blocks(markup.replace("\r\n", "\n").split("\n"), nested=False)


def each(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Give every block, those inside of columns too."""
    for block in blocks:
        yield block
        for column in block.columns:
            yield from each(column)


def is_plain(markup: str) -> bool:
    """Say whether it reads as it is written: without named blocks and colours."""
    lines = [line.strip() for line in markup.splitlines()]
    return not any(_NAMED.fullmatch(one) or _COLOURED.fullmatch(one) for one in lines)


def _blocks(lines: list[str], *, nested: bool) -> tuple[Block, ...]:
    found: list[Block] = []
    waiting: list[str] = []

    def end() -> None:
        if part := "\n".join(waiting).strip():
            found.append(_written(part))
        waiting.clear()

    at = 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        named = _NAMED.fullmatch(line)
        if named is not None:
            end()
            body, at = _inside(lines, at, named[1])
            found.append(_named(named[1], named[2], body, nested=nested))
        elif not line:
            end()
        else:
            waiting.append(lines[at - 1])
    end()
    return tuple(found)


def _inside(lines: list[str], at: int, name: str) -> tuple[list[str], int]:
    """Give the lines inside of a named block, and where its letter goes on."""
    if name not in HOLDING:
        return [], at
    depth = 1
    for n in range(at, len(lines)):
        line = lines[n].strip()
        opens = _NAMED.fullmatch(line)
        if _END.fullmatch(line):
            depth -= 1
        elif name == "columns" and opens is not None and opens[1] in HOLDING:
            depth += 1
        if not depth:
            return lines[at:n], n + 1
    raise Invalid(f"a block is not closed by ::: {name}", field="text")


def _named(name: str, given: str, body: list[str], *, nested: bool) -> Block:
    colours = _colours(given)
    text = "\n".join(body).strip()
    if name == "space":
        number = given.split()[0] if given.split() else ""
        size = int(number) if number.isdecimal() and len(number) < 6 else SPACE
        return Block(kind="space", size=min(max(size, 1), MOST_SPACE), colours=colours)
    if name == "raw":
        return Block(kind="raw", text=text, colours=colours)
    if name == "social":
        links = []
        for line in filter(None, (one.strip() for one in body)):
            found = _LINK.fullmatch(line)
            if found is None:
                raise Invalid(f"a social link is a name and an address: {line[:80]}", field="text")
            links.append((found[1], found[2]))
        return Block(kind="social", links=tuple(links), colours=colours)
    if name == "product":
        return _product(body, colours)
    if name == "columns":
        if nested:
            raise Invalid("columns stand in no other columns", field="text")
        return Block(kind="columns", columns=_columns(body), colours=colours)
    raise Invalid(f"there is no block of this name: {name[:40]}", field="text")


def _columns(body: list[str]) -> tuple[tuple[Block, ...], ...]:
    parts: list[list[str]] = [[]]
    depth = 0
    for line in body:
        named = _NAMED.fullmatch(line.strip())
        if named is not None and named[1] in HOLDING:
            depth += 1
        elif _END.fullmatch(line.strip()):
            depth -= 1
        if line.strip() == "+++" and not depth:
            parts.append([])
        else:
            parts[-1].append(line)
    if not 2 <= len(parts) <= MOST_COLUMNS:
        raise Invalid("columns are two to four, with a line +++ between them", field="text")
    return tuple(_blocks(part, nested=True) for part in parts)


def _product(body: list[str], colours: Colours) -> Block:
    words: list[str] = []
    picture = button = None
    for line in filter(None, (one.strip() for one in body)):
        if picture is None and (found := PICTURE.fullmatch(line)):
            picture = found
        elif button is None and (found := BUTTON.fullmatch(line)):
            button = found
        else:
            words.append(line)
    # A dash holds the place of what is left empty.
    words[:2] = ["" if one == "-" else one for one in words[:2]]
    if not words or not words[0]:
        raise Invalid("a product needs a name", field="text")
    return Block(
        kind="product",
        text=words[0],
        price=words[1] if len(words) > 1 else "",
        more="\n".join(words[2:]),
        alt=picture[1].strip() if picture else "",
        picture=picture[2] if picture else "",
        links=((button[1], button[2]),) if button else (),
        colours=colours,
    )


def _written(part: str) -> Block:
    """Read a block without a name."""
    first, _, rest = part.partition("\n")
    chosen = _COLOURED.fullmatch(first.strip())
    colours = Colours()
    if chosen is not None:
        colours, part = _colours(chosen[1]), rest.strip()
    if part == "---":
        return Block(kind="line", colours=colours)
    if part.startswith("#"):
        return Block(kind="heading", text=part.lstrip("#").strip(), colours=colours)
    if (found := PICTURE.fullmatch(part)) is not None:
        return Block(kind="picture", text=found[1], address=found[2], colours=colours)
    if (found := BUTTON.fullmatch(part)) is not None:
        return Block(kind="button", text=found[1], address=found[2], colours=colours)
    return Block(kind="text", text=part, colours=colours)


def _colours(given: str) -> Colours:
    chosen = dict(_CHOSEN.findall(given))
    for colour in chosen.values():
        if colour and not COLOUR.fullmatch(colour):
            raise Invalid(f"a colour is written #2457d6: {colour[:40]}", field="text")
    return Colours(ink=chosen.get("color", "").lower(), ground=chosen.get("background", "").lower())
