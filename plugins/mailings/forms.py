"""What the page of a mailing sends: its plan, and the small form of a test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub import Invalid, PluginRequest
from plugins.mailings.plans import (
    ERIDS,
    FLAGS,
    MOST_STEPS,
    NUMBERS,
    WORDS,
    Mailing,
    Plan,
    plan_as_typed,
)


def plan_of(request: PluginRequest) -> dict[str, Any]:
    """Read the plan that a page holds."""
    fields = request.fields

    def ticked(name: str) -> list[str]:
        return [key.removeprefix(name) for key in fields if key.startswith(name)]

    numbers = {
        name: int(text) if (text := fields.get(name, "")).isdecimal() and len(text) < 19 else 0
        for name in NUMBERS
    }
    # A form of before, or an empty field: so many in one minute.
    for name in ("minutes", "domain_minutes"):
        numbers[name] = numbers[name] or 1
    order = sorted(
        (int(text), name.removeprefix("account_"))
        for name, text in fields.items()
        if name.startswith("account_") and text.isdecimal() and int(text)
    )
    return {
        **numbers,
        **{name: fields.get(name) == "yes" for name in FLAGS},
        **{name: fields.get(name, "").strip() for name in WORDS},
        "without": [one for one in ticked("without_") if one.isdecimal()],
        "files": [one for one in ticked("file_") if one.isdecimal()],
        "accounts": [name for _, name in order],
        "variants": [
            {
                "subject": fields.get(f"subject_{n}", "").strip(),
                "text": fields.get(f"text_{n}", "").replace("\r\n", "\n"),
                "short": fields.get(f"short_{n}", "").replace("\r\n", "\n"),
                "plain": fields.get(f"plain_{n}", "").replace("\r\n", "\n"),
                "letter": fields.get(f"letter_{n}", ""),
                "buttons": _buttons(fields.get(f"buttons_{n}", "")),
                **{name: fields.get(f"{name}_{n}", "").strip()[:100] for name in ERIDS},
            }
            for n in range(2)
            if n == 0 or fields.get(f"text_{n}", "").strip()
        ],
        "steps": [
            {
                "days": int(days) if (days := fields.get(f"step_days_{n}", "")).isdecimal() else 0,
                "subject": fields.get(f"step_subject_{n}", "").strip(),
                "text": fields.get(f"step_text_{n}", "").replace("\r\n", "\n"),
                "short": fields.get(f"step_short_{n}", "").replace("\r\n", "\n"),
                "buttons": _buttons(fields.get(f"step_buttons_{n}", "")),
                **{name: fields.get(f"step_{name}_{n}", "").strip()[:100] for name in ERIDS},
            }
            for n in range(MOST_STEPS)
            if fields.get(f"step_text_{n}", "").strip()
        ],
    }


def _buttons(text: str) -> list[dict[str, str]]:
    """Read buttons, one a line: a label, and an address after it where it leads somewhere."""
    found = []
    for line in text.splitlines():
        if line.strip():
            label, url, rest = re.split(r"(https?://|$)", line.strip(), maxsplit=1)
            found.append({"label": label.strip(), "url": url + rest})
    return found


def typed(request: PluginRequest, mailing: Mailing) -> Mailing:
    """Give back what was typed: nothing is lost."""
    if mailing.state != "draft" or "title" not in request.fields:
        return mailing
    try:
        plan = plan_as_typed(plan_of(request))
    except Invalid:
        plan = mailing.plan if mailing.id else Plan()
    return Mailing(id=mailing.id, title=request.fields["title"], plan=plan, version=mailing.version)


def test_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """Read what the small form of a test says."""

    def number(name: str) -> int:
        text = fields.get(name, "")
        return int(text) if text.isdecimal() and len(text) < 19 else 0

    return {
        "to": re.split(r"[\s,;]+", fields.get("test_to", "")),
        "account_id": number("test_account"),
        "contact_id": number("test_contact"),
        "variant": number("test_variant"),
        "step": number("test_step"),
    }
