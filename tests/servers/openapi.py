"""Checks values against a committed excerpt of a vendor's published API description."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema_rs

SCHEMAS = Path(__file__).parent.parent / "schemas"


@functools.cache
def excerpt(vendor: str) -> dict[str, Any]:
    """The committed part of the description; its absence is an error, never a skip."""
    found: dict[str, Any] = json.loads((SCHEMAS / vendor / "excerpt.json").read_text())
    return found


@functools.cache
def _validator(vendor: str, place: str) -> jsonschema_rs.Draft7Validator:
    kind, _, name = place.partition(" ")
    known = excerpt(vendor)
    if kind == "object":
        schema: Any = {"$ref": f"#/definitions/{name}"}
    else:
        schema = known["calls"][name][kind]
    return jsonschema_rs.Draft7Validator({"definitions": known["definitions"], "allOf": [schema]})


def complaints(vendor: str, place: str, value: object) -> list[str]:
    """Say what is wrong; `place` is "request CALL", "response CALL" or "object NAME"."""
    return [
        f"{place}: {one.message} at {'/'.join(map(str, one.instance_path)) or 'the top'}"
        for one in _validator(vendor, place).iter_errors(value)
    ]
