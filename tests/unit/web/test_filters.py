"""What templates do to texts: nothing of a stranger's becomes markup."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest
from babel.dates import format_timedelta
from jinja2 import Environment

from hub.web.filters import FILTERS, ago, breakable, is_reply, marked
from hub.web.instants import when
from hub.web.wording import linked


def test_the_words_of_a_search_are_marked_in_any_form_and_nothing_else_is_markup() -> None:
    found = marked("<b>Счета</b> за октябрь, ваш счёт & прочее", "счёт")
    assert str(found) == (
        "&lt;b&gt;<mark>Счета</mark>&lt;/b&gt; за октябрь, ваш <mark>счёт</mark> &amp; прочее"
    )
    assert str(marked("nothing <here>", "boat")) == "nothing &lt;here&gt;"


def test_an_address_breaks_between_its_parts() -> None:
    assert str(breakable("a.b@c.example")) == "a.<wbr>b<wbr>@c.<wbr>example"
    assert "<script>" not in breakable("<script>@x")


def test_a_link_ends_where_the_sentence_does() -> None:
    found = str(linked("See https://example.com/a?b=1&c=2. <i>"))
    assert '<a href="https://example.com/a?b=1&amp;c=2" ' in found
    assert found.endswith("</a>. &lt;i&gt;")


@pytest.mark.parametrize("subject", ["Re: Boats", "RE[2]: Boats", "Отв: лодки", "aw: x"])
def test_a_reply_repeats_its_subject(subject: str) -> None:
    assert is_reply(subject)


@pytest.mark.parametrize("subject", ["Boats", "Regarding boats", "", "Received: one boat"])
def test_a_new_subject_is_shown(subject: str) -> None:
    assert not is_reply(subject)


def test_time_that_is_summed_up_is_not_rounded() -> None:
    names = Environment(autoescape=True)
    names.filters.update(FILTERS)
    page = names.from_string("{{ one|lasting }}, {{ one|roughly }}")
    assert page.render(one=95 * 60_000_000, language="en") == "1\u00a0h 35\u00a0min, 2 hours"


@pytest.mark.parametrize("language", ["en", "ru"])
def test_how_long_ago_is_said_as_babel_says_it(language: str) -> None:
    for unit in (1, 60, 3_600, 86_400, 604_800, 2_592_000, 31_536_000):
        for seconds in (int(unit * share) for share in (0, 0.9, 1, 1.19, 1.2, 1.49, 1.5, 2.5, 6)):
            said = format_timedelta(
                seconds, granularity="minute", threshold=1.2, format="short", locale=language
            )
            assert ago(seconds, language) == ago(-seconds, language) == said


def test_what_should_have_left_is_not_said_to_leave_at_a_time_that_is_over() -> None:
    ahead = FILTERS["ahead"]
    now = int(time.time()) * 1_000_000
    assert (ahead(now + 7_200_000_000) > 60, ahead(now - 60_000_000) < -30) == (True, True)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        ((2026, 11, 29), "29 нояб."),
        ((2026, 11, 30), "15:00"),
        ((2026, 12, 1), "1 дек., 15:00"),
        ((2026, 12, 7), "7 дек., 15:00"),
        ((2026, 12, 8), "8 дек."),
        ((2027, 1, 2), "02.01.2027"),
    ],
)
def test_what_is_soon_is_shown_with_its_hour(day: tuple[int, int, int], shown: str) -> None:
    at = int(datetime(*day, 12, tzinfo=UTC).timestamp()) * 1_000_000
    assert when(at, "Europe/Moscow", "ru", date(2026, 11, 30)) == shown
