"""What a plugin is called where it stands as an author, in a message and in the audit."""

from __future__ import annotations

from hub.web.plugin_words import plugin_word


def test_a_plugin_is_called_by_a_word_and_a_person_by_his_name() -> None:
    assert plugin_word("en", "request_numbers") == "Number of the request"
    assert plugin_word("ru", "request_numbers") == "Номер заявки"
    assert plugin_word("en", "stock_levels") == "Stock levels"
    assert plugin_word("ru", "Anna Petrova") == "Anna Petrova"
