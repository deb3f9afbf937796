"""What a WhatsApp message says, in words: text, captions, places, cards, orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def text(kind: str, one: Json) -> str:
    """Give the words of a message of a kind; "" where it has none. Raises for a wrong shape."""
    if kind == "text":
        return str(one["text"]["body"])
    if kind in ("image", "video", "document"):
        return str(one[kind].get("caption") or "")
    if kind == "location":
        return _place(one["location"])
    if kind == "contacts":
        return "\n\n".join(_card(card) for card in one["contacts"])
    if kind == "order":
        return _order(one["order"])
    if kind == "system":
        return str(one["system"]["body"])
    return ""


def pressed(kind: str, one: Json) -> tuple[str, str] | None:
    """Give payload and label of a pressed button or a chosen row; None for anything else."""
    if kind == "button":
        body = one["button"]
        return str(body.get("payload") or body["text"]), str(body["text"])
    if kind == "interactive":
        body = one["interactive"]
        reply = body.get("button_reply") or body.get("list_reply")
        return (str(reply["id"]), str(reply["title"])) if reply else None
    return None


def unsupported(kind: str, one: Json) -> str:
    """Name a message that cannot be shown, with Meta's own reason where it gives one."""
    errors = one.get("errors")
    words = ""
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        data = errors[0].get("error_data")
        words = str((data or {}).get("details") or errors[0].get("title") or "")
    inner = one.get(kind)
    named = str(inner.get("type", "")) if isinstance(inner, dict) else ""
    return ": ".join(part for part in (named or kind or "unknown", words) if part)


def profile(one: Json, context: Json) -> dict[str, str]:
    """Give what is known beside the words: the advertisement, the product, that it is passed on."""
    found: dict[str, str] = {}
    referral = one.get("referral")
    if isinstance(referral, dict):
        for name in ("source_url", "source_type", "source_id", "headline", "ctwa_clid"):
            if referral.get(name):
                found[f"referral_{name}"] = str(referral[name])[:2_000]
    product = context.get("referred_product")
    if isinstance(product, dict) and product.get("product_retailer_id"):
        found["product"] = str(product["product_retailer_id"])
    if context.get("forwarded") or context.get("frequently_forwarded"):
        found["forwarded"] = "yes"
    return found


def _place(body: Json) -> str:
    lines = [f"📍 {body['latitude']}, {body['longitude']}", body.get("name"), body.get("address")]
    return "\n".join(str(line) for line in lines if line)


def _card(card: Json) -> str:
    name = card.get("name") or {}
    lines = [f"👤 {name.get('formatted_name') or name.get('first_name') or ''}".strip()]
    lines += [str(one.get("phone") or one.get("wa_id") or "") for one in card.get("phones") or ()]
    lines += [str(one.get("email") or "") for one in card.get("emails") or ()]
    lines += [str(one.get("url") or "") for one in card.get("urls") or ()]
    company = (card.get("org") or {}).get("company")
    return "\n".join(line for line in [*lines, str(company or "")] if line)


def _order(body: Json) -> str:
    lines = [
        f"🛒 {one['product_retailer_id']} × {one['quantity']}: "
        f"{one['item_price']} {one['currency']}"
        for one in body["product_items"]
    ]
    return "\n".join([*lines, *([str(body["text"])] if body.get("text") else [])])
