"""What Enter presses: the first submit button of a form, so it has to be the one that is meant."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted(
    [*ROOT.glob("hub/web/templates/**/*.html"), *ROOT.glob("plugins/*/templates/**/*.html")]
)
FORM = re.compile(r"<form\b.*?</form>", re.S)
# A tag may hold statements of the template, and these a ">".
BUTTON = re.compile(
    r"<button\b(?:\{[{%].*?[%}]\}|[^>{]|\{(?![{%]))*>"
    r"|\bui\.(?:button|enter)\((?:[^()]|\([^()]*\))*\)",
    re.S,
)
TYPED = re.compile(
    r"ui\.(?:field|number)\(|parts\.(?:picker|form)\(|<input(?![^>]*type=\"(?:hidden|checkbox|radio|file)\")"
)


def rank(button: str) -> int:
    """Give how strongly a button is offered."""
    if "primary" in button:
        return 2
    return 0 if re.search(r"quiet|danger", button) else 1


def faults(form: str) -> bool:
    """Tell whether Enter in a field of a form presses something else than what is meant."""
    buttons = [one for one in BUTTON.findall(form) if not re.search(r"type=.button", one)]
    if len(buttons) < 2 or not TYPED.search(form) or buttons[0].startswith("ui.enter("):
        return False
    first, *others = map(rank, buttons)
    # Of several plain ones none is meant: the form has to say which, or none.
    return first < max(others) or (first < 2 and first in others)


def test_enter_presses_the_button_that_is_meant() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in TEMPLATES
        if any(map(faults, FORM.findall(path.read_text())))
    ]
    assert not wrong, "begin such a form with ui.enter(...), or with its main button"


def test_a_form_that_begins_with_a_small_button_is_found() -> None:
    line = "<form>{{ ui.field('name', _('Title')) }}"
    drop = '<button class="btn quiet" name="do" value="drop">x</button>'
    save = "{{ ui.button(_('Save'), kind='primary') }}</form>"
    assert faults(line + drop + save)
    assert not faults(line.replace(">{", ">{{ ui.enter('do', 'save') }}{", 1) + drop + save)
