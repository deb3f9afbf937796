"""Where settings come from, and who wins."""

from pathlib import Path

import pytest

from hub.errors import Invalid
from hub.settings import HubSettings


def test_the_file_counts_where_nothing_else_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hub.toml").write_text('port = 9001\nhost = "0.0.0.0"\nlog_level = "debug"\n')
    monkeypatch.setenv("HUB_HOST", "::1")
    settings = HubSettings.load(data=tmp_path, port=None, log_level="error")
    assert (settings.port, settings.host, settings.log_level) == (9001, "::1", "error")


def test_the_environment_names_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hub.toml").write_text("port = 9002\n")
    monkeypatch.setenv("HUB_DATA", str(tmp_path))
    assert HubSettings.load().port == 9002


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot = 1", "prot"),
        ("port = 'x'", "port"),
        ("data = 'x'", "data"),
        ("port = ", "cannot be read"),
        ("role = 'both'", "role"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "hub.toml").write_text(text)
    with pytest.raises(Invalid, match=says):
        HubSettings.load(data=tmp_path)
