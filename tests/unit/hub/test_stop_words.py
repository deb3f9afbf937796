"""Words of refusal: said alone, in whatever way a channel's people write them."""

import pytest

from dialogs.stop_words import AGAIN, STOP, word_of


@pytest.mark.parametrize(
    "text",
    ["стоп", "СТОП!", "/stop", "«Стоп»", "Stop all", "стоп  рассылка.", "Отписаться", "Отказ"],
)
def test_a_refusal_is_known_however_it_is_written(text: str) -> None:
    assert word_of(text) in STOP


@pytest.mark.parametrize(
    "text", ["when do you stop?", "стоп-кран сломан", "/start", "стоп " * 20, "", "не стоп"]
)
def test_words_of_a_sentence_are_none(text: str) -> None:
    assert word_of(text) not in STOP | AGAIN
