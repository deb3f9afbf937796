"""The mark of advertising (Law on Advertising, art. 18.1): who advertises, and the creative's erid.

Surely due for a third party's advertising; whether a company's own letters to its own people need
it is disputed, so the plan says what it is. This is no legal advice.
"""

from __future__ import annotations

from plugins.mailings.plans import Plan, Step, Variant


def erid_of(plan: Plan, wording: Variant | Step, *, short: bool = False) -> str:
    """Give the erid of a creative: a wording's own, of its text or its short words, else the plan's."""
    return (wording.short_erid if short else wording.erid) or plan.erid


def creatives_of(plan: Plan) -> list[tuple[str, str]]:
    """Give what needs an erid each, as (name, erid): A is the first wording, A2 its short words.

    The later letters of a chain are 1, 2 and so on.
    """
    wordings: list[tuple[str, Variant | Step]] = [
        (chr(ord("A") + n), one) for n, one in enumerate(plan.variants) if one.text.strip()
    ]
    wordings += [(str(n), one) for n, one in enumerate(plan.steps, 1)]
    found = []
    for name, one in wordings:
        found.append((name, erid_of(plan, one)))
        if len(plan.accounts) > 1:
            found.append((f"{name}2", erid_of(plan, one, short=True)))
    return found


def mark_of(plan: Plan, erid: str) -> str:
    """Give the line that stands under the words, "" for none."""
    if not plan.ad_kind:
        return ""
    who = plan.advertiser + (f", ИНН {plan.inn}" if plan.inn else "")
    parts = ["Реклама", who, f"erid: {erid}" if erid else ""]
    return ". ".join(one for one in parts if one)


def marked(plan: Plan, text: str, erid: str) -> str:
    """Put the mark under the words."""
    mark = mark_of(plan, erid)
    return f"{text.rstrip()}\n\n{mark}" if mark and text.strip() else text


def link_marks(plan: Plan, erid: str) -> str:
    """Give the marks of every link: those of the campaign, and the creative's."""
    own = f"erid={erid}" if plan.ad_kind and erid else ""
    return "&".join(one for one in (plan.utm, own) if one)
