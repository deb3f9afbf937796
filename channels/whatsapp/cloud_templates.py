"""Meta's message templates: the catalogue as it is read, and one template as it is sent.

A template numbers the variables of header and body apart, each from 1; here they get names of
their own (`header_1`, `1`, `button_0`). What sending needs beside them is kept as `reference`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from channels.whatsapp.variables import PLACE, names
from hub import Button, OutboundMessage, PermanentFailure, RejectReason, Template, TemplateState

STATES = {
    "APPROVED": TemplateState.APPROVED,
    "REJECTED": TemplateState.REJECTED,
    "PAUSED": TemplateState.PAUSED,
    "DISABLED": TemplateState.DISABLED,
}
FILES = {"IMAGE": "image", "VIDEO": "video", "DOCUMENT": "document"}


def template(found: Mapping[str, Any]) -> Template:
    """Read one entry of the catalogue."""
    parts = {
        str(one.get("type", "")).upper(): one
        for one in found.get("components") or ()
        if isinstance(one, dict)
    }
    header, body = parts.get("HEADER", {}), parts.get("BODY", {})
    shape = str(header.get("format", "TEXT")).upper()
    above = _prefixed(str(header.get("text", ""))) if shape == "TEXT" else ""
    text = str(body.get("text", ""))
    buttons = [
        one for one in parts.get("BUTTONS", {}).get("buttons") or () if isinstance(one, dict)
    ]
    addresses = [n for n, one in enumerate(buttons) if PLACE.search(str(one.get("url", "")))]
    in_header, in_body = names(above), names(text)
    named = str(found.get("parameter_format", "")).upper() == "NAMED"
    reference = {
        "h": list(in_header),
        "b": list(in_body),
        "u": addresses,
        "n": named,
        "f": FILES.get(shape, ""),
    }
    status = str(found.get("status", "")).upper()
    reason = str(found.get("rejected_reason") or "")
    return Template(
        name=str(found.get("name", "")),
        language=str(found.get("language", "")),
        category=str(found.get("category", "")).lower(),
        header=above,
        media=FILES.get(shape, ""),
        body=text,
        footer=str(parts.get("FOOTER", {}).get("text", "")),
        variables=(*in_header, *in_body, *(f"button_{n}" for n in addresses)),
        examples=_examples(header, body, in_header, in_body),
        buttons=tuple(
            Button(
                label=str(one.get("text", "")),
                payload=str(one.get("text", "")) if one.get("type") == "QUICK_REPLY" else "",
                url=str(one.get("url", "")),
            )
            for one in buttons
            if one.get("text")
        ),
        state=STATES.get(status, TemplateState.PENDING),
        reason="" if reason == "NONE" else reason,
        reference=json.dumps({key: one for key, one in reference.items() if one}),
    )


def _prefixed(text: str) -> str:
    return PLACE.sub(lambda one: f"{{{{header_{one[1]}}}}}", text)


def _examples(
    header: Mapping[str, Any],
    body: Mapping[str, Any],
    in_header: Sequence[str],
    in_body: Sequence[str],
) -> dict[str, str]:
    """Give the examples that were handed in with a template, by variable."""
    found: dict[str, str] = {}
    for part, known, key in ((header, in_header, "header"), (body, in_body, "body")):
        example = part.get("example")
        example = example if isinstance(example, dict) else {}
        values: Any = example.get(f"{key}_text") or ()
        if key == "body" and values and isinstance(values[0], list):
            values = values[0]
        found |= {name: str(one) for name, one in zip(known, values, strict=False)}
        for one in example.get(f"{key}_text_named_params") or ():
            name = str(one.get("param_name", ""))
            found[f"header_{name}" if key == "header" else name] = str(one.get("example", ""))
    return found


def payload(message: OutboundMessage, file_id: str = "") -> dict[str, Any]:
    """Give the template object of a message; raises PermanentFailure where it lacks something."""
    try:
        kept = json.loads(message.template_reference or "{}")
    except ValueError:
        kept = {}
    components: list[dict[str, Any]] = []
    if kept.get("f"):
        if not file_id:
            raise PermanentFailure(RejectReason.OTHER, f"the template needs a file: {kept['f']}")
        parameters = [{"type": kept["f"], kept["f"]: {"id": file_id}}]
        components.append({"type": "header", "parameters": parameters})
    for place, key in (("header", "h"), ("body", "b")):
        if kept.get(key):
            parameters = [_text(message, name, named=bool(kept.get("n"))) for name in kept[key]]
            components.append({"type": place, "parameters": parameters})
    for n in kept.get("u") or ():
        parameters = [_text(message, f"button_{n}", named=False)]
        components.append(
            {"type": "button", "sub_type": "url", "index": str(n), "parameters": parameters}
        )
    found: dict[str, Any] = {
        "name": message.template,
        "language": {"policy": "deterministic", "code": message.template_language},
    }
    if components:
        found["components"] = components
    return found


def _text(message: OutboundMessage, name: str, *, named: bool) -> dict[str, Any]:
    value = message.template_values.get(name, "")
    if not value:
        raise PermanentFailure(RejectReason.OTHER, f"the template lacks {name}")
    found: dict[str, Any] = {"type": "text", "text": value}
    if named:
        found["parameter_name"] = name.removeprefix("header_")
    return found
