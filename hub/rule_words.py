"""The words of rules as the editor and the API give them: in one language, with every choice.

Everything is read from the vocabulary, so that what a plugin brings appears by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from crm_store import accounts, segments, work
from crm_store import users as user_reads
from crm_store.pipelines import all_pipelines
from crm_store.viewer import Reader
from hub.filters import Field, FieldType, Use
from hub.filters.dialog_fields import DIALOG_FIELDS
from hub.properties import Property, PropertyType
from hub.web.i18n import translate
from triggers import rules as rule_reads
from triggers.definition import CANCELS, EACH, ONCE
from triggers.vocabulary import Vocabulary

if TYPE_CHECKING:
    from hub.runtime import Runtime

_REFS = {
    "dialog.account": "account",
    "dialog.assignee": "user",
    "dialog.team": "team",
    "dialog.contact": "contact",
    "dialog.substitute": "user",
    "dialog.head": "user",
    "event.segment": "segment",
    "dialog.channel": "channel",
    "event.colleague": "user",
    "event.rule": "rule",
}
"""What the fields that no kind describes point to."""
_SUMS = ("outside.amount",)
"""Fields of no kind that are sums of money."""

References = dict[str, list[dict[str, str]]]


def words_in(known: Vocabulary, language: str) -> dict[str, Any]:
    """Give everything that rules may say."""
    return {
        "events": [
            {
                "name": one.name,
                "label": one.label_in(language),
                "group": one.group,
                "options": sorted(one.options),
            }
            for one in known.moments.values()
        ],
        "fields": [_field(known, one, language) for one in known.fields.values()],
        "actions": [
            {
                "name": name,
                "label": one.translations.get(language, one.label),
                "group": one.group,
                "kind": str(getattr(one, "kind", "")),
                "params": _schema(one.Params.model_json_schema(), language),
            }
            for name, one in known.actions.items()
        ],
        "kinds": [
            {
                "name": one.name,
                "label": one.translations.get(language, one.label),
                "properties": [
                    {
                        "name": each.name,
                        "label": each.translations.get(language, each.label),
                        "type": each.type.value,
                        "ref": each.ref,
                        "choices": _choices(each.choices, language),
                    }
                    for each in one.properties
                    if each.editable
                ],
            }
            for one in known.kinds.values()
        ],
        "guards": [one for one in ONCE if one],
        "cancels": list(CANCELS),
        "each": [*EACH, *known.kinds],
        "listed": {
            "dialog": [
                _field(known, one, language, Use.QUERY)
                for one in DIALOG_FIELDS.values()
                if one.operators(Use.QUERY)
            ],
            **{
                one.name: [
                    _field(known, each, language, Use.QUERY) for each in one.registered().values()
                ]
                for one in known.kinds.values()
            },
        },
    }


def _choices(choices: Any, language: str) -> list[dict[str, str]]:
    return [
        {"name": one.value, "label": one.translations.get(language, one.label)} for one in choices
    ]


def _field(known: Vocabulary, field: Field, language: str, use: Use = Use.FACT) -> dict[str, Any]:
    prop = _property(known, field)
    kind, _, _ = field.name.partition(".")
    found = known.kinds.get(kind)
    return {
        "name": field.name,
        "label": field.translations.get(language, field.label),
        "type": field.type.value,
        "group": found.translations.get(language, found.label) if found else kind,
        "operators": sorted(each.value for each in field.operators(use)),
        "choices": _choices(field.choices, language),
        "ref": _REFS.get(field.name) or (prop.ref if prop is not None else ""),
        "money": field.name in _SUMS or (prop is not None and prop.type is PropertyType.MONEY),
        "dated": field.type is FieldType.INSTANT and kind in known.kinds,
    }


def _property(known: Vocabulary, field: Field) -> Property | None:
    kind, _, word = field.name.partition(".")
    found = known.kinds.get(kind)
    named = (word, f"{word}_id")
    return next((one for one in found.properties if one.name in named), None) if found else None


def _schema(schema: dict[str, Any], language: str) -> dict[str, Any]:
    """Give the schema of an action's parameters with titles in a language.

    A plugin's author gives them with `json_schema_extra={"translations": {"ru": ...}}`; what stands
    behind a number or a word he names with `{"choices": [[1, "high"], ...]}`.
    """
    found: dict[str, Any] = {**schema, "properties": {}}
    for name, one in schema.get("properties", {}).items():
        title = str(one.get("title", name))
        given = one.get("translations", {})
        words = given.get(language) if isinstance(given, Mapping) else ""
        found["properties"][name] = {**one, "title": words or translate(language, title)}
        if "choices" in one:
            found["properties"][name]["choices"] = [
                {"name": str(value), "label": translate(language, label)}
                for value, label in one["choices"]
            ]
    return found


def references(runtime: Runtime, language: str) -> Callable[[Reader], References]:
    """Give the function that reads what short references can be chosen from, by kind."""
    channels = {name: one.title or name for name, one in runtime.channels.items()}

    def read(reader: Reader) -> References:
        may = reader.viewer.may
        found: dict[str, list[tuple[object, object]]] = {
            "user": [(one.id, one.name) for one in user_reads.all_users(reader) if one.active],
            "team": [(one.id, one.name) for one in user_reads.all_teams(reader)],
            "channel": list(channels.items()),
        }
        if may("webhooks.manage"):
            found["webhook"] = [(one.id, one.url) for one in work.all_webhooks(reader)]
        found["account"] = [(one.id, one.title) for one in accounts.all_accounts(reader)]
        if may("pipelines.view") or may("interests.view"):
            lines = all_pipelines(reader)
            found["pipeline"] = [(one.id, one.name) for one in lines]
            found["stage"] = [
                (each.id, f"{one.name}: {each.name}") for one in lines for each in one.stages
            ]
            found["loss_reason"] = [
                (each.id, f"{one.name}: {each.name}") for one in lines for each in one.reasons
            ]
        if may("rules.view"):
            found["rule"] = [(one.id, one.name) for one in rule_reads.all_rules(reader)]
        if may("contacts.view"):
            found["segment"] = [(one.id, one.name) for one in segments.all_segments(reader)]
        return {
            kind: [{"name": str(number), "label": str(words)} for number, words in pairs]
            for kind, pairs in found.items()
        }

    return read
