"""Cards are compared by what is written in them, in whatever spelling."""

from __future__ import annotations

import pytest

from crm_store import comparison
from crm_store.comparison import Card, comparing
from crm_store.sameness import phone_form


def test_a_phone_is_taken_apart_only_where_it_ends_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def form(value: str) -> str:
        read.append(value)
        return phone_form(value)

    monkeypatch.setattr(comparison, "phone_form", form)
    card = Card(1, "Anna Petrova", phone="8 (912) 345-67-89")
    others = [
        Card(2, "Petrova Anna", phone="+7 912 345 67 89"),
        Card(3, "Petrova Anna", phone="+7 912 345-67-80"),
        Card(4, "Petrova Anna", phone="+7 495 345-67-89"),
        Card(5, "Petrova Anna"),
    ]
    compare = comparing(card)
    found = [compare(other, 100) for other in others]
    reasons = [one[1] for one in found if one is not None]
    assert reasons == [("phone", "name"), ("name",), ("name",), ("name",)]
    assert others[1].phone not in read
    assert len(read) == 3
