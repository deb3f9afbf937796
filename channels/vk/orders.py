"""Orders of a community's shop as entries of the buyer's dialog.

The lines are what the agent reads; the same data stand one by one in the message's profile, for
rules and for whoever builds on them. Amounts are VK's: hundredths of the currency's unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.vk.content import plain_text
from hub import Address, InboundMessage, Micros

STATUSES = ("new", "agreed", "assembling", "delivering", "done", "cancelled", "returned")
"""VK's numbers 0 to 6 (dev.vk.com, object "order")."""
Data = Mapping[str, Any]


def order_entry(
    order: Data, *, key: str, sender: Address, at: Micros, edited: bool, raw: bytes
) -> InboundMessage:
    """Give the entry of a new order, or of what became of one.

    An edit is somebody's click on a status, nothing to be answered automatically.
    """
    return InboundMessage(
        dedupe_key=key,
        external_id=key,
        sender=sender,
        text="\n".join(_lines(order)),
        sent_at=at,
        automated=edited,
        profile=_profile(order, edited),
        raw=raw,
    )


def status_of(order: Data) -> str:
    """Name the state of an order; a number that VK adds later stays a number."""
    number = order.get("status")
    if isinstance(number, int) and 0 <= number < len(STATUSES):
        return STATUSES[number]
    return str(number)


def _number(order: Data) -> str:
    return str(order.get("display_order_id") or order.get("id") or "")


def _price(value: object) -> str:
    return str(value.get("text") or "") if isinstance(value, Mapping) else ""


def _items(order: Data) -> list[Data]:
    items = order.get("preview_order_items")
    return [one for one in items if isinstance(one, Mapping)] if isinstance(items, list) else []


def _title(item: Data) -> str:
    inner = item.get("item")
    title = item.get("title") or (inner.get("title") if isinstance(inner, Mapping) else "")
    return plain_text(title) or str(item.get("item_id", ""))


def _lines(order: Data) -> list[str]:
    lines = [f"🛒 №{_number(order)} · {status_of(order)}"]
    for item in _items(order):
        cost = _price(item.get("price"))
        lines.append(f"· {_title(item)} × {item.get('quantity', 1)}{f' = {cost}' if cost else ''}")
    more = int(order.get("items_count") or 0) - len(_items(order))
    if more > 0:
        lines.append(f"· … +{more}")
    total = _price(order.get("total_price"))
    if total:
        lines.append(f"Σ {total}")
    for mark, name in (("📍", "address"), ("💬", "comment"), ("📦", "track_number")):
        text = plain_text(order.get(name))
        if text:
            lines.append(f"{mark} {text}")
    return lines


def _profile(order: Data, edited: bool) -> dict[str, str]:
    total = order.get("total_price")
    total = total if isinstance(total, Mapping) else {}
    currency = total.get("currency")
    found = {
        "event": "order_changed" if edited else "order_new",
        "order_id": str(order.get("id") or ""),
        "order_number": _number(order),
        "order_status": status_of(order),
        "order_amount": str(total.get("amount") or ""),
        "order_currency": str(currency.get("name") or "") if isinstance(currency, Mapping) else "",
        "order_total": _price(total),
        "order_items": "; ".join(
            f"{_title(one)} × {one.get('quantity', 1)}" for one in _items(order)
        )[:1000],
        "order_track": str(order.get("track_number") or ""),
        "order_address": plain_text(order.get("address"))[:500],
    }
    return {name: value for name, value in found.items() if value}
