"""Colours of a letter: what a block is read in, by day and in the dark, and how well.

The ratio is that of WCAG 2.2, "contrast ratio" and "relative luminance"
(https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio): 1 is unreadable, 21 is black on white.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

INK, PAPER, LINK, QUIET = "#222222", "#ffffff", "#1d4fc4", "#666666"
DARK_INK, DARK_PAPER, DARK_LINK, DARK_QUIET = "#eeeeee", "#1b1b1b", "#9cc2ff", "#a8a8a8"
BUTTON = "#2457d6"
ENOUGH, ENOUGH_LARGE = 4.5, 3.0
"""Least ratios of success criterion 1.4.3: of words, and of large or bold ones."""
COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def luminance(colour: str) -> float:
    """Give the relative luminance of `#rgb` or `#rrggbb`: 0 is black, 1 is white."""
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(one * 2 for one in digits)
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = [
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    """Give how much two colours stand apart, 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(ground: str) -> str:
    """Give dark or light words, whichever is read better on a background."""
    return max((INK, PAPER), key=lambda one: ratio(one, ground))


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """What was chosen for a block, "" where nothing was: it then follows the reader's theme."""

    ink: str = ""
    ground: str = ""

    def over(self, outer: Colours) -> Colours:
        """Give the colours of a block inside of another: what it does not say is the outer one's."""
        if self.ground:
            return self
        return Colours(ink=self.ink or outer.ink, ground=outer.ground)

    @property
    def words(self) -> str:
        """The colour of the words by day."""
        return self.ink or (ink_on(self.ground) if self.ground else INK)

    @property
    def own(self) -> bool:
        """Whether the words keep their colour in the dark too."""
        return bool(self.ink or self.ground)

    def pairs(self) -> list[tuple[bool, str, str]]:
        """Give what is read on what, as (in the dark, words, background)."""
        dark_ground = self.ground or DARK_PAPER
        dark_words = self.words if self.own else DARK_INK
        return [(False, self.words, self.ground or PAPER), (True, dark_words, dark_ground)]
