"""What people do with rules beside writing them: trying, reading their words, using recipes.

The API, the command line and the screens share it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from crm_store.journal import one_event, visible
from crm_store.viewer import Reader
from hub.commands import SaveRule
from hub.errors import HubError, Invalid, NotFound
from hub.filters.reading import duration_text
from hub.handle import BoundHub
from hub.ids import DialogId, EventId, RuleId
from hub.records.rules import Rule
from hub.rule_words import References, references, words_in
from hub.web.i18n import translate
from triggers import rules as rule_reads
from triggers import tryout
from triggers.checking import Doubt, Other, doubts_among, doubts_of, doubts_of_names
from triggers.definition import Definition
from triggers.explain import in_words
from triggers.gallery import rule_of, words_of
from triggers.objections import objections
from triggers.reading import read
from triggers.tryout import Days, Tried
from triggers.vocabulary import Vocabulary

if TYPE_CHECKING:
    from hub.runtime import Runtime

MOST_RULES = 200
"""How many rules are asked why they did not run in a dialog."""


class RuleDesk:
    """One person's dealings with rules."""

    def __init__(self, runtime: Runtime, hub: BoundHub) -> None:
        self._runtime = runtime
        self._hub = hub

    @property
    def vocabulary(self) -> Vocabulary:
        """What rules may say."""
        return self._runtime.rule_words

    # -- trying ----------------------------------------------------------------------------

    async def to_try(
        self, rule_id: RuleId, definition: Mapping[str, object] | None
    ) -> tuple[Rule, Definition]:
        """Give the rule to try: a written one, or a draft (of a written one)."""
        known = await self._hub.read(rule_reads.rule, rule_id) if rule_id else None
        if definition is None:
            if known is None:
                raise NotFound("say which rule, or what it says")
            definition = known.definition
        ready = read(definition, self.vocabulary)
        return tryout.draft(ready, known), ready

    async def on_event(self, rule: Rule, definition: Definition, event_id: EventId) -> Tried:
        """Try a rule on a past event that its reader may see."""

        def run(reader: Reader) -> Tried:
            event = one_event(reader.conn, self._runtime.registry, event_id)
            if event is None or not visible(reader, [event]):
                raise NotFound("there is no such event")
            return tryout.on_event(reader, self.vocabulary, rule, definition, event)

        return await self._hub.read(run)

    async def why_not(self, rule: Rule, definition: Definition, dialog_id: DialogId) -> list[Tried]:
        """Judge a rule on what happened last in a dialog."""
        registry = self._runtime.registry
        return await self._hub.read(
            lambda reader: tryout.why_not(
                reader, registry, self.vocabulary, rule, definition, dialog_id
            )
        )

    async def why_in_dialog(self, dialog_id: DialogId) -> list[tuple[Rule, list[Tried]]]:
        """Judge every rule on what happened last in a dialog; what cannot be read has no case."""
        found: list[tuple[Rule, list[Tried]]] = []
        for rule in (await self._hub.read(rule_reads.all_rules))[:MOST_RULES]:
            try:
                ready = read(rule.definition, self.vocabulary)
            except HubError:
                found.append((rule, []))
                continue
            found.append((rule, await self.why_not(rule, ready, dialog_id)))
        return found

    async def on_days(self, rule: Rule, definition: Definition, days: int) -> Days:
        """Say how often a rule would have fired."""
        registry = self._runtime.registry
        return await self._hub.read(
            lambda reader: tryout.on_days(reader, registry, self.vocabulary, rule, definition, days)
        )

    def on_values(self, definition: Definition, values: Mapping[str, object]) -> Tried:
        """Try a rule on a pasted case."""
        return tryout.on_values(self.vocabulary, definition, values)

    # -- words -----------------------------------------------------------------------------

    def warnings(self, definition: Mapping[str, object], language: str = "en") -> list[str]:
        """Say what is doubtful about a rule by itself; what cannot be read is its own warning."""
        try:
            ready = read(definition, self.vocabulary, lenient=True)
        except HubError as error:
            return [translate(language, str(error))]
        return self._said(doubts_of(ready, definition, self.vocabulary.actions), language)

    async def doubts(
        self, definition: Mapping[str, object], rule_id: RuleId, language: str = "en"
    ) -> list[str]:
        """Say what is doubtful about a rule among those that are switched on, by their names."""
        active = await self._hub.read(rule_reads.active_rules)
        others = [
            Other(name=one.name, place=(one.position, one.id), rule=one.definition)
            for one in active
            if one.id != rule_id
        ]
        last = max((one.place for one in others), default=(0, 0))
        place = next(
            ((one.position, one.id) for one in active if one.id == rule_id), (last[0] + 1, 0)
        )
        found = doubts_among(
            definition, str(definition.get("name", "")), others, place, self.vocabulary.actions
        )
        found += await self._gone(definition)
        return self.warnings(definition, language) + self._said(found, language)

    async def _gone(self, definition: Mapping[str, object]) -> list[Doubt]:
        """Give the doubts about what actions of plugins name: whether it can still be chosen."""
        try:
            ready = read(definition, self.vocabulary, lenient=True)
        except HubError:
            return []
        known = {}
        for name in {step.action for step in ready.steps}:
            hub = self._hub.for_plugin(name.partition(".")[0])
            lists = await self.vocabulary.actions[name].references(hub)
            known[name] = {ref: {value for value, _ in pairs} for ref, pairs in lists.items()}
        return doubts_of_names(ready, self.vocabulary.actions, known)

    def _said(self, doubts: list[Doubt], language: str) -> list[str]:
        label = self.label(language)
        return [one.said(label, translate(language, one.text)) for one in doubts]

    def words(self, language: str) -> dict[str, Any]:
        """Give everything rules may say, in a language."""
        return words_in(self.vocabulary, language)

    async def references(self, language: str) -> References:
        """Give what references to short lists can be chosen from, by kind."""
        found = await self._hub.read(references(self._runtime, language))
        for name, action in self.vocabulary.actions.items():
            hub = self._hub.for_plugin(name.partition(".")[0])
            for ref, pairs in (await action.references(hub)).items():
                found.setdefault(ref, [{"name": value, "label": words} for value, words in pairs])
        return found

    def objections(self, definition: Mapping[str, object]) -> list[Invalid]:
        """Give everything that is wrong with a rule, place by place."""
        return objections(definition, self.vocabulary)

    def sentence(self, definition: Mapping[str, object], language: str) -> dict[str, Any]:
        """Say a rule in words: when, if, then; what cannot be read is said as it stands."""
        try:
            ready = read(definition, self.vocabulary, lenient=True)
        except HubError:
            return {"when": "", "if": "", "then": "", "steps": []}
        known = self.vocabulary
        when = []
        for one in ready.when:
            moment = known.moments.get(one.moment)
            words = moment.label_in(language) if moment is not None else one.moment
            if one.after:
                words += f" {_length(one.after)}"
            if one.field:
                words += f": {self.label(language)(one.field)}"
            when.append(words + (f" ({one.cron})" if one.cron else ""))
        steps = []
        for step in ready.steps:
            words = self.label(language)(step.action)
            given = (step.given.get(one) for one in ("text", "title", "tags", "name"))
            said = next((one for one in given if one), None)
            if said:
                shown = ", ".join(said) if isinstance(said, list) else str(said)
                words += f" «{shown[:80]}»" if language == "ru" else f' "{shown[:80]}"'
            if step.wait:
                words = f"{'через' if language == 'ru' else 'after'} {_length(step.wait)}: {words}"
            if step.only_if is not None:
                words += f" [{in_words(step.only_if, known, language)}]"
            steps.append(words)
        return {
            "when": (" или " if language == "ru" else " or ").join(when),
            "if": in_words(ready.condition, known, language),
            "then": "; ".join(steps),
            "steps": steps,
        }

    def label(self, language: str) -> Callable[[str], str]:
        """Give the function that names fields, actions and moments in a language."""

        def name_of(name: str) -> str:
            found = self.vocabulary.fields.get(name) or self.vocabulary.actions.get(name)
            if found is not None:
                return found.translations.get(language, found.label)
            moment = self.vocabulary.moments.get(name)
            return moment.label_in(language) if moment is not None else name

        return name_of

    def recipes(self, language: str) -> list[dict[str, Any]]:
        """Give the gallery in a language."""
        found = []
        for key, one in self.vocabulary.recipes.items():
            title, about = words_of(one, language)
            rule = rule_of(one, language)
            found.append(
                {
                    "key": key,
                    "title": title,
                    "about": about,
                    "group": one.group,
                    "asks": dict(one.asks),
                    "rule": rule,
                    "sentence": self.sentence(rule, language),
                }
            )
        return found

    def of_recipe(
        self, key: str, language: str, answers: Mapping[str, object], *, enabled: bool
    ) -> SaveRule:
        """Give the command that makes a rule of a recipe; raises NotFound."""
        known = self.vocabulary.recipes
        key = next((name for name, one in known.items() if key in one.was), key)
        found = known.get(key)
        if found is None:
            raise NotFound("there is no such recipe")
        rule = rule_of(found, language, answers)
        unsaid = [f"{path} ({what})" for path, what in found.asks.items() if path not in answers]
        if enabled and unsaid:
            text = f"choose first: {', '.join(unsaid)}; or add it switched off and fill it in"
            raise Invalid(text, field="answers")
        return SaveRule(definition=rule, enabled=enabled, recipe=key)


def _length(length: int) -> str:
    """Say a duration: 30s, 5m, 2h, 3d."""
    return f"{length // 1_000_000}s" if length < 60_000_000 else duration_text(length)
