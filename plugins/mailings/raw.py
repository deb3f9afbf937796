"""Code inside a letter of blocks: HTML or parts of MJML, cleaned by an allow-list.

What is cleaned cannot run, load styles or leave its place, so whoever may write letters may use it.
"""

from __future__ import annotations

import re

import nh3

from plugins.mailings.addresses import TAKEN

_LAID = {"mj-text", "mj-image", "mj-button", "mj-divider", "mj-spacer"}
_TAGS = {
    "a", "b", "big", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "del",
    "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins",
    "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"align", "bgcolor", "color", "dir", "height", "lang", "style", "title", "valign", "width"},
    "a": {"href"},
    "img": {"alt", "border", "src"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing", "role"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}  # fmt: skip
_DRAWN = {
    "background-color", "border", "border-color", "border-radius", "border-width",
    "container-background-color", "font-family", "font-size", "font-style", "font-weight",
    "inner-padding", "line-height", "padding", "padding-bottom", "padding-left", "padding-right",
    "padding-top", "text-decoration",
}  # fmt: skip
_STYLES = _DRAWN | {
    "background", "border-bottom", "border-collapse", "border-left", "border-right",
    "border-spacing", "border-top", "color", "display", "height", "letter-spacing",
    "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top",
    "max-width", "min-width", "text-align", "text-transform", "vertical-align", "white-space",
    "width", "word-break",
}  # fmt: skip
_LOADS = re.compile(r"(?i)url\s*\(|expression\s*\(|@import|image-set|\\")
# HTML knows no self-closing tags of other names: what follows would become their inside.
_CLOSED = re.compile(r"<(mj-[a-z]+)((?:\s+[\w-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*/>")


def is_laid_out(source: str) -> bool:
    """Say whether code is parts of MJML, not HTML."""
    return source.lstrip().lower().startswith("<mj-")


def clean(source: str) -> str:
    """Leave only what a letter may hold."""
    laid = is_laid_out(source)
    attributes = dict(_ATTRIBUTES)
    if laid:
        source = _CLOSED.sub(r"<\1\2></\1>", source)
        own = {"mj-image": {"alt", "href", "src"}, "mj-button": {"href"}}
        attributes |= {name: own.get(name, set()) | _DRAWN for name in _LAID}
    return nh3.clean(
        source,
        tags=_TAGS | _LAID if laid else _TAGS,
        attributes=attributes,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
        filter_style_properties=_STYLES,
        clean_content_tags={"script", "style", "title", "template", "noscript"},
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "style" and _LOADS.search(value):
        return None
    if name in ("href", "src"):
        start = value.strip().lower()
        return value if start.startswith((*TAKEN, "{{")) else None
    return value
