"""The mark of advertising (Law on Advertising, art. 18.1): who advertises, and the creative's erid.

Surely due for a third party's advertising; whether a company's own letters to its own people need
it is disputed, so the plan says what it is. This is no legal advice.
"""

from __future__ import annotations

from plugins.mailings.plans import Plan


def mark_of(plan: Plan) -> str:
    """Give the line that stands under the words, "" for none."""
    if not plan.ad_kind:
        return ""
    who = plan.advertiser + (f", ИНН {plan.inn}" if plan.inn else "")
    parts = ["Реклама", who, f"erid: {plan.erid}" if plan.erid else ""]
    return ". ".join(one for one in parts if one)


def marked(plan: Plan, text: str) -> str:
    """Put the mark under the words."""
    mark = mark_of(plan)
    return f"{text.rstrip()}\n\n{mark}" if mark and text.strip() else text


def link_marks(plan: Plan) -> str:
    """Give the marks of every link: those of the campaign, and the creative's."""
    own = f"erid={plan.erid}" if plan.ad_kind and plan.erid else ""
    return "&".join(one for one in (plan.utm, own) if one)
