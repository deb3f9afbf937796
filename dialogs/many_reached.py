"""Who of a send was reached by what left already: he needs no other way of it.

A click, an answer, a picture that was loaded and a word over the unsubscribe link prove that it
arrived, whatever a provider tells of it or keeps to itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from crm_store.rows import among, listed
from crm_store.tables.consents import consent_log
from crm_store.tables.many import many_touches
from crm_store.unit_of_work import UnitOfWork

WORD = "delivery "
"""So the evidence of a word begins that was said over the link of a letter (hub/web/leaving.py)."""


def reached(uow: UnitOfWork, rows: Mapping[int, int]) -> set[int]:
    """Give which of these deliveries (each with its person) a person has answered, or touched."""
    if not rows:
        return set()
    touched = select(many_touches.c.delivery_id).where(
        among(uow.dialect, many_touches.c.delivery_id, "b_ids"), ~many_touches.c.machine
    )
    given = {"b_ids": listed(uow.dialect, rows)}
    found = set(uow.conn.execute(touched, given).scalars())
    return found | who_spoke(uow, {n: who for n, who in rows.items() if n not in found})


def who_spoke(uow: UnitOfWork, rows: Mapping[int, int]) -> set[int]:
    """Give over whose unsubscribe link something was said: a refusal, a wish for less, a consent."""
    if not rows:
        return set()
    said = select(consent_log.c.evidence).where(
        among(uow.dialect, consent_log.c.contact_id, "b_people"),
        consent_log.c.evidence.startswith(WORD),
    )
    given = {"b_people": listed(uow.dialect, set(rows.values()))}
    heads = (one.partition(":")[0] for one in uow.conn.execute(said, given).scalars())
    # A link of a send of several ways names its place too: `delivery 7.2`.
    letters = {one.partition(".")[0] for one in heads}
    return {number for number in rows if f"{WORD}{number}" in letters}
