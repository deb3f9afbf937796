"""A channel's settings model as a form: one field per field, whatever its kind.

The model says what a field is called, what it takes and which values are secret; here it becomes
what a browser shows, and what a browser sends becomes values for the model again. A secret never
goes back to the browser: an empty field keeps what is stored.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AnyUrl, BaseModel, EmailStr, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

Translate = Callable[[str], str]
_LISTS = (list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field as a browser shows it."""

    name: str
    label: str
    kind: str
    value: str = ""
    checked: bool = False
    help: str = ""
    placeholder: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    generated: bool = False
    is_set: bool = False
    advanced: bool = False
    error: str = ""
    low: str = ""
    high: str = ""
    step: str = ""


def fields_of(
    model: type[BaseModel],
    values: Mapping[str, Any],
    *,
    secrets_set: Sequence[str] = (),
    errors: Mapping[str, str] | None = None,
    translate: Translate = str,
) -> list[FormField]:
    """Describe a model's form with these values in it."""
    return [
        _field(name, info, values, secrets_set, errors or {}, translate)
        for name, info in model.model_fields.items()
    ]


def _field(
    name: str,
    info: FieldInfo,
    values: Mapping[str, Any],
    secrets_set: Sequence[str],
    errors: Mapping[str, str],
    translate: Translate,
) -> FormField:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind = kind_of(info)
    value = values[name] if name in values else _default(info)
    is_set = name in secrets_set
    low, high = _bounds(info)
    return FormField(
        name=name,
        label=translate(info.title or name.replace("_", " ").capitalize()),
        kind=kind,
        value=_as_text(value, kind),
        checked=value is True,
        help=translate(info.description) if info.description else "",
        placeholder=str(extra.get("placeholder", "")),
        options=tuple((one, translate(one)) for one in _options(info)),
        required=info.is_required() and kind != "check" and not is_set,
        generated=bool(extra.get("generated")),
        is_set=is_set,
        advanced=bool(extra.get("advanced")),
        error=errors.get(name, ""),
        low=low,
        high=high,
        step={"float": "any", "int": "1"}.get(kind, ""),
    )


def kind_of(info: FieldInfo) -> str:
    """Name the kind of a field: what it looks like and how its text is read."""
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind = _core(info.annotation)
    if kind is SecretStr:
        return "secret"
    if _options(info):
        return "select"
    if get_origin(kind) in _LISTS and set(get_args(kind)) <= {str, Ellipsis}:
        return "lines"
    simple: dict[Any, str] = {bool: "check", int: "int", float: "float", timedelta: "seconds"}
    if kind in simple:
        return simple[kind]
    if extra.get("multiline"):
        return "area"
    if kind is EmailStr:
        return "email"
    if isinstance(kind, type) and issubclass(kind, AnyUrl):
        return "url"
    if kind is str:
        example = info.default if isinstance(info.default, str) else ""
        return "color" if len(example) == 7 and example.startswith("#") else "text"
    return "json"


def _core(annotation: Any) -> Any:
    """Give what is left of `X | None`."""
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [one for one in get_args(annotation) if one is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def _is_optional(info: FieldInfo) -> bool:
    return type(None) in get_args(info.annotation)


def _options(info: FieldInfo) -> tuple[str, ...]:
    kind = _core(info.annotation)
    found: tuple[str, ...] = ()
    if get_origin(kind) is Literal:
        found = tuple(str(one) for one in get_args(kind))
    elif isinstance(kind, type) and issubclass(kind, Enum):
        found = tuple(str(one.value) for one in kind)
    return ("", *found) if found and _is_optional(info) else found


def _bounds(info: FieldInfo) -> tuple[str, str]:
    low = high = ""
    for one in info.metadata:
        if isinstance(one, Ge | Gt):
            low = str(one.ge if isinstance(one, Ge) else one.gt)
        if isinstance(one, Le | Lt):
            high = str(one.le if isinstance(one, Le) else one.lt)
    return low, high


def _default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True, validated_data={})
    return None if value is PydanticUndefined else value


def _as_text(value: Any, kind: str) -> str:
    if value is None or kind in ("secret", "check"):
        return ""
    if isinstance(value, Enum):
        value = value.value
    if kind == "lines":
        return "\n".join(str(one) for one in value) if not isinstance(value, str) else value
    if kind == "seconds":
        seconds = value.total_seconds() if isinstance(value, timedelta) else value
        return _plain_seconds(seconds)
    if kind == "json" and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, default=str, indent=1)
    return str(value)


def _plain_seconds(value: Any) -> str:
    """A timedelta is stored as ISO 8601 (`PT60S`) and shown in seconds."""
    if isinstance(value, str) and value[:1] in "-P":
        from pydantic import TypeAdapter

        value = TypeAdapter(timedelta).validate_python(value).total_seconds()
    return f"{float(value):g}" if not isinstance(value, str) else value


def read_form(model: type[BaseModel], form: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a browser sent; what was left empty is left to the model's default."""
    values: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        kind = kind_of(info)
        if kind == "check":
            values[name] = name in form
            continue
        if name not in form:
            continue
        text = str(form[name]).replace("\r\n", "\n")
        if kind in ("int", "float", "seconds", "select", "json", "secret", "email", "url"):
            text = text.strip()
        if kind == "lines":
            values[name] = [one.strip() for one in text.split("\n") if one.strip()]
        elif text:
            values[name] = _read(text, kind)
        elif _is_optional(info):
            values[name] = None
        elif kind in ("text", "area"):
            values[name] = ""
    return values


def _read(text: str, kind: str) -> Any:
    if kind == "json":
        try:
            return json.loads(text)
        except ValueError:
            return text
    if kind == "seconds":
        try:
            return float(text.replace(",", "."))
        except ValueError:
            return text
    return text.replace(",", ".") if kind == "float" else text


def errors_of(
    model: type[BaseModel],
    values: Mapping[str, Any],
    *,
    kept: Sequence[str] = (),
    translate: Translate = str,
) -> dict[str, str]:
    """Say what is wrong with values, by field; a secret that stays as it is is right."""
    try:
        model.model_validate(dict(values))
    except ValidationError as error:
        found: dict[str, str] = {}
        for one in error.errors():
            name = str(one["loc"][0]) if one["loc"] else ""
            if name not in kept:
                found.setdefault(name, _words(one, translate))
        return found
    return {}


def _(text: str) -> str:
    return text


_WORDS = {
    "missing": _("This is needed."),
    "string_too_short": _("This is too short."),
    "string_too_long": _("This is too long."),
    "too_short": _("This is too short."),
    "int_parsing": _("A whole number is needed."),
    "int_from_float": _("A whole number is needed."),
    "float_parsing": _("A number is needed."),
    "time_delta_type": _("A number of seconds is needed."),
    "time_delta_parsing": _("A number of seconds is needed."),
    "string_pattern_mismatch": _("This does not look right."),
    "literal_error": _("Choose one of the list."),
    "enum": _("Choose one of the list."),
    "url_parsing": _("This is not a web address."),
}
_BOUNDS = {
    "greater_than_equal": ("ge", _("At least {}.")),
    "greater_than": ("gt", _("More than {}.")),
    "less_than_equal": ("le", _("At most {}.")),
    "less_than": ("lt", _("Less than {}.")),
}


def _words(error: Any, translate: Translate) -> str:
    """Put a model's complaint into a reader's words."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_too_short" and not error.get("input"):
        return translate(_WORDS["missing"])
    if kind in _WORDS:
        return translate(_WORDS[kind])
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return translate(words).format(context.get(name, ""))
    if kind == "value_error":
        text = str(context.get("error", error["msg"]))
        said = translate(text)
        return said[:1].upper() + said[1:]
    return translate(str(error["msg"]))
