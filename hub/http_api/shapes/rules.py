"""Rules in the API: what they say, what they did, what they wait to do, what they would do."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from hub.shapes import Body, GivenId, Id, Instant, OptionalId, Shape, Word

Definition = Annotated[
    dict[str, Any],
    Field(
        description="name, when, if, then, guards, stop, examples: see `GET /rule-words` for what "
        "may stand there, and docs/rules.md.",
        examples=[
            {
                "name": "Price question",
                "when": [{"event": "message.received"}],
                "if": {"field": "message.text", "operator": "words", "value": ["price"]},
                "then": [{"action": "crm_actions.create_lead"}],
            }
        ],
    ),
]


class Rule(Shape):
    """A rule, with what it did today."""

    id: Id
    name: str
    enabled: bool
    paused: str = Field(description="`plugin`, `errors` or `fuse` where it paused by itself.")
    paused_detail: str
    version: int
    definition: dict[str, Any]
    author_id: OptionalId
    account_id: OptionalId
    recipe: str
    created_at: Instant
    updated_at: Instant
    last_run_at: Instant
    runs_today: int
    failures_today: int
    waiting: int = Field(description="How many timers it has armed.")
    warnings: list[str] = Field(default_factory=list)


class SaveRule(Body):
    """A rule to keep."""

    definition: Definition
    enabled: bool | None = None
    armed: Literal["ask", "keep", "cancel"] = Field(
        default="ask",
        description="What becomes of what earlier versions wait to do: it is kept and does what "
        "the rule says now, or is called off. `ask` refuses the change with 409 `armed` and their "
        "number where there is any.",
    )
    draft: bool = Field(
        default=False,
        description="Keep also what cannot be judged yet; such a rule is switched off.",
    )


class Switch(Body):
    """On or off."""

    enabled: bool


class Move(Body):
    """Where in the list."""

    before: GivenId | None = Field(default=None, description="The rule behind it; null: the end.")


class RuleVersion(Shape):
    """What a rule said."""

    version: int
    definition: dict[str, Any]
    author_id: OptionalId
    at: Instant


class RunOn(Body):
    """On what a rule is run by hand."""

    dialog_id: GivenId | None = None
    kind: Word = ""
    object_id: GivenId | None = None


class StepDone(Shape):
    """What became of one step."""

    action: str
    state: str
    reason: str
    result: str


class RuleRun(Shape):
    """One time that a rule ran; `why` has each condition with the value seen and its verdict."""

    id: Id
    rule_id: Id
    rule_name: str
    version: int
    cause: str
    step: int
    occurrence: int
    trigger: str
    event_id: OptionalId
    dialog_id: OptionalId
    contact_id: OptionalId
    subject_kind: str
    subject_id: OptionalId
    at: Instant
    state: str
    reason: str
    why: dict[str, Any]
    steps: list[StepDone]


class RuleTimer(Shape):
    """Something a rule waits to do."""

    id: Id
    rule_id: Id
    rule_name: str
    kind: str
    episode: str
    step: int
    due_at: Instant
    held: bool
    dialog_id: OptionalId
    contact_id: OptionalId
    subject_kind: str
    subject_id: OptionalId
    created_at: Instant


class Try(Body):
    """A rule to try (written or not) on one of: an event, a dialog, values, the last days."""

    rule_id: GivenId | None = None
    definition: dict[str, Any] | None = None
    event_id: GivenId | None = None
    dialog_id: GivenId | None = Field(
        default=None, description="Judges what happened last in a dialog."
    )
    values: dict[str, Any] | None = Field(
        default=None, description="A pasted case: values of fields by name."
    )
    days: int | None = Field(default=None, ge=1, le=90)


class CheckRule(Body):
    """A rule to look at; nothing is kept. `rule_id` says of which rule it is a new version."""

    definition: Definition
    rule_id: GivenId | None = None


class Objection(Shape):
    """One thing that is wrong, with its place in the JSON."""

    path: str
    message: str


class Sentence(Shape):
    """A rule in words."""

    when: str
    if_: str = Field(alias="if")
    then: str
    steps: list[str]


class Checked(Shape):
    """What is wrong with a rule, what is doubtful about it, and what it says."""

    wrong: list[Objection]
    warnings: list[str]
    sentence: Sentence


class Clause(Shape):
    """One condition, or a group of them (`match`), with its verdict."""

    verdict: bool
    match: str
    field: str
    operator: str
    value: Any
    seen: Any
    error: str
    rebuilt: bool = Field(description="False: history does not hold it, judged as it is today.")
    parts: list[Clause]


class Would(Shape):
    """One action of a dry run."""

    action: str
    state: str
    reason: str
    acts: list[dict[str, Any]]


class Tried(Shape):
    """What a rule would have done with one event."""

    event_id: OptionalId
    trigger: str
    dialog_id: OptionalId
    at: Instant
    heard: bool
    fires: bool
    reason: str
    judged: Clause | None
    would: list[Would]


class WhyNot(Shape):
    """What one rule makes of what happened last in a dialog; no case: nothing it begins with."""

    rule_id: Id
    name: str
    enabled: bool
    cases: list[Tried]


class TriedOn(Shape):
    """A dry run; nothing left the house."""

    cases: list[Tried]
    fired: int
    judged: int
    whole: bool = True


class Option(Shape):
    """One word of the builder."""

    name: str
    label: str
    group: str = ""
    options: list[str] = Field(default_factory=list)


class FieldWord(Shape):
    """One field of conditions with the operators it knows."""

    name: str
    label: str
    type: str
    group: str = Field(description="What it belongs to: a kind of object, or message, event, time.")
    operators: list[str]
    choices: list[Option]
    ref: str = Field(description="Of a reference: what it points to, a key of `references`.")
    money: bool = Field(description="True for sums, which are whole minor units.")
    dated: bool = Field(description="True for a date of a card, with which a rule may begin.")


class ActionWord(Shape):
    """One action with the schema of its parameters."""

    name: str
    label: str
    group: str
    kind: str = Field(default="", description="What it makes, where that is always the same.")
    params: dict[str, Any]


class PropertyWord(Shape):
    """One property that an action may set."""

    name: str
    label: str
    type: str
    ref: str
    choices: list[Option]


class KindWord(Shape):
    """One sort of object with the properties that actions may set."""

    name: str
    label: str
    properties: list[PropertyWord]


class RuleWords(Shape):
    """What rules may say, in the caller's language."""

    events: list[Option]
    fields: list[FieldWord]
    actions: list[ActionWord]
    kinds: list[KindWord]
    guards: list[str]
    cancels: list[str]
    each: list[str] = Field(description="For each of what a schedule may run.")
    listed: dict[str, list[FieldWord]] = Field(
        description="By what the objects of a schedule's `each` can be filtered."
    )
    references: dict[str, list[Option]] = Field(
        description="What references to short lists can be chosen from: user, team, account, stage."
    )


class Recipe(Shape):
    """A ready rule."""

    key: str
    title: str
    about: str
    group: str
    asks: dict[str, str]
    rule: dict[str, Any]
    sentence: Sentence


class UseRecipe(Body):
    """How a recipe becomes a rule."""

    answers: dict[str, Any] = Field(default_factory=dict)
    enabled: bool = False


class ImportRules(Body):
    """Rules as `GET /rules/export` gives them."""

    rules: list[dict[str, Any]] = Field(min_length=1, max_length=500)
    enabled: bool = False


class Exported(Shape):
    """Every rule, to be kept or carried elsewhere."""

    schema_: int = Field(default=1, alias="schema")
    rules: list[dict[str, Any]]
