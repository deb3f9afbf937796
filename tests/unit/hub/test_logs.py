"""Log lines can be read by people and by machines, and hold no secret."""

import json
import logging

from hub.logs import JsonLines, TextLines


def record(text: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord("hub.x", logging.INFO, "file", 1, text, values, None)


def test_a_text_line_is_one_line() -> None:
    line = TextLines().format(record("send_ended code=%s", "a\nb"))
    assert "\n" not in line
    assert line.endswith("INFO hub.x send_ended code=a\\nb")


def test_pairs_become_fields_of_json() -> None:
    found = json.loads(JsonLines().format(record("held jobs=%d why=%s", 3, "two words")))
    assert (found["event"], found["jobs"], found["why"]) == ("held", "3", "two words")
    assert found["at"].endswith("Z")


def test_a_pair_cannot_overwrite_what_the_line_is() -> None:
    assert json.loads(JsonLines().format(record("held level=9")))["level"] == "info"


def test_a_foreign_sentence_stays_whole() -> None:
    assert json.loads(JsonLines().format(record("Finished server process")))["event"] == (
        "Finished server process"
    )


def test_a_secret_that_slipped_in_is_hidden_in_both_styles() -> None:
    for style in (TextLines(), JsonLines()):
        assert "hunter2" not in style.format(record("login password=%s user=1", "hunter2"))
