"""The one renderer of quick replies, templates, mailings and rules: Jinja2 in a cage.

What a template may contain is a short list: text, placeholders, a few filters, conditions, and
loops over a list two deep. No calls, no arithmetic, no attributes of Python objects, nothing that
reads or imports; so it ends by itself, and size and time are limited besides. The same function
makes the preview and what is sent.
"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from hub.errors import Invalid
from hub.placeholders import VARIABLES, Problem, Rendered

MAX_SOURCE = 400_000
OWN_FIELD = re.compile(r"(contact|client|interest|request)\.custom\.[a-z0-9_]+")
"""A field that the organisation added; one that is not there stops the message as an empty one."""
MAX_RESULT = 2_000_000
MAX_DEPTH = 12
MAX_LOOPS = 2
MAX_ROWS = 200
SECONDS = 2.0

_GAP, _OPEN, _CLOSE = "\ue000", "\ue001", "\ue002"
_MARKS = re.compile("[\ue000-\ue002]")
_LITERAL_DEFAULT = re.compile(r"(\{\{[^{}|]*)\|\s*(\"[^\"{}]*\"|'[^'{}]*')\s*(\}\})")
_UNKNOWN = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Filter,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.For,
)
_TEST_WORDS = {"loop"}


class Value(str):
    """A placeholder's text that remembers whose it is; the empty one is dealt with at output."""

    __slots__ = ("name", "soft")
    name: str
    soft: bool

    def __new__(cls, text: str, name: str, soft: bool) -> Value:
        made = super().__new__(cls, text)
        made.name, made.soft = name, soft
        return made


class Nothing(Undefined):
    """A name that is not there: empty in a condition, a gap in the text."""

    def __str__(self) -> str:
        return f"{_OPEN}{self._undefined_name}{_CLOSE}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return Nothing(name=f"{self._undefined_name}.{name}")

    def __html__(self) -> str:
        return str(self)


def _finalize(value: Any) -> Any:
    """Mark what is empty: a soft one leaves a gap, any other its own name to be filled."""
    if isinstance(value, Value) and not value:
        return _GAP if value.soft else f"{_OPEN}{value.name}{_CLOSE}"
    if value is None or value == "":
        return _GAP
    return value


def _default(value: Any, other: object = "") -> Any:
    """Give the value, or what to say without it."""
    return other if isinstance(value, Undefined) or not value else value


def _gendered(value: Any, male: object, female: object, other: object = "") -> Any:
    """Choose a wording by gender: `{{ contact.gender | gendered("готов", "готова", "готов(а)") }}`."""
    return {"m": male, "f": female}.get(str(value), other or male)


def _plural(value: Any, one: object, few: object, many: object = "") -> str:
    """Say a number with its noun: `{{ n | plural("день", "дня", "дней") }}`, in English two forms."""
    digits = re.sub(r"\D", "", str(value)) or "0"
    n = int(digits[-9:])
    if not many:
        return f"{value} {one if n == 1 else few}"
    if n % 10 == 1 and n % 100 != 11:
        form = one
    elif n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14):
        form = few
    else:
        form = many
    return f"{value} {form}"


def _shortened(value: Any, length: int = 80) -> str:
    """Cut a text at a word."""
    text = str(value)
    return text if len(text) <= length else text[: max(1, length - 1)].rsplit(" ", 1)[0] + "…"


FILTERS = {
    "default": _default,
    "gendered": _gendered,
    "plural": _plural,
    "short": _shortened,
    "upper": lambda value: value if not value else str(value).upper(),
    "lower": lambda value: value if not value else str(value).lower(),
    "capitalize": lambda value: value if not value else str(value)[:1].upper() + str(value)[1:],
}


class _Cage(ImmutableSandboxedEnvironment):
    """Knows our filters and nothing else; an attribute is an item of a mapping of ours."""

    def __init__(self, *, html: bool) -> None:
        super().__init__(
            autoescape=html,
            undefined=Nothing,
            finalize=_finalize,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.filters = dict(FILTERS)
        self.tests = {}
        self.globals = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look in a mapping only: no object of ours has attributes for a template."""
        if isinstance(obj, Nothing) and not attribute.startswith("_"):
            return getattr(obj, attribute)
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return Nothing(name=f"{getattr(obj, 'name', '')}.{attribute}".strip("."))


_TEXT, _HTML = _Cage(html=False), _Cage(html=True)


def _source(text: str) -> str:
    """Let a quoted text after the bar be the default: `{{ client.name | "friend" }}`."""
    return _LITERAL_DEFAULT.sub(r"\1| default(\2) \3", _MARKS.sub("", text))


def check(text: str, known: Mapping[str, object] | None = None) -> tuple[Problem, ...]:
    """Say what is wrong with a template; asked when it is saved."""
    names = set(known if known is not None else VARIABLES)
    if len(text) > MAX_SOURCE:
        return (Problem(line=1, text="the template is too long"),)
    try:
        tree = _TEXT.parse(_source(text))
    except TemplateSyntaxError as error:
        return (Problem(line=error.lineno, text=str(error.message or "cannot be read")),)
    except RecursionError:
        return (Problem(line=1, text="nested too deeply"),)
    return tuple(_problems(tree, names))


def _problems(tree: nodes.Template, names: set[str]) -> Iterator[Problem]:
    bound = {
        one.target.name for one in tree.find_all(nodes.For) if isinstance(one.target, nodes.Name)
    }
    for node, depth, loops in _walk(tree, 0, 0):
        if not isinstance(node, _ALLOWED):
            what = type(node).__name__.lower()
            yield Problem(line=node.lineno, text=f"a template cannot contain this: {what}")
        elif isinstance(node, nodes.Getattr) and (node.attr.startswith("_") or not _dotted(node)):
            yield Problem(line=node.lineno, text=f"a template cannot look at {node.attr}")
        elif depth > MAX_DEPTH or loops > MAX_LOOPS:
            yield Problem(line=node.lineno, text="nested too deeply")
        elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
            near = difflib.get_close_matches(node.name, FILTERS, 1)
            yield Problem(
                line=node.lineno,
                text=f"there is no filter {node.name}",
                name=node.name,
                suggestion=near[0] if near else "",
            )
    for name, line in _names(tree):
        if OWN_FIELD.fullmatch(name):
            continue
        if name not in names and name.partition(".")[0] not in bound | _TEST_WORDS:
            near = difflib.get_close_matches(name, names, 1, 0.5)
            yield Problem(
                line=line,
                text=f"there is no placeholder {name}",
                name=name,
                suggestion=near[0] if near else "",
            )


def _walk(node: nodes.Node, depth: int, loops: int) -> Iterator[tuple[nodes.Node, int, int]]:
    loops += isinstance(node, nodes.For)
    yield node, depth, loops
    inner = depth + isinstance(node, nodes.If | nodes.For | nodes.CondExpr | nodes.Filter)
    for child in node.iter_child_nodes():
        yield from _walk(child, inner, loops)


def _names(node: nodes.Node) -> Iterator[tuple[str, int]]:
    """Give every dotted name that a template reads, with its line."""
    dotted = _dotted(node)
    if dotted:
        yield dotted, node.lineno
        return
    for child in node.iter_child_nodes():
        yield from _names(child)


def _dotted(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name if node.ctx == "load" else ""
    if isinstance(node, nodes.Getattr):
        before = _dotted(node.node)
        return f"{before}.{node.attr}" if before else ""
    return ""


@lru_cache(maxsize=1024)
def _compiled(text: str, html: bool) -> Any:
    cage = _HTML if html else _TEXT
    problems = [one for one in check(text, None) if not one.name]
    if problems:
        raise Invalid(f"line {problems[0].line}: {problems[0].text}", field="text")
    try:
        return cage.from_string(_source(text))
    except TemplateError as error:
        raise Invalid(str(error), field="text") from error


class Prepared(dict[str, Any]):
    """Values as templates read them; made once for all the texts of one person."""


def render(
    text: str,
    values: Mapping[str, str] | Prepared,
    *,
    html: bool = False,
    soft: bool = False,
) -> Rendered:
    """Fill a template; raises Invalid for one that cannot be rendered or grows too large.

    A soft placeholder without a value leaves no trace; any other stays in the text and is
    named in `missing`. With `soft` every one is: where nobody could fill it in any more.
    """
    if "{" not in text:
        return Rendered(text=text)
    template = _compiled(text, html)
    tree = values if isinstance(values, Prepared) else prepared(values)
    found: list[str] = []
    size, until = 0, time.monotonic() + SECONDS
    try:
        for piece in template.generate(tree):
            size += len(piece)
            if size > MAX_RESULT or time.monotonic() > until:
                raise Invalid("the template grows without end", field="text")
            found.append(piece)
    except (TemplateError, SecurityError, TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"the template cannot be filled: {error}", field="text") from error
    return _tidy("".join(found), soft)


def prepared(values: Mapping[str, Any]) -> Prepared:
    """Give `{"contact.name": …}` as mappings of mappings; names that are not given stay empty."""
    made = Prepared()
    for name in {**VARIABLES, **values}:
        above, last, empty = _place(name)
        given = values.get(name, "")
        value: Any = empty
        if isinstance(given, tuple | list):
            value = given[:MAX_ROWS]
        elif given != "":
            text = str(given)
            value = Value(text if text.isascii() else _MARKS.sub("", text), name, empty.soft)
        place: dict[str, Any] = made
        for one in above:
            place = place.setdefault(one, {})
        place[last] = value
    return made


@lru_cache(maxsize=1024)
def _place(name: str) -> tuple[Sequence[str], str, Value]:
    """Give where a name stands among the mappings, and what it is while it is empty."""
    *above, last = name.split(".")
    variable = VARIABLES.get(name)
    return above, last, Value("", name, variable is not None and variable.soft)


def _tidy(text: str, soft: bool = False) -> Rendered:
    """Close the gaps of empty names, and write what is missing as its placeholder."""
    if soft:
        text = _UNKNOWN.sub(_GAP, text)
    missing = tuple(dict.fromkeys(_UNKNOWN.findall(text)))
    if missing:
        text = _UNKNOWN.sub(lambda one: f"{{{{ {one[1]} }}}}", text)
    if _GAP in text:
        text = _close_gaps(text)
    return Rendered(text=text, missing=missing)


_GAPS = f"(?:{_GAP}[ \\u00a0]*)+"
_AFTER_COMMA = re.compile(f"[ \\u00a0]*,[ \\u00a0]*{_GAPS}(?=[,.!?;:…<\\n]|$)")
_AT_START = re.compile(f"(^|[.!?…]\\s+|>\\s*|\\n\\s*){_GAPS}[,:]?[ \\u00a0]*(\\w?)")
_BEFORE_MARK = re.compile(f"[ \\u00a0]*{_GAPS}(?=[,.!?;:…])")
_BETWEEN = re.compile(f"[ \\u00a0]+{_GAPS}|{_GAPS}")


def _close_gaps(text: str) -> str:
    """Close the gaps where they stand: what is far from them is not looked through."""
    pieces, done = [], 0
    at = text.find(_GAP)
    while at >= 0:
        start = _before(text, at)
        pieces.append(text[done:start])
        while True:
            done = _after(text, at)
            at = text.find(_GAP, done)
            # What stands between two gaps belongs to both of them.
            if at < 0 or _before(text, at) >= done:
                break
        pieces.append(_closed(text[start:done]))
    return "".join(pieces) + text[done:]


def _before(text: str, at: int) -> int:
    """Give where the sign begins after which a gap stands, with a comma or spaces in between."""
    while at and (text[at - 1].isspace() or text[at - 1] in (",", _GAP)):
        at -= 1
    return max(0, at - 1)


def _after(text: str, at: int) -> int:
    """Give where the first sign ends behind a gap."""
    while at < len(text) and (text[at].isspace() or text[at] in (",", ":", _GAP)):
        at += 1
    return min(len(text), at + 1)


def _closed(text: str) -> str:
    text = _AFTER_COMMA.sub("", text)
    text = _AT_START.sub(lambda one: one[1] + one[2].upper(), text)
    text = _BEFORE_MARK.sub("", text)
    return _BETWEEN.sub(lambda one: " " if one[0][0] == " " else "", text)


def escaped(text: str) -> str:
    """Escape a text for HTML."""
    return str(escape(text))
