"""The one script of the widget, made of its parts: small, self-contained, ready compressed."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

PARTS = ("widget_store.js", "widget_net.js", "widget_view.js", "widget_main.js")

# Found again by its own tag: the address tells which hub and which account.
_HEAD = """
if (window.DialogHub) return;
const script = document.currentScript || document.querySelector('script[src*="/web_chat/widget.js"]');
const address = new URL(script.src);
const account = (address.searchParams.get("account") || "").replace(/\\D/g, "");
const root = address.href.split("/p/web_chat/")[0];
const base = root + "/p/web_chat/" + account + "/";
// Silent on purpose; a site's developer may listen with the attribute data-debug.
const oops = (error) => "debug" in script.dataset && console.error("web chat:", error);
let texts = {};
let view = null;
let lang = (script.dataset.lang || document.documentElement.lang || navigator.language || "en").slice(0, 2).toLowerCase();
"""


@dataclass(frozen=True, slots=True)
class WidgetScript:
    """The script as it is served."""

    source: bytes = field(repr=False)
    compressed: bytes = field(repr=False)


@lru_cache(maxsize=1)
def widget_script() -> WidgetScript:
    """Join the parts into one function of its own that never throws at the page."""
    static = files("plugins.web_chat").joinpath("static")
    style = re.sub(r"\s+", " ", static.joinpath("widget.css").read_text(encoding="utf-8"))
    style = re.sub(r" ?([{};,]) ?", r"\1", style).replace(": ", ":")
    parts = [static.joinpath(name).read_text(encoding="utf-8") for name in PARTS]
    body = "\n".join([_HEAD, f"const CSS = {json.dumps(style, ensure_ascii=False)};", *parts])
    source = (
        f'(() => {{\n"use strict";\ntry {{\n{_lean(body)}\n}} catch (_) {{}}\n}})();\n'.encode()
    )
    return WidgetScript(source=source, compressed=gzip.compress(source, 9, mtime=0))


def _lean(source: str) -> str:
    """Leave out indentation, empty lines and whole-line comments; touch nothing else."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
