"""Interests (deals): what a client may buy, on its way through the stages of a pipeline."""

from __future__ import annotations

from hub.filters import Field, FieldType, Where
from hub.kinds import described
from hub.nouns.parts import CREATED, OWNER, SOURCE, TAGS, TEAM, choices, client, contact, prop
from hub.properties import PropertyType
from hub.records.interests import Interest

_T = PropertyType
STATUSES = choices(
    ("in_work", "in work", "в работе"),
    ("won", "won", "выигран"),
    ("lost", "lost", "проигран"),
)
CURRENCIES = choices(
    *((one, one, one) for one in ("RUB", "USD", "EUR", "KZT", "BYN", "CNY", "AMD", "GEL", "KGS")),
    *((one, one, one) for one in ("UZS", "AED", "TRY", "GBP")),
)
LIKELIHOODS = choices(
    ("stage", "that of the stage", "по этапу"),
    ("statistics", "by past interests", "по статистике"),
    ("hand", "by hand", "вручную"),
)

INTERESTS = described(
    name="interest",
    words=("interest", "interests", "интерес", "интересы"),
    record=Interest,
    read="interests.view",
    write="interests.edit",
    path="interests",
    icon="kanban",
    over=("won", "lost"),
    more_fields=(
        Field(
            name="interest.reached",
            label="Stages reached",
            type=FieldType.SET,
            value=lambda facts: (),
            where=Where.QUERY,
            translations={"ru": "Пройденные этапы"},
        ),
    ),
    properties=(
        prop("title", "Title", "Название", required=True, personal=True, listed=True),
        prop(
            "status",
            "Status",
            "Состояние",
            _T.CHOICE,
            choices=STATUSES,
            editable=False,
            listed=True,
        ),
        client(listed=True),
        contact(),
        prop("pipeline_id", "Pipeline", "Воронка", _T.REF, ref="pipeline", editable=False),
        prop("stage_id", "Stage", "Этап", _T.REF, ref="stage", editable=False, listed=True),
        prop(
            "stage_since",
            "In the stage since",
            "На этапе с",
            _T.INSTANT,
            editable=False,
            sortable=True,
        ),
        OWNER,
        TEAM,
        prop("amount", "Amount", "Сумма", _T.MONEY, listed=True, sortable=True),
        prop("currency", "Currency", "Валюта", _T.CHOICE, choices=CURRENCIES),
        prop("probability", "Probability, %", "Вероятность, %", _T.NUMBER),
        prop(
            "probability_from",
            "Probability is",
            "Вероятность берётся",
            _T.CHOICE,
            choices=LIKELIHOODS,
        ),
        prop(
            "expected_close",
            "Expected close",
            "Ожидаемое закрытие",
            _T.DATE,
            listed=True,
            sortable=True,
        ),
        SOURCE,
        TAGS,
        prop("next_step", "Next step", "Следующий шаг", personal=True),
        prop("next_step_at", "Next step on", "Дата следующего шага", _T.DATE, sortable=True),
        prop(
            "loss_reason_id",
            "Loss reason",
            "Причина проигрыша",
            _T.REF,
            ref="loss_reason",
            editable=False,
        ),
        prop(
            "loss_comment",
            "Why it was lost",
            "Комментарий к проигрышу",
            editable=False,
            personal=True,
        ),
        prop("closed_at", "Closed", "Закрыт", _T.INSTANT, editable=False, sortable=True),
        prop("lead_id", "Lead", "Лид", _T.REF, ref="lead", editable=False),
        CREATED,
    ),
)
