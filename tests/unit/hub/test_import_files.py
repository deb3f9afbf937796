"""Files of imports: what a spreadsheet or a person wrote is read, or refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import Invalid
from hub.import_files import look_at, rows_of


def read(path: Path, text: str) -> list[list[str]]:
    file = path / "people.csv"
    file.write_text(text)
    return [cells for _, cells in rows_of(file, look_at(file).form)]


def test_marks_within_cells_are_taken_as_they_are_meant(tmp_path: Path) -> None:
    text = 'name,note\nAnna,5" pipe\n"Boris ""Bo""","two\nlines"\nClara,"a "b" c"\n'
    found = [["Anna", '5" pipe'], ['Boris "Bo"', "two\nlines"], ["Clara", 'a b" c"']]
    assert read(tmp_path, text) == found


@pytest.mark.parametrize("rest", [10, 20_000])
def test_a_mark_that_is_never_closed_swallows_nothing(tmp_path: Path, rest: int) -> None:
    text = 'name,note\nAnna,one\n"Boris,two\n' + "Clara,three\n" * rest
    with pytest.raises(Invalid, match="line 3: a quotation mark is not closed"):
        read(tmp_path, text)
