"""Every screen in both languages, both themes, on a phone, a laptop and a wide screen.

Nothing scrolls sideways, nothing is cut off, nothing stays in the wrong language. With
`HUB_SCREENSHOTS=<folder>` each screen is also kept as a picture, to be looked at.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from playwright.async_api import Page, expect

import hub
from hub import AddNote, Address, SaveTeam, TagDialog, UpdateProfile
from hub.web.settings.common import MENU
from tests.browser.conftest import Enter
from tests.browser.office import Office

pytestmark = [pytest.mark.browser]
WIDTHS = [390, 1024, 1440]
PLAIN = {("ru", "dark", 390), ("ru", "light", 1440)}
LOOKS = [
    pytest.param(
        language,
        theme,
        width,
        marks=[] if (language, theme, width) in PLAIN else [pytest.mark.soak],
    )
    for language in ("ru", "en")
    for theme in ("light", "dark")
    for width in WIDTHS
]
# What is said on a page: its texts, and what is read out or shown in a tooltip.
SAID = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const holder = walk.currentNode.parentElement;
    // An address that may break at its dots is one text.
    const whole = holder.querySelector(':scope > wbr') ? holder.textContent : walk.currentNode.data;
    if (!holder.closest('script, style, template, .person')) found.push(whole);
  }
  for (const one of document.body.querySelectorAll('[title], [aria-label], [placeholder]'))
    for (const name of ['title', 'aria-label', 'placeholder']) found.push(one.getAttribute(name));
  return [...new Set(found.map((one) => (one || '').trim()).filter(Boolean))];
}"""
# Buttons and headings whose words do not fit into them, and titles squeezed into a column.
SQUEEZED = """() => [...document.querySelectorAll('button, .btn, h2, label, .chip, nav a')].filter((one) =>
  one.offsetParent && one.textContent.trim() && one.scrollWidth > one.clientWidth + 1 &&
  getComputedStyle(one).overflowX === 'visible' && getComputedStyle(one).display !== 'inline'
).concat([...document.querySelectorAll('h1')].filter((one) => one.offsetParent &&
  one.clientHeight > 3.5 * parseFloat(getComputedStyle(one).lineHeight))).map((one) => one.outerHTML.slice(0, 120))"""
# Controls that stick out of what cuts off, or of the window; what scrolls can be brought into view, and
# an ellipsis says that there is more.
CLIPPED = """() => [...document.querySelectorAll('button, input, a, select')].filter((one) => {
  const box = one.getBoundingClientRect();
  if (!box.width || !box.height || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
  if (one.closest('.sr, .skip')) return false;
  let x = true, y = true;
  for (let up = one.parentElement; up && up !== document.documentElement && (x || y); up = up.parentElement) {
    const style = getComputedStyle(up);
    const clip = up.getBoundingClientRect();
    const cuts = (way) => way === 'hidden' || way === 'clip';
    if (style.textOverflow === 'ellipsis' && cuts(style.overflowX)) return false;
    if (x && cuts(style.overflowX) && (box.left < clip.left - 2 || box.right > clip.right + 2)) return true;
    if (y && cuts(style.overflowY) && (box.top < clip.top - 2 || box.bottom > clip.bottom + 2)) return true;
    if (['auto', 'scroll'].includes(style.overflowX)) x = false;
    if (['auto', 'scroll'].includes(style.overflowY)) y = false;
    if (style.position === 'fixed') break;
  }
  return x && (box.left < -2 || box.right > innerWidth + 2);
}).map((one) => 'cut off: ' + one.outerHTML.slice(0, 160))"""
CUT = f"() => [...({SQUEEZED})(), ...({CLIPPED})()]"
WIDE = "Math.max(0, document.documentElement.scrollWidth - innerWidth)"


def foreign_words() -> set[str]:
    """Every English text that has a Russian one."""
    path = Path(hub.__file__).parent / "locale/ru/LC_MESSAGES/hub.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale="ru")
    return {
        one.id
        for one in catalogue
        if isinstance(one.id, str) and one.id and one.string and one.string != one.id
    }


async def furnish(office: Office, language: str, theme: str) -> int:
    """Dialogs with something of everything, with long names and long words."""
    max_ = office.hands_of("Max")
    await max_.do(
        UpdateProfile(language=language, theme=theme, preferences={"undo_seconds": 0}),
        SaveTeam(name="Первая линия поддержки клиентов", members=tuple(office.users.values())),
    )
    await office.writes("Мария Орлова", "Когда привезут заказ 1042? " * 8)
    dialog = await office.writes(
        "Константин Константинопольский-Рождественский",
        "Добрый день! " + "длинноесловобезпробелов" * 12,
        account=office.letters,
        subject="Счёт на сорок светильников и ещё одна очень длинная тема письма",
        html="<p>Добрый день</p>",
        to=(Address(kind="email", value="desk@boats.example"),),
        cc=(Address(kind="email", value="buhgalteriya-otdel@ochen-dlinny-domen.example.org"),),
    )
    await office.answers("Oleg", dialog, "Сейчас посмотрим. " * 10)
    await max_.do(
        AddNote(dialog_id=dialog, text="Он ждёт скидку", mentions=(office.users["Vera"],)),
        TagDialog(dialog_id=dialog, add=("оптовый покупатель", "доставка", "срочное")),
    )
    return int(dialog)


class Looker:
    """Goes from screen to screen and writes down what is wrong."""

    def __init__(self, page: Page, name: str, wrong_words: set[str]) -> None:
        self.page, self.name, self.wrong_words = page, name, wrong_words
        self.found: dict[str, object] = {}

    async def look(self, screen: str) -> None:
        """Judge the screen that is shown."""
        folder = os.environ.get("HUB_SCREENSHOTS", "")
        if folder:
            await self.page.screenshot(path=Path(folder) / f"{self.name}-{screen}.png")
        wrong: list[object] = sorted(self.wrong_words & set(await self.page.evaluate(SAID)))
        wrong += await self.page.evaluate(CUT)
        if too_wide := await self.page.evaluate(WIDE):
            wrong.append(f"scrolls sideways by {too_wide}")
        if wrong:
            self.found[screen] = wrong


async def test_what_is_cut_off_is_found(enter: Enter) -> None:
    page = await enter("Vera")
    for box, button, found in (
        ("overflow:hidden", "left:60px", 1),
        ("overflow:hidden", "top:25px", 1),
        ("", "left:9000px", 1),
        ("overflow:hidden", "left:40px", 0),
        ("overflow:auto", "left:60px", 0),
        ("overflow:hidden;text-overflow:ellipsis", "left:60px", 0),
    ):
        await page.evaluate(
            "(html) => { document.getElementById('main').innerHTML = html; }",
            f'<div style="position:relative;width:100px;height:30px;{box}">'
            f'<button style="position:absolute;width:50px;height:20px;{button}">x</button></div>',
        )
        assert len(await page.evaluate(CLIPPED)) == found, (box, button)


@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
async def test_every_screen_fits_and_speaks_one_language(
    office: Office, enter: Enter, language: str, theme: str, width: int
) -> None:
    dialog = await furnish(office, language, theme)
    options = {"has_touch": True, "is_mobile": True} if width < 720 else {}
    page = await enter(
        "Max", "/inbox", viewport={"width": width, "height": 844}, locale=language, **options
    )
    looker = Looker(
        page, f"{language}-{theme}-{width}", foreign_words() if language == "ru" else set()
    )
    await looker.look("list")
    await page.goto(f"{office.url}/inbox/{dialog}")
    await expect(page.locator("html[data-ready=inbox]")).to_have_count(1)
    await looker.look("dialog")
    await page.locator("button[data-mode=note]").click()
    await looker.look("note")
    for menu in ("more-menu", "snooze-menu", "assign-menu"):
        await page.evaluate(f"document.getElementById('{menu}').showPopover()")
        await looker.look(menu)
        await page.evaluate(f"document.getElementById('{menu}').hidePopover()")
    if width < 1180:
        await page.locator(".thread-head [data-do=card]:visible").click()
        await expect(page.locator("#card-pane h2").first).to_be_visible()
        await looker.look("card")
    contact = (await office.system.dialog(dialog)).contact_id  # type: ignore[arg-type]
    paths = ["/search?q=заказ", "/search?q=zzzz", "/contacts", f"/contacts/{contact}"]
    paths += ["/inbox/new", "/inbox?view=closed", *(one.path for one in MENU)]
    paths += [f"/settings/users/{office.users['Vera']}", f"/settings/channels/{office.boats}"]
    for path in paths:
        await page.goto(office.url + path)
        await looker.look(path.strip("/").replace("/", "-").split("?")[0])
    assert looker.found == {}
