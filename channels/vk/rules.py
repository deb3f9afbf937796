"""Orders of a shop for the rules: what may be asked of an order, and the rule most shops want first.

An order is an entry of the buyer's dialog (see `orders`); its parts stand in the message's profile
and are read from there, so that a rule judges what the agent saw.
"""

from __future__ import annotations

from collections.abc import Callable

from channels.vk.orders import STATUSES
from hub import Choice, Facts, Field, FieldType, Recipe, Where

_EVENTS = {"order_new": "new", "order_changed": "changed"}
_WORDS = {
    "new": ("new", "новый"),
    "agreed": ("agreed", "согласуется"),
    "assembling": ("assembling", "собирается"),
    "delivering": ("delivering", "доставляется"),
    "done": ("done", "выполнен"),
    "cancelled": ("cancelled", "отменён"),
    "returned": ("returned", "возвращён"),
}


def _told(facts: Facts, name: str) -> str:
    """Give one part of the order that a message is about, "" where it is about none."""
    profile = facts.message.extra.get("profile") if facts.message is not None else None
    value = profile.get(name) if isinstance(profile, dict) else None
    is_order = isinstance(profile, dict) and profile.get("event") in _EVENTS
    return value if is_order and isinstance(value, str) else ""


def _part(name: str) -> Callable[[Facts], object]:
    return lambda facts: _told(facts, name)


def _amount(facts: Facts) -> object:
    """Give the sum in the currency's own units; VK counts hundredths."""
    told = _told(facts, "order_amount")
    return int(told) / 100 if told.isdecimal() else None


def _field(
    name: str,
    label: str,
    russian: str,
    kind: FieldType,
    value: Callable[[Facts], object],
    choices: tuple[Choice, ...] = (),
) -> Field:
    return Field(
        name=f"vk.{name}",
        label=label,
        type=kind,
        value=value,
        where=Where.FACT,
        choices=choices,
        translations={"ru": russian},
    )


FIELDS = [
    _field(
        "order",
        "Order in the VK shop",
        "Заказ в магазине VK",
        FieldType.CHOICE,
        lambda facts: _EVENTS.get(_told(facts, "event"), ""),
        (Choice("new", "new", {"ru": "новый"}), Choice("changed", "changed", {"ru": "изменён"})),
    ),
    _field(
        "order_status",
        "State of the VK order",
        "Состояние заказа VK",
        FieldType.CHOICE,
        _part("order_status"),
        tuple(Choice(one, _WORDS[one][0], {"ru": _WORDS[one][1]}) for one in STATUSES),
    ),
    _field("order_amount", "Sum of the VK order", "Сумма заказа VK", FieldType.NUMBER, _amount),
    _field(
        "order_items",
        "Goods of the VK order",
        "Товары заказа VK",
        FieldType.TEXT,
        _part("order_items"),
    ),
]

RECIPES = [
    Recipe(
        key="vk_order",
        title="VK order → interest",
        about="An order of the shop becomes an interest, and its dialog is given to somebody.",
        translations={
            "ru": (
                "Заказ VK → интерес",
                "Заказ магазина становится интересом, а диалог получает ответственного.",
            )
        },
        group="intake",
        rule={
            "name": {"en": "VK order → interest", "ru": "Заказ VK → интерес"},
            "when": [{"event": "message.received"}],
            "if": {"all": [{"field": "vk.order", "operator": "equals", "value": "new"}]},
            "then": [{"action": "crm_actions.create_interest"}, {"action": "crm_actions.route"}],
        },
    )
]
