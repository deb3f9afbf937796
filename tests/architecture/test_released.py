"""What was shown to people outside only grows: the front door, the API, the stored facts.

The lists in `released/` hold what a release promised. A test fails when something of them is
gone or changed its shape; `python -m tests.architecture.test_released` adds what is new.
"""

from __future__ import annotations

import json
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import hub
from hub import events as facts
from hub.events import Event
from hub.http_api import description

HERE = Path(__file__).parent / "released"
FACTS = HERE / "facts"


def front_door() -> list[str]:
    """Every name that authors may import, with the fields of what is frozen."""
    found = []
    for name in hub.__all__:
        shape = getattr(hub, name)
        found.append(name)
        if hasattr(shape, "__dataclass_fields__"):
            found += [f"{name}.{one.name}" for one in fields(shape) if not one.name.startswith("_")]
    return found


@cache
def described() -> dict[str, Any]:
    """The OpenAPI, made once."""
    return description()


def api() -> list[str]:
    """Every path, its parameters and the fields of its bodies and answers."""
    schema = described()
    found = []
    for path, verbs in schema["paths"].items():
        for verb, about in verbs.items():
            place = f"{verb.upper()} {path}"
            found.append(place)
            found += [f"{place} ?{one['name']}" for one in about.get("parameters", ())]
            found += [f"{place} {code}" for code in about["responses"] if code.startswith("2")]
    for name, shape in schema["components"]["schemas"].items():
        found += [f"{name}.{one}" for one in shape.get("properties", {})]
    return found


def required() -> list[str]:
    """What a caller must give: this may only shrink."""
    schema = described()
    found = []
    for path, verbs in schema["paths"].items():
        for verb, about in verbs.items():
            found += [
                f"{verb.upper()} {path} ?{one['name']}"
                for one in about.get("parameters", ())
                if one.get("required")
            ]
            body = about.get("requestBody", {}).get("content", {})
            for kind, content in body.items():
                shape = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
                found += [
                    f"{verb.upper()} {path} {kind} {name}"
                    for name in schema["components"]["schemas"].get(shape, {}).get("required", ())
                ]
    return found


def fact_types() -> dict[str, type[Event]]:
    """Every fact of the core by its stored type."""
    kinds = (getattr(facts, name) for name in facts.__all__)
    return {
        one.type: one
        for one in kinds
        if isinstance(one, type) and issubclass(one, Event) and one.type
    }


def sample(kind: type[Event]) -> dict[str, Any]:
    """A stored form with every field filled, as this release writes it."""
    change = {"kind": "dialog", "id": 7, "field": "x", "before": 1, "after": 2}
    filled: dict[str, Any] = {"str": "word", "bool": True, "float": 1.5}
    values: dict[str, Any] = {}
    for one in fields(kind):
        words = str(one.type)
        if one.name in Event.__dataclass_fields__:
            continue
        if words.startswith("tuple"):
            values[one.name] = [change] if "Change" in words else []
        else:
            values[one.name] = filled.get(words, 7)
    return values


def _read(name: str) -> list[str]:
    return (HERE / name).read_text("utf-8").splitlines()


def test_the_front_door_only_grows() -> None:
    gone = set(_read("front_door.txt")) - set(front_door())
    assert gone == set(), "authors use these; keep them within this hub.API"


def test_the_api_only_grows() -> None:
    assert set(_read("api.txt")) - set(api()) == set(), "integrators use these: keep them in v1"


def test_the_api_asks_for_nothing_more() -> None:
    before = set(_read("required.txt"))
    known = set(_read("api.txt"))
    more = {one for one in required() if one.split(" ?")[0].rsplit(" ", 2)[0] in known} - before
    assert more == set(), "a call of yesterday would fail today"


def test_every_stored_form_of_a_fact_is_read() -> None:
    kinds = fact_types()
    for path in sorted(FACTS.glob("*.json")):
        stored = json.loads(path.read_text("utf-8"))
        kind = kinds.get(stored["type"])
        assert kind is not None, f"{path.name}: journals hold this fact"
        read = kind.from_data(stored["data"], stored["schema"])
        if stored["schema"] == kind.schema:
            again = read.to_data()
            assert {name: again[name] for name in stored["data"]} == stored["data"], path.name


def test_every_fact_has_its_golden_file() -> None:
    missing = [
        f"{name}.{kind.schema}"
        for name, kind in fact_types().items()
        if not (FACTS / f"{name}.{kind.schema}.json").is_file()
    ]
    assert missing == [], "run python -m tests.architecture.test_released"


def write() -> None:
    """Add what is new; what stands is never changed."""
    FACTS.mkdir(parents=True, exist_ok=True)
    for name, found in (("front_door.txt", front_door()), ("api.txt", api())):
        before = _read(name) if (HERE / name).is_file() else []
        (HERE / name).write_text("\n".join(sorted({*before, *found})) + "\n", "utf-8")
    old = set(_read("required.txt")) if (HERE / "required.txt").is_file() else None
    now = set(required())
    (HERE / "required.txt").write_text("\n".join(sorted(now | (old or set()))) + "\n", "utf-8")
    for name, kind in fact_types().items():
        path = FACTS / f"{name}.{kind.schema}.json"
        if not path.is_file():
            stored = {"type": name, "schema": kind.schema, "data": sample(kind)}
            path.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    write()
