"""The reference for people: one page made of the description, with no script and nothing from
outside, so that the strict policy of our pages holds here too."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;
color:#1c1e24;background:#fff}
h2{margin-top:2.5rem;border-bottom:1px solid #d5d8e0}
details{border:1px solid #d5d8e0;border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}
summary{cursor:pointer}
code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:#f4f5f8;padding:.6rem;overflow:auto;border-radius:4px}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #eceef3}
.verb{display:inline-block;min-width:4.2rem;font-weight:600}
.right{color:#5a6070}
@media(prefers-color-scheme:dark){body{color:#e6e8ee;background:#16181d}
h2,details,td,th{border-color:#363b47}pre{background:#20242c}.right{color:#a0a7b8}}
"""


def install(api: FastAPI) -> None:
    """Serve the page at /docs."""
    page: list[str] = []

    @api.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        if not page:
            page.append(render(api.openapi()))
        return HTMLResponse(page[0], headers={"cache-control": "no-cache"})


def render(schema: dict[str, Any]) -> str:
    """Draw the reference of a description."""
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, operations in schema["paths"].items():
        for verb, operation in operations.items():
            by_tag.setdefault(operation["tags"][0], []).append((path, verb, operation))
    title = escape(schema["info"]["title"])
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{title} API</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{title} API</h1><pre>{escape(schema['info']['description'])}</pre>",
        '<p><a href="openapi.json">openapi.json</a></p><nav><ul>',
        *(f'<li><a href="#{_anchor(one)}">{escape(one)}</a></li>' for one in by_tag),
        "</ul></nav>",
    ]
    about = {one["name"]: one["description"] for one in schema["tags"]}
    for tag, entries in by_tag.items():
        parts.append(f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2><p>{escape(about[tag])}</p>')
        parts += [_operation(*one) for one in entries]
    parts.append('<h2 id="shapes">Shapes</h2>')
    for name, shape in sorted(schema["components"]["schemas"].items()):
        parts.append(_shape(name, shape))
    parts.append("</main></body></html>")
    return "".join(parts)


def _operation(path: str, verb: str, operation: dict[str, Any]) -> str:
    right = operation["x-permission"]
    parts = [
        f'<details><summary><span class="verb">{verb.upper()}</span> <code>{escape(path)}</code> ',
        f'{escape(operation.get("summary", ""))} <span class="right">{escape(right)}</span>',
        f"</summary><p>{escape(operation['description'])}</p>",
    ]
    if operation.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
            f"<td>{_type(one['schema'])}</td><td>{escape(one.get('description', ''))}</td></tr>"
            for one in operation["parameters"]
        )
        parts.append(f"<table>{rows}</table>")
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"<p>Body ({escape(media)}): {_type(content['schema'])}</p>")
    rows = "".join(
        f"<tr><td>{status}</td><td>{escape(answer['description'])}</td><td>{_answer(answer)}</td></tr>"
        for status, answer in sorted(operation["responses"].items())
    )
    parts.append(f"<table>{rows}</table></details>")
    return "".join(parts)


def _answer(answer: dict[str, Any]) -> str:
    return ", ".join(
        _type(content["schema"]) if content.get("schema") else escape(media)
        for media, content in answer.get("content", {}).items()
    )


def _shape(name: str, shape: dict[str, Any]) -> str:
    needed = set(shape.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code>{' *' if field in needed else ''}</td>"
        f"<td>{_type(value)}</td><td>{escape(value.get('description', ''))}{_example(value)}</td></tr>"
        for field, value in shape.get("properties", {}).items()
    )
    about = escape(shape.get("description", ""))
    return (
        f'<details id="{_anchor(name)}"><summary><code>{escape(name)}</code> {about}</summary>'
        f"<table>{rows}</table></details>"
    )


def _example(value: dict[str, Any]) -> str:
    if not value.get("examples"):
        return ""
    return f" <code>{escape(json.dumps(value['examples'][0], ensure_ascii=False))}</code>"


def _type(value: dict[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f'<a href="#{_anchor(name)}">{escape(name)}</a>'
    for word in ("anyOf", "oneOf", "allOf"):
        if word in value:
            return " or ".join(_type(one) for one in value[word])
    if "enum" in value:
        return " | ".join(escape(json.dumps(one)) for one in value["enum"])
    if "const" in value:
        return escape(json.dumps(value["const"]))
    if value.get("type") == "array":
        return f"list of {_type(value.get('items', {}))}"
    kind = escape(str(value.get("type", "any")))
    return f"{kind} ({escape(value['format'])})" if "format" in value else kind


def _anchor(name: str) -> str:
    return "".join(one if one.isalnum() else "-" for one in name)
